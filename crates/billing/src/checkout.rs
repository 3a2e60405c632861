//! The other way in: an order, paid in the provider's window, then confirmed.

use std::time::Duration;

use kernel::{BusinessId, Krw};
use pg_adapter::Provider;
use platform::TenantTx;
use uuid::Uuid;

use crate::{
    Billing, BillingCycle, BillingError, PaymentMove,
    charge::{Attempt, LEASE, Means, Settlement},
    enroll::NewSubscription,
    payment::{Payment, PaymentId, PaymentReason, PaymentStatus},
    store::{self, payment::NewOrder},
};

/// How long an order waits to be paid. Toss Payments gives the payer 30 minutes in its window and
/// 10 more to confirm; an hour covers both.
const ORDER_KEPT_FOR: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// How long a repeated confirm waits for the first one's answer. Longer than the provider may take.
const WAIT_FOR_OTHER: Duration = Duration::from_secs(70);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// An order to be paid in the provider's window.
pub(crate) struct Order {
    pub order_id: String,
    pub customer_key: String,
    pub order_name: String,
    pub amount: Krw,
    pub payment: PaymentId,
}

/// What the client says was ordered and paid. Compared, never trusted.
pub(crate) struct ConfirmRequest {
    /// None where the client did not say: then the order must exist.
    pub provider: Option<Provider>,
    pub payment_key: String,
    pub order_id: String,
    pub amount: Krw,
    /// What it is for, where the client says so. With it an order need not have been made before.
    pub item: Option<(String, BillingCycle)>,
}

/// A confirmed payment, settled or not.
pub(crate) struct Confirmed {
    pub payment: PaymentId,
    pub settlement: Settlement,
}

impl Billing {
    pub(crate) async fn order(
        &self,
        business: BusinessId,
        provider: Provider,
        plan_code: &str,
        cycle: BillingCycle,
        claimed: Option<Krw>,
    ) -> Result<Order, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let merchant = self.merchant_at(&mut tx, business, provider).await?;
        let (plan, amount) = self.for_sale(&mut tx, plan_code, cycle).await?;
        if claimed.is_some_and(|claimed| claimed != amount) {
            return Err(BillingError::AmountMismatch { expected: amount });
        }
        if store::subscription::lock_live(&mut tx, business).await?.is_some() {
            return Err(BillingError::AlreadySubscribed);
        }
        let order_id = Attempt::new_order_id();
        // Unguessable, as the provider demands, and used for this order only.
        let customer_key = Uuid::new_v4().to_string();
        let payment = self
            .write_down_order(
                &mut tx,
                &NewOrder {
                    business,
                    order_id: &order_id,
                    merchant,
                    customer_key: Some(&customer_key),
                    plan_code: &plan.code,
                    cycle,
                    amount,
                    expires_at: self.clock.now() + ORDER_KEPT_FOR,
                },
            )
            .await?;
        tx.commit().await?;
        let order_name = Attempt::order_name(&plan.name, cycle);
        Ok(Order { order_id, customer_key, order_name, amount, payment })
    }

    async fn write_down_order(
        &self,
        tx: &mut TenantTx,
        order: &NewOrder<'_>,
    ) -> Result<PaymentId, BillingError> {
        store::payment::insert_order(tx, order, self.clock.now()).await.map_err(|error| match &error {
            // An order goes by this id already.
            sqlx::Error::Database(refused) if refused.constraint() == Some("payment_order") => {
                BillingError::OrderMismatch
            }
            _ => error.into(),
        })
    }

    /// Confirms a payment with the provider. Sent twice, or twice at once, it is one charge and one answer.
    pub(crate) async fn confirm(
        &self,
        business: BusinessId,
        request: &ConfirmRequest,
    ) -> Result<Confirmed, BillingError> {
        // Found out before a transaction is open: whoever holds one must not wait for another connection.
        let provider = match request.provider {
            Some(provider) => provider,
            None => self.route(business).await?,
        };
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let payment = match store::payment::id_of_order(&mut tx, business, &request.order_id).await? {
            Some(id) => id,
            None => match self.order_on_the_fly(&mut tx, business, provider, request).await {
                // The same request was faster: then it is an order like any other.
                Err(BillingError::OrderMismatch) => {
                    drop(tx);
                    tx = TenantTx::begin(&self.db, business).await?;
                    let made = store::payment::id_of_order(&mut tx, business, &request.order_id).await?;
                    // Somebody else's then. The client makes these ids, so one that is taken has to be
                    // refused; it looks as if it were an order of the client's own.
                    made.ok_or(BillingError::OrderMismatch)?
                }
                made => made?,
            },
        };
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        request.must_fit(&payment)?;
        if payment.status != PaymentStatus::Requested {
            tx.commit().await?;
            let settlement = self.wait_for_settlement(payment.business, payment.id).await?;
            return Ok(Confirmed { payment: payment.id, settlement });
        }
        let attempt = self.write_down_confirm(&mut tx, &payment, &request.payment_key).await?;
        tx.commit().await?;
        let settlement = self.collect(&attempt).await?;
        Ok(Confirmed { payment: payment.id, settlement })
    }

    /// An order that is to be confirmed: PENDING from now on, with a subscription to pay for. What is left to do is
    /// to ask the provider, unless it told already.
    pub(crate) async fn write_down_confirm(
        &self,
        tx: &mut TenantTx,
        order: &Payment,
        payment_key: &str,
    ) -> Result<Attempt, BillingError> {
        order.status.after(PaymentMove::Confirm)?;
        let (plan, _) = self.for_sale(tx, &order.plan_code, order.cycle).await?;
        let new = NewSubscription {
            plan: &plan,
            cycle: order.cycle,
            price: order.amount,
            method: None,
            idempotency_key: None,
        };
        let (_, invoice) = self.write_down_subscription(tx, order.business, &new).await?;
        let now = self.clock.now();
        store::payment::confirm(tx, order, invoice.id, payment_key, now + LEASE, now).await?;
        Ok(Attempt {
            business: order.business,
            payment: order.id,
            order_id: order.order_id.clone(),
            merchant: order.merchant,
            amount: order.amount,
            order_name: Attempt::order_name(&plan.name, order.cycle),
            means: Means::Checkout { payment_key: payment_key.to_owned() },
            written_at: now,
            sent_at: Some(now),
            checks: 0,
            wanted: true,
        })
    }

    /// The client made the order id itself. What is owed is still ours to say: the plan's price.
    async fn order_on_the_fly(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        provider: Provider,
        request: &ConfirmRequest,
    ) -> Result<PaymentId, BillingError> {
        let (plan_code, cycle) = request.item.as_ref().ok_or(BillingError::NotFound)?;
        let merchant = self.merchant_at(tx, business, provider).await?;
        if !self.gateways.capabilities(provider).order_ids.allow(&request.order_id) {
            return Err(BillingError::InvalidField {
                field: "orderId",
                code: "INVALID_ORDER_ID",
                message: "이 결제사에서 사용할 수 없는 주문번호입니다.",
            });
        }
        let (plan, amount) = self.for_sale(tx, plan_code, *cycle).await?;
        let order = NewOrder {
            business,
            order_id: &request.order_id,
            merchant,
            customer_key: None,
            plan_code: &plan.code,
            cycle: *cycle,
            amount,
            expires_at: self.clock.now() + ORDER_KEPT_FOR,
        };
        self.write_down_order(tx, &order).await
    }

    /// The answer of whoever confirmed first, once there is one.
    async fn wait_for_settlement(
        &self,
        business: BusinessId,
        id: PaymentId,
    ) -> Result<Settlement, BillingError> {
        let give_up = tokio::time::Instant::now() + WAIT_FOR_OTHER;
        loop {
            let mut tx = TenantTx::begin(&self.db, business).await?;
            let payment = store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
            tx.commit().await?;
            match payment.status {
                PaymentStatus::Pending if tokio::time::Instant::now() < give_up => {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                PaymentStatus::Expired => return Err(BillingError::CheckoutOver),
                _ => return Ok(payment.settlement()),
            }
        }
    }
}

impl ConfirmRequest {
    /// Refuses what does not fit the order, before anything is asked of the provider.
    fn must_fit(&self, payment: &Payment) -> Result<(), BillingError> {
        if self.amount != payment.amount {
            return Err(BillingError::AmountMismatch { expected: payment.amount });
        }
        let same_provider = self.provider.is_none_or(|provider| provider == payment.merchant.provider);
        let same_item = self.item.as_ref().is_none_or(|(plan, cycle)| {
            plan.eq_ignore_ascii_case(&payment.plan_code) && *cycle == payment.cycle
        });
        // Only while it is being confirmed: afterwards the row holds the provider's own name for the payment.
        let same_key = payment.status != PaymentStatus::Pending
            || payment.payment_key.as_ref().is_none_or(|key| *key == self.payment_key);
        if payment.reason == PaymentReason::Checkout && same_provider && same_item && same_key {
            Ok(())
        } else {
            Err(BillingError::OrderMismatch)
        }
    }
}

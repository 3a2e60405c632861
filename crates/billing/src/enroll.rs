//! Subscribing: register a card, make the first charge, start the subscription.

use chrono::NaiveDate;
use kernel::{BusinessId, Krw};
use pg_adapter::Card;
use platform::TenantTx;

use crate::{
    Billing, BillingCycle, BillingError, SubscriptionStatus,
    card::{CardRegistration, keep_card},
    charge::{Attempt, Settlement, first_period},
    invoice::{Invoice, InvoiceId},
    payment::{Failure, PaymentId, PaymentReason},
    payment_method::PaymentMethodId,
    plan::Plan,
    store::{self, due::CardOnFile},
    subscription::{Subscription, SubscriptionId},
};

/// What a business subscribes to.
#[derive(Clone, Copy)]
pub(crate) struct NewSubscription<'a> {
    pub plan: &'a Plan,
    pub cycle: BillingCycle,
    pub price: Krw,
    /// None where it was paid in the provider's window.
    pub method: Option<PaymentMethodId>,
    pub idempotency_key: Option<&'a str>,
}

/// A subscription as it was just started, or is about to be.
pub(crate) struct Enrollment {
    pub method: PaymentMethodId,
    pub card: Card,
    pub plan: Plan,
    pub cycle: BillingCycle,
    pub amount: Krw,
    pub subscription: SubscriptionId,
    pub payment: PaymentId,
    pub next_payment_on: NaiveDate,
    /// The charge is known to have succeeded; if not, nobody knows yet.
    pub is_paid: bool,
}

impl Billing {
    /// Registers a card and starts a subscription with it.
    pub(crate) async fn enroll(
        &self,
        business: BusinessId,
        plan_code: &str,
        cycle: BillingCycle,
        registration: CardRegistration,
        idempotency_key: Option<&str>,
    ) -> Result<Enrollment, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let (plan, amount) = self.for_sale(&mut tx, plan_code, cycle).await?;
        if let Some(live) = store::subscription::lock_live(&mut tx, business).await? {
            return Self::started_before(&mut tx, plan, live, idempotency_key).await;
        }
        tx.commit().await?;

        let registered = self.register_card(business, registration).await?;
        let method = registered.on_file.id;
        let (attempt, subscription, next_payment_on) = match self
            .write_down_first_charge(business, &plan, cycle, amount, registered.on_file, idempotency_key)
            .await
        {
            Ok(written) => written,
            Err(error) => {
                self.let_go(business, method).await?;
                return Err(error);
            }
        };
        let is_paid = match self.collect(&attempt).await? {
            Settlement::Paid => true,
            Settlement::Open => false,
            Settlement::Declined(failure) => {
                return Err(self.first_charge_failed(attempt.payment, failure).await);
            }
        };
        Ok(Enrollment {
            method,
            card: registered.card,
            plan,
            cycle,
            amount,
            subscription,
            payment: attempt.payment,
            next_payment_on,
            is_paid,
        })
    }

    /// The same request, interrupted by a crash: it started this subscription, so that is its answer.
    async fn started_before(
        tx: &mut TenantTx,
        plan: Plan,
        live: Subscription,
        idempotency_key: Option<&str>,
    ) -> Result<Enrollment, BillingError> {
        let key = idempotency_key.ok_or(BillingError::AlreadySubscribed)?;
        let started = store::subscription::started_by(tx, &live, key).await?;
        let started = started.ok_or(BillingError::AlreadySubscribed)?;
        Ok(Enrollment {
            method: started.method,
            card: started.card,
            plan,
            cycle: live.cycle,
            amount: live.price,
            subscription: live.id,
            payment: started.payment,
            next_payment_on: live.period.until,
            is_paid: started.payment_status.is_paid(),
        })
    }

    /// Nothing is left behind: the sweep deletes the provider's key, and a first try is made at once.
    async fn first_charge_failed(&self, payment: PaymentId, failure: Failure) -> BillingError {
        self.release_soon().await;
        if failure.provider_code == crate::charge::NOT_SENT {
            return BillingError::ProviderUnavailable(failure.provider_code);
        }
        BillingError::declined(Some(payment), failure)
    }

    /// The plan and its price, if it can be bought.
    pub(crate) async fn for_sale(
        &self,
        tx: &mut TenantTx,
        plan_code: &str,
        cycle: BillingCycle,
    ) -> Result<(Plan, Krw), BillingError> {
        let plan = store::plan::find(tx, plan_code).await?;
        let plan = plan.ok_or_else(|| BillingError::UnknownPlan(plan_code.to_owned()))?;
        match plan.price(cycle) {
            Some(price) => Ok((plan, price)),
            None => Err(BillingError::NotForSale(Box::new(plan))),
        }
    }

    /// The subscription, its first invoice and the attempt to pay it, all in one transaction.
    async fn write_down_first_charge(
        &self,
        business: BusinessId,
        plan: &Plan,
        cycle: BillingCycle,
        amount: Krw,
        card: CardOnFile,
        idempotency_key: Option<&str>,
    ) -> Result<(Attempt, SubscriptionId, NaiveDate), BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let new = NewSubscription { plan, cycle, price: amount, method: Some(card.id), idempotency_key };
        let (subscription, invoice) = self.write_down_subscription(&mut tx, business, &new).await?;
        keep_card(&mut tx, business, card.id).await?;
        let next_payment_on = invoice.period.until;
        let attempt = self
            .write_down_one(&mut tx, invoice, &subscription, &plan.name, card, PaymentReason::First)
            .await?;
        tx.commit().await?;
        Ok((attempt, subscription.id, next_payment_on))
    }

    /// A subscription that begins today, PENDING until its first invoice is paid.
    pub(crate) async fn write_down_subscription(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        new: &NewSubscription<'_>,
    ) -> Result<(Subscription, Invoice), BillingError> {
        let (now, today) = (self.clock.now(), self.clock.today());
        let NewSubscription { plan, cycle, price, method, idempotency_key } = *new;
        let period =
            first_period(cycle, today).ok_or_else(|| BillingError::NotForSale(Box::new(plan.clone())))?;
        let subscription = Subscription {
            business,
            id: SubscriptionId::new(now),
            plan_code: plan.code.clone(),
            cycle,
            price,
            status: SubscriptionStatus::Pending,
            method,
            anchor_on: today,
            period,
            due_at: None,
            canceled_at: None,
        };
        store::subscription::insert(tx, &subscription, idempotency_key, now).await.map_err(|error| {
            match &error {
                sqlx::Error::Database(refused) if refused.constraint() == Some("subscription_one_live") => {
                    BillingError::AlreadySubscribed
                }
                _ => error.into(),
            }
        })?;
        let invoice = Invoice {
            business,
            id: InvoiceId::new(now),
            subscription: subscription.id,
            period,
            amount: price,
            due_on: today,
            retries_used: 0,
            tried: Vec::new(),
        };
        store::invoice::insert(tx, &invoice, now).await?;
        Ok((subscription, invoice))
    }
}

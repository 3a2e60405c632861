//! Moving money out, exactly once: the same discipline as [`crate::charge`].
//!
//! A refund reserves its amount while it is open: under the payment's lock, what is refunded, what
//! is promised to open refunds and what is asked for now can never exceed the payment.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use kernel::{BusinessId, Krw};
use pg_adapter::{Approval, Cancel, Cancellation, Lookup, Outcome};
use platform::{SystemTx, TenantTx, events};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{
    Billing, BillingError, EndReason, IllegalMove, PaymentMove, SubscriptionMove,
    charge::LEASE,
    event::BillingEvent,
    payment::{Payment, PaymentId},
    reconcile::pause_before,
    store,
};

kernel::id!(
    /// One attempt to move money back.
    RefundId, "rf_"
);

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// Written down and perhaps asked; nobody knows the answer yet. Published as `PROCESSING`.
    #[serde(rename = "PROCESSING")]
    Pending,
    /// The money went back.
    Success,
    /// It did not, and this refund never will.
    Failed,
}

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundMove {
    Complete,
    Fail,
}

impl RefundStatus {
    /// The one place that says how a refund may change.
    pub fn after(self, refund_move: RefundMove) -> Result<Self, IllegalMove> {
        match (self, refund_move) {
            (Self::Pending, RefundMove::Complete) => Ok(Self::Success),
            (Self::Pending, RefundMove::Fail) => Ok(Self::Failed),
            (Self::Success | Self::Failed, RefundMove::Complete | RefundMove::Fail) => {
                Err(IllegalMove::new("refund", &self, &refund_move))
            }
        }
    }
}

/// A row of `billing.refund`, as the use cases need it.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub business: BusinessId,
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Krw,
    pub reason: String,
    pub status: RefundStatus,
    pub sent_at: DateTime<Utc>,
    pub checks: i32,
    pub failure_message: Option<String>,
}

/// How much of a payment is wanted back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RefundAmount {
    /// All that is left.
    Rest,
    Part(Krw),
}

/// The longest that a provider is sent the same cancel again: Toss Payments forgets an idempotency
/// key after 15 days, and then the same request would be a new cancel.
const SENT_AGAIN_FOR: TimeDelta = TimeDelta::days(14);

const BATCH: i64 = 64;

impl Billing {
    /// Gives back all or part of a payment.
    pub(crate) async fn refund(
        &self,
        business: BusinessId,
        payment: PaymentId,
        amount: RefundAmount,
        reason: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Refund, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let locked = store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        // The same request, interrupted by a crash: go on with what it wrote down.
        if let Some(key) = idempotency_key
            && let Some(earlier) = store::refund::of_request(&mut tx, business, payment, key).await?
        {
            tx.commit().await?;
            let same_amount = match amount {
                RefundAmount::Rest => true,
                RefundAmount::Part(amount) => amount == earlier.amount,
            };
            if !same_amount || earlier.reason != reason {
                return Err(BillingError::IdempotencyKeyReused);
            }
            return self.carry_out(earlier, &locked).await;
        }
        let promised = store::refund::open_amount(&mut tx, business, payment).await?;
        let refund = Refund {
            business,
            id: RefundId::new(self.clock.now()),
            payment,
            amount: refundable(&locked, promised, amount)?,
            reason: reason.to_owned(),
            status: RefundStatus::Pending,
            sent_at: self.clock.now(),
            checks: 0,
            failure_message: None,
        };
        let now = self.clock.now();
        store::refund::insert(&mut tx, &refund, idempotency_key, now + LEASE, now).await?;
        tx.commit().await?;
        crate::crash_point!("refund::written");
        self.carry_out(refund, &locked).await
    }

    /// Asks the provider for a refund that was written down, and writes the answer down.
    async fn carry_out(&self, refund: Refund, payment: &Payment) -> Result<Refund, BillingError> {
        if refund.status != RefundStatus::Pending {
            return Ok(refund);
        }
        let outcome = self.ask_for_refund(&refund, payment).await?;
        crate::crash_point!("refund::answered");
        let settled = self.settle_refund(&refund, outcome).await?;
        crate::crash_point!("refund::settled");
        Ok(settled)
    }

    /// Asks the provider to give the money back. Sending the same refund again is the same cancel.
    async fn ask_for_refund(
        &self,
        refund: &Refund,
        payment: &Payment,
    ) -> Result<Outcome<Cancellation>, BillingError> {
        let cancel = Cancel {
            payment_key: payment.payment_key.clone().ok_or(BillingError::NotRefundable)?,
            amount: refund.amount,
            reason: refund.reason.clone(),
            reference: refund.id.to_string(),
        };
        Ok(self.gateway(payment.provider)?.cancel(&cancel).await)
    }

    /// Writes an answer down. Safe to call twice: the second call finds the refund settled.
    async fn settle_refund(
        &self,
        refund: &Refund,
        outcome: Outcome<Cancellation>,
    ) -> Result<Refund, BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, refund.business, refund.payment).await?;
        let payment = payment.ok_or(BillingError::NotFound)?;
        let current =
            store::refund::get(&mut tx, refund.business, refund.id).await?.ok_or(BillingError::NotFound)?;
        if current.status != RefundStatus::Pending {
            return Ok(current);
        }
        match outcome {
            Outcome::Approved(cancellation) if cancellation.amount == refund.amount => {
                current.status.after(RefundMove::Complete)?;
                store::refund::complete(&mut tx, refund, &cancellation, now).await?;
                self.write_refunded(&mut tx, &payment, refund).await?;
            }
            Outcome::Approved(cancellation) => {
                tracing::error!(
                    refund = %refund.id, asked = %refund.amount, canceled = %cancellation.amount,
                    "the provider gave back another amount than we asked for; left open for an operator"
                );
                store::refund::postpone(&mut tx, refund, now + pause_before(current.checks)).await?;
            }
            Outcome::Declined(decline) => {
                current.status.after(RefundMove::Fail)?;
                store::refund::fail(&mut tx, refund, &decline.code, &decline.message, now).await?;
                let failed = BillingEvent::PaymentRefundFailed {
                    payment_id: payment.id,
                    refund_id: refund.id,
                    amount: refund.amount,
                    message: decline.message,
                };
                events::publish(&mut tx, payment.business, now, &failed).await?;
                tracing::error!(refund = %refund.id, code = decline.code, "a refund failed");
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                tracing::warn!(refund = %refund.id, reason, "refund not known yet");
                store::refund::postpone(&mut tx, refund, now + pause_before(current.checks)).await?;
            }
        }
        let settled =
            store::refund::get(&mut tx, refund.business, refund.id).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        Ok(settled)
    }

    async fn write_refunded(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        refund: &Refund,
    ) -> Result<(), BillingError> {
        let refunded = payment.refunded.checked_add(refund.amount).ok_or(BillingError::NotRefundable)?;
        let remaining = payment.amount.checked_sub(refunded).ok_or(BillingError::NotRefundable)?;
        let status = payment.status.after(PaymentMove::Refund { remaining })?;
        store::payment::record_refund(tx, payment, refunded, status).await?;
        let event = BillingEvent::PaymentRefunded {
            payment_id: payment.id,
            refund_id: refund.id,
            amount: refund.amount,
            remaining_amount: remaining,
            reason: refund.reason.clone(),
        };
        events::publish(tx, payment.business, self.clock.now(), &event).await?;
        if remaining == Krw::ZERO {
            self.end_refunded_period(tx, payment).await?;
        }
        Ok(())
    }

    /// A current period that was paid back in full is not paid for: access ends. An earlier period
    /// changes nothing.
    async fn end_refunded_period(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
    ) -> Result<(), BillingError> {
        let Some(invoice) = payment.invoice else { return Ok(()) };
        let invoice = store::invoice::get(tx, payment.business, invoice).await?;
        let subscription = store::subscription::lock(tx, payment.business, invoice.subscription).await?;
        let Some(mut subscription) = subscription else { return Ok(()) };
        let is_current = subscription.period == invoice.period && subscription.status.grants_access();
        if !is_current {
            return Ok(());
        }
        // A renewal that is under way cannot be called back. If it is paid, that period is the last.
        if subscription.due_at.is_none() {
            if let Ok(status) = subscription.status.after(SubscriptionMove::Cancel) {
                subscription.status = status;
                store::subscription::update(tx, &subscription).await?;
            }
            return Ok(());
        }
        self.end(tx, subscription, EndReason::Refunded).await
    }

    /// Writes down what was given back elsewhere (the provider's console): the money is gone, so our
    /// books say so as well. Cancels that carry the reference of a refund of ours are settled as such.
    pub(crate) async fn adopt_cancellations(
        &self,
        business: BusinessId,
        payment: PaymentId,
        approval: &Approval,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        for cancellation in &approval.cancellations {
            let payment = store::payment::lock(&mut tx, business, payment).await?;
            let payment = payment.ok_or(BillingError::NotFound)?;
            if !payment.status.is_paid() || is_ours(&mut tx, business, cancellation).await? {
                continue;
            }
            let refund = Refund {
                business: payment.business,
                id: RefundId::new(now),
                payment: payment.id,
                amount: cancellation.amount,
                reason: "결제사에서 취소됨".to_owned(),
                status: RefundStatus::Success,
                sent_at: cancellation.canceled_at,
                checks: 0,
                failure_message: None,
            };
            if store::refund::adopt(&mut tx, &refund, &cancellation.transaction_key, now).await? {
                self.write_refunded(&mut tx, &payment, &refund).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Asks about every open refund whose time has come.
    pub(crate) async fn reconcile_refunds(&self) -> Result<(), BillingError> {
        loop {
            let now = self.clock.now();
            let mut tx = SystemTx::begin(&self.db).await?;
            let open = store::refund::claim_open(&mut tx, now, now + LEASE, BATCH).await?;
            tx.commit().await?;
            if open.is_empty() {
                return Ok(());
            }
            stream::iter(open)
                .for_each_concurrent(self.settings.concurrency, |(business, refund)| async move {
                    if let Err(error) = self.reconcile_refund(business, refund).await {
                        tracing::error!(%refund, %error, "an open refund could not be reconciled; tried again later");
                    }
                })
                .await;
        }
    }

    /// Looks for our cancel in the payment; if it is not there, sends the same cancel again.
    async fn reconcile_refund(&self, business: BusinessId, id: RefundId) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let refund = store::refund::get(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        let payment =
            store::payment::lock(&mut tx, business, refund.payment).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let found = match self.gateway(payment.provider)?.find_by_order(&payment.order_id).await {
            Lookup::Approved(approval) => refund.cancel_in(approval),
            // Without an answer it is too early to send anything again.
            Lookup::Failed(_) | Lookup::InProgress | Lookup::NotFound | Lookup::Unknown(_) => {
                let reason = "the payment could not be looked up".to_owned();
                self.settle_refund(&refund, Outcome::Unknown(reason)).await?;
                return Ok(());
            }
        };
        if let Some(cancellation) = found {
            self.settle_refund(&refund, Outcome::Approved(cancellation)).await?;
        } else if self.clock.now() - refund.id.made_at().unwrap_or(refund.sent_at) < SENT_AGAIN_FOR {
            let mut tx = SystemTx::begin(&self.db).await?;
            store::refund::mark_sent(&mut tx, &refund, self.clock.now()).await?;
            tx.commit().await?;
            self.send_refund_again(&refund, &payment).await?;
        } else {
            let decline = pg_adapter::Decline {
                class: pg_adapter::DeclineClass::Temporary,
                code: "NEVER_ARRIVED".to_owned(),
                message: "환불 요청이 결제사에 전달되지 않았습니다. 다시 요청해 주세요.".to_owned(),
            };
            self.settle_refund(&refund, Outcome::Declined(decline)).await?;
        }
        Ok(())
    }

    /// Sends the same cancel once more. Refused now is not proof for the first sending, so that a no
    /// is believed only after one more look.
    async fn send_refund_again(&self, refund: &Refund, payment: &Payment) -> Result<(), BillingError> {
        let outcome = match self.ask_for_refund(refund, payment).await? {
            Outcome::Declined(decline) => {
                match self.gateway(payment.provider)?.find_by_order(&payment.order_id).await {
                    Lookup::Approved(approval) => {
                        refund.cancel_in(approval).map_or(Outcome::Declined(decline), Outcome::Approved)
                    }
                    Lookup::Failed(_) | Lookup::InProgress | Lookup::NotFound | Lookup::Unknown(_) => {
                        Outcome::Unknown(decline.code)
                    }
                }
            }
            outcome => outcome,
        };
        crate::crash_point!("refund::answered");
        self.settle_refund(refund, outcome).await?;
        crate::crash_point!("refund::settled");
        Ok(())
    }
}

impl Refund {
    /// The cancel that this refund made, among those of its payment.
    fn cancel_in(&self, approval: Approval) -> Option<Cancellation> {
        let reference = self.id.to_string();
        approval.cancellations.into_iter().find(|made| made.reference.as_deref() == Some(&reference))
    }
}

/// Whether a cancel was made by a refund of ours. Somebody else's reason may end in brackets too.
async fn is_ours(
    tx: &mut PgConnection,
    business: BusinessId,
    cancellation: &Cancellation,
) -> Result<bool, BillingError> {
    let reference = cancellation.reference.as_deref().and_then(|text| text.parse::<RefundId>().ok());
    match reference {
        Some(id) => Ok(store::refund::get(tx, business, id).await?.is_some()),
        None => Ok(false),
    }
}

/// How much may be given back now; read with the payment locked.
fn refundable(payment: &Payment, promised: Krw, wanted: RefundAmount) -> Result<Krw, BillingError> {
    if !payment.status.is_paid() {
        return Err(BillingError::NotRefundable);
    }
    let remaining = payment.amount.checked_sub(payment.refunded).and_then(|left| left.checked_sub(promised));
    let remaining = remaining.unwrap_or(Krw::ZERO);
    match wanted {
        RefundAmount::Rest if remaining.is_positive() => Ok(remaining),
        RefundAmount::Rest => Err(BillingError::NotRefundable),
        RefundAmount::Part(amount) if amount.is_positive() && amount <= remaining => Ok(amount),
        RefundAmount::Part(_) => Err(BillingError::RefundExceeds { remaining }),
    }
}

#[cfg(test)]
mod tests {
    use pg_adapter::Provider;
    use proptest::prelude::*;

    use super::*;
    use crate::{BillingCycle, PaymentReason, PaymentStatus};

    fn paid(amount: i64, refunded: i64) -> Payment {
        let status = match refunded {
            0 => PaymentStatus::Success,
            _ if refunded < amount => PaymentStatus::PartialRefunded,
            _ => PaymentStatus::Refunded,
        };
        Payment {
            business: BusinessId(1),
            id: PaymentId(101),
            order_id: "dg_1".to_owned(),
            provider: Provider::Toss,
            reason: PaymentReason::First,
            invoice: None,
            method: None,
            plan_code: "BASIC".to_owned(),
            cycle: BillingCycle::Monthly,
            amount: Krw::won(amount),
            refunded: Krw::won(refunded),
            status,
            payment_key: None,
            sent_at: None,
            checks: 0,
            failure: None,
        }
    }

    proptest! {
        #[test]
        fn refunds_in_any_order_never_exceed_the_payment(
            amount in 1..1_000_000i64,
            wanted in prop::collection::vec(prop_oneof![Just(None), (0..2_000_000i64).prop_map(Some)], 0..30),
        ) {
            let mut payment = paid(amount, 0);
            for wish in wanted {
                let wish = wish.map_or(RefundAmount::Rest, |won| RefundAmount::Part(Krw::won(won)));
                if let Ok(granted) = refundable(&payment, Krw::ZERO, wish) {
                    prop_assert!(granted.is_positive());
                    payment = paid(amount, payment.refunded.get() + granted.get());
                    prop_assert!(payment.refunded <= payment.amount);
                }
            }
        }

        #[test]
        fn what_is_promised_to_open_refunds_is_not_given_twice(amount in 1..1_000_000i64, promised in 0..1_000_000i64) {
            match refundable(&paid(amount, 0), Krw::won(promised), RefundAmount::Rest) {
                Ok(granted) => prop_assert_eq!(granted.get() + promised, amount),
                Err(_) => prop_assert!(promised >= amount),
            }
        }
    }
}

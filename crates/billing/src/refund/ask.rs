//! Asking for a refund, and writing down what came of it.

use kernel::{BusinessId, Krw};
use pg_adapter::{Cancellation, Outcome};
use platform::{SystemTx, TenantTx, events};
use sqlx::PgConnection;

use super::{Refund, RefundAmount, RefundId, RefundMove, RefundStatus, refundable};
use crate::{
    Billing, BillingError, EndReason, PaymentMove, SubscriptionMove,
    case::Finding,
    charge::LEASE,
    event::BillingEvent,
    ledger::Posting,
    payment::{Payment, PaymentId},
    reconcile::pause_before,
    store,
};

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
        let refund = self.write_down_refund(&mut tx, &locked, amount, reason, idempotency_key).await?;
        tx.commit().await?;
        crate::crash_point!("refund::written");
        self.carry_out(refund, &locked).await
    }

    async fn write_down_refund(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        amount: RefundAmount,
        reason: &str,
        idempotency_key: Option<&str>,
    ) -> Result<Refund, BillingError> {
        let promised = store::refund::open_amount(tx, payment.business, payment.id).await?;
        let granted = refundable(payment, promised, amount)?;
        let in_turn = self.gateways.capabilities(payment.merchant.provider).cancels_in_turn;
        if in_turn && promised.is_positive() {
            return Err(BillingError::RefundInProgress);
        }
        let now = self.clock.now();
        let refund = Refund {
            business: payment.business,
            id: RefundId::new(now),
            payment: payment.id,
            amount: granted.amount,
            reason: reason.to_owned(),
            status: RefundStatus::Pending,
            remaining_before: granted.remaining_before,
            created_at: now,
            checks: 0,
            failure: None,
        };
        store::refund::insert(tx, &refund, idempotency_key, now + LEASE).await?;
        Ok(refund)
    }

    /// Asks the provider for a refund that was written down, and writes the answer down.
    async fn carry_out(&self, refund: Refund, payment: &Payment) -> Result<Refund, BillingError> {
        if refund.status != RefundStatus::Pending {
            return Ok(refund);
        }
        // Sending the same refund again is the same cancel.
        let outcome = self.gateway(payment.merchant).await?.cancel(&refund.cancel(payment)?).await;
        crate::crash_point!("refund::answered");
        let settled = self.settle_refund(&refund, outcome).await?;
        crate::crash_point!("refund::settled");
        Ok(settled)
    }

    /// Writes an answer down. Safe to call twice: the second call finds the refund settled.
    pub(crate) async fn settle_refund(
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
                let evidence =
                    format!("the provider gave back {} and not what was asked", cancellation.amount);
                self.open_case(&mut tx, &Finding::about_refund(&payment, refund, &evidence)).await?;
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

    pub(super) async fn write_refunded(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        refund: &Refund,
    ) -> Result<(), BillingError> {
        let refunded = payment.refunded.checked_add(refund.amount).ok_or(BillingError::NotRefundable)?;
        let remaining = payment.amount.checked_sub(refunded).ok_or(BillingError::NotRefundable)?;
        let status = payment.status.after(PaymentMove::Refund { remaining })?;
        store::payment::record_refund(tx, payment, refunded, status).await?;
        let fee = store::ledger::fee_of(tx, payment).await?;
        let postings = Posting::refund(payment, refund.id, refund.amount, remaining, fee);
        store::ledger::post(tx, &postings, self.clock.now()).await?;
        let event = BillingEvent::PaymentRefunded {
            payment_id: payment.id,
            refund_id: refund.id,
            amount: refund.amount,
            remaining_amount: remaining,
            reason: refund.reason.clone(),
        };
        events::publish(tx, payment.business, self.clock.now(), &event).await?;
        self.write_down_modification(tx, payment, refund, remaining).await?;
        self.write_down_receipt_cancel(tx, payment, refund).await?;
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
}

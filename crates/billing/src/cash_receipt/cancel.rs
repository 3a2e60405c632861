//! Taking a cash receipt back, because its payment was given back.

use kernel::Krw;
use pg_adapter::{CancelCashReceipt, Decline, DeclineClass, Outcome};
use platform::{SystemTx, events};
use sqlx::PgConnection;

use super::{
    CancelStatus, CashReceipt, CashReceiptMove, CashReceiptStatus, ReceiptCancel, ask::lock_with_payment,
    payment_key,
};
use crate::{
    Billing, BillingError, case::Finding, event::BillingEvent, payment::Payment, reconcile::pause_before,
    refund::Refund, store,
};

impl Billing {
    /// Writes down, with the refund itself, what has to be taken back of the payment's receipt. The caller
    /// holds the payment's lock.
    pub(crate) async fn write_down_receipt_cancel(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        refund: &Refund,
    ) -> Result<(), BillingError> {
        let all = store::cash_receipt::of_payment(tx, payment.business, payment.id).await?;
        let is_live = |it: &&CashReceipt| {
            !matches!(it.status, CashReceiptStatus::Refused | CashReceiptStatus::Canceled)
        };
        let Some(receipt) = all.iter().find(is_live) else { return Ok(()) };
        let earlier = store::cash_receipt::cancels(tx, receipt.business, receipt.id).await?;
        let promised = earlier.iter().filter(|it| it.status != CancelStatus::Void);
        let left = promised
            .fold(receipt.amount, |left, cancel| left.checked_sub(cancel.amount).unwrap_or(Krw::ZERO));
        let offer = self.gateways.capabilities(payment.merchant.provider).cash_receipts;
        let amount = match offer {
            Some(offer) if offer.cancels_parts => refund.amount.min(left),
            // All of it goes: the shop may ask for another one about the rest.
            _ => left,
        };
        if !amount.is_positive() {
            return Ok(());
        }
        let is_its_turn = receipt.status == CashReceiptStatus::Issued
            && !earlier.iter().any(|it| matches!(it.status, CancelStatus::Waiting | CancelStatus::Pending));
        let now = self.clock.now();
        let cancel = ReceiptCancel {
            business: receipt.business,
            receipt: receipt.id,
            refund: refund.id,
            amount,
            status: if is_its_turn { CancelStatus::Pending } else { CancelStatus::Waiting },
            checks: 0,
            created_at: now,
            sent_at: None,
        };
        store::cash_receipt::insert_cancel(tx, &cancel, is_its_turn.then_some(now)).await?;
        Ok(())
    }

    /// It is the next one's turn.
    pub(super) async fn release_receipt_cancel(
        &self,
        tx: &mut PgConnection,
        receipt: &CashReceipt,
    ) -> Result<(), BillingError> {
        let all = store::cash_receipt::cancels(tx, receipt.business, receipt.id).await?;
        if let Some(next) = all.iter().find(|it| it.status == CancelStatus::Waiting) {
            next.status.after(CancelStatus::Pending)?;
            store::cash_receipt::set_cancel_due(tx, next, self.clock.now()).await?;
        }
        Ok(())
    }

    /// There is no receipt, so there is nothing to take back.
    pub(super) async fn void_receipt_cancels(
        &self,
        tx: &mut PgConnection,
        receipt: &CashReceipt,
    ) -> Result<(), BillingError> {
        let all = store::cash_receipt::cancels(tx, receipt.business, receipt.id).await?;
        for waiting in all.iter().filter(|it| it.status == CancelStatus::Waiting) {
            let status = waiting.status.after(CancelStatus::Void)?;
            store::cash_receipt::settle_cancel(tx, waiting, status, None, self.clock.now()).await?;
        }
        Ok(())
    }

    /// Asks the provider to take back what a refund wrote down, and writes the answer down.
    pub(super) async fn carry_out_receipt_cancel(&self, cancel: ReceiptCancel) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let receipt = store::cash_receipt::get(&mut tx, cancel.business, cancel.receipt).await?;
        let receipt = receipt.ok_or(BillingError::NotFound)?;
        let payment = store::payment::lock(&mut tx, receipt.business, receipt.payment).await?;
        tx.commit().await?;
        let payment = payment.ok_or(BillingError::NotFound)?;
        let gateway = self.gateway(payment.merchant).await?;
        let gateway = &*gateway;
        let request = CancelCashReceipt {
            payment_key: payment_key(&payment)?,
            order_id: payment.order_id.clone(),
            receipt_key: receipt.receipt_key.clone().ok_or(BillingError::NotFound)?,
            amount: cancel.amount,
            reference: cancel.reference(),
        };
        let is_whole = cancel.amount == receipt.left();
        let age = self.clock.now() - cancel.sent_at.unwrap_or(cancel.created_at);
        let repeats = gateway.capabilities().cash_receipts.map(|offer| offer.repeats);
        // A part that is sent once more after the provider forgot it would be another part.
        let outcome = if is_whole || repeats.is_some_and(|repeats| repeats.allow(age)) {
            gateway.cancel_cash_receipt(&request).await
        } else {
            Outcome::Declined(too_old())
        };
        crate::crash_point!("cash_receipt::cancel_answered");
        self.settle_receipt_cancel(&cancel, &receipt, outcome).await
    }

    async fn settle_receipt_cancel(
        &self,
        cancel: &ReceiptCancel,
        receipt: &CashReceipt,
        outcome: Outcome<()>,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let receipt = lock_with_payment(&mut tx, receipt).await?;
        let all = store::cash_receipt::cancels(&mut tx, receipt.business, receipt.id).await?;
        let current = all.iter().find(|it| it.refund == cancel.refund).ok_or(BillingError::NotFound)?;
        if current.status != CancelStatus::Pending {
            return Ok(());
        }
        match outcome {
            Outcome::Approved(()) => {
                let status = current.status.after(CancelStatus::Done)?;
                store::cash_receipt::settle_cancel(&mut tx, current, status, None, now).await?;
                self.write_receipt_canceled(&mut tx, &receipt, current.amount).await?;
            }
            Outcome::Declined(decline) => {
                tracing::error!(receipt = %receipt.id, refund = %current.refund, code = decline.code,
                    "a cash receipt was not taken back");
                let status = current.status.after(CancelStatus::Refused)?;
                store::cash_receipt::settle_cancel(&mut tx, current, status, Some(&decline.code), now)
                    .await?;
                let payment = store::payment::lock(&mut tx, receipt.business, receipt.payment).await?;
                let payment = payment.ok_or(BillingError::NotFound)?;
                let (refund, amount) = (current.refund, current.amount);
                self.open_case(&mut tx, &Finding::kept_receipt(&payment, refund, amount, &decline.code))
                    .await?;
                self.release_receipt_cancel(&mut tx, &receipt).await?;
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                tracing::warn!(receipt = %receipt.id, reason, "whether a cash receipt was taken back is not known yet");
                let again = now + pause_before(current.checks);
                store::cash_receipt::set_cancel_due(&mut tx, current, again).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// So much more of it was taken back.
    pub(super) async fn write_receipt_canceled(
        &self,
        tx: &mut PgConnection,
        receipt: &CashReceipt,
        amount: Krw,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        let canceled = receipt.canceled.checked_add(amount).unwrap_or(receipt.amount);
        let left = receipt.amount.checked_sub(canceled).unwrap_or(Krw::ZERO);
        let status = receipt.status.after(CashReceiptMove::TakeBack { left })?;
        store::cash_receipt::record_canceled(tx, receipt, status, canceled, now).await?;
        let event =
            BillingEvent::CashReceiptCanceled { payment_id: receipt.payment, amount, remaining_amount: left };
        events::publish(tx, receipt.business, now, &event).await?;
        if status == CashReceiptStatus::Canceled {
            self.void_receipt_cancels(tx, receipt).await
        } else {
            self.release_receipt_cancel(tx, receipt).await
        }
    }
}

fn too_old() -> Decline {
    Decline { class: DeclineClass::OurBug, code: "TOO_OLD_TO_REPEAT".to_owned(), message: String::new() }
}

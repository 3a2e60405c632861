//! Cash receipts that somebody has to look at: those whose answer was lost, those that the tax service has
//! not answered about, and those that refunds take back.

use futures::{StreamExt, stream};
use pg_adapter::{CashReceiptLookup, Outcome};
use platform::SystemTx;

use super::{CashReceipt, CashReceiptStatus, LATE, LOOK_AGAIN, ask::lock_with_payment};
use crate::{Billing, BillingError, charge::LEASE, store};

const BATCH: i64 = 64;
/// A provider has other things to do.
const AT_ONCE: usize = 8;

impl Billing {
    /// Does what is due.
    pub(crate) async fn attend_to_cash_receipts(&self) -> Result<(), BillingError> {
        let due_by = self.clock.now();
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let due =
                store::cash_receipt::claim_due(&mut tx, due_by, self.clock.now() + LEASE, BATCH).await?;
            tx.commit().await?;
            if due.is_empty() {
                break;
            }
            stream::iter(due)
                .for_each_concurrent(AT_ONCE, |receipt| async move {
                    let id = receipt.id;
                    if let Err(error) = self.attend_to_cash_receipt(receipt).await {
                        tracing::error!(receipt = %id, %error, "a cash receipt could not be reconciled; tried again later");
                    }
                })
                .await;
        }
        self.take_receipts_back().await
    }

    async fn take_receipts_back(&self) -> Result<(), BillingError> {
        let due_by = self.clock.now();
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let due =
                store::cash_receipt::claim_cancels(&mut tx, due_by, self.clock.now() + LEASE, BATCH).await?;
            tx.commit().await?;
            if due.is_empty() {
                return Ok(());
            }
            crate::crash_point!("cash_receipt::cancel_written");
            stream::iter(due)
                .for_each_concurrent(AT_ONCE, |cancel| async move {
                    let (receipt, refund) = (cancel.receipt, cancel.refund);
                    if let Err(error) = self.carry_out_receipt_cancel(cancel).await {
                        tracing::error!(%receipt, %refund, %error, "a cash receipt could not be taken back; tried again later");
                    }
                })
                .await;
        }
    }

    async fn attend_to_cash_receipt(&self, receipt: CashReceipt) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, receipt.business, receipt.payment).await?;
        let supply = store::supply::of_payment(&mut tx, receipt.business, receipt.payment).await?;
        tx.commit().await?;
        let payment = payment.ok_or(BillingError::NotFound)?;
        let supply = supply.ok_or(BillingError::NotPaid)?;
        if receipt.status == CashReceiptStatus::Requested {
            self.reconcile_cash_receipt(receipt, &payment, &supply).await?;
            return Ok(());
        }
        let question = self.question(&receipt, &payment)?;
        let outcome = match self.gateway(payment.merchant).await?.find_cash_receipt(&question).await {
            CashReceiptLookup::Issued(issued) => Outcome::Approved(issued),
            CashReceiptLookup::Refused(decline) => {
                tracing::error!(receipt = %receipt.id, code = decline.code, "the tax service refused a cash receipt");
                Outcome::Declined(decline)
            }
            CashReceiptLookup::Canceled => return self.find_canceled(&receipt).await,
            CashReceiptLookup::NotFound => {
                tracing::error!(receipt = %receipt.id, "the provider denies a cash receipt that it took");
                return self.look_at_receipt_later(&receipt).await;
            }
            CashReceiptLookup::Unknown(reason) => Outcome::Unknown(reason),
        };
        let settled = self.settle_cash_receipt(&receipt, outcome).await?;
        let is_late = settled.taken_at.is_some_and(|taken_at| self.clock.now() - taken_at > LATE);
        if settled.status == CashReceiptStatus::Processing && is_late {
            tracing::error!(receipt = %receipt.id, "the tax service does not answer about a cash receipt");
        }
        Ok(())
    }

    /// Somebody took it back in the provider's console.
    async fn find_canceled(&self, receipt: &CashReceipt) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let current = lock_with_payment(&mut tx, receipt).await?;
        if current.status == CashReceiptStatus::Processing {
            self.write_receipt_canceled(&mut tx, &current, current.left()).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn look_at_receipt_later(&self, receipt: &CashReceipt) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::cash_receipt::postpone(&mut tx, receipt, self.clock.now() + LOOK_AGAIN).await?;
        tx.commit().await?;
        Ok(())
    }
}

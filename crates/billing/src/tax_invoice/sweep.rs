//! Tax invoices that somebody has to look at: those whose answer was lost, modified ones whose turn it
//! is, and those that are on their way to the tax service.

use ::tax_invoice::{
    ConfirmationNumber, InvoiceState, Issued, Lookup, Outcome, Refusal, RefusalClass, Standing,
    TaxInvoiceIssuer,
};
use chrono::TimeDelta;
use futures::{StreamExt, stream};
use platform::{SystemTx, events};

use super::{TaxInvoiceMove, TaxInvoiceStatus, WrittenInvoice};
use crate::{Billing, BillingError, charge::LEASE, event::BillingEvent, reconcile::pause_before, store};

const BATCH: i64 = 64;
/// An issuer takes its time; this many at once is plenty.
const AT_ONCE: usize = 8;
/// After so long in one state something is wrong with it.
const LATE: TimeDelta = TimeDelta::days(4);

impl Billing {
    /// Does what is due: asks again for what is open, and looks at what was filed.
    pub(crate) async fn attend_to_tax_invoices(&self) -> Result<(), BillingError> {
        let Some(invoicing) = &self.tax_invoicing else { return Ok(()) };
        let due_by = self.clock.now();
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let due = store::tax_invoice::claim_due(&mut tx, due_by, due_by + LEASE, BATCH).await?;
            tx.commit().await?;
            if due.is_empty() {
                return Ok(());
            }
            let (open, filed): (Vec<_>, Vec<_>) =
                due.into_iter().partition(|invoice| invoice.status == TaxInvoiceStatus::Pending);
            self.look_at_filed(&*invoicing.issuer, filed).await?;
            stream::iter(open)
                .for_each_concurrent(AT_ONCE, |invoice| async move {
                    let number = invoice.number.clone();
                    if let Err(error) = self.reconcile_invoice(&*invoicing.issuer, invoice).await {
                        tracing::error!(%number, %error, "a tax invoice could not be reconciled; tried again later");
                    }
                })
                .await;
        }
    }

    /// Finds out whether an open one was issued, and issues it if not.
    async fn reconcile_invoice(
        &self,
        issuer: &dyn TaxInvoiceIssuer,
        invoice: WrittenInvoice,
    ) -> Result<(), BillingError> {
        let found = match issuer.find(&invoice.number).await {
            Lookup::Found(standing) => outcome_of(*standing, &invoice),
            Lookup::NotFound => None,
            // Without an answer it is too early to send anything again.
            Lookup::Unknown(reason) => Some(Outcome::Unknown(reason)),
        };
        let Some(outcome) = found else {
            let original = self.original_of(&invoice).await?;
            self.issue(invoice, original.as_ref()).await?;
            return Ok(());
        };
        crate::crash_point!("tax_invoice::answered");
        self.settle_invoice(&invoice, outcome).await?;
        crate::crash_point!("tax_invoice::settled");
        Ok(())
    }

    /// What a modified invoice modifies.
    pub(crate) async fn original_of(
        &self,
        invoice: &WrittenInvoice,
    ) -> Result<Option<WrittenInvoice>, BillingError> {
        let Some(modifies) = &invoice.modifies else { return Ok(None) };
        let mut tx = SystemTx::begin(&self.db).await?;
        Ok(store::tax_invoice::get(&mut tx, invoice.business, &modifies.original).await?)
    }

    async fn look_at_filed(
        &self,
        issuer: &dyn TaxInvoiceIssuer,
        filed: Vec<WrittenInvoice>,
    ) -> Result<(), BillingError> {
        if filed.is_empty() {
            return Ok(());
        }
        let numbers: Vec<_> = filed.iter().map(|invoice| invoice.number.clone()).collect();
        let listed = issuer.find_all(&numbers).await;
        for (invoice, (_, lookup)) in filed.iter().zip(listed) {
            let lookup = match lookup {
                Lookup::Unknown(_) => issuer.find(&invoice.number).await,
                known => known,
            };
            match lookup {
                Lookup::Found(standing) => self.hear(invoice, &standing).await?,
                Lookup::NotFound => {
                    tracing::error!(number = %invoice.number, "the issuer denies a tax invoice that it issued");
                    self.look_later(invoice).await?;
                }
                Lookup::Unknown(reason) => {
                    tracing::warn!(number = %invoice.number, reason, "how a tax invoice stands is not known");
                    self.look_later(invoice).await?;
                }
            }
        }
        Ok(())
    }

    async fn look_later(&self, invoice: &WrittenInvoice) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let again = self.clock.now() + pause_before(invoice.checks.max(4));
        store::tax_invoice::postpone(&mut tx, invoice, again).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Writes down how an issued invoice stands, and what follows from it.
    async fn hear(&self, invoice: &WrittenInvoice, standing: &Standing) -> Result<(), BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let current = self.lock_with_payment(&mut tx, invoice).await?;
        let status = match current.status.after(TaxInvoiceMove::Hear(standing.state)) {
            Ok(status) => status,
            Err(contradiction) => {
                tracing::error!(number = %current.number, %contradiction, "the issuer contradicts itself");
                store::tax_invoice::postpone(&mut tx, &current, now + pause_before(9)).await?;
                tx.commit().await?;
                return Ok(());
            }
        };
        let issued_at = current.issued_at.unwrap_or(now);
        if status == TaxInvoiceStatus::Issued && now - issued_at > LATE {
            tracing::error!(number = %current.number, "a tax invoice is not with the tax service");
        }
        let look_at = status.looked_at_next(issued_at, now);
        store::tax_invoice::record_standing(&mut tx, &current, status, standing, look_at).await?;
        if status != current.status {
            self.follow_up(&mut tx, &current, status, standing).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    async fn follow_up(
        &self,
        tx: &mut sqlx::PgConnection,
        invoice: &WrittenInvoice,
        status: TaxInvoiceStatus,
        standing: &Standing,
    ) -> Result<(), BillingError> {
        let (payment_id, invoice_id) = (invoice.payment, invoice.number.to_string());
        let event = match status {
            TaxInvoiceStatus::Accepted => Some(BillingEvent::TaxInvoiceAccepted { payment_id, invoice_id }),
            TaxInvoiceStatus::Rejected => {
                let code = standing.tax_service_code.clone();
                tracing::error!(number = invoice_id, code, "the tax service rejected a tax invoice");
                Some(BillingEvent::TaxInvoiceRejected { payment_id, invoice_id, code })
            }
            TaxInvoiceStatus::Withdrawn => {
                tracing::error!(number = invoice_id, "a tax invoice was taken back at the issuer's pages");
                None
            }
            TaxInvoiceStatus::Waiting
            | TaxInvoiceStatus::Pending
            | TaxInvoiceStatus::Issued
            | TaxInvoiceStatus::Sent
            | TaxInvoiceStatus::Refused => None,
        };
        if let Some(event) = event {
            events::publish(tx, invoice.business, self.clock.now(), &event).await?;
        }
        if invoice.modifies.is_some() {
            return Ok(());
        }
        match status {
            TaxInvoiceStatus::Accepted => self.release_waiting(tx, invoice).await,
            TaxInvoiceStatus::Rejected | TaxInvoiceStatus::Withdrawn => self.drop_waiting(tx, invoice).await,
            TaxInvoiceStatus::Waiting
            | TaxInvoiceStatus::Pending
            | TaxInvoiceStatus::Issued
            | TaxInvoiceStatus::Sent
            | TaxInvoiceStatus::Refused => Ok(()),
        }
    }
}

/// What a look-up says about an invoice that we do not know to be issued. None where nothing was
/// issued, or where only asking again can tell whose document it is: the issuer compares it in full.
fn outcome_of(standing: Standing, invoice: &WrittenInvoice) -> Option<Outcome<Issued>> {
    let is_ours = standing.write_date == invoice.write_date && standing.amount == invoice.amount;
    match standing.state {
        InvoiceState::Withdrawn => Some(Outcome::Refused(withdrawn())),
        InvoiceState::Issued | InvoiceState::Sent | InvoiceState::Accepted | InvoiceState::Rejected
            if is_ours =>
        {
            standing.confirmation_number.map(issued)
        }
        InvoiceState::Saved
        | InvoiceState::Issued
        | InvoiceState::Sent
        | InvoiceState::Accepted
        | InvoiceState::Rejected => None,
    }
}

fn issued(confirmation_number: ConfirmationNumber) -> Outcome<Issued> {
    Outcome::Issued(Issued { confirmation_number })
}

fn withdrawn() -> Refusal {
    Refusal {
        class: RefusalClass::State,
        code: "WITHDRAWN".to_owned(),
        message: "발행이 취소된 세금계산서입니다. 다시 발행해 주세요.".to_owned(),
    }
}

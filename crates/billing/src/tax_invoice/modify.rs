//! The modified invoice (수정세금계산서) that a refund asks for.

use ::tax_invoice::law::refund::{Refund as LawsRefund, RefundCause, Standing, correction_for};
use kernel::{Krw, VatSplit, korean_day};
use sqlx::PgConnection;

use super::{Modifies, TaxInvoiceMove, TaxInvoiceRefusal, TaxInvoiceStatus, WrittenInvoice, number};
use crate::{Billing, BillingError, payment::Payment, refund::Refund, store};

impl Billing {
    /// Writes down, with the refund itself, the invoice that takes the amount back. The caller holds the
    /// payment's lock; `remaining` is what is left of it.
    pub(crate) async fn write_down_modification(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        refund: &Refund,
        remaining: Krw,
    ) -> Result<(), BillingError> {
        let all = store::tax_invoice::of_payment(tx, payment.business, payment.id).await?;
        let original = all.iter().find(|it| it.modifies.is_none() && it.status.is_live());
        let Some(original) = original else { return Ok(()) };
        let Some(standing) = standing(original, &all) else {
            return Err(BillingError::UnreadableDocument("its modifications exceed it".to_owned()));
        };
        let given_back = LawsRefund {
            amount: refund.amount,
            on: korean_day(refund.created_at),
            // All of it went back: the period was undone. A part: it ended early, or became cheaper.
            why: if remaining == Krw::ZERO { RefundCause::CancelledUnused } else { RefundCause::Reduced },
        };
        let correction = match correction_for(&standing, &given_back) {
            Ok(correction) => correction,
            Err(reason) => {
                tracing::error!(number = %original.number, refund = %refund.id, %reason, "a refund is not in its tax invoice");
                return Ok(());
            }
        };
        let now = self.clock.now();
        let day = self.clock.today();
        // Decree 70(1) modifies what the tax service has; until then it waits.
        let is_its_turn = original.status == TaxInvoiceStatus::Accepted;
        let modified = WrittenInvoice {
            business: payment.business,
            number: number(day, store::tax_invoice::count_one(tx, day).await?)?,
            payment: payment.id,
            modifies: Some(Modifies {
                original: original.number.clone(),
                refund: refund.id,
                reason: correction.reason,
            }),
            status: if is_its_turn { TaxInvoiceStatus::Pending } else { TaxInvoiceStatus::Waiting },
            write_date: correction.write_date,
            amount: correction.amount,
            content: None,
            confirmation_number: None,
            refusal: None,
            tax_service_code: None,
            idempotency_key: None,
            checks: 0,
            created_at: now,
            issued_at: None,
            sent_at: None,
            answered_at: None,
        };
        store::tax_invoice::insert(tx, &modified, is_its_turn.then_some(now)).await?;
        Ok(())
    }

    /// The original was accepted: its modifications are due.
    pub(super) async fn release_waiting(
        &self,
        tx: &mut PgConnection,
        original: &WrittenInvoice,
    ) -> Result<(), BillingError> {
        for waiting in waiting_for(tx, original).await? {
            waiting.status.after(TaxInvoiceMove::Release)?;
            store::tax_invoice::release(tx, &waiting, self.clock.now()).await?;
        }
        Ok(())
    }

    /// The original is void, so there is nothing to modify.
    pub(super) async fn drop_waiting(
        &self,
        tx: &mut PgConnection,
        original: &WrittenInvoice,
    ) -> Result<(), BillingError> {
        let refusal = TaxInvoiceRefusal {
            code: "ORIGINAL_VOID".to_owned(),
            message: "당초 세금계산서가 유효하지 않아 수정할 것이 없습니다.".to_owned(),
        };
        for waiting in waiting_for(tx, original).await? {
            waiting.status.after(TaxInvoiceMove::Refuse)?;
            store::tax_invoice::refuse(tx, &waiting, &refusal).await?;
        }
        Ok(())
    }
}

async fn waiting_for(
    tx: &mut PgConnection,
    original: &WrittenInvoice,
) -> Result<Vec<WrittenInvoice>, BillingError> {
    let all = store::tax_invoice::of_payment(tx, original.business, original.payment).await?;
    let waits = |it: &WrittenInvoice| {
        it.status == TaxInvoiceStatus::Waiting
            && it.modifies.as_ref().is_some_and(|modifies| modifies.original == original.number)
    };
    Ok(all.into_iter().filter(waits).collect())
}

/// What is left of an invoice. A modification that was refused or rejected changed nothing.
fn standing(original: &WrittenInvoice, all: &[WrittenInvoice]) -> Option<Standing> {
    let changes = all.iter().filter(|it| {
        it.status.is_live()
            && it.modifies.as_ref().is_some_and(|modifies| modifies.original == original.number)
    });
    let changes: Vec<VatSplit> = changes.map(|it| it.amount).collect();
    Standing::after(original.write_date, original.amount, changes)
}

//! Asking for a tax invoice, and writing down what came of it.

use ::tax_invoice::{BusinessNumber, Contact, Issued, Outcome, Party, RefusalClass, TaxInvoice, law};
use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use platform::{SystemTx, TenantTx, events};
use secrecy::SecretString;
use sqlx::PgConnection;

use super::{
    CardSlipPolicy, TaxInvoiceMove, TaxInvoiceRefusal, TaxInvoiceStatus, TaxInvoicing, WrittenInvoice,
    content::{Content, FrozenLine, whole},
    number, purpose,
};
use crate::{
    Billing, BillingError,
    charge::{Attempt, LEASE},
    event::BillingEvent,
    payment::{Payment, PaymentId},
    reconcile::pause_before,
    store::{self, supply::Supply},
};

/// 공급받는자: the shop, as it names itself.
pub(crate) struct Buyer {
    pub number: BusinessNumber,
    pub company: String,
    pub owner: SecretString,
    pub email: SecretString,
}

/// A tax invoice that was asked for.
pub(crate) struct Requested {
    pub invoice: WrittenInvoice,
    /// The payment has a card slip, and this installation wants to be told.
    pub warns_of_card_slip: bool,
}

impl Billing {
    pub(crate) fn tax_invoicing(&self) -> Result<&TaxInvoicing, BillingError> {
        self.tax_invoicing.as_ref().ok_or(BillingError::TaxInvoicesNotOffered)
    }

    /// Issues a tax invoice for what is left of a payment.
    pub(crate) async fn request_tax_invoice(
        &self,
        business: BusinessId,
        payment: PaymentId,
        buyer: Buyer,
        idempotency_key: Option<&str>,
    ) -> Result<Requested, BillingError> {
        let invoicing = self.tax_invoicing()?;
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let payment =
            store::payment::lock(&mut tx, business, payment).await?.ok_or(BillingError::NotFound)?;
        let supply = store::supply::of_payment(&mut tx, business, payment.id).await?;
        let supply = supply.filter(|_| payment.status.is_paid()).ok_or(BillingError::NotPaid)?;
        let warns_of_card_slip = supply.has_card_slip() && invoicing.card_slip == CardSlipPolicy::Warn;
        let earlier = store::tax_invoice::of_payment(&mut tx, business, payment.id).await?;
        // The same request, interrupted by a crash: go on with what it wrote down.
        let same = |invoice: &&WrittenInvoice| {
            idempotency_key.is_some() && invoice.idempotency_key.as_deref() == idempotency_key
        };
        let invoice = if let Some(invoice) = earlier.iter().find(same) {
            invoice.clone()
        } else {
            let request = Request { invoicing, payment: &payment, supply: &supply, earlier: &earlier };
            self.write_down_invoice(&mut tx, request, buyer, idempotency_key).await?
        };
        tx.commit().await?;
        crate::crash_point!("tax_invoice::written");
        Ok(Requested { invoice: self.issue(invoice, None).await?, warns_of_card_slip })
    }

    async fn write_down_invoice(
        &self,
        tx: &mut PgConnection,
        request: Request<'_>,
        buyer: Buyer,
        idempotency_key: Option<&str>,
    ) -> Result<WrittenInvoice, BillingError> {
        let amount = request.invoiced(self.clock.today())?;
        let now = self.clock.now();
        let (business, day) = (request.payment.business, self.clock.today());
        let number = number(day, store::tax_invoice::count_one(tx, day).await?)?;
        let content = request.content(buyer).into_text()?;
        let invoice = WrittenInvoice {
            content: Some(self.vault.seal(&purpose(business, &number), &content)),
            business,
            number,
            payment: request.payment.id,
            modifies: None,
            status: TaxInvoiceStatus::Pending,
            write_date: law::write_date_of_payment(request.supply.paid_at),
            amount: amount.split_vat(),
            confirmation_number: None,
            refusal: None,
            tax_service_code: None,
            idempotency_key: idempotency_key.map(str::to_owned),
            checks: 0,
            created_at: now,
            issued_at: None,
            sent_at: None,
            answered_at: None,
        };
        // What cannot be a document is refused now, and takes no number.
        self.document(&invoice, None)?;
        store::tax_invoice::insert(tx, &invoice, Some(now + LEASE)).await?;
        Ok(invoice)
    }

    /// Asks the issuer for an invoice that was written down, and writes the answer down. Asking again for
    /// the same is the same document.
    pub(super) async fn issue(
        &self,
        invoice: WrittenInvoice,
        original: Option<&WrittenInvoice>,
    ) -> Result<WrittenInvoice, BillingError> {
        if invoice.status != TaxInvoiceStatus::Pending {
            return Ok(invoice);
        }
        let document: TaxInvoice = self.document(&invoice, original)?;
        let outcome = self.tax_invoicing()?.issuer.issue(&document).await;
        crate::crash_point!("tax_invoice::answered");
        let settled = self.settle_invoice(&invoice, outcome).await?;
        crate::crash_point!("tax_invoice::settled");
        Ok(settled)
    }

    /// Writes an answer down. Safe to call twice: the second call finds the invoice settled.
    pub(super) async fn settle_invoice(
        &self,
        invoice: &WrittenInvoice,
        outcome: Outcome<Issued>,
    ) -> Result<WrittenInvoice, BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let current = self.lock_with_payment(&mut tx, invoice).await?;
        if current.status != TaxInvoiceStatus::Pending {
            return Ok(current);
        }
        let number = &current.number;
        match outcome {
            Outcome::Issued(Issued { confirmation_number }) => {
                let status = current.status.after(TaxInvoiceMove::Issue)?;
                let look_at = status.looked_at_next(now, now);
                store::tax_invoice::record_issued(&mut tx, &current, &confirmation_number, look_at, now)
                    .await?;
                events::publish(&mut tx, current.business, now, &issued(&current)).await?;
            }
            // Our account is not in order: an operator puts it in order, and the same document goes through.
            Outcome::Refused(refusal) if refusal.class == RefusalClass::Account => {
                tracing::error!(%number, code = refusal.code, "our account at the issuer of tax invoices is not in order");
                let again = now + pause_before(current.checks.max(3));
                store::tax_invoice::postpone(&mut tx, &current, again).await?;
            }
            Outcome::Refused(refusal) => {
                if refusal.class == RefusalClass::OurBug {
                    tracing::error!(%number, code = refusal.code, "a tax invoice was refused because of us");
                }
                let refusal = TaxInvoiceRefusal { code: refusal.code, message: refusal.message };
                self.write_refused(&mut tx, &current, &refusal).await?;
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                tracing::warn!(%number, reason, "a tax invoice is not known to be issued yet");
                let again = now + pause_before(current.checks);
                store::tax_invoice::postpone(&mut tx, &current, again).await?;
            }
        }
        let settled = store::tax_invoice::lock(&mut tx, current.business, number).await?;
        tx.commit().await?;
        settled.ok_or(BillingError::NotFound)
    }

    /// The invoice as it is now. A refund decides by its status whether the modified invoice has to wait, and
    /// holds the payment's lock meanwhile: whoever took the invoice's alone would not see who waits for it.
    pub(super) async fn lock_with_payment(
        &self,
        tx: &mut PgConnection,
        invoice: &WrittenInvoice,
    ) -> Result<WrittenInvoice, BillingError> {
        store::payment::lock(tx, invoice.business, invoice.payment).await?;
        let locked = store::tax_invoice::lock(tx, invoice.business, &invoice.number).await?;
        locked.ok_or(BillingError::NotFound)
    }

    /// There will be no such document, and so none that modifies it.
    pub(super) async fn write_refused(
        &self,
        tx: &mut PgConnection,
        invoice: &WrittenInvoice,
        refusal: &TaxInvoiceRefusal,
    ) -> Result<(), BillingError> {
        invoice.status.after(TaxInvoiceMove::Refuse)?;
        store::tax_invoice::refuse(tx, invoice, refusal).await?;
        let refused = BillingEvent::TaxInvoiceRefused {
            payment_id: invoice.payment,
            invoice_id: invoice.number.to_string(),
            message: refusal.message.clone(),
        };
        events::publish(tx, invoice.business, self.clock.now(), &refused).await?;
        if invoice.modifies.is_some() {
            tracing::error!(number = %invoice.number, code = refusal.code, "a modified tax invoice was refused");
            return Ok(());
        }
        self.drop_waiting(tx, invoice).await
    }
}

fn issued(invoice: &WrittenInvoice) -> BillingEvent {
    let (payment_id, invoice_id) = (invoice.payment, invoice.number.to_string());
    let amount = whole(invoice.amount);
    match &invoice.modifies {
        None => BillingEvent::TaxInvoiceIssued { payment_id, invoice_id, amount },
        Some(modifies) => BillingEvent::TaxInvoiceModified {
            payment_id,
            invoice_id,
            original_invoice_id: modifies.original.to_string(),
            refund_id: modifies.refund,
            amount,
        },
    }
}

/// All that decides about a new invoice, read with the payment locked.
struct Request<'a> {
    invoicing: &'a TaxInvoicing,
    payment: &'a Payment,
    supply: &'a Supply,
    earlier: &'a [WrittenInvoice],
}

impl Request<'_> {
    /// The amount that it is about, VAT included: what has not gone back.
    fn invoiced(&self, today: chrono::NaiveDate) -> Result<Krw, BillingError> {
        let live = self.earlier.iter().find(|it| it.modifies.is_none() && it.status.is_live());
        if let Some(live) = live {
            return Err(BillingError::TaxInvoiceExists(live.number.to_string()));
        }
        if self.supply.has_cash_receipt {
            return Err(BillingError::CashReceiptIssued);
        }
        if self.supply.has_card_slip() && self.invoicing.card_slip == CardSlipPolicy::Refuse {
            return Err(BillingError::CardSlipIssued);
        }
        let left = self.payment.amount.checked_sub(self.payment.refunded).filter(|left| left.is_positive());
        let left = left.ok_or(BillingError::NothingToInvoice)?;
        if !self.replaces_a_rejected_one() && is_too_late(self.supply.paid_at, today) {
            return Err(BillingError::TaxInvoiceTooLate);
        }
        Ok(left)
    }

    /// A rejected invoice was in time; the one in its place is dated as it was.
    fn replaces_a_rejected_one(&self) -> bool {
        self.earlier.iter().any(|it| it.modifies.is_none() && it.status == TaxInvoiceStatus::Rejected)
    }

    fn content(&self, buyer: Buyer) -> Content {
        let buyer = Party {
            number: buyer.number,
            place: None,
            name: buyer.company,
            representative: buyer.owner,
            address: SecretString::default(),
            business_type: String::new(),
            business_item: String::new(),
            contact: Contact { email: buyer.email, ..Contact::default() },
        };
        let line = FrozenLine {
            name: Attempt::order_name(&self.supply.plan_name, self.supply.cycle),
            specification: self.supply.days_paid_for(),
        };
        // So that nobody counts it twice: the slip's amount is declared with it.
        let slip = self.supply.has_card_slip().then(|| "신용카드매출전표 발급분".to_owned());
        let tells = self.invoicing.card_slip == CardSlipPolicy::Warn;
        Content::new(&self.invoicing.seller, &buyer, line, slip.filter(|_| tells).into_iter().collect())
    }
}

/// The 10th of the month after the payment is over (Act 34(3)). Public holidays are not known here, so it
/// may be a day or two early.
fn is_too_late(paid_at: DateTime<Utc>, today: chrono::NaiveDate) -> bool {
    law::is_late(law::write_date_of_payment(paid_at), today, |_| false)
}

//! What a tax invoice says, frozen when it is written down, so that a later change of anybody's address
//! does not change what a repeated request or a download says.

use ::tax_invoice::{
    AfterDeadline, BusinessNumber, Contact, DocumentKey, Draft, LineItem, Party, Purpose, TaxInvoice,
    TaxKind, law::refund::Correction,
};
use chrono::NaiveDate;
use kernel::{Krw, VatSplit};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::{Modifies, WrittenInvoice};
use crate::{Billing, BillingError};

/// The parts of an ordinary invoice that its row does not hold.
///
/// It has no `Debug`: all of it is somebody's data.
#[derive(Serialize, Deserialize)]
pub(super) struct Content {
    seller: FrozenParty,
    buyer: FrozenParty,
    line: FrozenLine,
    remarks: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct FrozenParty {
    number: BusinessNumber,
    place: Option<String>,
    name: String,
    representative: String,
    address: String,
    business_type: String,
    business_item: String,
    contact_name: String,
    email: String,
    phone: String,
}

/// A payment is one thing that was supplied, so its invoice has one line, over the whole amount.
#[derive(Serialize, Deserialize)]
pub(super) struct FrozenLine {
    pub(super) name: String,
    pub(super) specification: String,
}

impl Content {
    pub(super) fn new(seller: &Party, buyer: &Party, line: FrozenLine, remarks: Vec<String>) -> Self {
        Self { seller: seller.into(), buyer: buyer.into(), line, remarks }
    }

    pub(super) fn into_text(self) -> Result<SecretString, BillingError> {
        let text = serde_json::to_string(&self).map_err(unreadable)?;
        Ok(text.into())
    }

    fn from_text(text: &SecretString) -> Result<Self, BillingError> {
        // Not the error's own text, which may quote a value.
        serde_json::from_str(text.expose_secret())
            .map_err(|_| BillingError::UnreadableDocument("its content".to_owned()))
    }

    pub(super) fn invoice(
        self,
        key: DocumentKey,
        write_date: NaiveDate,
        amount: VatSplit,
    ) -> Result<TaxInvoice, BillingError> {
        let line = LineItem {
            supplied_on: write_date,
            name: self.line.name,
            specification: self.line.specification,
            quantity: Some(1),
            unit_price: Some(amount.supply),
            amount,
            remark: String::new(),
        };
        let draft = Draft {
            key,
            write_date,
            // It is the paper of a payment.
            purpose: Purpose::Received,
            tax_kind: TaxKind::Taxed,
            seller: self.seller.into(),
            buyer: self.buyer.into(),
            lines: vec![line],
            remarks: self.remarks,
            modification: None,
            // Whether it is in time was decided when it was asked for. What is late since then is late
            // because of us, and late costs half of never.
            after_deadline: AfterDeadline::IssueLate,
        };
        TaxInvoice::new(draft).map_err(unreadable)
    }
}

impl From<&Party> for FrozenParty {
    fn from(party: &Party) -> Self {
        let clear = |secret: &SecretString| secret.expose_secret().to_owned();
        Self {
            number: party.number,
            place: party.place.clone(),
            name: party.name.clone(),
            representative: clear(&party.representative),
            address: clear(&party.address),
            business_type: party.business_type.clone(),
            business_item: party.business_item.clone(),
            contact_name: clear(&party.contact.name),
            email: clear(&party.contact.email),
            phone: clear(&party.contact.phone),
        }
    }
}

impl From<FrozenParty> for Party {
    fn from(frozen: FrozenParty) -> Self {
        Self {
            number: frozen.number,
            place: frozen.place,
            name: frozen.name,
            representative: frozen.representative.into(),
            address: frozen.address.into(),
            business_type: frozen.business_type,
            business_item: frozen.business_item,
            contact: Contact {
                name: frozen.contact_name.into(),
                email: frozen.email.into(),
                phone: frozen.phone.into(),
            },
        }
    }
}

fn unreadable(error: impl std::fmt::Display) -> BillingError {
    BillingError::UnreadableDocument(error.to_string())
}

impl Billing {
    /// The document, an ordinary one.
    fn ordinary(&self, written: &WrittenInvoice) -> Result<TaxInvoice, BillingError> {
        let sealed = written.content.as_deref().ok_or_else(|| unreadable("it has no content"))?;
        let content = Content::from_text(&self.vault.open(&written.purpose(), sealed)?)?;
        content.invoice(written.number.clone(), written.write_date, written.amount)
    }

    /// The document. A modified one is made from its original, which has to be issued.
    pub(crate) fn document(
        &self,
        written: &WrittenInvoice,
        original: Option<&WrittenInvoice>,
    ) -> Result<TaxInvoice, BillingError> {
        let Some(Modifies { reason, .. }) = &written.modifies else { return self.ordinary(written) };
        let original = original.ok_or_else(|| unreadable("its original is missing"))?;
        let confirmation =
            original.confirmation_number.clone().ok_or_else(|| unreadable("its original is not issued"))?;
        let correction = Correction {
            reason: *reason,
            write_date: written.write_date,
            amount: written.amount,
            remark_date: reason.remark_date(original.write_date, written.write_date),
        };
        let invoice = self.ordinary(original)?;
        let line = format!("{} ({})", invoice.lines[0].name, reason.as_korean());
        invoice.corrected(written.number.clone(), confirmation, &correction, line).map_err(unreadable)
    }
}

/// A whole price, VAT included.
pub(super) fn whole(amount: VatSplit) -> Krw {
    Krw::won(amount.supply.get() + amount.vat.get())
}

#![doc = include_str!("../README.md")]

mod business_number;
pub mod document;
mod invoice;
mod issuer;
mod key;
pub mod law;
mod modification;
mod party;
pub mod popbill;

pub use business_number::{BusinessNumber, NotABusinessNumber};
pub use invoice::{AfterDeadline, Draft, Flaw, LineItem, Purpose, TaxInvoice, TaxKind};
pub use issuer::{
    IllegalMove, InvoiceState, Issued, Lookup, Outcome, Refusal, RefusalClass, Standing, TaxInvoiceIssuer,
    Unavailable, View, Webhook, WebhookRefused,
};
pub use key::{ConfirmationNumber, DocumentKey, NotAConfirmationNumber, NotADocumentKey};
pub use modification::{Mistake, Modification, ModifyReason};
pub use party::{Contact, Party};

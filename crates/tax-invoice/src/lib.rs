#![doc = include_str!("../README.md")]

mod business_number;
pub mod document;
mod invoice;
mod issuer;
pub mod law;
mod modification;
pub mod popbill;

pub use business_number::{BusinessNumber, NotABusinessNumber};
pub use invoice::{
    AfterDeadline, ConfirmationNumber, Contact, DocumentKey, Draft, Flaw, LineItem, NotAConfirmationNumber,
    NotADocumentKey, Party, Purpose, TaxInvoice, TaxKind,
};
pub use issuer::{
    IllegalMove, InvoiceState, Issued, Lookup, Outcome, Refusal, RefusalClass, Standing, TaxInvoiceIssuer,
    Unavailable, View, Webhook, WebhookRefused,
};
pub use modification::{Modification, ModifyReason};

//! Payment providers behind one trait.
//!
//! [`PaymentGateway`] is what billing knows. Each provider is one folder (`toss/`, `portone/`, `kcp/`, `bootpay/`):
//! its wire types stay private to it, one file maps them, and one table turns its error codes into the outcomes of
//! [`Outcome`]. The contract is in the doc comments here and in `contract` (the cargo feature of that
//! name), the conformance suite that every implementation runs against its own sandbox.
//!
//! To add a provider: a variant of [`Provider`], a folder that implements [`PaymentGateway`], and a
//! test that implements `contract::Rig` for its sandbox. It is done when the suite passes;
//! `docs/adding-a-provider.md` has the steps.

pub mod bootpay;
mod capabilities;
mod connector;
#[cfg(feature = "contract")]
pub mod contract;
mod credentials;
#[cfg(test)]
mod damage;
mod gateway;
mod http;
pub mod kcp;
mod operation;
mod passed_on;
pub mod portone;
mod reference;
mod registry;
pub mod toss;

pub use capabilities::{Capabilities, CashReceipts, OrderIds, Repeats};
pub use connector::{Addresses, ConnectError, Connector};
pub use credentials::{CredentialField, Credentials, CredentialsRefused};
pub use gateway::{
    Acknowledgement, Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Card, CashReceipt,
    CashReceiptKind, CashReceiptLookup, Charge, Confirm, Decline, DeclineClass, FindCashReceipt,
    IssueBillingKey, IssueCashReceipt, IssuedBillingKey, IssuedCashReceipt, ListFailed, Lookup, Outcome,
    PaidWith, PaymentGateway, Subject, Transaction, TransactionKind, TransactionPage, Webhook,
    WebhookRefused,
};
pub use registry::{Gateways, Provider, UnknownProvider};

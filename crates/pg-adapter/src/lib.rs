//! Payment providers behind one trait.
//!
//! [`PaymentGateway`] is what billing knows. Each provider is one folder (`toss/`): its wire types
//! stay private to it, one file maps them, and one table turns its error codes into the outcomes of
//! [`Outcome`]. The contract is in the doc comments here and in `contract` (the cargo feature of that
//! name), the conformance suite that every implementation runs against its own sandbox.
//!
//! To add a provider: a variant of [`Provider`], a folder that implements [`PaymentGateway`], and a
//! test that implements `contract::Rig` for its sandbox. It is done when the suite passes.

#[cfg(feature = "contract")]
pub mod contract;
mod gateway;
mod registry;
pub mod toss;

pub use gateway::{
    Approval, BillingKeySecret, Cancel, Cancellation, Card, Charge, Confirm, Decline, DeclineClass,
    IssueBillingKey, IssuedBillingKey, Lookup, Outcome, PaymentGateway, Subject, Webhook, WebhookRefused,
};
pub use registry::{Gateways, Provider, UnknownProvider};

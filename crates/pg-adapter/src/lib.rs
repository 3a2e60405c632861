//! Payment providers behind one trait.
//!
//! [`PaymentGateway`] is what billing knows. Each provider is one folder (`toss/`): its wire types
//! stay private to it, one file maps them, and one table turns its error codes into the outcomes of
//! [`Outcome`]. The contract is in the doc comments here and in [`contract`], the conformance suite
//! that every implementation runs against its own sandbox.

mod gateway;
mod registry;
pub mod toss;

pub use gateway::{
    Approval, BillingKeySecret, Cancel, Cancellation, Card, Charge, Confirm, Decline, DeclineClass,
    IssueBillingKey, IssuedBillingKey, Lookup, Outcome, PaymentGateway, Subject, Webhook, WebhookRefused,
};
pub use registry::{Gateways, Provider, UnknownProvider};

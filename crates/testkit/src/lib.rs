//! The test harness.
//!
//! A test starts a [`TestApp`]: the whole gateway on a database of its own, with a sandbox of its
//! own as the outside world and a clock that it can move. What happens is told by [`Actor`]s who
//! speak HTTP, so that a test reads like the rule it proves. What no sandbox does, a test says itself
//! in the provider's place ([`AlterableProvider`]).

mod actor;
mod app;
mod books;
mod database;
mod provider;
mod screen;
mod steps;
mod windows;

pub use actor::{Actor, Answer, Download};
pub use app::{Card, TestApp};
pub use database::TestDatabase;
/// The words in which a provider is asked, and answers.
pub use pg_adapter::{
    Approval, Cancel, Cancellation, Capabilities, Charge, Confirm, Decline, DeclineClass, IssueBillingKey,
    IssuedBillingKey, ListFailed, Lookup, Outcome, PaidWith, PaymentGateway, Transaction, TransactionKind,
    TransactionPage,
};
pub use provider::{AlterableProvider, RealGateway};
pub use screen::{EventSource, Screen, ServerSentEvent};
pub use windows::{card_in_the_window, cards_become, name, payment_in_the_window};

//! Toss Payments (토스페이먼츠): automatic payments with billing keys, one-off payments, cancels,
//! reconciliation and webhooks, as the Toss Payments reference tells and as integrators measured.

mod answer;
mod api;
mod auth;
mod billing_key;
mod body;
mod call;
mod cancel;
mod card;
mod cash_receipt;
mod charge;
mod confirm;
pub(crate) mod courier;
pub(crate) mod desk;
mod errors;
pub(crate) mod expiry;
mod gate;
mod idempotency;
mod operation;
mod payment;
mod shortcut;
mod state;
mod switches;
mod time;
mod transactions;
mod transfer;
mod webhooks;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use desk::{PaymentAuth, TransferAuth};
pub(crate) use state::{Record, State};
pub use switches::{RepeatedDelete, TossSwitches};
pub use transfer::CashReceiptType;
pub use webhooks::{WebhookAttempt, WebhookDelivery};

/// At most 14 characters.
const MERCHANT_ID: &str = "tdangol0001";

/// Everything under Toss's base URL: even an unknown path is answered in Toss's words.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().fallback(api::entry)
}

//! PortOne V2 (포트원): billing keys, one-off payments, cancels, reconciliation and signed webhooks, as
//! the PortOne reference tells. PortOne stands before several PGs; which one takes a payment is decided
//! by the channel.

mod api;
mod billing_key;
mod body;
mod call;
mod cancel;
mod card;
mod cash_receipt;
mod channel;
mod charge;
mod confirm;
pub(crate) mod courier;
mod customer;
pub(crate) mod desk;
mod errors;
mod idempotency;
mod lists;
pub(crate) mod made_up;
mod operation;
mod payment;
mod shortcut;
mod state;
mod switches;
mod webhooks;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use desk::{BillingAuth as PortOneBillingAuth, PaymentAuth as PortOnePaymentAuth};
pub(crate) use state::{Record, State};
pub use switches::{CancelOutcome, PortOneSwitches};
pub use webhooks::{PortOneAttempt, PortOneDelivery};

const MERCHANT_ID: &str = "merchant-00000000-0000-4000-8000-000000000001";
/// The one store of this merchant.
pub const STORE_ID: &str = "store-00000000-0000-4000-8000-000000000001";
/// Signs all webhooks. The console would show it.
pub const WEBHOOK_SECRET: &str = "whsec_ZGFuZ29sLXNhbmRib3gtd2ViaG9vay1zZWNyZXQtMQ==";
/// The channel of what names none: Toss Payments, live.
pub const CHANNEL_KEY: &str = "channel-key-00000000-0000-4000-8000-000000000001";

/// Everything under PortOne's base URL: even an unknown path is answered by it.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().fallback(api::entry)
}

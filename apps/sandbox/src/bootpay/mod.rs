//! Bootpay (부트페이) API v2: receipts, billing keys and their charges, cancels and webhooks, as the
//! Bootpay reference tells.
//!
//! No list of its error codes is public. Every code here is invented and begins with `SIM_`, so that
//! nobody builds rules on one; the texts are such as PGs write.

mod api;
mod billing_key;
mod call;
mod cancel;
mod card;
mod cash_receipt;
mod charge;
mod confirm;
pub(crate) mod courier;
pub(crate) mod desk;
mod errors;
mod notices;
mod receipt;
mod state;
mod switches;
mod target;
mod token;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use desk::{BootpayBillingAuth, BootpayPaymentAuth};
pub use notices::{BootpayAttempt, BootpayNotice};
pub(crate) use state::{Record, State};
pub use switches::{BootpaySwitches, RepeatedOrders};

/// Everything under Bootpay's base URL: even an unknown path is answered by it.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().fallback(api::entry)
}

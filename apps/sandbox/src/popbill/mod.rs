//! Popbill (팝빌): electronic tax invoices, with LinkHub's tokens, as the Popbill reference tells.
//!
//! Two hosts: LinkHub gives a token for a signed request, Popbill takes it. Nothing of this moves money,
//! so none of it is in the book; `GET /_sandbox/popbill/invoices` is the list to compare with.

mod api;
mod call;
pub(crate) mod desk;
mod errors;
mod exchange;
mod form;
mod invoice;
mod issue;
mod linkhub;
mod read;
mod rules;
mod session;
pub(crate) mod state;
mod switches;
pub(crate) mod webhook;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use desk::IssuedInvoice;
pub(crate) use state::{Record, State};
pub use switches::PopbillSwitches;

/// Everything under Popbill's base URL.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().fallback(api::entry)
}

/// Everything under LinkHub's base URL.
pub(crate) fn linkhub_router() -> Router<Arc<World>> {
    Router::new().fallback(linkhub::entry)
}

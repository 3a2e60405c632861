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

use std::sync::{Arc, PoisonError, RwLock};

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

/// The switches as they stand. They do not survive a restart.
#[derive(Default)]
pub(crate) struct Switchboard(RwLock<PopbillSwitches>);

impl Switchboard {
    pub(crate) fn read(&self) -> PopbillSwitches {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, switches: PopbillSwitches) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }
}

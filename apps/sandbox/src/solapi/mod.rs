//! Solapi (솔라피): texts, AlimTalk and brand message, as the reference tells.
//!
//! What was taken lies in the inbox ([`crate::post`]); here is the API, its accounts, and who refused.

mod api;
mod auth;
mod call;
pub(crate) mod courier;
pub(crate) mod desk;
mod groups;
mod list;
mod notices;
mod rules;
mod send;
pub(crate) mod state;
mod switches;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use notices::{SolapiAttempt, SolapiNotice};
pub(crate) use state::{Record, State};
pub use switches::SolapiSwitches;

/// Everything under Solapi's base URL.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new().fallback(api::entry)
}

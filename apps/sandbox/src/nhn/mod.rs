//! NHN Cloud: texts (SMS v3.0), AlimTalk (v2.3) and brand message (v1.0), as the reference tells.
//!
//! What was taken lies in the inbox ([`crate::post`]); here is the API, its accounts, and who refused. One base path stands
//! for each of the two hosts.

mod api;
mod call;
pub(crate) mod courier;
pub(crate) mod desk;
mod kakao;
mod notices;
mod read;
mod rules;
mod sms;
pub(crate) mod state;
mod switches;

use std::sync::Arc;

use axum::Router;

use crate::world::World;

pub use notices::{NhnAttempt, NhnNotice};
pub(crate) use state::{Record, State};
pub use switches::NhnSwitches;

/// Everything under the base URL of SMS.
pub(crate) fn sms_router() -> Router<Arc<World>> {
    Router::new().fallback(api::sms_entry)
}

/// Everything under the base URL of KakaoTalk Bizmessage.
pub(crate) fn kakao_router() -> Router<Arc<World>> {
    Router::new().fallback(api::kakao_entry)
}

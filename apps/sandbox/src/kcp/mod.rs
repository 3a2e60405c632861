//! NHN KCP, the REST PG-API: batch keys and their charges, window payments, cancels, inquiry and
//! notifications, as the KCP guides tell and as integrators saw it.
//!
//! Where neither tells, a code or a rule is invented; each of these says so where it stands.

mod answer;
mod api;
mod batch_key;
mod call;
mod cancel;
mod card;
mod certificate;
mod charge;
mod codes;
mod confirm;
pub(crate) mod courier;
mod credentials;
pub(crate) mod desk;
mod inquiry;
mod notices;
mod payment;
mod receipt;
mod state;
mod switches;
mod target;
mod time;
mod trade;
mod window;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::world::World;

pub use credentials::{KcpCredentials, kcp_dev_credentials};
pub use desk::KcpPaymentAuth;
pub use notices::{KcpNotice, NoticeAttempt};
pub(crate) use state::{Record, State};
pub use switches::{
    AnswerCharset, DeletedKeyAnswer, DuplicateOrders, KcpSwitches, UnknownKeyAnswer, UsedWindowData,
};

/// Everything under KCP's base URL. The real hosts are several; their paths do not overlap.
pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/assist/bill.BillActionNew.do", get(receipt::page_of))
        .route("/pay/mobileGW.kcp", post(trade::window_page))
        // Where pages in UTF-8 post to in place of it.
        .route("/pay/jsp/encodingFilter/encodingFilter.jsp", post(trade::window_page))
        .route("/window/done", post(trade::window_done))
        .fallback(api::entry)
}

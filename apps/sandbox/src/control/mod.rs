//! The control surface: what QA, tests and the curious may do to the outside world.

mod api;
mod body;
mod bootpay;
mod kcp;
mod nhn;
pub(crate) mod pages;
mod popbill;
mod portone;
mod post;
mod solapi;
mod toss;
mod wall;

use std::sync::Arc;

use axum::{Router, routing::get};
use tower_http::cors::CorsLayer;

use crate::world::World;

pub(crate) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/", get(pages::to_index))
        .route("/_sandbox", get(pages::index))
        .route("/_sandbox/", get(pages::to_index))
        .route("/_sandbox/health", get(api::health))
        .route("/_sandbox/book", get(api::book))
        .route("/_sandbox/faults", get(api::faults).post(api::add_fault).delete(api::clear_faults))
        .merge(toss::router())
        .merge(portone::router())
        .merge(kcp::router())
        .merge(bootpay::router())
        .merge(popbill::router())
        .merge(post::router())
        .merge(solapi::router())
        .merge(nhn::router())
        .fallback(body::not_found)
        .layer(CorsLayer::permissive())
}

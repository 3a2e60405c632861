//! The control surface: what QA, tests and the curious may do to the outside world.

mod api;
mod body;
mod kcp;
pub(crate) mod pages;
mod popbill;
mod portone;
mod toss;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post, put},
};
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
        .route("/_sandbox/toss/billing-auth", post(toss::billing_auth))
        .route("/_sandbox/toss/payment-auth", post(toss::payment_auth))
        .route("/_sandbox/toss/cards", post(toss::change_card))
        .route(
            "/_sandbox/toss/switches",
            get(toss::switches).put(toss::set_switches).patch(toss::patch_switches),
        )
        .route("/_sandbox/toss/webhook-url", put(toss::set_webhook_url).get(toss::webhook_url))
        .route("/_sandbox/toss/webhooks", get(toss::webhooks).post(toss::send_webhook))
        .route("/_sandbox/toss/webhooks/redeliver", post(toss::redeliver))
        .route("/_sandbox/toss/card", get(pages::card_form).post(pages::register_card))
        .route("/_sandbox/toss/pay", get(pages::pay_form).post(pages::pay))
        .merge(portone_router())
        .route("/_sandbox/kcp/billing-auth", post(kcp::billing_auth))
        .route("/_sandbox/kcp/payment-auth", post(kcp::payment_auth))
        .route("/_sandbox/kcp/cards", post(kcp::change_card))
        .route("/_sandbox/kcp/switches", get(kcp::switches).put(kcp::set_switches).patch(kcp::patch_switches))
        .route("/_sandbox/kcp/webhook-url", put(kcp::set_webhook_url).get(kcp::webhook_url))
        .route("/_sandbox/kcp/notifications", get(kcp::notifications).post(kcp::send_notification))
        .route("/_sandbox/kcp/notifications/redeliver", post(kcp::redeliver))
        .merge(popbill::router())
        .fallback(body::not_found)
        .layer(CorsLayer::permissive())
}

fn portone_router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/portone/billing-auth", post(portone::billing_auth))
        .route("/_sandbox/portone/payment-auth", post(portone::payment_auth))
        .route("/_sandbox/portone/cards", post(portone::change_card))
        .route("/_sandbox/portone/cancels/settle", post(portone::settle_cancels))
        .route(
            "/_sandbox/portone/switches",
            get(portone::switches).put(portone::set_switches).patch(portone::patch_switches),
        )
        .route("/_sandbox/portone/webhook-url", put(portone::set_webhook_url).get(portone::webhook_url))
        .route("/_sandbox/portone/webhooks", get(portone::webhooks).post(portone::send_webhook))
        .route("/_sandbox/portone/webhooks/redeliver", post(portone::redeliver))
}

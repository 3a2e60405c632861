//! What can be done to Bootpay beside its API.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::IntoResponse,
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    body::{Answered, JsonBody},
    wall,
};
use crate::{
    bootpay::{
        BootpayBillingAuth, BootpayNotice, BootpayPaymentAuth, BootpaySwitches,
        desk::{self, CardChange, NoticeOrder, NoticeSent},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/bootpay/billing-auth", post(billing_auth))
        .route("/_sandbox/bootpay/payment-auth", post(payment_auth))
        .route("/_sandbox/bootpay/cards", post(change_card))
        .route("/_sandbox/bootpay/switches", wall::switches::<BootpaySwitches>())
        .route("/_sandbox/bootpay/webhook-url", wall::webhook_url::<BootpayNotice>())
        .route("/_sandbox/bootpay/webhooks", get(webhooks).post(send_webhook))
        .route("/_sandbox/bootpay/webhooks/redeliver", post(redeliver))
}

async fn billing_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<BootpayBillingAuth>,
) -> Answered {
    let receipt_id = desk::billing_auth(&world, request)?;
    Ok(Json(json!({"event": "done", "receiptId": receipt_id})).into_response())
}

async fn payment_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<BootpayPaymentAuth>,
) -> Answered {
    let receipt_id = desk::payment_auth(&world, request)?;
    Ok(Json(json!({"event": "confirm", "receiptId": receipt_id})).into_response())
}

async fn change_card(State(world): State<Arc<World>>, JsonBody(change): JsonBody<CardChange>) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<NoticeSent>> {
    let notices: Vec<_> = world.store().bootpay.notices().cloned().collect();
    Json(notices.into_iter().map(NoticeSent::from).collect())
}

async fn send_webhook(State(world): State<Arc<World>>, JsonBody(order): JsonBody<NoticeOrder>) -> Answered {
    Ok(Json(NoticeSent::from(desk::send_notice(&world, order).await?)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redelivery {
    id: String,
}

async fn redeliver(State(world): State<Arc<World>>, JsonBody(request): JsonBody<Redelivery>) -> Answered {
    Ok(Json(NoticeSent::from(desk::redeliver(&world, &request.id).await?)).into_response())
}

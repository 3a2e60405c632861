//! What can be done to PortOne beside its API.

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
    portone::{
        PortOneBillingAuth, PortOneDelivery, PortOnePaymentAuth, PortOneSwitches,
        desk::{self, CardChange, SettleCancels},
        made_up::{self, WebhookOrder, WebhookSent},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/portone/billing-auth", post(billing_auth))
        .route("/_sandbox/portone/payment-auth", post(payment_auth))
        .route("/_sandbox/portone/cards", post(change_card))
        .route("/_sandbox/portone/cancels/settle", post(settle_cancels))
        .route("/_sandbox/portone/switches", wall::switches::<PortOneSwitches>())
        .route("/_sandbox/portone/webhook-url", wall::webhook_url::<PortOneDelivery>())
        .route("/_sandbox/portone/webhooks", get(webhooks).post(send_webhook))
        .route("/_sandbox/portone/webhooks/redeliver", post(redeliver))
}

async fn billing_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<PortOneBillingAuth>,
) -> Answered {
    Ok(Json(desk::billing_auth(&world, request)?).into_response())
}

async fn payment_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<PortOnePaymentAuth>,
) -> Answered {
    Ok(Json(desk::payment_auth(&world, request)?).into_response())
}

async fn change_card(State(world): State<Arc<World>>, JsonBody(change): JsonBody<CardChange>) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

async fn settle_cancels(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<SettleCancels>,
) -> Answered {
    let settled = desk::settle_cancels(&world, &request)?;
    Ok(Json(json!({"settled": settled})).into_response())
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<WebhookSent>> {
    let deliveries: Vec<_> = world.store().portone.deliveries().cloned().collect();
    Json(deliveries.into_iter().map(WebhookSent::from).collect())
}

async fn send_webhook(State(world): State<Arc<World>>, JsonBody(order): JsonBody<WebhookOrder>) -> Answered {
    let delivery = made_up::send_webhook(&world, order).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redelivery {
    webhook_id: String,
}

async fn redeliver(State(world): State<Arc<World>>, JsonBody(request): JsonBody<Redelivery>) -> Answered {
    let delivery = made_up::redeliver(&world, &request.webhook_id).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

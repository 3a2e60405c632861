//! What can be done to Toss beside its API.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post, put},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    body::{Answered, ControlError, JsonBody},
    pages, wall,
};
use crate::{
    toss::{
        PaymentAuth, TossSwitches, TransferAuth, WebhookDelivery,
        desk::{self, BillingAuth, CardChange, MerchantUrl, WebhookOrder, WebhookSent},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/toss/billing-auth", post(billing_auth))
        .route("/_sandbox/toss/payment-auth", post(payment_auth))
        .route("/_sandbox/toss/transfer-auth", post(transfer_auth))
        .route("/_sandbox/toss/cards", post(change_card))
        .route("/_sandbox/toss/switches", wall::switches::<TossSwitches>())
        .route("/_sandbox/toss/webhook-url", wall::webhook_url::<WebhookDelivery>())
        .route("/_sandbox/toss/merchants", put(set_merchant))
        .route("/_sandbox/toss/webhooks", get(webhooks).post(send_webhook))
        .route("/_sandbox/toss/webhooks/redeliver", post(redeliver))
        .route("/_sandbox/toss/card", get(pages::card_form).post(pages::register_card))
        .route("/_sandbox/toss/pay", get(pages::pay_form).post(pages::pay))
}

async fn billing_auth(State(world): State<Arc<World>>, JsonBody(request): JsonBody<BillingAuth>) -> Answered {
    let auth_key = desk::billing_auth(&world, request)?;
    Ok(Json(json!({"authKey": auth_key})).into_response())
}

async fn transfer_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<TransferAuth>,
) -> Answered {
    let payment_key = desk::transfer_auth(&world, request)?;
    Ok(Json(json!({"paymentKey": payment_key})).into_response())
}

async fn payment_auth(State(world): State<Arc<World>>, JsonBody(request): JsonBody<PaymentAuth>) -> Answered {
    let payment_key = desk::payment_auth(&world, request)?;
    Ok(Json(json!({"paymentKey": payment_key})).into_response())
}

async fn change_card(State(world): State<Arc<World>>, JsonBody(change): JsonBody<CardChange>) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

async fn set_merchant(State(world): State<Arc<World>>, JsonBody(wanted): JsonBody<MerchantUrl>) -> Answered {
    if pages::web_url(&wanted.webhook_url).is_none() {
        return Err(ControlError::bad_request("webhookUrl은 http 또는 https 주소여야 합니다."));
    }
    desk::set_merchant_url(&world, wanted)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<WebhookSent>> {
    let deliveries: Vec<_> = world.store().toss.deliveries().cloned().collect();
    Json(deliveries.into_iter().map(WebhookSent::from).collect())
}

async fn send_webhook(State(world): State<Arc<World>>, JsonBody(order): JsonBody<WebhookOrder>) -> Answered {
    let delivery = desk::send_webhook(&world, order).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redelivery {
    transmission_id: String,
}

async fn redeliver(State(world): State<Arc<World>>, JsonBody(request): JsonBody<Redelivery>) -> Answered {
    let delivery = desk::redeliver(&world, &request.transmission_id).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

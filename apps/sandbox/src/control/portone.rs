//! What can be done to PortOne beside its API.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Answered, ControlError, JsonBody};
use crate::{
    portone::{
        PortOneBillingAuth, PortOnePaymentAuth, PortOneSwitches, courier,
        desk::{self, CardChange, SettleCancels},
        made_up::{self, WebhookOrder, WebhookSent},
    },
    world::World,
};

pub(crate) async fn billing_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<PortOneBillingAuth>,
) -> Answered {
    Ok(Json(desk::billing_auth(&world, request)?).into_response())
}

pub(crate) async fn payment_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<PortOnePaymentAuth>,
) -> Answered {
    Ok(Json(desk::payment_auth(&world, request)?).into_response())
}

pub(crate) async fn change_card(
    State(world): State<Arc<World>>,
    JsonBody(change): JsonBody<CardChange>,
) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

pub(crate) async fn settle_cancels(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<SettleCancels>,
) -> Answered {
    let settled = desk::settle_cancels(&world, &request)?;
    Ok(Json(json!({"settled": settled})).into_response())
}

pub(crate) async fn switches(State(world): State<Arc<World>>) -> Json<PortOneSwitches> {
    Json(world.portone.switches())
}

/// Switches that are not named go back to their defaults.
pub(crate) async fn set_switches(
    State(world): State<Arc<World>>,
    JsonBody(switches): JsonBody<PortOneSwitches>,
) -> Json<PortOneSwitches> {
    world.portone.set_switches(switches);
    Json(switches)
}

/// Switches that are not named stay as they are.
pub(crate) async fn patch_switches(
    State(world): State<Arc<World>>,
    JsonBody(patch): JsonBody<serde_json::Map<String, Value>>,
) -> Answered {
    let unreadable = |error: serde_json::Error| ControlError::bad_request(error.to_string());
    let mut switches = serde_json::to_value(world.portone.switches()).map_err(unreadable)?;
    if let Value::Object(fields) = &mut switches {
        fields.extend(patch);
    }
    let switches: PortOneSwitches = serde_json::from_value(switches).map_err(unreadable)?;
    world.portone.set_switches(switches);
    Ok(Json(switches).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookUrl {
    /// Null: nowhere; webhooks wait until there is one.
    url: Option<String>,
}

pub(crate) async fn webhook_url(State(world): State<Arc<World>>) -> Response {
    Json(json!({"url": world.portone.courier.url()})).into_response()
}

pub(crate) async fn set_webhook_url(
    State(world): State<Arc<World>>,
    JsonBody(WebhookUrl { url }): JsonBody<WebhookUrl>,
) -> Answered {
    if url.as_deref().is_some_and(|url| super::pages::web_url(url).is_none()) {
        return Err(ControlError::bad_request("url은 http 또는 https 주소여야 합니다."));
    }
    courier::set_url(&world, url.clone());
    Ok(Json(json!({"url": url})).into_response())
}

pub(crate) async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<WebhookSent>> {
    let deliveries: Vec<_> = world.store().portone.deliveries().cloned().collect();
    Json(deliveries.into_iter().map(WebhookSent::from).collect())
}

pub(crate) async fn send_webhook(
    State(world): State<Arc<World>>,
    JsonBody(order): JsonBody<WebhookOrder>,
) -> Answered {
    let delivery = made_up::send_webhook(&world, order).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Redelivery {
    webhook_id: String,
}

pub(crate) async fn redeliver(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<Redelivery>,
) -> Answered {
    let delivery = made_up::redeliver(&world, &request.webhook_id).await?;
    Ok(Json(WebhookSent::from(delivery)).into_response())
}

//! What can be done to KCP beside its API.

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
    kcp::{
        KcpPaymentAuth, KcpSwitches,
        desk::{self, BillingAuth, CardChange, HandedOver, NoticeOrder, NoticeSent},
    },
    world::World,
};

pub(crate) async fn billing_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<BillingAuth>,
) -> Answered {
    Ok(named("authKey", desk::billing_auth(&world, request)?))
}

pub(crate) async fn payment_auth(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<KcpPaymentAuth>,
) -> Answered {
    Ok(named("paymentKey", desk::payment_auth(&world, request)?))
}

/// The whole form under the name that our API has for it, and its fields under KCP's names.
fn named(name: &str, handed_over: HandedOver) -> Response {
    let mut body = json!({"fields": handed_over.fields});
    body[name] = handed_over.form.into();
    Json(body).into_response()
}

pub(crate) async fn change_card(
    State(world): State<Arc<World>>,
    JsonBody(change): JsonBody<CardChange>,
) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

pub(crate) async fn switches(State(world): State<Arc<World>>) -> Json<KcpSwitches> {
    Json(world.kcp.switches())
}

/// Switches that are not named go back to their defaults.
pub(crate) async fn set_switches(
    State(world): State<Arc<World>>,
    JsonBody(switches): JsonBody<KcpSwitches>,
) -> Json<KcpSwitches> {
    world.kcp.set_switches(switches);
    Json(switches)
}

/// Switches that are not named stay as they are.
pub(crate) async fn patch_switches(
    State(world): State<Arc<World>>,
    JsonBody(patch): JsonBody<serde_json::Map<String, Value>>,
) -> Answered {
    let refused = |error: serde_json::Error| ControlError::bad_request(error.to_string());
    let mut switches = serde_json::to_value(world.kcp.switches()).map_err(refused)?;
    if let Value::Object(fields) = &mut switches {
        fields.extend(patch);
    }
    let switches: KcpSwitches = serde_json::from_value(switches).map_err(refused)?;
    world.kcp.set_switches(switches);
    Ok(Json(switches).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotificationUrl {
    /// Null: nowhere, and everything waits.
    url: Option<String>,
}

pub(crate) async fn webhook_url(State(world): State<Arc<World>>) -> Response {
    Json(json!({"url": world.kcp.courier.url()})).into_response()
}

pub(crate) async fn set_webhook_url(
    State(world): State<Arc<World>>,
    JsonBody(NotificationUrl { url }): JsonBody<NotificationUrl>,
) -> Answered {
    if url.as_deref().is_some_and(|url| super::pages::web_url(url).is_none()) {
        return Err(ControlError::bad_request("url은 http 또는 https 주소여야 합니다."));
    }
    world.kcp.courier.set_url(url.clone());
    Ok(Json(json!({"url": url})).into_response())
}

pub(crate) async fn notifications(State(world): State<Arc<World>>) -> Json<Vec<NoticeSent>> {
    let notices: Vec<_> = world.store().kcp.notices().cloned().collect();
    Json(notices.into_iter().map(NoticeSent::from).collect())
}

pub(crate) async fn send_notification(
    State(world): State<Arc<World>>,
    JsonBody(order): JsonBody<NoticeOrder>,
) -> Answered {
    Ok(Json(NoticeSent::from(desk::send_notice(&world, order).await?)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Redelivery {
    id: String,
}

pub(crate) async fn redeliver(
    State(world): State<Arc<World>>,
    JsonBody(request): JsonBody<Redelivery>,
) -> Answered {
    Ok(Json(NoticeSent::from(desk::redeliver(&world, &request.id).await?)).into_response())
}

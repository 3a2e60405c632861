//! What can be set at every provider: its switches, and the address of its webhooks.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    body::{Answered, ControlError, JsonBody},
    pages,
};
use crate::{
    courier::{self, Letter},
    house::Switches,
    world::World,
};

pub(super) fn switches<S: Switches>() -> MethodRouter<Arc<World>> {
    get(read_switches::<S>).put(set_switches::<S>).patch(patch_switches::<S>)
}

async fn read_switches<S: Switches>(State(world): State<Arc<World>>) -> Json<S> {
    Json(S::house(&world).switches())
}

/// Switches that are not named go back to their defaults.
async fn set_switches<S: Switches>(
    State(world): State<Arc<World>>,
    JsonBody(switches): JsonBody<S>,
) -> Json<S> {
    S::house(&world).set_switches(switches);
    Json(switches)
}

/// Switches that are not named stay as they are.
async fn patch_switches<S: Switches>(
    State(world): State<Arc<World>>,
    JsonBody(patch): JsonBody<Map<String, Value>>,
) -> Answered {
    let refused = |error: serde_json::Error| ControlError::bad_request(error.to_string());
    let house = S::house(&world);
    let mut switches = serde_json::to_value(house.switches()).map_err(refused)?;
    if let Value::Object(fields) = &mut switches {
        fields.extend(patch);
    }
    let switches: S = serde_json::from_value(switches).map_err(refused)?;
    house.set_switches(switches);
    Ok(Json(switches).into_response())
}

pub(super) fn webhook_url<L: Letter>() -> MethodRouter<Arc<World>> {
    get(read_webhook_url::<L>).put(set_webhook_url::<L>)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookUrl {
    /// Null: nowhere.
    url: Option<String>,
}

async fn read_webhook_url<L: Letter>(State(world): State<Arc<World>>) -> Response {
    Json(json!({"url": L::courier(&world).url()})).into_response()
}

async fn set_webhook_url<L: Letter>(
    State(world): State<Arc<World>>,
    JsonBody(WebhookUrl { url }): JsonBody<WebhookUrl>,
) -> Answered {
    if url.as_deref().is_some_and(|url| pages::web_url(url).is_none()) {
        return Err(ControlError::bad_request("url은 http 또는 https 주소여야 합니다."));
    }
    courier::set_url::<L>(&world, url.clone());
    Ok(Json(json!({"url": url})).into_response())
}

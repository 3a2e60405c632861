//! What can be done to Popbill and LinkHub beside their APIs.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post, put},
};
use serde_json::Value;

use super::body::{Answered, ControlError, JsonBody};
use crate::{
    popbill::{
        PopbillSwitches,
        desk::{self, InvoiceFilter, Verdict},
        state::{Member, Partner},
        webhook::{self, WebhookOrder},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/popbill/invoices", get(invoices))
        .route("/_sandbox/popbill/reject", post(reject))
        .route("/_sandbox/popbill/file", post(file))
        .route("/_sandbox/popbill/webhooks", post(send_webhook))
        .route("/_sandbox/popbill/partners", put(set_partner))
        .route("/_sandbox/popbill/members", put(set_member))
        .route("/_sandbox/popbill/sessions/end", post(end_sessions))
        .route("/_sandbox/popbill/switches", get(switches).put(set_switches).patch(patch_switches))
}

async fn invoices(
    State(world): State<Arc<World>>,
    filter: Result<Query<InvoiceFilter>, QueryRejection>,
) -> Answered {
    let Query(filter) = filter.map_err(|rejection| ControlError::bad_request(rejection.body_text()))?;
    Ok(Json(desk::invoices(&world, &filter)).into_response())
}

async fn reject(State(world): State<Arc<World>>, JsonBody(verdict): JsonBody<Verdict>) -> Answered {
    Ok(Json(desk::reject(&world, verdict)?).into_response())
}

async fn file(State(world): State<Arc<World>>, JsonBody(target): JsonBody<Verdict>) -> Answered {
    Ok(Json(desk::file(&world, &target)?).into_response())
}

async fn send_webhook(State(world): State<Arc<World>>, JsonBody(order): JsonBody<WebhookOrder>) -> Answered {
    if super::pages::web_url(&order.url).is_none() {
        return Err(ControlError::bad_request("url은 http 또는 https 주소여야 합니다."));
    }
    Ok(Json(webhook::send(&world, order).await?).into_response())
}

async fn set_partner(State(world): State<Arc<World>>, JsonBody(partner): JsonBody<Partner>) -> Answered {
    desk::set_partner(&world, partner)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_member(State(world): State<Arc<World>>, JsonBody(member): JsonBody<Member>) -> Answered {
    desk::set_member(&world, member)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn end_sessions(State(world): State<Arc<World>>) -> Answered {
    desk::end_sessions(&world)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn switches(State(world): State<Arc<World>>) -> Json<PopbillSwitches> {
    Json(world.popbill.read())
}

/// Switches that are not named go back to their defaults.
async fn set_switches(
    State(world): State<Arc<World>>,
    JsonBody(switches): JsonBody<PopbillSwitches>,
) -> Json<PopbillSwitches> {
    world.popbill.set(switches);
    Json(switches)
}

/// Switches that are not named stay as they are.
async fn patch_switches(
    State(world): State<Arc<World>>,
    JsonBody(patch): JsonBody<serde_json::Map<String, Value>>,
) -> Answered {
    let unreadable = |error: serde_json::Error| ControlError::bad_request(error.to_string());
    let mut switches = serde_json::to_value(world.popbill.read()).map_err(unreadable)?;
    if let Value::Object(fields) = &mut switches {
        fields.extend(patch);
    }
    let switches: PopbillSwitches = serde_json::from_value(switches).map_err(unreadable)?;
    world.popbill.set(switches);
    Ok(Json(switches).into_response())
}

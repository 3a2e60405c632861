//! What can be done to Popbill and LinkHub beside their APIs.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post, put},
};

use super::{
    body::{Answered, ControlError, JsonBody},
    wall,
};
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
        .route("/_sandbox/popbill/switches", wall::switches::<PopbillSwitches>())
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

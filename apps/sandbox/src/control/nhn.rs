//! What can be done to NHN Cloud beside its APIs.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::IntoResponse,
    routing::{get, post, put},
};

use super::{
    body::{Answered, JsonBody},
    wall,
};
use crate::{
    nhn::{
        NhnNotice, NhnSwitches,
        desk::{self, CallToRefuse},
        state::Account,
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/nhn/accounts", put(set_account))
        .route("/_sandbox/nhn/refusals", post(refuse))
        .route("/_sandbox/nhn/switches", wall::switches::<NhnSwitches>())
        .route("/_sandbox/nhn/webhook-url", wall::webhook_url::<NhnNotice>())
        .route("/_sandbox/nhn/webhooks", get(webhooks))
}

async fn set_account(State(world): State<Arc<World>>, JsonBody(account): JsonBody<Account>) -> Answered {
    desk::set_account(&world, account)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refuse(State(world): State<Arc<World>>, JsonBody(call): JsonBody<CallToRefuse>) -> Answered {
    desk::refuse(&world, &call)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<NhnNotice>> {
    Json(world.store().nhn.notices().cloned().collect())
}

//! What can be done to Solapi beside its API.

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
    solapi::{
        SolapiNotice, SolapiSwitches,
        desk::{self, CallToRefuse},
        state::{Account, Template},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/solapi/accounts", put(set_account))
        .route("/_sandbox/solapi/templates", put(set_template))
        .route("/_sandbox/solapi/refusals", post(refuse))
        .route("/_sandbox/solapi/switches", wall::switches::<SolapiSwitches>())
        .route("/_sandbox/solapi/webhook-url", wall::webhook_url::<SolapiNotice>())
        .route("/_sandbox/solapi/webhooks", get(webhooks))
}

async fn set_account(State(world): State<Arc<World>>, JsonBody(account): JsonBody<Account>) -> Answered {
    desk::set_account(&world, account)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set_template(State(world): State<Arc<World>>, JsonBody(template): JsonBody<Template>) -> Answered {
    desk::set_template(&world, template)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn refuse(State(world): State<Arc<World>>, JsonBody(call): JsonBody<CallToRefuse>) -> Answered {
    desk::refuse(&world, &call)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn webhooks(State(world): State<Arc<World>>) -> Json<Vec<SolapiNotice>> {
    Json(world.store().solapi.notices().cloned().collect())
}

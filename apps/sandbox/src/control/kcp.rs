//! What can be done to KCP beside its API.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use serde_json::json;

use super::{
    body::{Answered, JsonBody},
    wall,
};
use crate::{
    kcp::{
        KcpNotice, KcpPaymentAuth, KcpSwitches,
        desk::{self, BillingAuth, CardChange, HandedOver, NoticeOrder, NoticeSent},
    },
    world::World,
};

pub(super) fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sandbox/kcp/billing-auth", post(billing_auth))
        .route("/_sandbox/kcp/payment-auth", post(payment_auth))
        .route("/_sandbox/kcp/cards", post(change_card))
        .route("/_sandbox/kcp/switches", wall::switches::<KcpSwitches>())
        .route("/_sandbox/kcp/webhook-url", wall::webhook_url::<KcpNotice>())
        .route("/_sandbox/kcp/notifications", get(notifications).post(send_notification))
        .route("/_sandbox/kcp/notifications/redeliver", post(redeliver))
}

async fn billing_auth(State(world): State<Arc<World>>, JsonBody(request): JsonBody<BillingAuth>) -> Answered {
    Ok(named("authKey", desk::billing_auth(&world, request)?))
}

async fn payment_auth(
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

async fn change_card(State(world): State<Arc<World>>, JsonBody(change): JsonBody<CardChange>) -> Answered {
    let changed = desk::change_card(&world, &change)?;
    Ok(Json(json!({"changed": changed})).into_response())
}

async fn notifications(State(world): State<Arc<World>>) -> Json<Vec<NoticeSent>> {
    let notices: Vec<_> = world.store().kcp.notices().cloned().collect();
    Json(notices.into_iter().map(NoticeSent::from).collect())
}

async fn send_notification(
    State(world): State<Arc<World>>,
    JsonBody(order): JsonBody<NoticeOrder>,
) -> Answered {
    Ok(Json(NoticeSent::from(desk::send_notice(&world, order).await?)).into_response())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Redelivery {
    id: String,
}

async fn redeliver(State(world): State<Arc<World>>, JsonBody(request): JsonBody<Redelivery>) -> Answered {
    Ok(Json(NoticeSent::from(desk::redeliver(&world, &request.id).await?)).into_response())
}

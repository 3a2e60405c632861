//! How somebody wants to be told.

use axum::extract::State;
use platform::{BodyProblems, CommonProblems, Data, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::listener::Me;
use crate::{Notifications, reading::Preference};

/// Every type over every channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct Preferences {
    preferences: Vec<Preference>,
}

/// What is to be otherwise; what is not named stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"preferences": [
    {"notificationType": "REVIEW_NEW", "channel": "IN_APP", "enabled": false},
    {"notificationType": "PAYMENT_FAILED", "channel": "SMS", "enabled": true},
]}))]
pub(crate) struct PreferencesBody {
    #[schema(max_items = 36)]
    preferences: Vec<Preference>,
}

/// How I want to be told
///
/// What I never said is on.
#[utoipa::path(
    get, path = "/api/notifications/preferences", operation_id = "getNotificationPreferences", tag = "notifications",
    security(("bearer" = [])),
    responses((status = 200, description = "Every type over every channel", body = Data<Preferences>), CommonProblems),
)]
pub(crate) async fn get_notification_preferences(
    State(notifications): State<Notifications>,
    Me(reader): Me,
) -> Result<Json<Data<Preferences>>, Problem> {
    Ok(Data::json(Preferences { preferences: notifications.preferences(&reader).await? }))
}

/// Say how I want to be told
///
/// `IN_APP` is the list, the count and what comes over WebSocket and SSE. Connections to other servers follow within half a
/// minute. `SYSTEM` over `IN_APP` cannot be turned off.
#[utoipa::path(
    put, path = "/api/notifications/preferences", operation_id = "setNotificationPreferences", tag = "notifications",
    security(("bearer" = [])), request_body = PreferencesBody,
    responses(
        (status = 200, description = "Every type over every channel, as it is now", body = Data<Preferences>),
        (status = 422, description = "`VALIDATION_FAILED`; `ALWAYS_ON`, `DUPLICATE` and `TOO_MANY` in `errors`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn set_notification_preferences(
    State(notifications): State<Notifications>,
    Me(reader): Me,
    Json(body): Json<PreferencesBody>,
) -> Result<Json<Data<Preferences>>, Problem> {
    notifications.prefer(&reader, &body.preferences).await?;
    Ok(Data::json(Preferences { preferences: notifications.preferences(&reader).await? }))
}

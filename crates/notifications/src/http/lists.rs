//! The list, the count, and what was read.

use axum::extract::State;
use platform::{CommonProblems, Data, Json, List, PageQuery, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::listener::Me;
use crate::{NotificationId, Notifications, reading::Listed};

/// Which notifications are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct NotificationQuery {
    /// Only those that were not read.
    unread: Option<bool>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// How many are left.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Unread {
    #[schema(example = 5)]
    unread_count: i64,
}

/// How far everything was read.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct ReadAllQuery {
    /// The newest that was on the screen, so that one that comes this moment stays unread. Left out, all there are.
    #[param(minimum = 1)]
    last_id: Option<i64>,
}

/// List what I was told
///
/// By all my businesses and by the platform, newest first; kept for 90 days. What I turned off over `IN_APP` is not in it.
#[utoipa::path(
    get, path = "/api/notifications", operation_id = "listNotifications", tag = "notifications",
    security(("bearer" = [])), params(NotificationQuery),
    responses((status = 200, description = "A page of notifications", body = List<Listed>), CommonProblems),
)]
pub(crate) async fn list_notifications(
    State(notifications): State<Notifications>,
    Me(reader): Me,
    Query(query): Query<NotificationQuery>,
) -> Result<Json<List<Listed>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let before = page.after()?.map(NotificationId);
    let listed = notifications.list(&reader, query.unread.unwrap_or(false), before, limit).await?;
    Ok(Json(List::cut(listed, limit, |listed| listed.notification.id)))
}

/// Count what I have not read
#[utoipa::path(
    get, path = "/api/notifications/unread-count", operation_id = "countUnreadNotifications", tag = "notifications",
    security(("bearer" = [])),
    responses((status = 200, description = "The count", body = Data<Unread>), CommonProblems),
)]
pub(crate) async fn count_unread_notifications(
    State(notifications): State<Notifications>,
    Me(reader): Me,
) -> Result<Json<Data<Unread>>, Problem> {
    Ok(Data::json(Unread { unread_count: notifications.count_unread(&reader).await? }))
}

/// Read one
///
/// Twice is once.
#[utoipa::path(
    post, path = "/api/notifications/{notificationId}/read", operation_id = "readNotification", tag = "notifications",
    security(("bearer" = [])), params(("notificationId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "Read", body = Data<Unread>),
        (status = 404, description = "`NOT_FOUND`: I was told no such thing", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn read_notification(
    State(notifications): State<Notifications>,
    Me(reader): Me,
    Path(id): Path<NotificationId>,
) -> Result<Json<Data<Unread>>, Problem> {
    let unread_count = notifications.read_one(&reader, id).await?;
    Ok(Data::json(Unread { unread_count }))
}

/// Read all
#[utoipa::path(
    post, path = "/api/notifications/read-all", operation_id = "readAllNotifications", tag = "notifications",
    security(("bearer" = [])), params(ReadAllQuery),
    responses((status = 200, description = "Read", body = Data<Unread>), CommonProblems),
)]
pub(crate) async fn read_all_notifications(
    State(notifications): State<Notifications>,
    Me(reader): Me,
    Query(query): Query<ReadAllQuery>,
) -> Result<Json<Data<Unread>>, Problem> {
    if query.last_id.is_some_and(|id| id < 1) {
        return Err(Problem::bad_request("INVALID_PARAMETER", "lastId는 알림 번호여야 합니다."));
    }
    let unread_count = notifications.read_all(&reader, query.last_id.map(NotificationId)).await?;
    Ok(Data::json(Unread { unread_count }))
}

//! Tickets for browsers.

use axum::extract::State;
use platform::{Caller, CommonProblems, Data, Json, Problem, SessionEnd};
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Notifications, ticket::GOOD_FOR_SECONDS};

/// What a browser connects with.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotificationTicket {
    /// For `?ticket=`; good once.
    #[schema(example = "0b7f4a3c9d2e4f60a1b2c3d4e5f60718293a4b5c6d7e4f8091a2b3c4d5e6f708")]
    ticket: String,
    #[schema(example = 30)]
    expires_in_seconds: i64,
}

/// Get a ticket to connect with
///
/// A browser's `WebSocket` and `EventSource` cannot send an `Authorization` header: they put this into the address instead,
/// `/ws/notifications?ticket=...`. It is good once, for half a minute, at every server. The connection ends when the token
/// does with which the ticket was asked for.
#[utoipa::path(
    post, path = "/api/notifications/ticket", operation_id = "issueNotificationTicket", tag = "notifications",
    security(("bearer" = [])),
    responses((status = 200, description = "A ticket", body = Data<NotificationTicket>), CommonProblems),
)]
pub(crate) async fn issue_notification_ticket(
    State(notifications): State<Notifications>,
    Caller(principal): Caller,
    SessionEnd(session_ends): SessionEnd,
) -> Result<Json<Data<NotificationTicket>>, Problem> {
    let ticket = notifications.issue_ticket(&principal, session_ends).await?;
    Ok(Data::json(NotificationTicket {
        ticket: ticket.expose_secret().to_owned(),
        expires_in_seconds: GOOD_FOR_SECONDS,
    }))
}

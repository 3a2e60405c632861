//! Who listens: somebody with a token, or a browser with a ticket.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, header, request::Parts},
};
use platform::{Caller, Problem, Query, SessionEnd};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{NotificationId, Notifications, audience::Reader};

/// The caller, as somebody who is told things.
pub(super) struct Me(pub Reader);

impl<S: Send + Sync> FromRequestParts<S> for Me {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Caller(principal) = Caller::from_request_parts(parts, state).await?;
        let SessionEnd(session_ends) = SessionEnd::from_request_parts(parts, state).await?;
        Ok(Self(Reader::new(&principal, session_ends)))
    }
}

/// How to connect.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ConnectQuery {
    /// From `POST /api/notifications/ticket`, where no `Authorization` header can be sent. Good once.
    #[param(min_length = 64, max_length = 64)]
    ticket: Option<String>,
    /// The `id` of the last notification that was seen: what was told since comes first, in order; `0` for all there
    /// is. Left out, only what is told from now on.
    #[param(minimum = 0)]
    last_id: Option<i64>,
}

/// Somebody who connects.
pub(super) struct Listener {
    pub reader: Reader,
    /// What was told behind this one comes first.
    pub last_id: Option<NotificationId>,
}

impl<S> FromRequestParts<S> for Listener
where
    S: Send + Sync,
    Notifications: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        // Whoever sends a token means it; and to whoever brings nothing it is said before their query is looked at.
        let names_ticket = |part: &str| part.split('=').next() == Some("ticket");
        let has_ticket = parts.uri.query().is_some_and(|query| query.split('&').any(names_ticket));
        let with_token = parts.headers.contains_key(header::AUTHORIZATION) || !has_ticket;
        let me = if with_token { Some(Me::from_request_parts(parts, state).await?) } else { None };
        let Query(asked) = Query::<ConnectQuery>::from_request_parts(parts, state).await?;
        let last_id = match parts.headers.get("last-event-id") {
            // A browser's EventSource says it by itself when it comes back.
            Some(header) => Some(header.to_str().ok().and_then(|text| text.parse().ok()).ok_or_else(no_id)?),
            None => asked.last_id,
        };
        if last_id.is_some_and(|id| id < 0) {
            return Err(no_id());
        }
        let is_ticket =
            |ticket: &String| ticket.len() == 64 && ticket.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !asked.ticket.iter().all(is_ticket) {
            return Err(Problem::bad_request("INVALID_PARAMETER", "ticket이 올바르지 않습니다."));
        }
        let reader = match (me, asked.ticket) {
            (Some(Me(reader)), _) => reader,
            (None, ticket) => {
                let ticket = ticket.ok_or_else(ticket_invalid)?;
                Notifications::from_ref(state).redeem_ticket(&ticket).await?.ok_or_else(ticket_invalid)?
            }
        };
        Ok(Self { reader, last_id: last_id.map(NotificationId) })
    }
}

fn no_id() -> Problem {
    Problem::bad_request("INVALID_PARAMETER", "lastId는 0 이상의 알림 번호여야 합니다.")
}

fn ticket_invalid() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "TICKET_INVALID",
        "Unauthorized",
        "연결 티켓이 만료되었거나 이미 사용되었습니다. 다시 발급받아 주세요.",
    )
}

/// The problems with which connecting may end.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(super) enum ConnectProblems {
    /// `INVALID_PARAMETER`: the query or `Last-Event-ID` cannot be like that.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// `AUTHENTICATION_REQUIRED`, `TOKEN_EXPIRED`, `TOKEN_INVALID`; `TICKET_INVALID`: used, too old or invented.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// `INTERNAL_ERROR`: ours, and logged under the `traceId`.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
    /// `RESTARTING`: this process is about to end; connect again.
    #[response(status = 503, content_type = "application/problem+json")]
    Restarting(Problem),
}

//! Telling everybody.

use axum::{extract::State, http::StatusCode};
use platform::{BodyProblems, CommonProblems, Data, FieldError, Json, PlatformAdmin, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Notifications, NotificationsError, audience, notice::NoticePublished};

/// The header that makes the request safe to repeat.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the idempotency layer reads it")]
pub(crate) struct NoticeHeaders {
    /// Makes the request safe to repeat: the same key with the same body gets the stored answer,
    /// with another body a 422 `IDEMPOTENCY_KEY_REUSED`, while it still runs a 409 `IDEMPOTENCY_KEY_IN_USE`.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255)]
    idempotency_key: Option<String>,
}

/// What everybody is told.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "시스템 점검 안내", "message": "3월 15일(일) 02:00부터 30분간 점검이 있습니다.", "link": "/notices/1",
}))]
pub(crate) struct NoticeBody {
    #[schema(min_length = 1, max_length = 100)]
    title: String,
    #[schema(min_length = 1, max_length = 1000)]
    message: String,
    /// A path of the frontend (`/...`) or an `https://` address.
    #[schema(max_length = 500)]
    link: Option<String>,
}

/// As it will be told.
#[derive(Serialize, ToSchema)]
pub(crate) struct Notice {
    title: String,
    message: String,
    link: Option<String>,
}

/// Tell everybody
///
/// A `SYSTEM` notification to whoever is signed in, now and for the next 90 days. It is on the screens a moment after the
/// answer.
#[utoipa::path(
    post, path = "/api/admin/notices", operation_id = "publishNotice", tag = "admin",
    security(("bearer" = [])), params(NoticeHeaders), request_body = NoticeBody,
    responses(
        (status = 201, description = "It is being told", body = Data<Notice>),
        (status = 409, description = "`IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn publish_notice(
    State(notifications): State<Notifications>,
    PlatformAdmin(operator): PlatformAdmin,
    Json(body): Json<NoticeBody>,
) -> Result<(StatusCode, Json<Data<Notice>>), Problem> {
    let mut errors = Vec::new();
    let mut refuse = |field: &str, code, message: &str| {
        errors.push(FieldError { field: field.to_owned(), code, message: message.to_owned() });
    };
    let (title, message) = (body.title.trim(), body.message.trim());
    for (field, text, longest) in [("title", title, 100), ("message", message, 1_000)] {
        if text.is_empty() {
            refuse(field, "REQUIRED", "값이 필요합니다.");
        } else if text.chars().count() > longest {
            refuse(field, "TOO_LONG", "너무 깁니다.");
        }
    }
    if body.link.as_deref().is_some_and(|link| !is_link(link)) {
        refuse("link", "INVALID_LINK", "/로 시작하는 경로이거나 https:// 주소여야 합니다.");
    }
    if !errors.is_empty() {
        return Err(NotificationsError::Invalid(errors).into());
    }
    let notice = NoticePublished {
        title: title.to_owned(),
        message: message.to_owned(),
        link: body.link,
        published_by: Some(audience::tame(&operator.subject)),
    };
    notifications.publish_notice(&notice).await?;
    let NoticePublished { title, message, link, .. } = notice;
    Ok((StatusCode::CREATED, Data::json(Notice { title, message, link })))
}

/// A page of the frontend's own, or one elsewhere that is called over TLS; no script, and no `//host`.
fn is_link(link: &str) -> bool {
    let is_path = link.starts_with('/') && !link.starts_with("//") && !link.contains('\\');
    let is_elsewhere = link.strip_prefix("https://").is_some_and(|rest| !rest.is_empty());
    let is_printable = !link.chars().any(|c| c.is_control() || c.is_whitespace());
    (is_path || is_elsewhere) && is_printable && link.chars().count() <= 500
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_leads_to_a_page_and_nowhere_else() {
        for good in ["/", "/notices/1?a=b#c", "https://status.example.com/1"] {
            assert!(is_link(good), "{good}");
        }
        for bad in [
            "",
            "notices",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "https://",
            "http://a",
            "/a b",
            "/a\nb",
        ] {
            assert!(!is_link(bad), "{bad}");
        }
    }
}

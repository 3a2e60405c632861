//! The way out that stands in every advertisement.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use platform::{Path, Problem, RawBody, SystemTx};
use serde::Deserialize;

use crate::{Messaging, MessagingError, consent::Source, opt_out, store};

#[derive(Deserialize)]
pub(crate) struct CodePath {
    code: String,
}

/// Show the page behind an opt-out link
///
/// Changes nothing: scanners follow links.
#[utoipa::path(
    get, path = "/o/{code}", operation_id = "showOptOut", tag = "messaging",
    params(("code" = String, Path, example = "Ab3dE6gH9kLm")),
    responses(
        (status = 200, description = "A page with one button", body = String, content_type = "text/html"),
        (status = 404, description = "`NOT_FOUND`: the link is nobody's", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn show_opt_out(
    State(messaging): State<Messaging>,
    Path(path): Path<CodePath>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(linked) = messaging.linked(&path.code).await? else { return Ok(unknown(&headers)) };
    let shop = shop(&messaging, linked.business).await?;
    Ok(private(opt_out::page(&shop, linked.channel, false)))
}

/// Refuse advertising
///
/// What the page's button sends, and the mail programs' own (RFC 8058): without log-in and without a further step. It holds
/// at once, as often as it is sent.
#[utoipa::path(
    post, path = "/o/{code}", operation_id = "optOut", tag = "messaging",
    params(("code" = String, Path, example = "Ab3dE6gH9kLm")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded", description = "`List-Unsubscribe=One-Click` where a mail program sends it"),
    responses(
        (status = 200, description = "Done", body = String, content_type = "text/html"),
        (status = 404, description = "`NOT_FOUND`: the link is nobody's", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: the mail program should try again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn opt_out(
    State(messaging): State<Messaging>,
    Path(path): Path<CodePath>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Response, Problem> {
    let is_one_click = body.windows(26).any(|part| part == b"List-Unsubscribe=One-Click");
    let source = if is_one_click { Source::OneClick } else { Source::Link };
    let linked = match messaging.refuse_by_link(&path.code, source).await {
        Ok(linked) => linked,
        Err(MessagingError::NotFound) => return Ok(unknown(&headers)),
        Err(error) => return Err(error.into()),
    };
    let shop = shop(&messaging, linked.business).await?;
    Ok(private(opt_out::page(&shop, linked.channel, true)))
}

async fn shop(messaging: &Messaging, business: kernel::BusinessId) -> Result<String, Problem> {
    let mut tx = SystemTx::begin(&messaging.db).await?;
    let mut profiles = store::sender::profiles(&mut tx, &[business.0]).await?;
    Ok(profiles.remove(&business).map(|profile| profile.name).unwrap_or_default())
}

/// A page for people, a problem for programs.
fn unknown(headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return (StatusCode::NOT_FOUND, private(opt_out::unknown_page())).into_response();
    }
    Problem::from(MessagingError::NotFound).into_response()
}

/// The address is the secret: it is told to nobody, and nobody keeps the page.
fn private(page: String) -> Response {
    let headers = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ),
    ];
    (headers, Html(page)).into_response()
}

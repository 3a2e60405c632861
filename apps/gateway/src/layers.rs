//! What happens to every request before and after its handler.

use std::{any::Any, time::Duration};

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue, Method, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use platform::{Problem, TRACE_ID, TraceId};
use tokio::time::Instant;
use tower_http::cors::{Any as AnyOrigin, CorsLayer};
use tracing::Instrument;
use uuid::Uuid;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives the request an id, which the answer, its problem document and every log line carry.
///
/// A request that changes something runs in a task of its own: a client that hangs up must not stop
/// a charge between two of its steps. (It would be reconciled; it need not come to that.)
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let id = request
        .headers()
        .get(&REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (8..=64).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        })
        .map_or_else(|| Uuid::new_v4().simple().to_string(), str::to_owned);
    let method = request.method().clone();
    let span = tracing::info_span!("request", %method, path = shown_path(&request), trace_id = id);
    let only_reads = method == Method::GET || method == Method::HEAD || method == Method::OPTIONS;
    let answer = TRACE_ID.scope(TraceId(id.clone()), next.run(request)).instrument(span);
    let mut response = if only_reads {
        answer.await
    } else {
        tokio::spawn(answer).await.unwrap_or_else(|error| Problem::internal(&error).into_response())
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    response
}

/// A link in somebody's message is a secret: whoever has it may refuse in its reader's name.
fn shown_path(request: &Request) -> &str {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    route.filter(|route| route.contains("/{code}")).unwrap_or_else(|| request.uri().path())
}

/// Counts and times requests by route, and logs each once.
pub(crate) async fn measure(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("(none)".to_owned(), |path| path.as_str().to_owned());
    let method = request.method().to_string();
    let response = next.run(request).await;
    let (status, took) = (response.status().as_u16(), started.elapsed());
    metrics::counter!(
        "dangol_http_requests_total",
        "method" => method.clone(), "route" => route.clone(), "status" => status.to_string()
    )
    .increment(1);
    metrics::histogram!("dangol_http_request_seconds", "method" => method, "route" => route).record(took);
    tracing::debug!(status, ms = took.as_millis(), "answered");
    response
}

/// A panic is our bug, and still a problem document.
#[expect(clippy::needless_pass_by_value, reason = "the signature that the layer wants")]
pub(crate) fn answer_panic(panic: Box<dyn Any + Send + 'static>) -> Response {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    Problem::internal(&std::io::Error::other(format!("handler panicked: {text}"))).into_response()
}

/// Browsers may call from anywhere: callers are known by their bearer token, never by a cookie.
pub(crate) fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AnyOrigin)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::IF_NONE_MATCH,
            header::IF_RANGE,
            header::RANGE,
            HeaderName::from_static("idempotency-key"),
            HeaderName::from_static("x-business-id"),
            HeaderName::from_static("last-event-id"),
            REQUEST_ID.clone(),
        ])
        .expose_headers([
            REQUEST_ID.clone(),
            HeaderName::from_static("idempotency-replayed"),
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            header::ETAG,
        ])
        .max_age(Duration::from_hours(24))
}

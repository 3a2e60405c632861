//! Answers as HTTP responses.

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::Response,
};

use super::{
    answer::{Answer, AnswerBody},
    errors::Refusal,
};

const TRACE_ID: HeaderName = HeaderName::from_static("x-tosspayments-trace-id");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) fn with(trace_id: &str, refusal: &Refusal) -> Response {
    json(trace_id, &refusal.answer())
}

/// An answer that consists of its text, such as an error.
pub(super) fn json(trace_id: &str, answer: &Answer) -> Response {
    let body = match &answer.body {
        AnswerBody::Text(text) => Bytes::from(text.clone()),
        AnswerBody::Empty | AnswerBody::Payment { .. } => Bytes::new(),
    };
    full(answer.status, body, trace_id, None)
}

/// The idempotency key is echoed on the first answer as well as on replays (measured).
pub(super) fn full(status: u16, body: Bytes, trace_id: &str, idempotency_key: Option<&str>) -> Response {
    let has_body = !body.is_empty();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if has_body {
        headers.insert(CONTENT_TYPE, JSON);
    }
    if let Ok(trace_id) = trace_id.parse() {
        headers.insert(TRACE_ID, trace_id);
    }
    if let Some(key) = idempotency_key.and_then(|key| key.parse().ok()) {
        headers.insert(IDEMPOTENCY_KEY, key);
    }
    response
}

//! Answers that no provider gives on purpose.

use std::{io, time::Duration};

use axum::{
    body::Body,
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    response::Response,
};
use futures::{StreamExt as _, stream};

use crate::wire::Reply;

/// What a load balancer in front of a provider would say.
pub(crate) fn bad_gateway() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// A login page of a proxy, or a provider that moved.
pub(crate) fn elsewhere() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().insert(LOCATION, HeaderValue::from_static("https://login.invalid/"));
    response
}

/// The answer in another charset than everybody agreed upon.
pub(crate) fn in_utf16(reply: &Reply) -> Response {
    let text = String::from_utf8_lossy(reply.body());
    let with_mark = (!text.is_empty()).then_some(0xfeff).into_iter().chain(text.encode_utf16());
    let bytes: Vec<u8> = with_mark.flat_map(u16::to_le_bytes).collect();
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = reply.status();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Promises the whole body, sends half of it and breaks the connection.
pub(crate) fn truncated(reply: Reply) -> Response {
    let (mut head, body) = reply.into_parts();
    let half = body.slice(..body.len() / 2);
    let broken = stream::once(async move { Ok(half) }).chain(stream::once(async {
        // The half has to leave before the connection breaks, else nothing would arrive at all.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated by a fault of the sandbox"))
    }));
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    Response::from_parts(head, Body::from_stream(broken))
}

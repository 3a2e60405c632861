//! Answers that break on their way: the same whoever answered.

use std::{io, time::Duration};

use axum::{
    body::{Body, Bytes},
    http::{
        HeaderValue, StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE},
    },
    response::Response,
};
use futures::{StreamExt as _, stream};

/// What a load balancer in front of a provider would say.
pub(crate) fn bad_gateway() -> Response {
    let page = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>";
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}

/// Promises the whole body, sends half of it and breaks the connection.
pub(crate) fn truncated(body: &Bytes) -> Response {
    let half = body.slice(..body.len() / 2);
    let broken = stream::once(async move { Ok(half) }).chain(stream::once(async {
        // The half has to leave before the connection breaks, else nothing would arrive at all.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "truncated by a fault of the sandbox"))
    }));
    let mut response = Response::new(Body::from_stream(broken));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    response
}

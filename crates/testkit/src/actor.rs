//! People who use the API, over HTTP.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
    response::Response,
};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// Somebody who calls the API, with a token or without.
#[derive(Clone)]
pub struct Actor {
    pub(crate) router: Router,
    pub(crate) token: Option<String>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

/// What the API answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub content_type: String,
    pub replayed: bool,
    /// The version of what was answered; empty where it has none.
    pub etag: String,
    pub body: Value,
}

/// What was downloaded.
#[derive(Clone, Debug)]
pub struct Download {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
}

impl Download {
    /// A header; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

impl Actor {
    /// The same person, sending one header more.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body.to_string().into_bytes())).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body.to_string().into_bytes())).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body.to_string().into_bytes())).await
    }

    /// The token that they present.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap_or_default()
    }

    /// Sends whatever bytes, as JSON.
    pub async fn send(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Answer {
        let response = self.answered(method, path, body).await;
        let header = |name: &str| {
            response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_type, replayed) = (header("content-type"), header("idempotency-replayed") == "true");
        let etag = header("etag");
        let status = response.status();
        let bytes = if content_type.starts_with("text/event-stream") {
            // It has no end: what comes at once is all that is looked at.
            let mut body = response.into_body();
            let first = body.frame().await.expect("something comes").expect("and arrives");
            first.into_data().expect("data")
        } else {
            response.into_body().collect().await.expect("the body arrives").to_bytes()
        };
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Answer { status, content_type, replayed, etag, body }
    }

    /// A file, byte by byte.
    pub async fn download(&self, method: Method, path: &str) -> Download {
        let response = self.answered(method, path, None).await;
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body arrives").to_bytes().to_vec();
        Download { status: parts.status, headers: parts.headers, bytes }
    }

    async fn answered(&self, method: Method, path: &str, body: Option<Vec<u8>>) -> Response {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if body.is_some() && !self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let request = request.body(body.map_or_else(Body::empty, Body::from)).expect("a valid request");
        self.router.clone().oneshot(request).await.expect("the router never fails")
    }
}

impl Answer {
    /// The `data` of a success; fails the test otherwise.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(self.status.is_success(), "expected a success, got {} {}", self.status, self.body);
        &self.body["data"]
    }

    /// The problem document of a failure; fails the test if it is not one.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> &Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.body);
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.body["code"], code, "{}", self.body);
        assert_eq!(self.body["status"], status);
        assert!(self.body["traceId"].is_string(), "{}", self.body);
        &self.body
    }

    /// This member of the body, and no other, was refused so.
    pub fn invalid(&self, field: &str, code: &str) {
        let errors = &self.problem(422, "VALIDATION_FAILED")["errors"];
        let refused = errors.as_array().into_iter().flatten().map(|error| (&error["field"], &error["code"]));
        assert_eq!(refused.collect::<Vec<_>>(), [(&Value::from(field), &Value::from(code))]);
    }
}

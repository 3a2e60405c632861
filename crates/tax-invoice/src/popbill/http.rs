//! Sending a request, and what may be concluded from how that went.

use std::time::{Duration, Instant};

use kernel::with_causes;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect, retry};

use super::{Operation, PopbillConfigError, wire};

/// Documents of 99 lines are small; a PDF of one is not.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// Shorter than load balancers keep idle connections, so that an issue seldom meets one that was just
/// closed: it would end as unknown.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// What came back. Nothing here says yet whether the operation happened.
#[derive(Debug)]
pub(super) enum Answer {
    /// 2xx.
    Accepted(Vec<u8>),
    /// 4xx or 5xx with the error body that is documented: a negative code.
    Refused { status: StatusCode, code: i64 },
    /// 401: the session is not, or no longer, believed.
    Unauthorized,
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// Anything else: no answer in time, a cut connection, a redirect, a body that is not Popbill's.
    Unclear(String),
}

pub(super) fn client(connect_timeout: Duration) -> Result<Client, PopbillConfigError> {
    Client::builder()
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        // An API does not move; following a redirect would show the session to somebody else.
        .redirect(redirect::Policy::none())
        // Whether to ask again is the caller's decision, after it wrote down what happened.
        .retry(retry::never())
        .no_proxy()
        .build()
        .map_err(PopbillConfigError::Client)
}

pub(super) fn base_url(text: &str) -> Result<String, PopbillConfigError> {
    let base_url = text.trim_end_matches('/').to_owned();
    match Url::parse(&base_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base() => Ok(base_url),
        _ => Err(PopbillConfigError::BaseUrl(base_url)),
    }
}

/// `subject` is what the log calls this request: our own document key, or nothing.
pub(super) async fn send(operation: Operation, subject: &str, request: RequestBuilder) -> Answer {
    let started = Instant::now();
    let mut status = None;
    let answer = match request.send().await {
        Err(error) if error.is_connect() => Answer::NotSent(describe(error)),
        Err(error) => Answer::Unclear(describe(error)),
        Ok(response) => {
            status = Some(response.status().as_u16());
            read(response).await
        }
    };

    let duration_ms = started.elapsed().as_millis();
    let operation = operation.as_str();
    match &answer {
        Answer::Accepted(_) => tracing::info!(operation, subject, status, duration_ms, "popbill accepted"),
        Answer::Refused { code, .. } => {
            tracing::info!(operation, subject, status, code, duration_ms, "popbill refused");
        }
        Answer::Unauthorized => {
            tracing::warn!(operation, subject, duration_ms, "popbill did not believe the session");
        }
        Answer::NotSent(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "popbill was not reached");
        }
        Answer::Unclear(reason) => {
            tracing::warn!(operation, subject, status, reason, duration_ms, "popbill did not answer clearly");
        }
    }
    answer
}

async fn read(response: Response) -> Answer {
    let status = response.status();
    match read_body(response).await {
        Ok(body) => understand(status, body),
        Err(reason) => Answer::Unclear(format!("{status}, then {reason}")),
    }
}

pub(super) fn understand(status: StatusCode, body: Vec<u8>) -> Answer {
    if status == StatusCode::UNAUTHORIZED {
        return Answer::Unauthorized;
    }
    if status.is_success() {
        return Answer::Accepted(body);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Answer::Unclear(format!("{status} is not an answer"));
    }
    match serde_json::from_slice::<wire::Reply>(&body) {
        Ok(wire::Reply { code, .. }) if code < 0 => Answer::Refused { status, code },
        _ => Answer::Unclear(format!("{status} without an error code")),
    }
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err("a body without end".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The whole chain of causes. Without the URL: logs have the subject.
fn describe(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

//! Sending a request to Toss, and what may be concluded from how that went.

use std::{
    error::Error as _,
    fmt::Write,
    time::{Duration, Instant},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect, retry,
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Operation, TossConfig, TossConfigError, wire};

/// Look-ups answer at once or not at all, and somebody may be waiting for one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);
/// A payment with hundreds of cancels is some hundred kilobytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Shorter than load balancers keep idle connections, so that a charge seldom meets one that was
/// just closed: it would end as unknown.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

pub(super) struct Http {
    client: Client,
    base_url: String,
    connect_timeout: Duration,
    read_timeout: Duration,
}

/// What came back. Nothing here says yet whether the operation happened.
pub(super) enum Answer {
    /// 2xx.
    Accepted(Vec<u8>),
    /// 4xx or 5xx with the error body that Toss documents.
    Refused { status: StatusCode, code: String },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// Anything else: no answer in time, a cut connection, a redirect, a body that is not Toss's.
    Unclear(String),
}

impl Http {
    pub(super) fn new(config: &TossConfig) -> Result<Self, TossConfigError> {
        let base_url = config.base_url.trim_end_matches('/').to_owned();
        let url = Url::parse(&base_url).map_err(|_| TossConfigError::BaseUrl(base_url.clone()))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(TossConfigError::BaseUrl(base_url));
        }

        // The secret key is the user name, the password is empty, and the colon belongs to the
        // encoded text. A byte order mark or a line end copied along with the key breaks it.
        let key = config.secret_key.expose_secret().trim_start_matches('\u{feff}').trim();
        let mut basic = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(format!("{key}:"))))
            .map_err(|_| TossConfigError::SecretKey)?;
        basic.set_sensitive(true);

        let client = Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, basic)]))
            .connect_timeout(config.connect_timeout)
            .pool_idle_timeout(IDLE_CONNECTION)
            // A payment API does not move; following a redirect would send a charge elsewhere.
            .redirect(redirect::Policy::none())
            // Whether to ask again is the caller's decision, after it wrote down what happened.
            .retry(retry::never())
            .no_proxy()
            .build()
            .map_err(TossConfigError::Client)?;
        Ok(Self {
            client,
            base_url,
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
        })
    }

    /// `subject` is what the log calls this request: our own id, never a key.
    pub(super) async fn post<B: Serialize + Sync>(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        idempotency_key: &HeaderValue,
        body: &B,
    ) -> Answer {
        let request = self
            .client
            .post(format!("{}{path}", self.base_url))
            .header("Idempotency-Key", idempotency_key)
            .json(body)
            .timeout(self.connect_timeout + self.read_timeout);
        send(operation, subject, request).await
    }

    /// Deletes a billing key, which is all that we ever delete. There is nothing to call it by in the
    /// log, since its path is a credential.
    pub(super) async fn delete(&self, path: &str) -> Answer {
        let request = self
            .client
            .delete(format!("{}{path}", self.base_url))
            .timeout(self.connect_timeout + self.read_timeout);
        send(Operation::Delete, "", request).await
    }

    pub(super) async fn get(&self, subject: &str, path: &str) -> Answer {
        let request = self
            .client
            .get(format!("{}{path}", self.base_url))
            .timeout(self.connect_timeout + self.read_timeout.min(LOOK_UP_TIMEOUT));
        send(Operation::LookUp, subject, request).await
    }

    /// A list may take as long as a charge (the reference: up to 60 s).
    pub(super) async fn list(&self, path: &str, query: &[(&str, String)]) -> Answer {
        let request = self
            .client
            .get(format!("{}{path}", self.base_url))
            .query(query)
            .timeout(self.connect_timeout + self.read_timeout);
        send(Operation::List, "", request).await
    }
}

async fn send(operation: Operation, subject: &str, request: RequestBuilder) -> Answer {
    let started = Instant::now();
    let mut status = None;
    let mut trace_id = None;
    let answer = match request.send().await {
        Err(error) => unanswered(error),
        Ok(response) => {
            status = Some(response.status().as_u16());
            // Toss's support asks for this one.
            trace_id = response.headers().get("x-tosspayments-trace-id").cloned();
            read(response).await
        }
    };

    let duration_ms = started.elapsed().as_millis();
    let operation = operation.as_str();
    let trace_id = trace_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
    match &answer {
        Answer::Accepted(_) => {
            tracing::info!(operation, subject, status, trace_id, duration_ms, "toss accepted");
        }
        Answer::Refused { code, .. } => {
            tracing::info!(operation, subject, status, code, trace_id, duration_ms, "toss refused");
        }
        Answer::NotSent(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "toss was not reached");
        }
        Answer::Unclear(reason) => {
            tracing::warn!(
                operation,
                subject,
                status,
                reason,
                trace_id,
                duration_ms,
                "toss did not answer clearly"
            );
        }
    }
    answer
}

async fn read(response: Response) -> Answer {
    let status = response.status();
    let body = match read_body(response).await {
        Ok(body) => body,
        Err(reason) => return Answer::Unclear(format!("{status}, then {reason}")),
    };
    understand(status, body)
}

pub(super) fn understand(status: StatusCode, body: Vec<u8>) -> Answer {
    // The JSON parser does not look into fields that it skips. Bytes in another charset are not from
    // Toss, whatever the part says that happens to be readable.
    if std::str::from_utf8(&body).is_err() {
        return Answer::Unclear(format!("{status} with a body that is not UTF-8"));
    }
    if status.is_success() {
        return Answer::Accepted(body);
    }
    if !status.is_client_error() && !status.is_server_error() {
        return Answer::Unclear(format!("{status} is not an answer"));
    }
    match serde_json::from_slice::<wire::Error>(&body) {
        Ok(error) => Answer::Refused { status, code: error.code.chars().take(100).collect() },
        Err(_) => Answer::Unclear(format!("{status} without an error code")),
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

fn unanswered(error: reqwest::Error) -> Answer {
    if error.is_connect() { Answer::NotSent(describe(error)) } else { Answer::Unclear(describe(error)) }
}

/// The whole chain of causes. Without the URL, which may contain a billing key.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Joins a path, with everything encoded that is not plainly harmless.
///
/// `None` for a part that no encoding can protect: an empty one, and the dots that URL parsers
/// resolve even when they are encoded.
pub(super) fn path(parts: &[&str]) -> Option<String> {
    let mut path = String::from("/v1");
    for part in parts {
        if matches!(*part, "" | "." | "..") {
            return None;
        }
        path.push('/');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_part_can_lead_the_path_elsewhere() {
        assert_eq!(
            path(&["payments", "orders", "a/../b?c#d 한="]).as_deref(),
            Some("/v1/payments/orders/a%2F..%2Fb%3Fc%23d%20%ED%95%9C%3D")
        );
        for part in ["", ".", ".."] {
            assert_eq!(path(&["billing", part]), None);
        }
    }
}

//! Requests to Toss.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::{Client, RequestBuilder, StatusCode, header::HeaderValue};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Operation, TossConfig, TossConfigError, wire};
use crate::http::{self, Reply};

/// Look-ups answer at once or not at all, and somebody may be waiting for one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);

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
        let base_url = http::base_url(&config.base_url).map_err(TossConfigError::BaseUrl)?;
        // The secret key is the user name, the password is empty, and the colon belongs to the
        // encoded text.
        let key = http::copied(config.secret_key.expose_secret());
        let basic = http::authorization(&format!("Basic {}", STANDARD.encode(format!("{key}:"))))
            .ok_or(TossConfigError::SecretKey)?;
        Ok(Self {
            client: http::client(config.connect_timeout)
                .default_headers(basic)
                .build()
                .map_err(TossConfigError::Client)?,
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
    pub(super) async fn list(&self, operation: Operation, path: &str, query: &[(&str, String)]) -> Answer {
        let request = self
            .client
            .get(format!("{}{path}", self.base_url))
            .query(query)
            .timeout(self.connect_timeout + self.read_timeout);
        send(operation, "", request).await
    }
}

async fn send(operation: Operation, subject: &str, request: RequestBuilder) -> Answer {
    let started = Instant::now();
    let mut status = None;
    let mut trace_id = None;
    let reply = match request.send().await {
        Err(error) => http::unanswered(error),
        Ok(response) => {
            status = Some(response.status().as_u16());
            // Toss's support asks for this one.
            trace_id = response.headers().get("x-tosspayments-trace-id").cloned();
            http::read(response).await
        }
    };
    let answer = understand(reply);

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

pub(super) fn understand(reply: Reply) -> Answer {
    match reply.in_utf8() {
        Reply::NotSent(reason) => Answer::NotSent(reason),
        Reply::Unclear(reason) => Answer::Unclear(reason),
        Reply::Answered { status, body } if status.is_success() => Answer::Accepted(body),
        Reply::Answered { status, body } => match serde_json::from_slice::<wire::Error>(&body) {
            Ok(error) => Answer::Refused { status, code: error.code.chars().take(100).collect() },
            Err(_) => Answer::Unclear(format!("{status} without an error code")),
        },
    }
}

/// `None` for a part that no encoding can protect.
pub(super) fn path(parts: &[&str]) -> Option<String> {
    http::path(parts).map(|path| format!("/v1{path}"))
}

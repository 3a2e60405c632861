//! Requests to PortOne.

use std::time::{Duration, Instant};

use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use serde::Serialize;

use super::{Operation, PortOneConfig, PortOneConfigError, wire};
use crate::http::{self, Reply};

/// Look-ups answer at once or not at all, and somebody may be waiting for one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

pub(super) struct Http {
    client: Client,
    base_url: String,
    store_id: String,
    connect_timeout: Duration,
    read_timeout: Duration,
}

/// What came back. Nothing here says yet whether the operation happened.
pub(super) enum Answer {
    /// 2xx.
    Accepted(Vec<u8>),
    /// 4xx or 5xx with the error body that PortOne documents.
    Refused { status: StatusCode, error: wire::Error },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// Anything else: no answer in time, a cut connection, a body that is not PortOne's.
    Unclear(String),
}

impl Http {
    pub(super) fn new(config: &PortOneConfig) -> Result<Self, PortOneConfigError> {
        let secret = http::copied(config.api_secret.expose_secret());
        let authorization =
            http::authorization(&format!("PortOne {secret}")).ok_or(PortOneConfigError::ApiSecret)?;
        Ok(Self {
            client: http::client(config.connect_timeout)
                .default_headers(authorization)
                .build()
                .map_err(PortOneConfigError::Client)?,
            base_url: http::base_url(&config.base_url).map_err(PortOneConfigError::BaseUrl)?,
            store_id: config.store_id.clone(),
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
        idempotency_key: HeaderValue,
        body: &B,
    ) -> Answer {
        let request = self.request(Method::POST, path, self.read_timeout);
        send(operation, subject, request.header(IDEMPOTENCY_KEY, idempotency_key).json(body)).await
    }

    /// A POST without a body, which names the store beside it.
    pub(super) async fn post_for_store(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        idempotency_key: HeaderValue,
    ) -> Answer {
        let request = self.request(Method::POST, path, self.read_timeout);
        let request = request.query(&[("storeId", &self.store_id)]);
        send(operation, subject, request.header(IDEMPOTENCY_KEY, idempotency_key)).await
    }

    /// Without an idempotency key: who deletes twice is told that it is gone.
    pub(super) async fn delete(&self, path: &str) -> Answer {
        let request = self.request(Method::DELETE, path, self.read_timeout);
        // There is nothing to call it by in the log, since its path is a credential.
        send(Operation::Delete, "", request.query(&[("storeId", &self.store_id)])).await
    }

    pub(super) async fn get(&self, operation: Operation, subject: &str, path: &str) -> Answer {
        let request = self.request(Method::GET, path, self.read_timeout.min(LOOK_UP_TIMEOUT));
        send(operation, subject, request.query(&[("storeId", &self.store_id)])).await
    }

    /// Lists take their parameters as JSON, which a GET carries in one query parameter.
    pub(super) async fn list<B: Serialize>(&self, path: &str, parameters: &B) -> Answer {
        let Ok(parameters) = serde_json::to_string(parameters) else {
            return Answer::NotSent("the parameters cannot be written".to_owned());
        };
        let request = self.request(Method::GET, path, self.read_timeout);
        send(Operation::List, "", request.query(&[("requestBody", parameters)])).await
    }

    fn request(&self, method: Method, path: &str, patience: Duration) -> RequestBuilder {
        let url = format!("{}{path}", self.base_url);
        self.client.request(method, url).timeout(self.connect_timeout + patience)
    }
}

async fn send(operation: Operation, subject: &str, request: RequestBuilder) -> Answer {
    let started = Instant::now();
    let answer = understand(match request.send().await {
        Ok(response) => http::read(response).await,
        Err(error) => http::unanswered(error),
    });
    let duration_ms = started.elapsed().as_millis();
    let operation = operation.as_str();
    match &answer {
        Answer::Accepted(_) => tracing::info!(operation, subject, duration_ms, "portone accepted"),
        Answer::Refused { status, error } => tracing::info!(
            operation,
            subject,
            status = status.as_u16(),
            code = error.r#type,
            pg_code = error.pg_code,
            duration_ms,
            "portone refused"
        ),
        Answer::NotSent(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "portone was not reached");
        }
        Answer::Unclear(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "portone did not answer clearly");
        }
    }
    answer
}

pub(super) fn understand(reply: Reply) -> Answer {
    match reply.in_utf8() {
        Reply::NotSent(reason) => Answer::NotSent(reason),
        Reply::Unclear(reason) => Answer::Unclear(reason),
        Reply::Answered { status, body } if status.is_success() => Answer::Accepted(body),
        // 502 is the everyday decline, and the page of a broken load balancer as well.
        Reply::Answered { status, body } => match serde_json::from_slice::<wire::Error>(&body) {
            Ok(mut error) => {
                error.r#type = error.r#type.chars().take(100).collect();
                error.pg_code = error.pg_code.map(|code| code.chars().take(100).collect());
                Answer::Refused { status, error }
            }
            Err(_) => Answer::Unclear(format!("{status} without an error type")),
        },
    }
}

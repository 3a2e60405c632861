//! Requests to Bootpay, and the token that they carry.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::Mutex;

use super::{BootpayConfig, BootpayConfigError, Operation, wire};
use crate::http::{self, Reply};

/// Look-ups answer at once or not at all, and somebody may be waiting for one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);

/// A token lives 30 minutes, and who asks within the first 25 gets the one that there is. So one may
/// be 25 minutes old when it comes, and how old it is nobody says: less than the five that are left.
const TOKEN_KEPT: TimeDelta = TimeDelta::minutes(4);

pub(super) struct Http {
    client: Client,
    base_url: String,
    application_id: String,
    private_key: SecretString,
    connect_timeout: Duration,
    read_timeout: Duration,
    token: Mutex<Option<Token>>,
}

struct Token {
    value: SecretString,
    fetched_at: DateTime<Utc>,
}

/// What came back. Nothing here says yet whether the operation happened.
pub(super) enum Answer {
    /// 2xx, and no `error_code` in it.
    Accepted(Vec<u8>),
    /// A body with an `error_code`, whatever the HTTP status.
    Refused { status: StatusCode, error: wire::Error },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// Anything else: no answer in time, a cut connection, a body that is not Bootpay's.
    Unclear(String),
}

impl Http {
    pub(super) fn new(config: &BootpayConfig) -> Result<Self, BootpayConfigError> {
        let application_id = http::copied(&config.application_id).to_owned();
        let private_key = http::copied(config.private_key.expose_secret()).to_owned();
        if application_id.is_empty() || private_key.is_empty() {
            return Err(BootpayConfigError::Credentials);
        }
        Ok(Self {
            client: http::client(config.connect_timeout)
                .default_headers(as_the_sdk())
                .build()
                .map_err(BootpayConfigError::Client)?,
            base_url: http::base_url(&config.base_url).map_err(BootpayConfigError::BaseUrl)?,
            application_id,
            private_key: private_key.into(),
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
            token: Mutex::new(None),
        })
    }

    /// `subject` is what the log calls this request: our own id or a receipt, never a key.
    pub(super) async fn post<B: Serialize + Sync>(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        body: &B,
        now: DateTime<Utc>,
    ) -> Answer {
        let request = self.request(Method::POST, path, self.read_timeout).json(body);
        self.send(operation, subject, request, now).await
    }

    pub(super) async fn get(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        now: DateTime<Utc>,
    ) -> Answer {
        let request = self.request(Method::GET, path, self.read_timeout.min(LOOK_UP_TIMEOUT));
        self.send(operation, subject, request, now).await
    }

    /// There is nothing to call it by in the log, since its path is a credential.
    pub(super) async fn delete(&self, path: &str, now: DateTime<Utc>) -> Answer {
        let request = self.request(Method::DELETE, path, self.read_timeout);
        self.send(Operation::Delete, "", request, now).await
    }

    pub(super) async fn delete_with(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        query: &[(&str, &str)],
        now: DateTime<Utc>,
    ) -> Answer {
        let request = self.request(Method::DELETE, path, self.read_timeout).query(query);
        self.send(operation, subject, request, now).await
    }

    async fn send(
        &self,
        operation: Operation,
        subject: &str,
        request: RequestBuilder,
        now: DateTime<Utc>,
    ) -> Answer {
        let token = match self.token(now).await {
            Ok(token) => token,
            // Whatever became of the request for a token, this one did not leave.
            Err(reason) => return Answer::NotSent(format!("no token: {reason}")),
        };
        let started = Instant::now();
        let answer = answered(request.bearer_auth(token.expose_secret())).await;
        log(operation, subject, &answer, started.elapsed());
        if matches!(&answer, Answer::Refused { status, .. } if *status == StatusCode::UNAUTHORIZED) {
            *self.token.lock().await = None;
        }
        answer
    }

    /// One at a time asks for a new one, and the others wait for it.
    async fn token(&self, now: DateTime<Utc>) -> Result<SecretString, String> {
        let mut kept = self.token.lock().await;
        let is_fresh = |token: &&Token| (TimeDelta::zero()..TOKEN_KEPT).contains(&(now - token.fetched_at));
        if let Some(token) = kept.as_ref().filter(is_fresh) {
            return Ok(token.value.clone());
        }
        let body = wire::TokenRequest {
            application_id: &self.application_id,
            private_key: self.private_key.expose_secret(),
        };
        let request = self.request(Method::POST, "/request/token", self.read_timeout.min(LOOK_UP_TIMEOUT));
        match answered(request.json(&body)).await {
            Answer::Accepted(body) => {
                // Not the text of the error: it may quote the token.
                let token: wire::Token =
                    serde_json::from_slice(&body).map_err(|_| "it is not readable".to_owned())?;
                let value = SecretString::from(token.access_token);
                *kept = Some(Token { value: value.clone(), fetched_at: now });
                Ok(value)
            }
            Answer::Refused { status, error } => {
                tracing::error!(status = status.as_u16(), code = error.code, "bootpay gives us no token");
                Err(format!("{status} {}", error.code))
            }
            Answer::NotSent(reason) | Answer::Unclear(reason) => Err(reason),
        }
    }

    fn request(&self, method: Method, path: &str, patience: Duration) -> RequestBuilder {
        let url = format!("{}{path}", self.base_url);
        self.client.request(method, url).timeout(self.connect_timeout + patience)
    }
}

/// What these do is not documented. Webhooks have a `webhook_type` from version 5 on.
fn as_the_sdk() -> HeaderMap {
    [("bootpay-api-version", "5.0.0"), ("bootpay-sdk-version", "2.13.1"), ("bootpay-sdk-type", "301")]
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .into_iter()
        .collect()
}

async fn answered(request: RequestBuilder) -> Answer {
    understand(match request.header("accept", "application/json").send().await {
        Ok(response) => http::read(response).await,
        Err(error) => http::unanswered(error),
    })
}

fn log(operation: Operation, subject: &str, answer: &Answer, duration: Duration) {
    let (operation, duration_ms) = (operation.as_str(), duration.as_millis());
    match answer {
        Answer::Accepted(_) => tracing::info!(operation, subject, duration_ms, "bootpay accepted"),
        Answer::Refused { status, error } => {
            let status = status.as_u16();
            tracing::info!(operation, subject, status, code = error.code, duration_ms, "bootpay refused");
        }
        Answer::NotSent(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "bootpay was not reached");
        }
        Answer::Unclear(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "bootpay did not answer clearly");
        }
    }
}

pub(super) fn understand(reply: Reply) -> Answer {
    match reply.in_utf8() {
        Reply::NotSent(reason) => Answer::NotSent(reason),
        Reply::Unclear(reason) => Answer::Unclear(reason),
        Reply::Answered { status, body } => match wire::Error::of(&body) {
            Some(error) => Answer::Refused { status, error },
            None if status.is_success() => Answer::Accepted(body),
            None => Answer::Unclear(format!("{status} without an error code")),
        },
    }
}

//! Sending a request to KCP, and what may be concluded from how that went.

use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode, header::CONTENT_TYPE};
use serde::Serialize;

use super::{KcpConfig, KcpConfigError, Operation, charset, fields::Fields};
use crate::http::{self, Reply};

/// Inquiries answer at once or not at all, and somebody may be waiting for one.
const INQUIRY_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) struct Http {
    client: Client,
    base_url: String,
    connect_timeout: Duration,
    read_timeout: Duration,
}

/// What came back. Nothing here says yet whether the operation happened.
pub(super) enum Answer {
    /// `res_cd` is `0000`.
    Accepted(Fields),
    /// Any other `res_cd`, whatever the HTTP status: errors are said to come with 200.
    Refused { status: StatusCode, code: String },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// Anything else: no answer in time, a cut connection, a redirect, a body that is not KCP's.
    Unclear(String),
}

impl Http {
    pub(super) fn new(config: &KcpConfig) -> Result<Self, KcpConfigError> {
        Ok(Self {
            client: http::client(config.connect_timeout).build().map_err(KcpConfigError::Client)?,
            base_url: http::base_url(&config.base_url).map_err(KcpConfigError::BaseUrl)?,
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
        })
    }

    /// `subject` is what the log calls this request: our own id or KCP's number, never a key.
    pub(super) async fn post<B: Serialize + Sync>(
        &self,
        operation: Operation,
        subject: &str,
        path: &str,
        body: &B,
    ) -> Answer {
        let patience = match operation {
            Operation::LookUp => self.read_timeout.min(INQUIRY_TIMEOUT),
            _ => self.read_timeout,
        };
        let request = self
            .client
            .post(format!("{}{path}", self.base_url))
            // Before the body, which would set one of its own: with two lines neither counts.
            .header(CONTENT_TYPE, "application/json; charset=UTF-8")
            .json(body)
            .timeout(self.connect_timeout + patience);

        let started = Instant::now();
        let mut status = None;
        let answer = match request.send().await {
            Err(error) => understand(http::unanswered(error), None),
            Ok(response) => {
                status = Some(response.status().as_u16());
                read(response).await
            }
        };
        log(operation, subject, status, &answer, started.elapsed());
        answer
    }
}

fn log(operation: Operation, subject: &str, status: Option<u16>, answer: &Answer, duration: Duration) {
    let (operation, duration_ms) = (operation.as_str(), duration.as_millis());
    match answer {
        Answer::Accepted(_) => tracing::info!(operation, subject, status, duration_ms, "kcp accepted"),
        Answer::Refused { code, .. } => {
            tracing::info!(operation, subject, status, code, duration_ms, "kcp refused");
        }
        Answer::NotSent(reason) => {
            tracing::warn!(operation, subject, reason, duration_ms, "kcp was not reached");
        }
        Answer::Unclear(reason) => {
            tracing::warn!(operation, subject, status, reason, duration_ms, "kcp did not answer clearly");
        }
    }
}

async fn read(response: Response) -> Answer {
    let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = content_type.map(str::to_owned);
    understand(http::read(response).await, content_type.as_deref())
}

pub(super) fn understand(reply: Reply, content_type: Option<&str>) -> Answer {
    let (status, body) = match reply {
        Reply::Answered { status, body } => (status, body),
        Reply::NotSent(reason) => return Answer::NotSent(reason),
        Reply::Unclear(reason) => return Answer::Unclear(reason),
    };
    let unclear = |what: &str| Answer::Unclear(format!("{status} {what}"));
    let Some(text) = charset::text(content_type, &body) else {
        return unclear("with a body in no charset of Korea");
    };
    let Some(fields) = Fields::read(&text) else { return unclear("without an answer of KCP") };
    match fields.text("res_cd") {
        None => unclear("without a result code"),
        Some(code) if code != "0000" => Answer::Refused { status, code: code.chars().take(100).collect() },
        Some(_) if status.is_success() => Answer::Accepted(fields),
        // A yes that something broken delivered.
        Some(_) => unclear("with the result code of a success"),
    }
}

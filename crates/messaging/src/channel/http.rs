//! Talking to a provider over HTTP, and what may be concluded from how that went.

use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kernel::with_causes;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect, retry};

use super::Provider;

/// Ten thousand results with their texts are some megabytes.
const LARGEST_BODY: usize = 16 * 1024 * 1024;
/// Shorter than load balancers keep idle connections, so that a request seldom meets one that was just closed.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum ChannelConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("a key contains characters that no header may carry")]
    Key,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
    #[error("SMTP_URL: {0}")]
    SmtpUrl(String),
}

/// What came back. Nothing here says yet whether the operation happened.
#[derive(Debug)]
pub(super) enum Reply {
    Answered {
        status: StatusCode,
        body: Vec<u8>,
    },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// No answer in time, a cut connection, a redirect.
    Unclear(String),
}

/// One account at a provider: a client, and how much it may ask a second.
pub(super) struct Wire {
    provider: Provider,
    pub(super) client: Client,
    limit: DefaultDirectRateLimiter,
}

impl Wire {
    /// `a_second` is what this process allows itself: the account's limit, divided by the processes that share it.
    pub(super) fn new(
        provider: Provider,
        a_second: NonZeroU32,
        patience: Duration,
    ) -> Result<Self, ChannelConfigError> {
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(3))
            .timeout(patience)
            .pool_idle_timeout(IDLE_CONNECTION)
            // An API does not move; following a redirect would show numbers and texts to somebody else.
            .redirect(redirect::Policy::none())
            // Whether to ask again is the caller's decision, after it wrote down what happened.
            .retry(retry::never())
            .no_proxy()
            .build()
            .map_err(ChannelConfigError::Client)?;
        Ok(Self { provider, client, limit: RateLimiter::direct(Quota::per_second(a_second)) })
    }

    /// Waits until the account may be asked again.
    pub(super) async fn turn(&self) {
        self.limit.until_ready().await;
    }

    /// `subject` is what the log calls this request: a count, and never a number or a text.
    pub(super) async fn send(
        &self,
        operation: &'static str,
        subject: usize,
        request: RequestBuilder,
    ) -> Reply {
        let started = Instant::now();
        let reply = match request.send().await {
            Err(error) if error.is_connect() => Reply::NotSent(describe(error)),
            Err(error) => Reply::Unclear(describe(error)),
            Ok(response) => read(response).await,
        };
        let duration = started.elapsed();
        let provider = self.provider.as_str();
        metrics::histogram!("dangol_message_provider_seconds", "provider" => provider, "operation" => operation)
            .record(duration);
        let duration_ms = duration.as_millis();
        match &reply {
            Reply::Answered { status, .. } => {
                tracing::debug!(provider, operation, subject, %status, duration_ms, "answered");
            }
            Reply::NotSent(reason) => {
                tracing::warn!(provider, operation, subject, reason, duration_ms, "not reached");
            }
            Reply::Unclear(reason) => {
                tracing::warn!(provider, operation, subject, reason, duration_ms, "no clear answer");
            }
        }
        reply
    }
}

/// Without a slash at its end.
pub(super) fn base_url(text: &str) -> Result<String, ChannelConfigError> {
    let base_url = text.trim_end_matches('/').to_owned();
    match Url::parse(&base_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base() => Ok(base_url),
        _ => Err(ChannelConfigError::BaseUrl(base_url)),
    }
}

/// A key as it was meant: a byte order mark or a line end copied along with it breaks it.
pub(super) fn copied(key: &str) -> &str {
    key.trim_start_matches('\u{feff}').trim()
}

async fn read(mut response: Response) -> Reply {
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_BODY => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Reply::Unclear(format!("{status}, then a body without end")),
            Err(error) => return Reply::Unclear(format!("{status}, then {}", describe(error))),
        }
    }
    if !status.is_success() && !status.is_client_error() && !status.is_server_error() {
        return Reply::Unclear(format!("{status} is not an answer"));
    }
    Reply::Answered { status, body }
}

/// The whole chain of causes. Without the URL, which may name a number or a key.
fn describe(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

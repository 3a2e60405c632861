//! Solapi (솔라피): texts, AlimTalk and brand message.
//!
//! Source: the messaging reference (a). Solapi knows no idempotency: a message is recognised by the reference in its
//! `customFields`, which its list gives back. A request is signed with the time under which it was written down and refused
//! a quarter of an hour later, so what the list does not show then was never taken.

mod codes;
mod find;
mod sign;
mod webhook;
mod wire;

use std::{num::NonZeroU32, sync::Arc, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use kernel::Clock;
use reqwest::{
    StatusCode,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;

use super::{
    Asked, BeforeSending, Capabilities, Found, ListFailed, MessageChannel, Outbound, Provider, Refusal,
    Refused, Sent, Webhook, WebhookRefused,
    http::{ChannelConfigError, Reply, Wire, base_url, copied},
    in_order,
};
use crate::FailureClass;

#[derive(Clone, Debug)]
pub struct SolapiConfig {
    /// `https://api.solapi.com`, or a sandbox.
    pub base_url: String,
    pub api_key: String,
    pub api_secret: SecretString,
    pub requests_per_second: NonZeroU32,
}

/// An account at Solapi.
pub struct Solapi {
    base_url: String,
    api_key: String,
    api_secret: SecretString,
    clock: Arc<dyn Clock>,
    wire: Wire,
}

impl Solapi {
    pub fn new(config: &SolapiConfig, clock: Arc<dyn Clock>) -> Result<Self, ChannelConfigError> {
        let api_key = copied(&config.api_key).to_owned();
        let is_plain = !api_key.is_empty() && api_key.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain {
            return Err(ChannelConfigError::Key);
        }
        Ok(Self {
            base_url: base_url(&config.base_url)?,
            api_key,
            api_secret: copied(config.api_secret.expose_secret()).into(),
            clock,
            wire: Wire::new(Provider::Solapi, config.requests_per_second, Duration::from_secs(30))?,
        })
    }

    /// Signed anew for every request: a signature is good once.
    fn proof(&self, at: DateTime<Utc>) -> HeaderMap {
        let text = sign::header(&self.api_key, &self.api_secret, at);
        let mut value = HeaderValue::from_str(&text).expect("hexadecimal digits and letters");
        value.set_sensitive(true);
        HeaderMap::from_iter([(AUTHORIZATION, value)])
    }

    /// Asks for something that changes nothing.
    async fn read<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, String> {
        self.wire.turn().await;
        let request = self.wire.client.get(format!("{}{path}", self.base_url)).query(query);
        let request = request.headers(self.proof(self.clock.now()));
        match self.wire.send(operation, query.len(), request).await {
            Reply::Answered { status, body } if status.is_success() => {
                serde_json::from_slice(&body).map_err(|error| format!("an unreadable answer: {error}"))
            }
            Reply::Answered { status, body } => Err(format!("{status} {}", wire::ErrorBody::code(&body))),
            Reply::NotSent(reason) | Reply::Unclear(reason) => Err(reason),
        }
    }

    /// One request for all of these.
    async fn submit(&self, messages: &[Outbound], at: DateTime<Utc>) -> Vec<Sent> {
        let url = format!("{}/messages/v4/send-many/detail", self.base_url);
        let request = self.wire.client.post(url).headers(self.proof(at)).json(&wire::SendMany::of(messages));
        let all = |sent: Sent| vec![sent; messages.len()];
        match self.wire.send("send", messages.len(), request).await {
            Reply::NotSent(reason) => all(Sent::NotSent(reason)),
            Reply::Unclear(reason) => all(Sent::Unknown(reason)),
            Reply::Answered { status, body } if status.is_success() => wire::read_sent(messages, &body),
            Reply::Answered { status, body } => all(match judge(status, &body) {
                None => Sent::Unknown(format!("{status} without a reason")),
                Some(refusal) if refusal.class == FailureClass::OurBug => Sent::RefusedTogether(refusal),
                Some(refusal) => Sent::Refused(refusal),
            }),
        }
    }
}

/// What a refusal of a whole request means; `None` where it was not one.
fn judge(status: StatusCode, body: &[u8]) -> Option<Refusal> {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Some(Refusal::new(FailureClass::Temporary, "429"));
    }
    // Of a server's own trouble nobody knows what had happened by then.
    if !status.is_client_error() {
        return None;
    }
    let code = wire::ErrorBody::code(body);
    codes::of_request(&code).map(|class| Refusal::new(class, code))
}

#[async_trait]
impl MessageChannel for Solapi {
    fn provider(&self) -> Provider {
        Provider::Solapi
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // Ten thousand are allowed, and 15 MB; a lost answer about fewer is looked up faster.
            largest_batch: 1_000,
            finds: true,
            // A quarter of an hour is how long a signature is good.
            absence_is_proof_after: TimeDelta::minutes(20),
            // Six months, less a few days in which it could be cleaned up.
            remembers_for: TimeDelta::days(170),
            reports_delivery: true,
            reports_within: TimeDelta::days(4),
            falls_back: true,
            hears_recipient_first: false,
            lists_refusals: true,
        }
    }

    fn requests(&self, messages: Vec<Outbound>) -> Vec<Vec<Outbound>> {
        vec![messages]
    }

    async fn send(&self, request: &[Outbound], before_sending: BeforeSending<'_>) -> Vec<Sent> {
        self.wire.turn().await;
        let leave = before_sending(request.to_vec()).await;
        if leave.messages.is_empty() {
            return vec![Sent::HeldBack; request.len()];
        }
        let answers = self.submit(&leave.messages, leave.at).await;
        in_order(request, &leave.messages, answers)
    }

    async fn find(&self, messages: &[Asked]) -> Vec<Found> {
        self.find_all(messages).await
    }

    async fn refusals_since(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed> {
        self.list_refusals(since).await
    }

    /// Solapi signs none, as far as anybody knows: what one says is asked for.
    fn read_webhook(&self, _: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(body)
    }
}

//! The port: what may be asked of whoever carries messages, and what may be heard in answer.

mod capabilities;
mod http;
pub mod nhn;
pub mod smtp;
pub mod solapi;

use std::collections::HashMap;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::future::BoxFuture;
use reqwest::header::HeaderMap;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{Content, FailureClass, MessageId};

pub use capabilities::Capabilities;

/// Whoever carries messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Provider {
    Smtp,
    Solapi,
    Nhn,
}

impl Provider {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Solapi => "SOLAPI",
            Self::Nhn => "NHN",
        }
    }
}

/// In which form a message reaches somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Kind {
    Sms,
    Lms,
    #[serde(rename = "ALIMTALK")]
    #[sqlx(rename = "ALIMTALK")]
    AlimTalk,
    Brand,
    Email,
}

/// A message as a channel is asked to carry it.
#[derive(Clone, Debug)]
pub struct Outbound {
    /// Ours. It travels with the message, so that the message can be recognised by it.
    pub reference: MessageId,
    /// Digits alone, or an address.
    pub to: SecretString,
    pub from: Sender,
    pub content: Content,
    pub is_advertising: bool,
}

/// Who a message comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sender {
    /// Of a mail: what stands before the address.
    pub name: String,
    /// 발신번호.
    pub phone: Option<String>,
    /// 080 number for refusals.
    pub refusal_number: Option<String>,
    /// The Kakao channel as the provider names it.
    pub kakao_channel: Option<String>,
    pub mail_address: Option<String>,
}

/// What is known of one message after it was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Taken, under this id of the provider's. Not that it arrived.
    Accepted(String),
    /// Not taken: the provider's final word on this sending.
    Refused(Refusal),
    /// It certainly never reached the provider. Text for operators.
    NotSent(String),
    /// Nobody here can tell whether it was taken. Text for operators.
    Unknown(String),
    /// Not taken, since the request was refused as a whole: for something that one of the others may be to blame for, so
    /// that parts of it may pass.
    RefusedTogether(Refusal),
    /// Whoever wrote it down would not have it sent any more ([`BeforeSending`]).
    HeldBack,
}

/// A definite no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub class: FailureClass,
    /// The provider's own code, as it came.
    pub code: String,
}

/// A message to be asked about.
#[derive(Clone, Debug)]
pub struct Asked {
    pub reference: MessageId,
    /// Where it is known.
    pub provider_id: Option<String>,
    pub kind: Kind,
    pub to: SecretString,
    /// When it was handed over.
    pub asked_at: DateTime<Utc>,
}

/// What a provider says about a message when asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It has it, under this id.
    Taken { provider_id: String, fate: Fate },
    /// It has no such message. Proof that none was taken only [`Capabilities::absence_is_proof_after`] the asking.
    Absent,
    /// No usable answer. Text for operators.
    Unknown(String),
}

/// What became of a message that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// On its way.
    InFlight,
    Delivered {
        by: Kind,
        at: Option<DateTime<Utc>>,
    },
    Failed(Refusal),
}

/// Somebody refused advertising at the provider's: at the 080 line, or in its list.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Digits alone.
    pub contact: SecretString,
    /// The line that was called, where it is told: whose advertising it stands in.
    pub refusal_number: Option<String>,
    pub at: Option<DateTime<Utc>>,
}

/// An incoming webhook, read but not believed: a reason to look.
#[derive(Clone, Debug, Default)]
pub struct Webhook {
    /// The provider's ids of messages of which there is news.
    pub messages: Vec<String>,
    /// Believed: it would be no use to refuse a refusal until its sender is proven, and it only makes us silent.
    pub refusals: Vec<Refused>,
}

#[derive(Debug, thiserror::Error)]
pub enum WebhookRefused {
    #[error("not a webhook of this provider: {0}")]
    Malformed(String),
    #[error("the signature does not match")]
    BadSignature,
}

/// A list could not be read. Ask again later. Text for operators.
#[derive(Debug, thiserror::Error)]
#[error("the list could not be read: {0}")]
pub struct ListFailed(pub String);

/// What an implementation calls right before the step that cannot be taken back, with the messages that it is about to
/// hand over.
pub type BeforeSending<'a> = &'a (dyn Fn(Vec<Outbound>) -> BoxFuture<'a, Leave> + Send + Sync);

/// What may be handed over at once: later it may not.
#[derive(Clone, Debug)]
pub struct Leave {
    /// As they may go, and no others.
    pub messages: Vec<Outbound>,
    /// The time under which it was written down. What proves when a request was made says this time, so that it cannot
    /// pass long after it was given up.
    pub at: DateTime<Utc>,
}

/// Whoever carries messages of some kinds.
///
/// Implementations hold no state that matters: all of them may be used from many processes at once.
#[async_trait]
pub trait MessageChannel: Send + Sync {
    fn provider(&self) -> Provider;

    /// What this provider can and cannot do. The outbox reads this; it never asks which provider it is.
    fn capabilities(&self) -> Capabilities;

    /// Which of these go out in one request each.
    fn requests(&self, messages: Vec<Outbound>) -> Vec<Vec<Outbound>>;

    /// Makes one request, of those that [`Self::requests`] put together or some of them. One entry for each, in the order
    /// given.
    ///
    /// What goes wrong before `before_sending` was called is `NotSent`; what is not understood afterwards is `Unknown`.
    async fn send(&self, request: &[Outbound], before_sending: BeforeSending<'_>) -> Vec<Sent>;

    /// Asks what became of messages. One entry for each, in the order given. Always `Unknown` without
    /// [`Capabilities::finds`].
    async fn find(&self, messages: &[Asked]) -> Vec<Found>;

    /// Those who refused since then, as far as the provider keeps a list.
    async fn refusals_since(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed>;

    /// Reads a webhook and verifies it as far as the provider allows.
    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused>;
}

/// The answers to those that went, and that the others were held back, in the order of the request.
fn in_order(request: &[Outbound], gone: &[Outbound], answers: Vec<Sent>) -> Vec<Sent> {
    let mut answers: HashMap<MessageId, Sent> =
        gone.iter().map(|message| message.reference).zip(answers).collect();
    request.iter().map(|message| answers.remove(&message.reference).unwrap_or(Sent::HeldBack)).collect()
}

impl Refusal {
    pub(crate) fn new(class: FailureClass, code: impl Into<String>) -> Self {
        Self { class, code: code.into() }
    }
}

//! NHN Cloud: texts (SMS v3.0) and KakaoTalk Bizmessage (AlimTalk v2.3, brand message v1.0).
//!
//! Source: the messaging reference (b). One request says one thing to many, so messages that say the same go together. Our
//! reference travels as `recipientGroupingKey`. SMS knows no idempotency and AlimTalk knows it for ten minutes: what became
//! of a lost request is looked for by its time, in the lists.

mod codes;
mod find;
mod kakao;
mod sms;
mod webhook;
mod wire;

use std::{collections::BTreeMap, num::NonZeroU32, time::Duration};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use platform::digest;
use reqwest::{
    Method, RequestBuilder, StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Asked, BeforeSending, Capabilities, Found, ListFailed, MessageChannel, Outbound, Provider, Refusal,
    Refused, Sent, Webhook, WebhookRefused,
    http::{ChannelConfigError, Reply, Wire, base_url, copied},
    in_order,
};
use crate::{Content, FailureClass};

static SECRET_KEY: HeaderName = HeaderName::from_static("x-secret-key");
static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("x-nc-api-idempotency-key");

#[derive(Clone, Debug)]
pub struct NhnConfig {
    /// `https://sms.api.nhncloudservice.com`, or a sandbox.
    pub sms_base_url: String,
    /// `https://kakaotalk-bizmessage.api.nhncloudservice.com`, or a sandbox.
    pub kakao_base_url: String,
    /// App key and secret key of SMS.
    pub sms: Option<(String, SecretString)>,
    /// App key and secret key of KakaoTalk Bizmessage.
    pub kakao: Option<(String, SecretString)>,
    /// What its webhooks carry; without it none is believed.
    pub webhook_signature: Option<SecretString>,
    pub requests_per_second: NonZeroU32,
}

/// Accounts at NHN Cloud.
pub struct Nhn {
    sms: Option<Product>,
    kakao: Option<Product>,
    webhook_signature: Option<SecretString>,
    wire: Wire,
}

/// One product: where it is, and as whom.
#[derive(Clone, Debug)]
struct Product {
    base_url: String,
    app_key: String,
    secret: HeaderValue,
}

impl Product {
    fn new(base: &str, (app_key, secret): &(String, SecretString)) -> Result<Self, ChannelConfigError> {
        let app_key = copied(app_key).to_owned();
        let is_plain = !app_key.is_empty()
            && app_key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let secret = HeaderValue::from_str(copied(secret.expose_secret()));
        let (Ok(mut secret), true) = (secret, is_plain) else { return Err(ChannelConfigError::Key) };
        secret.set_sensitive(true);
        Ok(Self { base_url: base_url(base)?, app_key, secret })
    }
}

/// What is said to many at once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Saying {
    /// Under its product's base URL.
    path: String,
    product: ProductName,
    /// The body without its recipients, as JSON text: what is equal goes out together.
    body: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum ProductName {
    Sms,
    Kakao,
}

impl Nhn {
    pub fn new(config: &NhnConfig) -> Result<Self, ChannelConfigError> {
        let sms = config.sms.as_ref().map(|keys| Product::new(&config.sms_base_url, keys)).transpose()?;
        let kakao =
            config.kakao.as_ref().map(|keys| Product::new(&config.kakao_base_url, keys)).transpose()?;
        Ok(Self {
            sms,
            kakao,
            webhook_signature: config.webhook_signature.clone(),
            wire: Wire::new(Provider::Nhn, config.requests_per_second, Duration::from_secs(30))?,
        })
    }

    /// `None` where there is no account for it.
    fn request(&self, product: ProductName, method: Method, path: &str) -> Option<RequestBuilder> {
        let product = match product {
            ProductName::Sms => self.sms.as_ref()?,
            ProductName::Kakao => self.kakao.as_ref()?,
        };
        let path = path.replace("{appKey}", &product.app_key);
        let request = self.wire.client.request(method, format!("{}{path}", product.base_url));
        Some(request.header(SECRET_KEY.clone(), product.secret.clone()))
    }

    async fn read(
        &self,
        product: ProductName,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<Vec<u8>, String> {
        let Some(request) = self.request(product, Method::GET, path) else {
            return Err("there is no account for it".to_owned());
        };
        self.wire.turn().await;
        match self.wire.send("lookup", query.len(), request.query(query)).await {
            Reply::Answered { status, body } if status.is_success() => Ok(body),
            Reply::Answered { status, .. } => Err(format!("{status}")),
            Reply::NotSent(reason) | Reply::Unclear(reason) => Err(reason),
        }
    }

    /// One request for all of these, which say the same.
    async fn submit(&self, saying: &Saying, request: RequestBuilder, messages: &[Outbound]) -> Vec<Sent> {
        let all = |sent: Sent| vec![sent; messages.len()];
        let request = request.header(IDEMPOTENCY_KEY.clone(), key_of(messages));
        let body = wire::with_recipients(&saying.body, messages);
        match self.wire.send("send", messages.len(), request.json(&body)).await {
            Reply::NotSent(reason) => all(Sent::NotSent(reason)),
            Reply::Unclear(reason) => all(Sent::Unknown(reason)),
            Reply::Answered { status: StatusCode::TOO_MANY_REQUESTS, .. } => {
                all(Sent::Refused(Refusal::new(FailureClass::Temporary, "429")))
            }
            Reply::Answered { status, body } if status.is_success() => {
                wire::read_sent(&saying.path, messages, &body)
            }
            Reply::Answered { status, .. } => all(Sent::Unknown(format!("{status}"))),
        }
    }
}

/// The same messages together are the same request.
fn key_of(messages: &[Outbound]) -> String {
    let names: Vec<String> = messages.iter().map(|message| message.reference.to_string()).collect();
    hex::encode(&digest(names.concat().as_bytes())[..16])
}

fn saying(message: &Outbound) -> Option<Saying> {
    match &message.content {
        Content::Text(text) => Some(sms::saying(message, text)),
        Content::AlimTalk(talk) => Some(kakao::alim_talk(message, talk)),
        Content::Brand(brand) => Some(kakao::brand(message, brand)),
        Content::Mail(_) => None,
    }
}

#[async_trait]
impl MessageChannel for Nhn {
    fn provider(&self) -> Provider {
        Provider::Nhn
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            // What differs between people makes a request of its own: texts have no places that it would fill in.
            largest_batch: 200,
            finds: true,
            // Nothing says how long a request may be under way; longer than the idempotency of AlimTalk.
            absence_is_proof_after: TimeDelta::minutes(20),
            // Ninety days of AlimTalk, less a few; of the others nobody says.
            remembers_for: TimeDelta::days(80),
            reports_delivery: true,
            // A text runs out after 80 hours, a Kakao message after three days.
            reports_within: TimeDelta::days(4),
            falls_back: true,
            hears_recipient_first: false,
            // It tells them by webhook as well, which may get lost.
            lists_refusals: self.sms.is_some(),
        }
    }

    fn requests(&self, messages: Vec<Outbound>) -> Vec<Vec<Outbound>> {
        let mut together: BTreeMap<Option<Saying>, Vec<Outbound>> = BTreeMap::new();
        for message in messages {
            together.entry(saying(&message)).or_default().push(message);
        }
        together.into_values().collect()
    }

    async fn send(&self, request: &[Outbound], before_sending: BeforeSending<'_>) -> Vec<Sent> {
        let refused = |code| vec![Sent::Refused(Refusal::new(FailureClass::OurBug, code)); request.len()];
        let Some(saying) = request.first().and_then(saying) else { return refused("NO_TEXT") };
        let Some(wire) = self.request(saying.product, Method::POST, &saying.path) else {
            return refused("NO_ACCOUNT");
        };
        self.wire.turn().await;
        let leave = before_sending(request.to_vec()).await;
        if leave.messages.is_empty() {
            return vec![Sent::HeldBack; request.len()];
        }
        let answers = self.submit(&saying, wire, &leave.messages).await;
        in_order(request, &leave.messages, answers)
    }

    async fn find(&self, messages: &[Asked]) -> Vec<Found> {
        self.find_all(messages).await
    }

    async fn refusals_since(&self, since: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed> {
        self.list_refusals(since).await.map_err(ListFailed)
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(self.webhook_signature.as_ref(), headers, body)
    }
}

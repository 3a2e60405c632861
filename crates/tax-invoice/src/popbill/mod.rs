//! Popbill (팝빌), an authorised provider for electronic tax invoices, with LinkHub's sessions.
//!
//! - The document key is Popbill's `mgtKey`, unique per seller until the document is deleted, which we
//!   never do. A repeated request is refused as a duplicate, whose code is not documented: so every
//!   refusal is followed by a look-up, and what is found there decides.
//! - A session is fetched once and kept until it expires. A 401 drops it, and the request is sent once
//!   more with a new one: it was not processed, and its key would guard it if it was.
//! - One step (`RegistIssue`) saves and issues. Should only the saving have happened, the repeat issues
//!   what is saved.

mod config;
mod documents;
mod errors;
mod http;
mod issue;
mod mapping;
#[cfg(test)]
mod mutations;
mod session;
mod webhook;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use reqwest::{
    Client, RequestBuilder, Url,
    header::{ACCEPT_LANGUAGE, AUTHORIZATION, HeaderMap, HeaderValue},
};
use secrecy::SecretString;

pub use self::config::{Environment, PopbillConfig, PopbillConfigError};
use self::{http::Answer, session::Sessions};
use crate::{
    BusinessNumber, DocumentKey, Issued, Lookup, Outcome, TaxInvoice, TaxInvoiceIssuer, Unavailable, View,
    Webhook, WebhookRefused,
};

/// Look-ups answer at once or not at all, and somebody may be waiting for one.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Popbill {
    client: Client,
    base_url: String,
    sessions: Sessions,
    user_id: Option<HeaderValue>,
    corp_number: BusinessNumber,
    webhook_api_key: Option<SecretString>,
    connect_timeout: Duration,
    read_timeout: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Token,
    Issue,
    Withdraw,
    LookUp,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Issue => "issue",
            Self::Withdraw => "withdraw",
            Self::LookUp => "lookup",
        }
    }
}

impl Popbill {
    pub fn new(config: PopbillConfig) -> Result<Self, PopbillConfigError> {
        let client = http::client(config.connect_timeout)?;
        let user_id = config.user_id.as_deref().map(HeaderValue::from_str).transpose();
        Ok(Self {
            base_url: http::base_url(&config.api_base_url)?,
            sessions: Sessions::new(&config, client.clone())?,
            client,
            user_id: user_id.map_err(|_| PopbillConfigError::Name)?,
            corp_number: config.corp_number,
            webhook_api_key: config.webhook_api_key,
            connect_timeout: config.connect_timeout,
            read_timeout: config.read_timeout,
        })
    }

    /// Asks in the seller's name, and once more with a new session if the first was not believed.
    async fn ask(
        &self,
        operation: Operation,
        subject: &str,
        request: impl Fn(&Client, &str) -> RequestBuilder,
    ) -> Answer {
        let timeout = match operation {
            Operation::Issue | Operation::Withdraw => self.read_timeout,
            Operation::Token | Operation::LookUp => self.read_timeout.min(LOOK_UP_TIMEOUT),
        };
        for is_first in [true, false] {
            let session = match self.sessions.current().await {
                Ok(session) => session,
                Err(reason) if is_first => return Answer::NotSent(reason),
                // That a 401 processed nothing is likely and not documented.
                Err(reason) => return Answer::Unclear(format!("401, then {reason}")),
            };
            let mut request = request(&self.client, &self.base_url)
                .header(AUTHORIZATION, &session.bearer)
                .header(ACCEPT_LANGUAGE, "ko-KR")
                .timeout(self.connect_timeout + timeout);
            if let Some(user_id) = &self.user_id {
                request = request.header("x-pb-userid", user_id);
            }
            match http::send(operation, subject, request).await {
                Answer::Unauthorized => self.sessions.forget(&session).await,
                answer => return answer,
            }
        }
        tracing::error!(operation = operation.as_str(), subject, "popbill believes no session of linkhub's");
        Answer::Unclear("401 with a new session".to_owned())
    }
}

/// The path of a document of ours, as its seller sees it. The key needs no encoding.
fn path_of(key: &DocumentKey) -> String {
    format!("/Taxinvoice/SELL/{key}")
}

fn record(operation: Operation, outcome: &'static str, started: Instant) {
    metrics::histogram!(
        "dangol_provider_request_seconds",
        "provider" => "POPBILL",
        "operation" => operation.as_str(),
        "outcome" => outcome,
    )
    .record(started.elapsed());
}

async fn measured<T>(operation: Operation, work: impl Future<Output = Outcome<T>> + Send) -> Outcome<T> {
    let started = Instant::now();
    let outcome = work.await;
    let name = match &outcome {
        Outcome::Issued(_) => "issued",
        Outcome::Refused(_) => "refused",
        Outcome::NotSent(_) => "not_sent",
        Outcome::Unknown(_) => "unknown",
    };
    record(operation, name, started);
    outcome
}

#[async_trait]
impl TaxInvoiceIssuer for Popbill {
    async fn issue(&self, invoice: &TaxInvoice) -> Outcome<Issued> {
        measured(Operation::Issue, self.issue_once(invoice)).await
    }

    async fn withdraw(&self, key: &DocumentKey) -> Outcome<()> {
        measured(Operation::Withdraw, self.withdraw_once(key)).await
    }

    async fn find(&self, key: &DocumentKey) -> Lookup {
        let started = Instant::now();
        let lookup = self.look_up(key).await.into_lookup();
        let name = match &lookup {
            Lookup::Found(_) => "found",
            Lookup::NotFound => "not_found",
            Lookup::Unknown(_) => "unknown",
        };
        record(Operation::LookUp, name, started);
        lookup
    }

    async fn find_all(&self, keys: &[DocumentKey]) -> Vec<(DocumentKey, Lookup)> {
        self.look_up_all(keys).await
    }

    async fn view(&self, key: &DocumentKey, view: View) -> Result<Url, Unavailable> {
        self.link(key, view).await
    }

    async fn pdf(&self, key: &DocumentKey) -> Result<Vec<u8>, Unavailable> {
        self.pdf_of(key).await
    }

    async fn xml(&self, key: &DocumentKey) -> Result<String, Unavailable> {
        self.xml_of(key).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body, self.corp_number, self.webhook_api_key.as_ref())
    }
}

//! Toss Payments.
//!
//! Where Toss offers no certainty, the adapter makes some:
//!
//! - An idempotency key lives 15 days. After that the order id still protects a charge
//!   (`DUPLICATED_ORDER_ID`) and the payment key a confirm (`ALREADY_PROCESSED_PAYMENT`), but nothing
//!   protects a partial cancel. So [`cancel`](PaymentGateway::cancel) looks at the payment first and
//!   sends nothing if our reference is in it.
//! - Toss stores refusals under the idempotency key too, whatever the body: after a `Declined` the
//!   next attempt needs a new order id or reference, which is a new key.
//! - Toss Pay (`pay.toss.im`) is another product with other endpoints and keys.

mod cancels;
mod config;
mod errors;
mod http;
mod institutions;
mod keys;
mod mapping;
#[cfg(test)]
mod mutations;
mod payments;
mod webhook;
mod wire;

use std::time::Instant;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;

pub use self::config::{TossConfig, TossConfigError};
use self::{
    errors::Verdict,
    http::{Answer, Http},
};
use crate::{
    Approval, BillingKeySecret, Cancel, Cancellation, Charge, Confirm, Decline, IssueBillingKey,
    IssuedBillingKey, Lookup, Outcome, PaymentGateway, Provider, Webhook, WebhookRefused,
};

/// The limit on `Idempotency-Key`.
const LONGEST_IDEMPOTENCY_KEY: usize = 300;

pub struct TossGateway {
    http: Http,
    webhook_security_key: Option<SecretString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Issue,
    Delete,
    Charge,
    Confirm,
    Cancel,
    LookUp,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::Delete => "delete",
            Self::Charge => "charge",
            Self::Confirm => "confirm",
            Self::Cancel => "cancel",
            Self::LookUp => "lookup",
        }
    }

    fn moves_money(self) -> bool {
        match self {
            Self::Charge | Self::Confirm | Self::Cancel => true,
            Self::Issue | Self::Delete | Self::LookUp => false,
        }
    }
}

/// What a request said about itself, before anything else was asked.
enum FirstWord<T> {
    Settled(Outcome<T>),
    /// Done already, it says: ask for the payment. The decline is what it is if that disagrees.
    LookUp(Decline),
}

impl TossGateway {
    pub fn new(config: TossConfig) -> Result<Self, TossConfigError> {
        Ok(Self { http: Http::new(&config)?, webhook_security_key: config.webhook_security_key })
    }
}

fn first_word<T>(
    operation: Operation,
    answer: Answer,
    accepted: impl FnOnce(&[u8]) -> Outcome<T>,
) -> FirstWord<T> {
    FirstWord::Settled(match answer {
        Answer::Accepted(body) => accepted(&body),
        Answer::Refused { status, code } => match errors::judge(operation, status, &code) {
            Verdict::Declined(decline) => Outcome::Declined(decline),
            Verdict::LookUp(decline) => return FirstWord::LookUp(decline),
            Verdict::Gone | Verdict::Unknown => Outcome::Unknown(format!("{status} {code}")),
        },
        Answer::NotSent(reason) => Outcome::NotSent(reason),
        Answer::Unclear(reason) => Outcome::Unknown(reason),
    })
}

fn idempotency_key(key: &str) -> Result<HeaderValue, Decline> {
    HeaderValue::from_str(key)
        .ok()
        .filter(|value| (1..=LONGEST_IDEMPOTENCY_KEY).contains(&value.len()))
        .ok_or_else(|| errors::refused_here("INVALID_IDEMPOTENCY_KEY"))
}

fn record(operation: Operation, outcome: &'static str, started: Instant) {
    metrics::histogram!(
        "dangol_provider_request_seconds",
        "provider" => Provider::Toss.as_str(),
        "operation" => operation.as_str(),
        "outcome" => outcome,
    )
    .record(started.elapsed());
}

async fn measured<T>(operation: Operation, work: impl Future<Output = Outcome<T>> + Send) -> Outcome<T> {
    let started = Instant::now();
    let outcome = work.await;
    let name = match &outcome {
        Outcome::Approved(_) => "approved",
        Outcome::Declined(_) => "declined",
        Outcome::NotSent(_) => "not_sent",
        Outcome::Unknown(_) => "unknown",
    };
    record(operation, name, started);
    outcome
}

#[async_trait]
impl PaymentGateway for TossGateway {
    fn provider(&self) -> Provider {
        Provider::Toss
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        measured(Operation::Issue, self.issue(request)).await
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        measured(Operation::Delete, self.delete(billing_key)).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        measured(Operation::Charge, self.charge_once(request)).await
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        measured(Operation::Confirm, self.confirm_once(request)).await
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        measured(Operation::Cancel, self.cancel_once(request)).await
    }

    async fn find_by_order(&self, order_id: &str) -> Lookup {
        let started = Instant::now();
        let lookup = self.look_up(order_id).await;
        let name = match &lookup {
            Lookup::Approved(_) => "approved",
            Lookup::Failed(_) => "failed",
            Lookup::InProgress => "in_progress",
            Lookup::NotFound => "not_found",
            Lookup::Unknown(_) => "unknown",
        };
        record(Operation::LookUp, name, started);
        lookup
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body, self.webhook_security_key.as_ref())
    }
}

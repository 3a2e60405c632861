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
//! - A cash receipt may be issued for any order, twice as well, and cannot be asked for by its key. So our
//!   reference is its `orderId`, by which the day's list shows it (`receipts`).
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
mod receipts;
mod transactions;
mod webhook;
mod wire;

use async_trait::async_trait;
use chrono::{NaiveDate, TimeDelta};
use reqwest::header::{HeaderMap, HeaderValue};
use secrecy::SecretString;

pub use self::config::{CREDENTIALS, TossConfig, TossConfigError};
pub(crate) use self::errors::passed_on;
use self::{
    errors::Verdict,
    http::{Answer, Http},
};
use crate::{
    Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Capabilities, CashReceiptLookup,
    CashReceipts, Charge, Confirm, Decline, FindCashReceipt, IssueBillingKey, IssueCashReceipt,
    IssuedBillingKey, IssuedCashReceipt, ListFailed, Lookup, OrderIds, Outcome, PaymentGateway, Provider,
    Repeats, TransactionPage, Webhook, WebhookRefused,
    operation::{Operation, measured, measured_list, measured_lookup, measured_receipt},
};

/// A day less than the 15 that the reference promises: clocks differ.
const IDEMPOTENCY_KEYS_LIVE: TimeDelta = TimeDelta::days(14);
/// The limit on `Idempotency-Key`.
const LONGEST_IDEMPOTENCY_KEY: usize = 300;

pub struct TossGateway {
    http: Http,
    webhook_security_key: Option<SecretString>,
    transactions_per_page: usize,
}

/// What a request said about itself, before anything else was asked.
enum FirstWord<T> {
    Settled(Outcome<T>),
    /// Done already, it says: ask for the payment. The decline is what it is if that disagrees.
    LookUp(Decline),
}

impl TossGateway {
    pub fn new(config: TossConfig) -> Result<Self, TossConfigError> {
        Ok(Self {
            http: Http::new(&config)?,
            webhook_security_key: config.webhook_security_key,
            transactions_per_page: config.transactions_per_page,
        })
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

/// What this provider can do, whoever asks.
pub const CAPABILITIES: Capabilities = Capabilities {
    finds_by_order: true,
    lists_transactions: true,
    lists_cancels: true,
    // Only those about payouts and sellers.
    signs_webhooks: false,
    repeats_issue: true,
    // Beyond the key's 15 days the order id, and for a confirm the payment key, still protect.
    repeats_charge: Repeats::Always,
    repeats_cancel: Repeats::For(IDEMPOTENCY_KEYS_LIVE),
    replays_refusals: true,
    full_cancel_after_partial: true,
    cancels_in_turn: false,
    order_ids: OrderIds { longest: 64, symbols: true },
    cash_receipts: Some(CashReceipts {
        repeats: Repeats::For(IDEMPOTENCY_KEYS_LIVE),
        issues_for_the_rest: true,
        cancels_parts: true,
    }),
};

#[async_trait]
impl PaymentGateway for TossGateway {
    fn provider(&self) -> Provider {
        Provider::Toss
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        measured(Provider::Toss, Operation::Issue, self.issue(request)).await
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        measured(Provider::Toss, Operation::Delete, self.delete(billing_key)).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        measured(Provider::Toss, Operation::Charge, self.charge_once(request)).await
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        measured(Provider::Toss, Operation::Confirm, self.confirm_once(request)).await
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        measured(Provider::Toss, Operation::Cancel, self.cancel_once(request)).await
    }

    async fn find_by_order(&self, order_id: &str) -> Lookup {
        measured_lookup(Provider::Toss, self.look_up(order_id)).await
    }

    async fn find(&self, payment_key: &str) -> Lookup {
        measured_lookup(Provider::Toss, self.look_up_by_key(payment_key)).await
    }

    async fn transactions(&self, day: NaiveDate, after: Option<&str>) -> Result<TransactionPage, ListFailed> {
        measured_list(Provider::Toss, self.list(day, after)).await
    }

    async fn issue_cash_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        measured(Provider::Toss, Operation::IssueReceipt, self.issue_receipt(request)).await
    }

    async fn cancel_cash_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        measured(Provider::Toss, Operation::CancelReceipt, self.cancel_receipt(request)).await
    }

    async fn find_cash_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        measured_receipt(Provider::Toss, self.look_up_receipt(request)).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body, self.webhook_security_key.as_ref())
    }
}

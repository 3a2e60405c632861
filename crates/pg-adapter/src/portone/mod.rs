//! PortOne V2 (포트원), which stands before several PGs.
//!
//! Where PortOne offers no certainty, the adapter makes some:
//!
//! - The payment's id is our order id, and PortOne's own rule is that one id succeeds once. It protects
//!   a charge for ever; the idempotency key, which lives three hours, only brings the first answer back.
//! - A charge that was accepted answers no amount, and one that was refused may be the second sending
//!   of one that was not. The payment is read after both, and counts.
//! - A partial cancel is protected by neither. See `cancels.rs`.
//! - What the browser brings is under the payer's control: billing keys and payments are read and
//!   compared (store, customer, live channel) before they are believed.

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
mod pg_codes;
mod receipts;
mod webhook;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::Clock;
use reqwest::header::{HeaderMap, HeaderValue};

pub use self::config::{CREDENTIALS, PortOneConfig, PortOneConfigError};
use self::{http::Http, mapping::Ours, webhook::Keys};
use crate::{
    Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Capabilities, CashReceiptLookup,
    CashReceipts, Charge, Confirm, FindCashReceipt, IssueBillingKey, IssueCashReceipt, IssuedBillingKey,
    IssuedCashReceipt, ListFailed, Lookup, OrderIds, Outcome, PaymentGateway, Provider, Repeats,
    TransactionPage, Webhook, WebhookRefused,
    operation::{Operation, measured, measured_list, measured_lookup, measured_receipt},
};

/// What every PG behind PortOne takes: KCP and Smartro know no symbols, and Smartro cuts after 40.
const ORDER_IDS: OrderIds = OrderIds { longest: 40, symbols: false };

pub struct PortOneGateway {
    http: Http,
    ours: Ours,
    webhook_keys: Keys,
    events_per_page: usize,
    clock: Arc<dyn Clock>,
}

impl PortOneGateway {
    /// The clock tells which webhooks are too old.
    pub fn new(config: PortOneConfig, clock: Arc<dyn Clock>) -> Result<Self, PortOneConfigError> {
        Ok(Self {
            http: Http::new(&config)?,
            webhook_keys: Keys::new(&config.webhook_secrets).ok_or(PortOneConfigError::WebhookSecret)?,
            events_per_page: config.events_per_page.clamp(1, 1000),
            ours: Ours {
                store_id: config.store_id,
                channel_key: config.channel_key,
                accept_test_channels: config.accept_test_channels,
            },
            clock,
        })
    }

    /// What is sent as `isTest`: PortOne refuses if it is not so. Where both are welcome, nothing.
    fn live_only(&self) -> Option<bool> {
        (!self.ours.accept_test_channels).then_some(false)
    }
}

/// `"dangol-charge-of-{id}"`, the quotes included: an idempotency key is a string of RFC 8941, of 16
/// to 256 characters.
///
/// The operation is part of it, because what the key is matched with besides is not documented.
fn idempotency_key(operation: Operation, id: &str) -> Option<HeaderValue> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if id.is_empty() || id.len() > 200 || !id.bytes().all(allowed) {
        return None;
    }
    HeaderValue::from_str(&format!("\"dangol-{}-of-{id}\"", operation.as_str())).ok()
}

/// What this provider can do, whoever asks.
pub const CAPABILITIES: Capabilities = Capabilities {
    finds_by_order: true,
    lists_transactions: true,
    lists_cancels: true,
    signs_webhooks: true,
    // What the browser brings is the key, or a token whose answer is kept for three hours.
    repeats_issue: true,
    // One id succeeds once.
    repeats_charge: Repeats::Always,
    // The payment is read first, and the amount left guards what lies between (`cancels.rs`).
    repeats_cancel: Repeats::Always,
    // Not for certain: after three hours the same id is a new attempt.
    replays_refusals: false,
    full_cancel_after_partial: true,
    // The guard is what the adapter just read, not what our books say.
    cancels_in_turn: false,
    order_ids: ORDER_IDS,
    cash_receipts: Some(CashReceipts {
        // A payment has one, whoever asks for a second.
        repeats: Repeats::Always,
        issues_for_the_rest: true,
        cancels_parts: false,
    }),
};

#[async_trait]
impl PaymentGateway for PortOneGateway {
    fn provider(&self) -> Provider {
        Provider::PortOne
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        measured(Provider::PortOne, Operation::Issue, self.issue(request)).await
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        measured(Provider::PortOne, Operation::Delete, self.delete(billing_key)).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        measured(Provider::PortOne, Operation::Charge, self.charge_once(request)).await
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        measured(Provider::PortOne, Operation::Confirm, self.confirm_once(request)).await
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        measured(Provider::PortOne, Operation::Cancel, self.cancel_once(request)).await
    }

    async fn find_by_order(&self, order_id: &str) -> Lookup {
        measured_lookup(Provider::PortOne, self.look_up(order_id)).await
    }

    /// Its id of a payment is ours.
    async fn find(&self, payment_key: &str) -> Lookup {
        self.find_by_order(payment_key).await
    }

    async fn transactions(&self, day: NaiveDate, after: Option<&str>) -> Result<TransactionPage, ListFailed> {
        measured_list(Provider::PortOne, self.list(day, after)).await
    }

    async fn issue_cash_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        measured(Provider::PortOne, Operation::IssueReceipt, self.issue_receipt(request)).await
    }

    async fn cancel_cash_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        measured(Provider::PortOne, Operation::CancelReceipt, self.cancel_receipt(request)).await
    }

    async fn find_cash_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        measured_receipt(Provider::PortOne, self.look_up_receipt(request)).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body, &self.webhook_keys, &self.ours.store_id, self.clock.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idempotency_keys_are_quoted_long_enough_and_of_one_operation() {
        let key = |operation, id| idempotency_key(operation, id).map(|key| key.to_str().unwrap().to_owned());
        assert_eq!(key(Operation::Charge, "dg1").as_deref(), Some("\"dangol-charge-of-dg1\""));
        assert!(key(Operation::Issue, "i").unwrap().len() >= 18);
        assert_ne!(key(Operation::Charge, "dg1"), key(Operation::Confirm, "dg1"));
        for id in ["", "a b", "a\"b", "한", &"a".repeat(201)] {
            assert_eq!(key(Operation::Cancel, id), None, "{id}");
        }
    }
}

//! Bootpay (부트페이), API v2, which stands before several PGs.
//!
//! Where Bootpay offers no certainty, this is what the adapter does about it:
//!
//! - There is no idempotency key. A second payment of one order is "not allowed", says one guide; for how
//!   long and after what is written nowhere. So a charge is never sent twice ([`Repeats::Never`]), and what
//!   leaves doubt is looked up by order. That look-up is in one SDK alone and its behaviour unverified:
//!   no receipt and a 404 in Bootpay's form are both "not found", which is no proof.
//! - Error codes are not published. `errors` goes by the PG's words, and after every refusal the payment is
//!   asked.
//! - A confirm names a receipt and nothing else: order, amount and stage are compared before (`payments`).
//! - A cancel may be sent again at any time; see `cancels`.
//! - Webhooks are not signed. What they say is a reason to look.
//!
//! Spoken with a token of `application_id` and `private_key`. The window for cards is opened with the
//! customer key as `subscription_id`, that for payments with `separately_confirmed`; the `receipt_id` of
//! their events is the `authKey` and the `paymentKey`.

mod cancels;
mod config;
mod errors;
mod http;
mod keys;
mod mapping;
#[cfg(test)]
mod mutations;
mod payments;
mod receipts;
mod webhook;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::Clock;
use reqwest::header::HeaderMap;

pub use self::config::{BootpayConfig, BootpayConfigError, CREDENTIALS};
use self::http::Http;
use crate::{
    Acknowledgement, Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Capabilities,
    CashReceiptLookup, CashReceipts, Charge, Confirm, FindCashReceipt, IssueBillingKey, IssueCashReceipt,
    IssuedBillingKey, IssuedCashReceipt, ListFailed, Lookup, OrderIds, Outcome, PaymentGateway, Provider,
    Repeats, TransactionPage, Webhook, WebhookRefused,
    operation::{Operation, measured, measured_lookup, measured_receipt},
};

/// Bootpay names no rule of its own. What every PG behind it takes: KCP knows no symbols.
const ORDER_IDS: OrderIds = OrderIds { longest: 40, symbols: false };

pub struct BootpayGateway {
    http: Http,
    accept_sandbox: bool,
    clock: Arc<dyn Clock>,
}

impl BootpayGateway {
    /// The clock tells how old a token is.
    ///
    /// # Errors
    /// If the address is none, or a credential is empty.
    pub fn new(config: &BootpayConfig, clock: Arc<dyn Clock>) -> Result<Self, BootpayConfigError> {
        Ok(Self { http: Http::new(config)?, accept_sandbox: config.accept_sandbox, clock })
    }
}

/// What this provider can do, whoever asks.
pub const CAPABILITIES: Capabilities = Capabilities {
    finds_by_order: true,
    lists_transactions: false,
    lists_cancels: false,
    signs_webhooks: false,
    // The key is read, not made.
    repeats_issue: true,
    repeats_charge: Repeats::Never,
    // The receipt is read first, and a `cancel_id` is good once.
    repeats_cancel: Repeats::Always,
    replays_refusals: false,
    // Not stated.
    full_cancel_after_partial: false,
    cancels_in_turn: true,
    order_ids: ORDER_IDS,
    cash_receipts: Some(CashReceipts {
        repeats: Repeats::Never,
        issues_for_the_rest: false,
        cancels_parts: false,
    }),
};

#[async_trait]
impl PaymentGateway for BootpayGateway {
    fn provider(&self) -> Provider {
        Provider::Bootpay
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        measured(Provider::Bootpay, Operation::Issue, self.issue(request)).await
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        measured(Provider::Bootpay, Operation::Delete, self.delete(billing_key)).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        measured(Provider::Bootpay, Operation::Charge, self.charge_once(request)).await
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        measured(Provider::Bootpay, Operation::Confirm, self.confirm_once(request)).await
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        measured(Provider::Bootpay, Operation::Cancel, self.cancel_once(request)).await
    }

    async fn find_by_order(&self, order_id: &str) -> Lookup {
        measured_lookup(Provider::Bootpay, self.look_up_order(order_id)).await
    }

    async fn find(&self, payment_key: &str) -> Lookup {
        measured_lookup(Provider::Bootpay, self.look_up(payment_key)).await
    }

    async fn transactions(
        &self,
        _day: NaiveDate,
        _after: Option<&str>,
    ) -> Result<TransactionPage, ListFailed> {
        Err(ListFailed("bootpay has no list of transactions".to_owned()))
    }

    async fn issue_cash_receipt(&self, request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        measured(Provider::Bootpay, Operation::IssueReceipt, self.issue_receipt(request)).await
    }

    async fn cancel_cash_receipt(&self, request: &CancelCashReceipt) -> Outcome<()> {
        measured(Provider::Bootpay, Operation::CancelReceipt, self.cancel_receipt(request)).await
    }

    async fn find_cash_receipt(&self, request: &FindCashReceipt) -> CashReceiptLookup {
        measured_receipt(Provider::Bootpay, self.look_up_receipt(request)).await
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        webhook::ACCEPTED
    }
}

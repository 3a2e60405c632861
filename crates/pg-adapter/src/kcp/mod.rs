//! NHN KCP, the REST PG-API.
//!
//! Where KCP offers no certainty, this is what the adapter does about it:
//!
//! - A charge has no idempotency key and cannot be looked up by its order. KCP refuses some repeats as
//!   duplicates, nobody says which and for how long. So a charge is never sent twice
//!   ([`Repeats::Never`]): whatever leaves doubt is `Unknown`, and an operator finds it in KCP's admin.
//!   A duplicate is doubt as well.
//! - A cancel may be sent again at any time ([`Repeats::Always`]), because an inquiry comes first and
//!   `rem_mny` is a lock; see `cancels`.
//! - What the window hands over is authenticated, not paid, and good once. As `auth_key` and
//!   `payment_key` it is the url-encoded form of the window's fields.
//! - The older generation (`pp_cli`, port 8090) has other names for everything and is not spoken.

mod cancels;
mod cards;
mod charset;
mod config;
mod credentials;
mod errors;
mod fields;
mod http;
mod keys;
mod mapping;
#[cfg(test)]
mod mutations;
mod payments;
mod webhook;
mod window;
mod wire;

use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, NaiveDate, Utc};
use kernel::Clock;
use reqwest::{Url, header::HeaderMap};

pub use self::config::{CREDENTIALS, KcpConfig, KcpConfigError, KcpCredentials};
pub(crate) use self::errors::passed_on;
use self::{
    credentials::Credentials,
    errors::Verdict,
    fields::Fields,
    http::{Answer, Http},
};
use crate::{
    Acknowledgement, Approval, BillingKeySecret, Cancel, CancelCashReceipt, Cancellation, Capabilities,
    CashReceiptLookup, Charge, Confirm, FindCashReceipt, IssueBillingKey, IssueCashReceipt, IssuedBillingKey,
    IssuedCashReceipt, ListFailed, Lookup, OrderIds, Outcome, PaymentGateway, Provider, Repeats,
    TransactionPage, Webhook, WebhookRefused,
    operation::{Operation, measured, measured_lookup},
};

/// `pay_type` of a card.
const CARD: &str = "PACA";

pub struct KcpGateway {
    http: Http,
    credentials: Credentials,
    site_cd: String,
    group_id: String,
    /// The receipt page, without its query.
    receipts: Url,
    clock: Arc<dyn Clock>,
}

impl KcpGateway {
    /// # Errors
    /// If a file cannot be read, or the private key is not the certificate's.
    pub fn new(config: KcpConfig, clock: Arc<dyn Clock>) -> Result<Self, KcpConfigError> {
        let is_code = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if config.site_cd.len() != 5 || !is_code(&config.site_cd) {
            return Err(KcpConfigError::SiteCode(config.site_cd));
        }
        if !is_code(&config.group_id) {
            return Err(KcpConfigError::GroupId);
        }
        let receipts = crate::http::base_url(&config.receipt_base_url)
            .and_then(|base| Url::parse(&format!("{base}/assist/bill.BillActionNew.do")).map_err(|_| base))
            .map_err(KcpConfigError::BaseUrl)?;
        let credentials =
            Credentials::new(&config.certificate_pem, &config.private_key_pem, &config.passphrase)?;
        // KCP renews from 30 days before the end on.
        let days_left = (credentials.expires_at() - clock.now()).num_days();
        if days_left < 30 {
            tracing::error!(
                site_cd = config.site_cd,
                days_left,
                "the certificate of KCP ends soon: renew it in KCP's partner admin"
            );
        }
        Ok(Self {
            http: Http::new(&config)?,
            credentials,
            site_cd: config.site_cd,
            group_id: config.group_id,
            receipts,
            clock,
        })
    }

    /// When the certificate ends. Approvals and cancels stop at that moment.
    pub fn certificate_expires_at(&self) -> DateTime<Utc> {
        self.credentials.expires_at()
    }
}

/// What an answer says by itself.
fn first_word<T>(
    operation: Operation,
    answer: Answer,
    accepted: impl FnOnce(Fields) -> Outcome<T>,
) -> Outcome<T> {
    match answer {
        Answer::Accepted(fields) => accepted(fields),
        Answer::Refused { status, code } => match errors::judge(operation, status, &code) {
            Verdict::Declined(decline) => Outcome::Declined(decline),
            Verdict::LookUp | Verdict::LookUpOr(_) | Verdict::Gone | Verdict::Unknown => {
                Outcome::Unknown(format!("{status} {code}"))
            }
        },
        Answer::NotSent(reason) => Outcome::NotSent(reason),
        Answer::Unclear(reason) => Outcome::Unknown(reason),
    }
}

/// What this provider can do, whoever asks.
pub const CAPABILITIES: Capabilities = Capabilities {
    finds_by_order: false,
    lists_transactions: false,
    lists_cancels: false,
    signs_webhooks: false,
    repeats_issue: false,
    repeats_charge: Repeats::Never,
    repeats_cancel: Repeats::Always,
    replays_refusals: false,
    full_cancel_after_partial: false,
    cancels_in_turn: true,
    order_ids: OrderIds { longest: 40, symbols: false },
    cash_receipts: None,
};

#[async_trait]
impl PaymentGateway for KcpGateway {
    fn provider(&self) -> Provider {
        Provider::Kcp
    }

    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    async fn issue_billing_key(&self, request: &IssueBillingKey) -> Outcome<IssuedBillingKey> {
        measured(Provider::Kcp, Operation::Issue, self.issue(request)).await
    }

    async fn delete_billing_key(&self, billing_key: &BillingKeySecret) -> Outcome<()> {
        measured(Provider::Kcp, Operation::Delete, self.delete(billing_key)).await
    }

    async fn charge(&self, request: &Charge) -> Outcome<Approval> {
        measured(Provider::Kcp, Operation::Charge, self.charge_once(request)).await
    }

    async fn confirm(&self, request: &Confirm) -> Outcome<Approval> {
        measured(Provider::Kcp, Operation::Confirm, self.confirm_once(request)).await
    }

    async fn cancel(&self, request: &Cancel) -> Outcome<Cancellation> {
        measured(Provider::Kcp, Operation::Cancel, self.cancel_once(request)).await
    }

    async fn find_by_order(&self, _order_id: &str) -> Lookup {
        Lookup::Unknown("kcp cannot be asked by order number".to_owned())
    }

    async fn find(&self, payment_key: &str) -> Lookup {
        measured_lookup(Provider::Kcp, self.look_up(payment_key)).await
    }

    async fn transactions(
        &self,
        _day: NaiveDate,
        _after: Option<&str>,
    ) -> Result<TransactionPage, ListFailed> {
        Err(ListFailed("kcp has no list of transactions".to_owned()))
    }

    async fn issue_cash_receipt(&self, _request: &IssueCashReceipt) -> Outcome<IssuedCashReceipt> {
        Outcome::Declined(errors::refused_here("CASH_RECEIPTS_NOT_SUPPORTED"))
    }

    async fn cancel_cash_receipt(&self, _request: &CancelCashReceipt) -> Outcome<()> {
        Outcome::Declined(errors::refused_here("CASH_RECEIPTS_NOT_SUPPORTED"))
    }

    async fn find_cash_receipt(&self, _request: &FindCashReceipt) -> CashReceiptLookup {
        CashReceiptLookup::Unknown("not offered".to_owned())
    }

    fn read_webhook(&self, headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
        webhook::read(headers, body, &self.site_cd)
    }

    fn acknowledgement(&self) -> Acknowledgement {
        webhook::ACCEPTED
    }
}

//! Billing: what a business subscribed to, what it owes, and what happened when we asked for it.
//!
//! One rule serves everything here: **write down what you are about to ask for, commit, ask, write
//! down the answer.** [`charge`] is that rule for money coming in, [`refund`] for money going out;
//! [`reconcile`] finishes what a crash or a lost answer left open, and asks with the same order id.
//! `ARCHITECTURE.md` tells the whole story.

mod approval;
mod backup;
mod breaker;
mod card;
mod case;
mod cash_receipt;
mod charge;
mod checkout;
mod dunning;
mod enroll;
mod error;
mod event;
mod foretell;
mod http;
mod invariant;
mod invoice;
mod ledger;
mod manage;
mod merchant;
mod payment;
mod payment_method;
mod plan;
mod receipt;
mod reconcile;
mod reconciliation;
mod refund;
mod renewal;
mod routing;
mod store;
mod subscription;
mod sweep;
mod tax_invoice;
mod webhook;

use std::sync::Arc;

use ::tax_invoice::Party;
use chrono::NaiveTime;
use kernel::Clock;
use pg_adapter::Gateways;
use platform::Vault;
use secrecy::SecretString;
use sqlx::PgPool;

pub use breaker::{BreakerState, Breakers};
pub use case::{CaseId, CaseKind, CaseStatus, Resolution};
pub use cash_receipt::{CashReceiptId, CashReceiptMove, CashReceiptStatus};
pub use error::{BillingError, IllegalMove};
pub use http::router;
pub use invariant::INVARIANTS;
pub use ledger::Account;
pub use merchant::{Connections, MerchantAccountId, MerchantAccountStatus};
pub use payment::{PaymentId, PaymentMove, PaymentReason, PaymentStatus};
pub use plan::{BillingCycle, DunningPolicy, Plan, WhenExhausted};
pub use reconciliation::ReconciliationStatus;
pub use refund::{RefundId, RefundMove, RefundStatus};
pub use renewal::RunReport;
pub use store::{
    invariant::InvariantCheck,
    metrics::{Counts, Gauges},
};
pub use subscription::{EndReason, Period, SubscriptionId, SubscriptionMove, SubscriptionStatus};
pub use sweep::add_demo_plan;
pub use tax_invoice::{CardSlipPolicy, NumberCheck, TaxInvoiceMove, TaxInvoiceStatus, TaxInvoicing};
pub use webhook::{ActOnWebhooks, Allowance, Arrivals};

/// What this context needs to work.
#[derive(Clone)]
pub struct Billing {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    pub gateways: Gateways,
    /// What this process has seen of them.
    pub breakers: Arc<Breakers>,
    /// Those that it has made with the credentials of businesses.
    pub connections: Arc<Connections>,
    /// Webhooks that this process is about to store.
    pub arrivals: Arc<Arrivals>,
    /// What webhooks may still make this process ask.
    pub allowance: Arc<Allowance>,
    pub vault: Vault,
    pub settings: Settings,
    /// None where this installation issues no tax invoices.
    pub tax_invoicing: Option<TaxInvoicing>,
}

#[derive(Clone)]
pub struct Settings {
    /// The time of day in Korea at which renewals are charged.
    pub charge_time: NaiveTime,
    /// How many charges a billing run has under way at once.
    pub concurrency: usize,
    /// What a scheduler outside must present to start a billing run.
    pub cron_secret: SecretString,
    /// Whose sales the payments are, as receipts name it; none where nobody said.
    pub seller: Option<Party>,
}

/// This context's migrations, in schema `billing`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A named step between a commit and a call, where tests kill the process. Compiled to nothing
/// unless the feature `failpoints` is on.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
pub(crate) use crash_point;

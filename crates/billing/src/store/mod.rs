//! Every SQL statement of this context, one file a table.
//!
//! Functions borrow a connection and neither begin nor commit. Rows are read under row-level
//! security; every statement of a tenant names its business all the same.

pub(crate) mod breaker;
pub(crate) mod case;
pub(crate) mod cash_receipt;
pub(crate) mod due;
pub(crate) mod invariant;
pub(crate) mod invoice;
pub(crate) mod ledger;
pub(crate) mod merchant_account;
pub(crate) mod metrics;
pub(crate) mod payment;
pub(crate) mod payment_method;
pub(crate) mod plan;
pub(crate) mod reconciliation;
pub(crate) mod refund;
pub(crate) mod route;
pub(crate) mod subscription;
pub(crate) mod supply;
pub(crate) mod tax_invoice;
pub(crate) mod view;
pub(crate) mod webhook;

use pg_adapter::Provider;

use crate::merchant::{Merchant, MerchantAccountId};

/// A provider's name as it was stored. One that this version does not know is our bug, not a guess.
fn provider(name: &str) -> sqlx::Result<Provider> {
    name.parse().map_err(|error| sqlx::Error::Decode(Box::new(error)))
}

/// A provider's name and an account, as they were stored.
fn merchant(provider_name: &str, account: Option<MerchantAccountId>) -> sqlx::Result<Merchant> {
    Ok(Merchant { provider: provider(provider_name)?, account })
}

/// One column of many rows, as `unnest` takes them.
fn column<R, V>(rows: &[R], value: impl Fn(&R) -> V) -> Vec<V> {
    rows.iter().map(value).collect()
}

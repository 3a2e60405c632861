//! Figures for operators.

use chrono::{DateTime, Utc};
use platform::SystemTx;
use sqlx::PgPool;

use super::invariant::{self, InvariantCheck};

/// How billing stands at one moment.
#[derive(Debug)]
pub struct Gauges {
    pub counts: Counts,
    pub invariants: Vec<InvariantCheck>,
}

/// What is open or due.
#[derive(Debug)]
pub struct Counts {
    /// Payments whose outcome is not known.
    pub open_attempts: i64,
    /// Age of the oldest of them, seconds.
    pub oldest_open_attempt: f64,
    /// Refunds whose outcome is not known.
    pub open_refunds: i64,
    /// Tax invoices of which nobody knows whether they were issued.
    pub open_tax_invoices: i64,
    /// The same of cash receipts, and of what was to be taken back of them.
    pub open_cash_receipts: i64,
    /// Subscriptions on which something is due now.
    pub due_subscriptions: i64,
}

impl Gauges {
    pub async fn read(db: &PgPool, now: DateTime<Utc>) -> sqlx::Result<Self> {
        let mut tx = SystemTx::begin(db).await?;
        let counts = sqlx::query_as!(
            Counts,
            r#"select
                   (select count(*) from billing.payment where status = 'PENDING') as "open_attempts!",
                   coalesce(
                       (select extract(epoch from $1 - min(created_at))::float8
                        from billing.payment where status = 'PENDING'), 0) as "oldest_open_attempt!",
                   (select count(*) from billing.refund where status = 'PENDING') as "open_refunds!",
                   (select count(*) from billing.tax_invoice where status = 'PENDING') as "open_tax_invoices!",
                   ((select count(*) from billing.cash_receipt where status = 'REQUESTED')
                       + (select count(*) from billing.cash_receipt_cancel where status = 'PENDING')) as "open_cash_receipts!",
                   (select count(*) from billing.subscription where due_at <= $1) as "due_subscriptions!""#,
            now,
        )
        .fetch_one(&mut *tx)
        .await?;
        Ok(Self { counts, invariants: invariant::last(&mut tx).await? })
    }
}

//! `billing.invoice`.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw};
use sqlx::PgConnection;

use crate::{
    invoice::{Invoice, InvoiceId},
    subscription::{Period, SubscriptionId},
};

pub(crate) async fn insert(
    conn: &mut PgConnection,
    invoice: &Invoice,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let split = invoice.amount.split_vat();
    sqlx::query!(
        "insert into billing.invoice
             (business_id, invoice_id, subscription_id, period_from, period_until, amount, supply_amount,
              vat_amount, status, due_on, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, 'OPEN', $9, $10)",
        invoice.business.0,
        invoice.id.0,
        invoice.subscription.0,
        invoice.period.from,
        invoice.period.until,
        invoice.amount.get(),
        split.supply.get(),
        split.vat.get(),
        invoice.due_on,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The columns of an invoice as the macros return them.
struct Row {
    id: InvoiceId,
    subscription: SubscriptionId,
    period_from: NaiveDate,
    period_until: NaiveDate,
    amount: Krw,
    due_on: NaiveDate,
    retries_used: i32,
}

impl Row {
    fn invoice(self, business: BusinessId) -> Invoice {
        Invoice {
            business,
            id: self.id,
            subscription: self.subscription,
            period: Period { from: self.period_from, until: self.period_until },
            amount: self.amount,
            due_on: self.due_on,
            retries_used: self.retries_used,
        }
    }
}

/// An invoice, open or closed.
pub(crate) async fn get(
    conn: &mut PgConnection,
    business: BusinessId,
    id: InvoiceId,
) -> sqlx::Result<Invoice> {
    let row = sqlx::query_as!(
        Row,
        r#"select invoice_id as "id: InvoiceId", subscription_id as "subscription: SubscriptionId", period_from,
                  period_until, amount as "amount: Krw", due_on, retries_used
           from billing.invoice where business_id = $1 and invoice_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.invoice(business))
}

/// The open invoice of a subscription.
pub(crate) async fn open_of(
    conn: &mut PgConnection,
    business: BusinessId,
    subscription: SubscriptionId,
) -> sqlx::Result<Option<Invoice>> {
    let row = sqlx::query_as!(
        Row,
        r#"select invoice_id as "id: InvoiceId", subscription_id as "subscription: SubscriptionId", period_from,
                  period_until, amount as "amount: Krw", due_on, retries_used
           from billing.invoice where business_id = $1 and subscription_id = $2 and status = 'OPEN'"#,
        business.0,
        subscription.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.invoice(business)))
}

pub(crate) async fn mark_paid(
    conn: &mut PgConnection,
    invoice: &Invoice,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    close(conn, invoice.business, invoice.subscription, "PAID", now).await
}

/// Nothing is owed any more: the subscription is over. Does nothing where nothing was open.
pub(crate) async fn void_open(
    conn: &mut PgConnection,
    business: BusinessId,
    subscription: SubscriptionId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    close(conn, business, subscription, "VOID", now).await
}

async fn close(
    conn: &mut PgConnection,
    business: BusinessId,
    subscription: SubscriptionId,
    status: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.invoice set status = $3, closed_at = $4
         where business_id = $1 and subscription_id = $2 and status = 'OPEN'",
        business.0,
        subscription.0,
        status,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn set_retries_used(
    conn: &mut PgConnection,
    invoice: &Invoice,
    used: i32,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.invoice set retries_used = $3 where business_id = $1 and invoice_id = $2",
        invoice.business.0,
        invoice.id.0,
        used,
    )
    .execute(conn)
    .await?;
    Ok(())
}

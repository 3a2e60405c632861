//! `billing.invoice`.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw};
use sqlx::PgConnection;

use crate::{
    invoice::{Invoice, InvoiceId},
    payment_method::PaymentMethodId,
    store::column,
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
    tried: Vec<PaymentMethodId>,
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
            tried: self.tried,
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
                  period_until, amount as "amount: Krw", due_on, retries_used, tried as "tried: Vec<PaymentMethodId>"
           from billing.invoice where business_id = $1 and invoice_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.invoice(business))
}

/// Whether it is still to be paid.
pub(crate) async fn is_open(
    conn: &mut PgConnection,
    business: BusinessId,
    id: InvoiceId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select status = 'OPEN' as "is_open!" from billing.invoice where business_id = $1 and invoice_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_one(conn)
    .await
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
                  period_until, amount as "amount: Krw", due_on, retries_used, tried as "tried: Vec<PaymentMethodId>"
           from billing.invoice where business_id = $1 and subscription_id = $2 and status = 'OPEN'"#,
        business.0,
        subscription.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.invoice(business)))
}

/// Invoices by their ids, open or closed, in whatever order.
pub(crate) async fn get_all(
    conn: &mut PgConnection,
    wanted: &[(BusinessId, InvoiceId)],
) -> sqlx::Result<Vec<Invoice>> {
    let rows = sqlx::query!(
        r#"select business_id as "business: BusinessId", invoice_id as "id: InvoiceId",
                  subscription_id as "subscription: SubscriptionId", period_from, period_until,
                  amount as "amount: Krw", due_on, retries_used, tried as "tried: Vec<PaymentMethodId>"
           from billing.invoice
           join unnest($1::bigint[], $2::uuid[]) as wanted (business_id, invoice_id)
               using (business_id, invoice_id)"#,
        &column(wanted, |(business, _)| business.0),
        &column(wanted, |(_, id)| id.0),
    )
    .fetch_all(conn)
    .await?;
    let invoices = rows.into_iter().map(|row| Invoice {
        business: row.business,
        id: row.id,
        subscription: row.subscription,
        period: Period { from: row.period_from, until: row.period_until },
        amount: row.amount,
        due_on: row.due_on,
        retries_used: row.retries_used,
        tried: row.tried,
    });
    Ok(invoices.collect())
}

/// OPEN becomes PAID, for the period that the invoice says.
pub(crate) async fn mark_paid(
    conn: &mut PgConnection,
    invoices: &[Invoice],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.invoice
         set status = 'PAID', period_from = paid.period_from, period_until = paid.period_until, closed_at = $5
         from unnest($1::bigint[], $2::uuid[], $3::date[], $4::date[])
             as paid (business_id, invoice_id, period_from, period_until)
         where invoice.business_id = paid.business_id and invoice.invoice_id = paid.invoice_id
           and invoice.status = 'OPEN'",
        &column(invoices, |invoice| invoice.business.0),
        &column(invoices, |invoice| invoice.id.0),
        &column(invoices, |invoice| invoice.period.from),
        &column(invoices, |invoice| invoice.period.until),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing is owed any more: the subscription is over. Does nothing where nothing was open.
pub(crate) async fn void_open(
    conn: &mut PgConnection,
    business: BusinessId,
    subscription: SubscriptionId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.invoice set status = 'VOID', closed_at = $3
         where business_id = $1 and subscription_id = $2 and status = 'OPEN'",
        business.0,
        subscription.0,
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

/// Remembers which cards were tried in the present round.
pub(crate) async fn set_tried(conn: &mut PgConnection, invoices: &[&Invoice]) -> sqlx::Result<()> {
    for invoice in invoices {
        sqlx::query!(
            "update billing.invoice set tried = $3 where business_id = $1 and invoice_id = $2",
            invoice.business.0,
            invoice.id.0,
            &invoice.tried.iter().map(|method| method.0).collect::<Vec<_>>(),
        )
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

//! The judge: what we believe to have charged, against what the provider charged.

use std::collections::HashMap;

use anyhow::ensure;
use serde::Deserialize;
use sqlx::PgConnection;

/// A line of the sandbox's book, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookLine {
    order_id: String,
    amount: i64,
}

/// What was charged, won by order.
type Charges = HashMap<String, i64>;

/// Fails unless book and ledger hold the same charges, order by order and won by won, and nothing is
/// left open. Answers with how many there are and what they add up to.
pub(crate) async fn compare(conn: &mut PgConnection, sandbox_url: &str) -> anyhow::Result<(usize, i64)> {
    let lines: Vec<BookLine> =
        reqwest::get(format!("{sandbox_url}/_sandbox/book?kind=CHARGE&status=APPROVED"))
            .await?
            .json()
            .await?;
    // The yardstick's charges are in the book as well.
    let ours: Vec<BookLine> = lines.into_iter().filter(|line| line.order_id.starts_with("dg")).collect();
    let lines = ours.len();
    let book: Charges = ours.into_iter().map(|line| (line.order_id, line.amount)).collect();
    ensure!(book.len() == lines, "the book charges an order twice");
    let ledger: Charges = sqlx::query_as::<_, (String, i64)>(
        "select order_id, amount from billing.payment where status = 'SUCCESS' and reason <> 'FIRST'",
    )
    .fetch_all(&mut *conn)
    .await?
    .into_iter()
    .collect();
    ensure!(book == ledger, "the book has {} charges, the ledger {}", book.len(), ledger.len());
    let open: i64 = sqlx::query_scalar(
        "select (select count(*) from billing.payment where status <> 'SUCCESS')
              + (select count(*) from billing.invoice where status <> 'PAID')
              + (select count(*) from billing.subscription where due_at <= now() + interval '2 hours' or due_at is null)",
    )
    .fetch_one(&mut *conn)
    .await?;
    ensure!(open == 0, "{open} payments, invoices or subscriptions were left open");
    let events: i64 =
        sqlx::query_scalar("select count(*) from platform.event where kind = 'payment.succeeded'")
            .fetch_one(conn)
            .await?;
    ensure!(usize::try_from(events)? == ledger.len(), "{events} events for {} charges", ledger.len());
    Ok((ledger.len(), ledger.values().sum()))
}

//! `billing.ledger_entry` and the providers' terms.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use pg_adapter::Provider;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    http::reconciliations::BalanceView,
    ledger::{Account, Fee, FeeRate, Posting},
    payment::Payment,
    store::column,
};

/// What each provider keeps of a payment.
pub(crate) async fn fee_rates(conn: &mut PgConnection) -> sqlx::Result<HashMap<Provider, FeeRate>> {
    let rows =
        sqlx::query!("select provider, fee_basis_points from billing.provider_terms").fetch_all(conn).await?;
    // Terms of a provider that this version does not know concern nobody.
    let rates =
        rows.into_iter().filter_map(|row| Some((row.provider.parse().ok()?, FeeRate(row.fee_basis_points))));
    Ok(rates.collect())
}

/// Posts whole transactions with one statement, as the table demands.
pub(crate) async fn post(
    conn: &mut PgConnection,
    postings: &[Posting],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    let entries: Vec<(&Posting, Account, i64)> = postings
        .iter()
        .flat_map(|posting| posting.entries.iter().map(move |(account, amount)| (posting, *account, *amount)))
        .collect();
    if entries.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into billing.ledger_entry
             (business_id, transaction_id, account, amount, kind, provider, payment_id, refund_id, posted_at)
         select posted.*, $9
         from unnest($1::bigint[], $2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::bigint[],
                     $8::uuid[]) as posted",
        &column(&entries, |(posting, ..)| posting.business.0),
        &column(&entries, |(posting, ..)| posting.id),
        &column(&entries, |(_, account, _)| account.as_str().to_owned()),
        &column(&entries, |(.., amount)| *amount),
        &column(&entries, |(posting, ..)| posting.kind.as_str().to_owned()),
        &column(&entries, |(posting, ..)| posting.provider.as_str().to_owned()),
        &column(&entries, |(posting, ..)| posting.payment.0),
        &column(&entries, |(posting, ..)| posting.kind.refund().map(|refund| refund.0)) as &[Option<Uuid>],
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What the provider kept of a payment when it was approved. Its terms may be others by now.
pub(crate) async fn fee_of(conn: &mut PgConnection, payment: &Payment) -> sqlx::Result<Fee> {
    let fee = sqlx::query_scalar!(
        r#"select coalesce(sum(amount), 0)::bigint as "fee!" from billing.ledger_entry
           where business_id = $1 and payment_id = $2 and kind = 'FEE' and account = 'PROVIDER_FEES'
             and refund_id is null"#,
        payment.business.0,
        payment.id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(Fee(fee))
}

/// What the provider owes us for a payment, won. Read with the payment locked.
pub(crate) async fn owed_for(conn: &mut PgConnection, payment: &Payment) -> sqlx::Result<i64> {
    sqlx::query_scalar!(
        r#"select coalesce(sum(amount), 0)::bigint as "owed!" from billing.ledger_entry
           where business_id = $1 and payment_id = $2 and account = 'PROVIDER_RECEIVABLE'"#,
        payment.business.0,
        payment.id.0,
    )
    .fetch_one(conn)
    .await
}

/// The balances by account and provider, of one business or of all.
pub(crate) async fn balances(
    conn: &mut PgConnection,
    business: Option<BusinessId>,
) -> sqlx::Result<Vec<BalanceView>> {
    sqlx::query_as!(
        BalanceView,
        r#"select account as "account: Account", provider, sum(amount)::bigint as "balance!"
           from billing.ledger_entry where $1::bigint is null or business_id = $1
           group by account, provider order by account, provider"#,
        business.map(|id| id.0),
    )
    .fetch_all(conn)
    .await
}

//! `billing.webhook`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use crate::{
    merchant::{Merchant, MerchantAccountId},
    store::column,
};

pub(crate) struct NewWebhook<'a> {
    pub merchant: Merchant,
    pub delivery_id: &'a str,
    pub kind: &'a str,
    /// Sealed.
    pub body: &'a str,
    pub order_id: Option<&'a str>,
    pub payment_key: Option<&'a str>,
    pub billing_key_hash: Option<&'a [u8]>,
    /// When to act on it; none for those that are only kept.
    pub due_at: Option<DateTime<Utc>>,
}

/// Stores a delivery; false if it is stored already.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    webhook: &NewWebhook<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let inserted = sqlx::query!(
        "insert into billing.webhook
             (provider, delivery_id, kind, body, order_id, payment_key, billing_key_hash, received_at, due_at,
              merchant_account_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing",
        webhook.merchant.provider.as_str(),
        webhook.delivery_id,
        webhook.kind,
        webhook.body,
        webhook.order_id,
        webhook.payment_key,
        webhook.billing_key_hash,
        now,
        webhook.due_at,
        webhook.merchant.account.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// A webhook that something is to be done about.
pub(crate) struct DueWebhook {
    pub merchant: Merchant,
    pub delivery_id: String,
    pub kind: String,
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
    pub billing_key_hash: Option<Vec<u8>>,
    pub tries: i32,
}

/// Takes webhooks that were not acted on yet, for this worker until `lease`.
pub(crate) async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DueWebhook>> {
    sqlx::query!(
        r#"update billing.webhook
         set due_at = $2, tries = webhook.tries + 1
         from (
             select provider, delivery_id from billing.webhook
             where due_at <= $1 order by due_at limit $3 for update skip locked
         ) due
         where webhook.provider = due.provider and webhook.delivery_id = due.delivery_id
         returning webhook.provider, webhook.delivery_id, webhook.kind, webhook.order_id, webhook.payment_key,
                   webhook.billing_key_hash, webhook.tries,
                   webhook.merchant_account_id as "account: MerchantAccountId""#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| {
        Ok(DueWebhook {
            merchant: super::merchant(&row.provider, row.account)?,
            delivery_id: row.delivery_id,
            kind: row.kind,
            order_id: row.order_id,
            payment_key: row.payment_key,
            billing_key_hash: row.billing_key_hash,
            tries: row.tries,
        })
    })
    .collect()
}

/// Writes down what became of webhooks: acted on (none), or to be tried again then.
pub(crate) async fn reschedule(
    conn: &mut PgConnection,
    acted: &[(DueWebhook, Option<DateTime<Utc>>)],
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.webhook set due_at = acted.due_at
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as acted (provider, delivery_id, due_at)
         where webhook.provider = acted.provider and webhook.delivery_id = acted.delivery_id",
        &column(acted, |(webhook, _)| webhook.merchant.provider.as_str().to_owned()),
        &column(acted, |(webhook, _)| webhook.delivery_id.clone()),
        &column(acted, |(_, due_at)| *due_at) as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

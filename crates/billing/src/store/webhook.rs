//! `billing.webhook`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    merchant::{Merchant, MerchantAccountId},
    store::column,
};

pub(crate) struct NewWebhook {
    pub merchant: Merchant,
    pub delivery_id: String,
    pub kind: String,
    /// Sealed.
    pub body: String,
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
    pub billing_key_hash: Option<Vec<u8>>,
    pub received_at: DateTime<Utc>,
    /// When to act on it; none for those that are only kept.
    pub due_at: Option<DateTime<Utc>>,
}

impl NewWebhook {
    /// What it is known by.
    pub(crate) fn name(&self) -> (&'static str, &str) {
        (self.merchant.provider.as_str(), &self.delivery_id)
    }
}

/// Stores deliveries; answers with the names of those that were not stored already. They come in the
/// order of their names, so that two who store the same ones do not wait for each other.
pub(crate) async fn insert_all(
    conn: &mut PgConnection,
    webhooks: &[NewWebhook],
) -> sqlx::Result<Vec<(String, String)>> {
    let inserted = sqlx::query!(
        "insert into billing.webhook
             (provider, delivery_id, kind, body, order_id, payment_key, billing_key_hash, received_at, due_at,
              merchant_account_id)
         select fresh.*
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                     $8::timestamptz[], $9::timestamptz[], $10::uuid[]) as fresh
         on conflict do nothing
         returning provider, delivery_id",
        &column(webhooks, |webhook| webhook.merchant.provider.as_str().to_owned()),
        &column(webhooks, |webhook| webhook.delivery_id.clone()),
        &column(webhooks, |webhook| webhook.kind.clone()),
        &column(webhooks, |webhook| webhook.body.clone()),
        &column(webhooks, |webhook| webhook.order_id.clone()) as &[Option<String>],
        &column(webhooks, |webhook| webhook.payment_key.clone()) as &[Option<String>],
        &column(webhooks, |webhook| webhook.billing_key_hash.clone()) as &[Option<Vec<u8>>],
        &column(webhooks, |webhook| webhook.received_at),
        &column(webhooks, |webhook| webhook.due_at) as &[Option<DateTime<Utc>>],
        &column(webhooks, |webhook| webhook.merchant.account.map(|id| id.0)) as &[Option<Uuid>],
    )
    .fetch_all(conn)
    .await?;
    Ok(inserted.into_iter().map(|row| (row.provider, row.delivery_id)).collect())
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
        "update billing.webhook set due_at = acted.due_at, tries = acted.tries
         from unnest($1::text[], $2::text[], $3::timestamptz[], $4::integer[])
             as acted (provider, delivery_id, due_at, tries)
         where webhook.provider = acted.provider and webhook.delivery_id = acted.delivery_id",
        &column(acted, |(webhook, _)| webhook.merchant.provider.as_str().to_owned()),
        &column(acted, |(webhook, _)| webhook.delivery_id.clone()),
        &column(acted, |(_, due_at)| *due_at) as &[Option<DateTime<Utc>>],
        &column(acted, |(webhook, _)| webhook.tries),
    )
    .execute(conn)
    .await?;
    Ok(())
}

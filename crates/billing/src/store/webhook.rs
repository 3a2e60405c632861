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
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
    pub billing_key_hash: Option<Vec<u8>>,
    pub received_at: DateTime<Utc>,
    /// When to act on it; none for those that are only kept.
    pub due_at: Option<DateTime<Utc>>,
}

/// Part of a key here, so the platform's is the nil id and not null.
fn account(merchant: Merchant) -> Uuid {
    merchant.account.map_or(Uuid::nil(), |id| id.0)
}

/// Stores deliveries. One that came before is acted on again if it is done with: whoever can guess ids may
/// have sent it first. They are locked in the order of their names here as in [`reschedule`], so that
/// nobody waits for somebody who waits.
pub(crate) async fn insert_all(conn: &mut PgConnection, webhooks: &[NewWebhook]) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.webhook
             (provider, merchant_account_id, delivery_id, kind, order_id, payment_key, billing_key_hash,
              received_at, due_at, is_ours)
         select distinct on (fresh.provider, fresh.account, fresh.delivery_id) fresh.*,
                exists (
                    select from billing.payment
                    where payment.order_id = fresh.order_id and payment.provider = fresh.provider
                      and coalesce(payment.merchant_account_id, '00000000-0000-0000-0000-000000000000')
                          = fresh.account)
                or exists (
                    select from billing.payment_method method
                    where method.billing_key_hash = fresh.billing_key_hash and method.provider = fresh.provider
                      and method.status = 'ACTIVE')
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                     $8::timestamptz[], $9::timestamptz[])
             as fresh (provider, account, delivery_id, kind, order_id, payment_key, billing_key_hash,
                       received_at, due_at)
         order by fresh.provider, fresh.account, fresh.delivery_id
         on conflict (provider, merchant_account_id, delivery_id) do update
         set received_at = excluded.received_at, is_ours = excluded.is_ours,
             due_at = coalesce(webhook.due_at, excluded.due_at),
             tries = case when webhook.due_at is null then 0 else webhook.tries end
         -- One that waits for its first turn has it anyway.
         where webhook.due_at is null or webhook.due_at > excluded.received_at",
        &column(webhooks, |webhook| webhook.merchant.provider.as_str().to_owned()),
        &column(webhooks, |webhook| account(webhook.merchant)),
        &column(webhooks, |webhook| webhook.delivery_id.clone()),
        &column(webhooks, |webhook| webhook.kind.clone()),
        &column(webhooks, |webhook| webhook.order_id.clone()) as &[Option<String>],
        &column(webhooks, |webhook| webhook.payment_key.clone()) as &[Option<String>],
        &column(webhooks, |webhook| webhook.billing_key_hash.clone()) as &[Option<Vec<u8>>],
        &column(webhooks, |webhook| webhook.received_at),
        &column(webhooks, |webhook| webhook.due_at) as &[Option<DateTime<Utc>>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A webhook that something is to be done about.
pub(crate) struct DueWebhook {
    pub merchant: Merchant,
    pub delivery_id: String,
    pub kind: String,
    pub order_id: Option<String>,
    pub payment_key: Option<String>,
    pub billing_key_hash: Option<Vec<u8>>,
    pub received_at: DateTime<Utc>,
    pub tries: i32,
}

/// Whose orders and keys webhooks are about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum About {
    Ours,
    Strays,
}

/// Takes webhooks that were not acted on yet, for this worker until `lease`.
pub(crate) async fn claim_due(
    conn: &mut PgConnection,
    about: About,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<DueWebhook>> {
    sqlx::query!(
        r#"update billing.webhook
         set due_at = $2, tries = webhook.tries + 1
         from (
             select provider, merchant_account_id, delivery_id from billing.webhook
             where is_ours = $4 and due_at <= $1 order by due_at limit $3 for update skip locked
         ) due
         where webhook.provider = due.provider and webhook.merchant_account_id = due.merchant_account_id
           and webhook.delivery_id = due.delivery_id
         returning webhook.provider, webhook.delivery_id, webhook.kind, webhook.order_id, webhook.payment_key,
                   webhook.billing_key_hash, webhook.received_at, webhook.tries,
                   nullif(webhook.merchant_account_id, '00000000-0000-0000-0000-000000000000')
                       as "account: MerchantAccountId""#,
        now,
        lease,
        limit,
        about == About::Ours,
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
            received_at: row.received_at,
            tries: row.tries,
        })
    })
    .collect()
}

/// Writes down what became of webhooks: acted on (none), or to be tried again then. One that came again
/// meanwhile tells of something that we may have asked too early about.
pub(crate) async fn reschedule(
    conn: &mut PgConnection,
    acted: &[(DueWebhook, Option<DateTime<Utc>>)],
) -> sqlx::Result<()> {
    sqlx::query!(
        "with acted as materialized (
             select webhook.provider, webhook.merchant_account_id, webhook.delivery_id, told.due_at, told.tries,
                    case when webhook.received_at > told.received_at then webhook.received_at end as came_again_at
             from billing.webhook
             join unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[], $5::integer[], $6::timestamptz[])
                 as told (provider, merchant_account_id, delivery_id, due_at, tries, received_at)
                 using (provider, merchant_account_id, delivery_id)
             order by webhook.provider, webhook.merchant_account_id, webhook.delivery_id
             for update of webhook
         )
         update billing.webhook
         set due_at = coalesce(acted.due_at, acted.came_again_at),
             tries = case when acted.due_at is null and acted.came_again_at is not null then 0 else acted.tries end
         from acted
         where webhook.provider = acted.provider and webhook.merchant_account_id = acted.merchant_account_id
           and webhook.delivery_id = acted.delivery_id",
        &column(acted, |(webhook, _)| webhook.merchant.provider.as_str().to_owned()),
        &column(acted, |(webhook, _)| account(webhook.merchant)),
        &column(acted, |(webhook, _)| webhook.delivery_id.clone()),
        &column(acted, |(_, due_at)| *due_at) as &[Option<DateTime<Utc>>],
        &column(acted, |(webhook, _)| webhook.tries),
        &column(acted, |(webhook, _)| webhook.received_at),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes those that were acted on and did not come again since. A repeat after that is only looked into
/// once more.
pub(crate) async fn forget_done(conn: &mut PgConnection, before: DateTime<Utc>) -> sqlx::Result<()> {
    sqlx::query!("delete from billing.webhook where due_at is null and received_at < $1", before)
        .execute(conn)
        .await?;
    Ok(())
}

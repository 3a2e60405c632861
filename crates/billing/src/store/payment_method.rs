//! `billing.payment_method`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use pg_adapter::{Card, Provider};
use sqlx::PgConnection;

use crate::{
    merchant::{Merchant, MerchantAccountId},
    payment_method::{PaymentMethod, PaymentMethodId, PaymentMethodStatus, Standby},
    store::{column, due::CardOnFile},
    subscription::Subscription,
};

pub(crate) struct NewPaymentMethod<'a> {
    pub business: BusinessId,
    pub id: PaymentMethodId,
    pub merchant: Merchant,
    pub customer_key: &'a str,
    /// Sealed.
    pub auth_key: &'a str,
    /// When a lost answer is fetched.
    pub due_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    method: &NewPaymentMethod<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.payment_method
             (business_id, payment_method_id, provider, customer_key, status, auth_key, due_at, created_at,
              merchant_account_id)
         values ($1, $2, $3, $4, 'ISSUING', $5, $6, $7, $8)",
        method.business.0,
        method.id.0,
        method.merchant.provider.as_str(),
        method.customer_key,
        method.auth_key,
        method.due_at,
        now,
        method.merchant.account.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A key that came along with a payment. ACTIVE if a subscription takes it at once, else RELEASING.
pub(crate) struct IssuedMethod<'a> {
    pub business: BusinessId,
    pub id: PaymentMethodId,
    pub merchant: Merchant,
    pub customer_key: &'a str,
    pub key: SealedKey,
    pub card: &'a Card,
    pub is_wanted: bool,
}

pub(crate) async fn insert_issued(
    conn: &mut PgConnection,
    method: &IssuedMethod<'_>,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.payment_method
             (business_id, payment_method_id, provider, customer_key, status, billing_key, billing_key_hash,
              card_company, card_number, due_at, created_at, merchant_account_id)
         values ($1, $2, $3, $4, case when $9 then 'ACTIVE' else 'RELEASING' end, $5, $6, $7, $8,
                 case when $9 then null else $10::timestamptz end, $10, $11)",
        method.business.0,
        method.id.0,
        method.merchant.provider.as_str(),
        method.customer_key,
        method.key.sealed,
        method.key.hash,
        method.card.company,
        method.card.display_number(),
        method.is_wanted,
        now,
        method.merchant.account.map(|id| id.0),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Locks the row until the transaction ends.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
) -> sqlx::Result<Option<PaymentMethod>> {
    sqlx::query!(
        r#"select provider, merchant_account_id as "account: MerchantAccountId", customer_key, status as "status: PaymentMethodStatus", auth_key, billing_key, tries
           from billing.payment_method where business_id = $1 and payment_method_id = $2 for update"#,
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(|row| {
        Ok(PaymentMethod {
            business,
            id,
            merchant: super::merchant(&row.provider, row.account)?,
            customer_key: row.customer_key,
            status: row.status,
            auth_key: row.auth_key,
            billing_key: row.billing_key,
            tries: row.tries,
        })
    })
    .transpose()
}

/// The provider's key, sealed, with its keyed hash.
pub(crate) struct SealedKey {
    pub sealed: String,
    pub hash: Vec<u8>,
}

/// ISSUING becomes RELEASING: the key is deleted at `release_at` unless a subscription has come to
/// [`keep`] it by then.
pub(crate) async fn store_key(
    conn: &mut PgConnection,
    method: &PaymentMethod,
    key: &SealedKey,
    card: &Card,
    release_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method
         set status = 'RELEASING', auth_key = null, billing_key = $3, billing_key_hash = $4,
             card_company = $5, card_number = $6, due_at = $7, tries = 0
         where business_id = $1 and payment_method_id = $2 and status = 'ISSUING'",
        method.business.0,
        method.id.0,
        key.sealed,
        key.hash,
        card.company,
        card.display_number(),
        release_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// RELEASING becomes ACTIVE, in the transaction that gives the card to a subscription. False if the
/// sweep took it first: then the key is being deleted.
pub(crate) async fn keep(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
) -> sqlx::Result<bool> {
    let kept = sqlx::query!(
        "update billing.payment_method set status = 'ACTIVE', due_at = null
         where business_id = $1 and payment_method_id = $2 and status = 'RELEASING' and tries = 0",
        business.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(kept.rows_affected() == 1)
}

/// The key is not needed any more; the sweep deletes it at the provider.
pub(crate) async fn release(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set status = 'RELEASING', due_at = $3, tries = 0
         where business_id = $1 and payment_method_id = $2 and status in ('ACTIVE', 'UNUSABLE')",
        business.0,
        id.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Nothing is charged any more: all of a business's keys are deleted at their providers.
pub(crate) async fn release_all(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set status = 'RELEASING', due_at = $2, tries = 0
         where business_id = $1 and status in ('ACTIVE', 'UNUSABLE')",
        business.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The cards that other ones took the place of are not needed any more.
pub(crate) async fn release_predecessors(
    conn: &mut PgConnection,
    businesses: &[BusinessId],
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set status = 'RELEASING', due_at = $2, tries = 0
         where business_id = any($1) and standby = 'PREDECESSOR' and status in ('ACTIVE', 'UNUSABLE')",
        &column(businesses, |business| business.0),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Keeps a card beside the one that the subscription names.
pub(crate) async fn stand_by(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
    standby: Standby,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set standby = $3
         where business_id = $1 and payment_method_id = $2 and status in ('ACTIVE', 'UNUSABLE')",
        business.0,
        id.0,
        standby as Standby,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The backup that a business has at a provider.
pub(crate) async fn backup_at(
    conn: &mut PgConnection,
    business: BusinessId,
    provider: Provider,
) -> sqlx::Result<Option<PaymentMethodId>> {
    sqlx::query_scalar!(
        r#"select payment_method_id as "id: PaymentMethodId" from billing.payment_method
           where business_id = $1 and provider = $2 and standby = 'BACKUP' and status in ('ACTIVE', 'UNUSABLE')"#,
        business.0,
        provider.as_str(),
    )
    .fetch_optional(conn)
    .await
}

/// The usable cards that these businesses have to fall back on, predecessors first.
pub(crate) async fn standbys(
    conn: &mut PgConnection,
    businesses: &[BusinessId],
) -> sqlx::Result<HashMap<BusinessId, Vec<CardOnFile>>> {
    let rows = sqlx::query!(
        r#"select business_id as "business: BusinessId", payment_method_id as "id: PaymentMethodId", provider,
                  merchant_account_id as "account: MerchantAccountId", billing_key, customer_key
           from billing.payment_method
           where business_id = any($1) and standby is not null and status = 'ACTIVE'
           order by standby desc, payment_method_id"#,
        &column(businesses, |business| business.0),
    )
    .fetch_all(conn)
    .await?;
    let mut cards: HashMap<BusinessId, Vec<CardOnFile>> = HashMap::new();
    for row in rows {
        cards.entry(row.business).or_default().push(CardOnFile {
            id: row.id,
            merchant: super::merchant(&row.provider, row.account)?,
            usable: true,
            billing_key: row.billing_key,
            customer_key: row.customer_key,
        });
    }
    Ok(cards)
}

/// There is no key, or no longer.
pub(crate) async fn mark_released(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method
         set status = 'RELEASED', auth_key = null, billing_key = null, billing_key_hash = null, due_at = null
         where business_id = $1 and payment_method_id = $2 and status in ('ISSUING', 'RELEASING')",
        business.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The card will not work again: no further charge is tried with it.
pub(crate) async fn mark_unusable(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set status = 'UNUSABLE'
         where business_id = $1 and payment_method_id = $2 and status = 'ACTIVE'",
        business.0,
        id.0,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The active methods that hold this key: one at most, but a hash is no proof of uniqueness.
pub(crate) async fn active_with_key(
    conn: &mut PgConnection,
    provider: Provider,
    key_hash: &[u8],
) -> sqlx::Result<Vec<(BusinessId, PaymentMethodId)>> {
    let rows = sqlx::query!(
        r#"select business_id as "business: BusinessId", payment_method_id as "id: PaymentMethodId"
           from billing.payment_method
           where provider = $1 and billing_key_hash = $2 and status = 'ACTIVE'"#,
        provider.as_str(),
        key_hash,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.id)).collect())
}

/// Whether anybody holds this key. Whoever asks next waits until this transaction ends, so that of two
/// who bring the same key at once only one comes to hold it.
pub(crate) async fn is_held(
    conn: &mut PgConnection,
    provider: Provider,
    key_hash: &[u8],
) -> sqlx::Result<bool> {
    let place = key_hash.iter().take(8).fold(0_i64, |place, byte| place << 8 | i64::from(*byte));
    sqlx::query!("select pg_advisory_xact_lock($1)", place).execute(&mut *conn).await?;
    sqlx::query_scalar!(
        r#"select exists (
               select from billing.payment_method where provider = $1 and billing_key_hash = $2) as "is_held!""#,
        provider.as_str(),
        key_hash,
    )
    .fetch_one(conn)
    .await
}

/// Whether the business has this card, to be charged with or to be replaced.
pub(crate) async fn is_kept(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (
               select from billing.payment_method
               where business_id = $1 and payment_method_id = $2 and status in ('ACTIVE', 'UNUSABLE')) as "is_kept!""#,
        business.0,
        id.0,
    )
    .fetch_one(conn)
    .await
}

/// Takes the methods on which something is due for this worker until `lease`, by pushing them out of
/// reach of the others. A RELEASING one waits while a charge with its key is open.
pub(crate) async fn claim_due(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
    lease: DateTime<Utc>,
    limit: i64,
) -> sqlx::Result<Vec<(BusinessId, PaymentMethodId)>> {
    let rows = sqlx::query!(
        r#"update billing.payment_method method
           set due_at = $2, tries = method.tries + 1
           from (
               select business_id, payment_method_id from billing.payment_method due
               where due_at <= $1
                 and not exists (
                     select from billing.payment
                     where payment.business_id = due.business_id
                       and payment.payment_method_id = due.payment_method_id
                       and payment.status = 'PENDING')
               order by due_at limit $3 for update skip locked
           ) due
           where method.business_id = due.business_id and method.payment_method_id = due.payment_method_id
           returning method.business_id as "business: BusinessId", method.payment_method_id as "id: PaymentMethodId""#,
        now,
        lease,
        limit,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.business, row.id)).collect())
}

/// Tries again at `due_at`.
pub(crate) async fn postpone(
    conn: &mut PgConnection,
    business: BusinessId,
    id: PaymentMethodId,
    due_at: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.payment_method set due_at = $3
         where business_id = $1 and payment_method_id = $2 and due_at is not null",
        business.0,
        id.0,
        due_at,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The card that a subscription is charged on.
pub(crate) async fn on_file(
    conn: &mut PgConnection,
    subscription: &Subscription,
) -> sqlx::Result<Option<CardOnFile>> {
    let Some(id) = subscription.method else { return Ok(None) };
    let row = sqlx::query!(
        r#"select provider, merchant_account_id as "account: MerchantAccountId", status as "status: PaymentMethodStatus", billing_key, customer_key
           from billing.payment_method where business_id = $1 and payment_method_id = $2"#,
        subscription.business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await?;
    row.map(|row| {
        Ok(CardOnFile {
            id,
            merchant: super::merchant(&row.provider, row.account)?,
            usable: row.status == PaymentMethodStatus::Active,
            billing_key: row.billing_key,
            customer_key: row.customer_key,
        })
    })
    .transpose()
}

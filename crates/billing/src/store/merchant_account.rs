//! `billing.merchant_account`.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, KoreanTime, korean_day};
use pg_adapter::Provider;
use sqlx::PgConnection;

use crate::merchant::{Merchant, MerchantAccount, MerchantAccountId, MerchantAccountStatus};

struct Row {
    business: BusinessId,
    id: MerchantAccountId,
    provider: String,
    credentials: String,
    version: i32,
}

impl Row {
    fn account(self) -> sqlx::Result<MerchantAccount> {
        Ok(MerchantAccount {
            business: self.business,
            id: self.id,
            provider: super::provider(&self.provider)?,
            credentials: self.credentials,
            version: self.version,
        })
    }
}

pub(crate) async fn find(
    conn: &mut PgConnection,
    id: MerchantAccountId,
) -> sqlx::Result<Option<MerchantAccount>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", merchant_account_id as "id: MerchantAccountId", provider,
                  credentials, version
           from billing.merchant_account where merchant_account_id = $1"#,
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(Row::account)
    .transpose()
}

/// The account of a business to which its new cards and orders at a provider come.
pub(crate) async fn active(
    conn: &mut PgConnection,
    business: BusinessId,
    provider: Provider,
) -> sqlx::Result<Option<MerchantAccount>> {
    let accounts = all_active(conn, business).await?;
    Ok(accounts.into_iter().find(|account| account.provider == provider))
}

pub(crate) async fn all_active(
    conn: &mut PgConnection,
    business: BusinessId,
) -> sqlx::Result<Vec<MerchantAccount>> {
    sqlx::query_as!(
        Row,
        r#"select business_id as "business: BusinessId", merchant_account_id as "id: MerchantAccountId", provider,
                  credentials, version
           from billing.merchant_account where business_id = $1 and status = 'ACTIVE' order by merchant_account_id"#,
        business.0,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Row::account)
    .collect()
}

/// The accounts whose days are compared, each with the day on which it was registered: those in use, and
/// retired ones that hold a card, that were retired after `retired_since`, or of which a day is to be
/// tried again.
pub(crate) async fn compared(
    conn: &mut PgConnection,
    retired_since: DateTime<Utc>,
) -> sqlx::Result<Vec<(Merchant, Option<NaiveDate>)>> {
    sqlx::query!(
        r#"select merchant_account_id as "id: MerchantAccountId", provider, created_at
           from billing.merchant_account account
           where status = 'ACTIVE' or changed_at > $1
              or exists (
                  select from billing.payment_method method
                  where method.merchant_account_id = account.merchant_account_id and method.status <> 'RELEASED')
              or exists (
                  select from billing.reconciliation day
                  where day.merchant_account_id = account.merchant_account_id and day.due_at is not null)
           order by merchant_account_id"#,
        retired_since,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| Ok((super::merchant(&row.provider, Some(row.id))?, Some(korean_day(row.created_at)))))
    .collect()
}

/// Whether there is such a business, as `identity` publishes it.
pub(crate) async fn is_business(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        r#"select exists (select from identity_read.business where business_id = $1) as "is_business!""#,
        business.0,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    account: &MerchantAccount,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into billing.merchant_account
             (business_id, merchant_account_id, provider, credentials, created_by, created_at, changed_by, changed_at)
         values ($1, $2, $3, $4, $5, $6, $5, $6)",
        account.business.0,
        account.id.0,
        account.provider.as_str(),
        account.credentials,
        by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The provider's id of the latest payment that was made under a contract.
pub(crate) async fn latest_payment(
    conn: &mut PgConnection,
    account: &MerchantAccount,
) -> sqlx::Result<Option<String>> {
    let key = sqlx::query_scalar!(
        "select payment_key from billing.payment
         where business_id = $1 and merchant_account_id = $2 and approved_at is not null
         order by approved_at desc limit 1",
        account.business.0,
        account.id.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(key.flatten())
}

/// Other credentials of the same contract, from the next request on.
pub(crate) async fn change_credentials(
    conn: &mut PgConnection,
    account: &MerchantAccount,
    sealed: &str,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.merchant_account
         set credentials = $3, version = version + 1, changed_by = $4, changed_at = $5
         where business_id = $1 and merchant_account_id = $2",
        account.business.0,
        account.id.0,
        sealed,
        by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// ACTIVE becomes RETIRED; one that is stays so.
pub(crate) async fn retire(
    conn: &mut PgConnection,
    account: &MerchantAccount,
    by: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update billing.merchant_account set status = 'RETIRED', changed_by = $3, changed_at = $4
         where business_id = $1 and merchant_account_id = $2 and status = 'ACTIVE'",
        account.business.0,
        account.id.0,
        by,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// An account as operators see it.
pub(crate) struct ListedAccount {
    pub account: MerchantAccount,
    pub status: MerchantAccountStatus,
    /// Cards that are charged by it.
    pub cards: i64,
    pub changed_by: String,
    pub created_at: KoreanTime,
    pub changed_at: KoreanTime,
}

/// Which accounts are wanted.
#[derive(Default)]
pub(crate) struct AccountFilter {
    pub business: Option<BusinessId>,
    /// Older than this one.
    pub before: Option<MerchantAccountId>,
    /// No other than this one.
    pub only: Option<MerchantAccountId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    filter: &AccountFilter,
) -> sqlx::Result<Vec<ListedAccount>> {
    sqlx::query!(
        r#"select business_id as "business: BusinessId", merchant_account_id as "id: MerchantAccountId", provider,
                  credentials, version, status as "status: MerchantAccountStatus", changed_by,
                  created_at as "created_at: KoreanTime", changed_at as "changed_at: KoreanTime",
                  (select count(*) from billing.payment_method method
                   where method.merchant_account_id = account.merchant_account_id
                     and method.status in ('ACTIVE', 'UNUSABLE')) as "cards!"
           from billing.merchant_account account
           where ($1::bigint is null or business_id = $1) and ($2::uuid is null or merchant_account_id < $2)
             and ($3::uuid is null or merchant_account_id = $3)
           order by merchant_account_id desc limit $4"#,
        filter.business.map(|id| id.0),
        filter.before.map(|id| id.0),
        filter.only.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(|row| {
        let account = Row {
            business: row.business,
            id: row.id,
            provider: row.provider,
            credentials: row.credentials,
            version: row.version,
        };
        Ok(ListedAccount {
            account: account.account()?,
            status: row.status,
            cards: row.cards,
            changed_by: row.changed_by,
            created_at: row.created_at,
            changed_at: row.changed_at,
        })
    })
    .collect()
}

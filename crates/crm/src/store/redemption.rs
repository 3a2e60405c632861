//! `crm.redemption`.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use sqlx::PgConnection;

use crate::coupon::code::Code;

/// A use of a code, that may have been given back.
#[derive(Clone, Debug)]
pub(crate) struct Redemption {
    pub reference: String,
    pub amount: Krw,
    pub discount: Krw,
    pub redeemed_at: DateTime<Utc>,
    pub restored_at: Option<DateTime<Utc>>,
}

/// What a code was used for by this name, and what it is in use for now, by whatever name.
pub(crate) async fn of_code(
    conn: &mut PgConnection,
    business: BusinessId,
    code: &Code,
    reference: &str,
) -> sqlx::Result<Vec<Redemption>> {
    sqlx::query_as!(
        Redemption,
        r#"select reference, amount as "amount: Krw", discount as "discount: Krw", redeemed_at, restored_at
           from crm.redemption
           where business_id = $1 and code = $2 and (reference = $3 or restored_at is null)"#,
        business.0,
        code.as_str(),
        reference,
    )
    .fetch_all(conn)
    .await
}

/// Answers with when it was redeemed, as the database keeps it: a repeat hears the same.
pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    code: &Code,
    redemption: &Redemption,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        "insert into crm.redemption (business_id, code, reference, amount, discount, redeemed_at)
         values ($1, $2, $3, $4, $5, $6) returning redeemed_at",
        business.0,
        code.as_str(),
        redemption.reference,
        redemption.amount.get(),
        redemption.discount.get(),
        redemption.redeemed_at,
    )
    .fetch_one(conn)
    .await
}

/// Answers with when it was given back, as the database keeps it.
pub(crate) async fn restore(
    conn: &mut PgConnection,
    business: BusinessId,
    code: &Code,
    reference: &str,
    now: DateTime<Utc>,
) -> sqlx::Result<DateTime<Utc>> {
    sqlx::query_scalar!(
        r#"update crm.redemption set restored_at = $4
           where business_id = $1 and code = $2 and reference = $3 and restored_at is null
           returning restored_at as "restored_at!""#,
        business.0,
        code.as_str(),
        reference,
        now,
    )
    .fetch_one(conn)
    .await
}

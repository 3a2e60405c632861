//! `crm.coupon` and `crm.coupon_code`.

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, Krw};
use sqlx::PgConnection;

use crate::coupon::{CouponId, Discount, DiscountType, NewCoupon, Terms, code::Code};

/// A coupon as it is stored, and how often its codes are in use.
#[derive(Debug)]
pub(crate) struct Coupon {
    pub id: CouponId,
    pub name: String,
    pub discount_type: DiscountType,
    pub discount_value: i64,
    pub max_discount: Option<Krw>,
    pub minimum_spend: Krw,
    pub valid_from: NaiveDate,
    pub valid_until: NaiveDate,
    pub total_limit: Option<i32>,
    pub issued: i32,
    pub redeemed: i64,
    pub stopped_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    coupon: &NewCoupon,
) -> sqlx::Result<CouponId> {
    let Terms { discount, minimum_spend, valid_from, valid_until } = coupon.terms;
    let (discount_type, value, most) = match discount {
        Discount::Amount(won) => (DiscountType::Amount, won.get(), None),
        Discount::Percent(percent, most) => (DiscountType::Percent, percent, most),
    };
    sqlx::query_scalar!(
        r#"insert into crm.coupon
               (business_id, name, discount_type, discount_value, max_discount, minimum_spend, valid_from, valid_until,
                total_limit, created_at, changed_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
           returning coupon_id as "id: CouponId""#,
        business.0,
        coupon.name,
        discount_type.as_str(),
        value,
        most.map(Krw::get),
        minimum_spend.get(),
        valid_from,
        valid_until,
        coupon.total_limit,
        now,
    )
    .fetch_one(conn)
    .await
}

/// The newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    only: Option<CouponId>,
    before: Option<CouponId>,
    limit: i64,
) -> sqlx::Result<Vec<Coupon>> {
    sqlx::query_as!(
        Coupon,
        r#"select coupon_id as "id: CouponId", name, discount_type as "discount_type: DiscountType", discount_value,
                  max_discount as "max_discount: Krw", minimum_spend as "minimum_spend: Krw", valid_from, valid_until,
                  total_limit, issued, stopped_at, created_at,
                  (select count(*) from crm.coupon_code k
                   join crm.redemption r on r.business_id = k.business_id and r.code = k.code and r.restored_at is null
                   where k.business_id = c.business_id and k.coupon_id = c.coupon_id) as "redeemed!"
           from crm.coupon c
           where business_id = $1 and ($2::bigint is null or coupon_id = $2) and ($3::bigint is null or coupon_id < $3)
           order by coupon_id desc limit $4"#,
        business.0,
        only.map(|id| id.0),
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// What may change about a coupon, and what that depends on.
#[derive(Clone, Debug)]
pub(crate) struct Changeable {
    pub name: String,
    pub valid_from: NaiveDate,
    pub valid_until: NaiveDate,
    pub total_limit: Option<i32>,
    pub issued: i32,
    pub stopped_at: Option<DateTime<Utc>>,
}

/// Whoever gives out codes, or changes how many there may be, waits for the others.
pub(crate) async fn lock(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CouponId,
) -> sqlx::Result<Option<Changeable>> {
    sqlx::query_as!(
        Changeable,
        "select name, valid_from, valid_until, total_limit, issued, stopped_at from crm.coupon
         where business_id = $1 and coupon_id = $2 for update",
        business.0,
        id.0,
    )
    .fetch_optional(conn)
    .await
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: CouponId,
    coupon: &Changeable,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.coupon
         set name = $3, valid_until = $4, total_limit = $5, issued = $6, stopped_at = $7, changed_at = $8
         where business_id = $1 and coupon_id = $2",
        business.0,
        id.0,
        coupon.name,
        coupon.valid_until,
        coupon.total_limit,
        coupon.issued,
        coupon.stopped_at,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A code, and what it is in use for.
#[derive(Debug)]
pub(crate) struct IssuedCode {
    pub code: String,
    pub customer_id: i64,
    pub issued_at: DateTime<Utc>,
    pub reference: Option<String>,
    pub redeemed_at: Option<DateTime<Utc>>,
}

/// A code for each customer who has none. Who has one keeps it, and who is offered one that there is already gets none.
pub(crate) async fn insert_codes(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: CouponId,
    codes: &[(Code, i64)],
) -> sqlx::Result<()> {
    let (codes, customers): (Vec<String>, Vec<i64>) =
        codes.iter().map(|(code, customer)| (code.as_str().to_owned(), *customer)).unzip();
    sqlx::query!(
        "insert into crm.coupon_code (business_id, code, coupon_id, customer_id, issued_at)
         select $1, code, $2, customer_id, $3 from unnest($4::text[], $5::bigint[]) as fresh (code, customer_id)
         on conflict do nothing",
        business.0,
        id.0,
        now,
        &codes,
        &customers,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The codes of some customers, or of all; those of the latest customers first.
pub(crate) async fn codes(
    conn: &mut PgConnection,
    business: BusinessId,
    id: CouponId,
    customers: Option<&[i64]>,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<IssuedCode>> {
    sqlx::query_as!(
        IssuedCode,
        r#"select k.code, k.customer_id, k.issued_at, r.reference as "reference?", r.redeemed_at as "redeemed_at?"
           from crm.coupon_code k
           left join crm.redemption r on r.business_id = k.business_id and r.code = k.code and r.restored_at is null
           where k.business_id = $1 and k.coupon_id = $2 and ($3::bigint[] is null or k.customer_id = any($3))
             and ($4::bigint is null or k.customer_id < $4)
           order by k.customer_id desc limit $5"#,
        business.0,
        id.0,
        customers,
        before,
        limit,
    )
    .fetch_all(conn)
    .await
}

/// A code with the terms of its coupon.
#[derive(Debug)]
pub(crate) struct Held {
    pub coupon: CouponId,
    pub name: String,
    pub customer_id: i64,
    pub terms: Terms,
}

/// Two who use the same code queue up.
pub(crate) async fn lock_code(
    conn: &mut PgConnection,
    business: BusinessId,
    code: &Code,
) -> sqlx::Result<Option<Held>> {
    let row = sqlx::query!(
        r#"select c.coupon_id as "coupon: CouponId", c.name, k.customer_id, c.discount_type as "discount_type: DiscountType",
                  c.discount_value, c.max_discount as "max_discount: Krw", c.minimum_spend as "minimum_spend: Krw",
                  c.valid_from, c.valid_until
           from crm.coupon_code k
           join crm.coupon c on c.business_id = k.business_id and c.coupon_id = k.coupon_id
           where k.business_id = $1 and k.code = $2 for update of k"#,
        business.0,
        code.as_str(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| {
        let discount = match row.discount_type {
            DiscountType::Amount => Discount::Amount(Krw::won(row.discount_value)),
            DiscountType::Percent => Discount::Percent(row.discount_value, row.max_discount),
        };
        Held {
            coupon: row.coupon,
            name: row.name,
            customer_id: row.customer_id,
            terms: Terms {
                discount,
                minimum_spend: row.minimum_spend,
                valid_from: row.valid_from,
                valid_until: row.valid_until,
            },
        }
    }))
}

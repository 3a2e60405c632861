//! A shop's customers, as `booking` publishes them, and what can be asked about them.
//!
//! What a segment asks is known only when it is asked, so the statement is put together here from the pieces that
//! `segment/sql.rs` writes. It is not prepared for a second time: the next one is another.

use chrono::NaiveDate;
use kernel::BusinessId;
use sqlx::{AssertSqlSafe, Executor, FromRow, PgConnection, Postgres, QueryBuilder};

use crate::segment::{
    condition::Condition,
    read::{Reference, ReferenceTo},
    sql::{Look, Moment},
};

/// Somebody in a segment, still sealed.
#[derive(Debug, FromRow)]
pub(crate) struct SealedMember {
    pub customer_id: i64,
    pub name: String,
    pub phone: Option<String>,
    pub email: Option<String>,
    pub last_visit_on: Option<NaiveDate>,
    pub visit_count: i32,
    pub total_spent: i64,
}

/// How many customers a condition is true of.
pub(crate) async fn count(
    conn: &mut PgConnection,
    business: BusinessId,
    condition: &Condition,
    at: Moment,
) -> sqlx::Result<i64> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "select count(*) from booking_read.customer_summary where business_id = ",
    );
    sql.push_bind(business.0).push(" and ");
    condition.write(&mut sql, Look { business, at });
    // Whoever asks for one row alone is served by one core alone.
    let count = sql.build_query_scalar().persistent(false).fetch_all(conn).await?;
    count.first().copied().ok_or(sqlx::Error::RowNotFound)
}

/// The same for many conditions in one pass; `None` if that takes longer than it may.
pub(crate) async fn counts_within(
    conn: &mut PgConnection,
    business: BusinessId,
    conditions: &[Condition],
    at: Moment,
    milliseconds: u32,
) -> sqlx::Result<Option<Vec<i64>>> {
    let mut sql = QueryBuilder::<Postgres>::new("select array[");
    for (position, condition) in conditions.iter().enumerate() {
        sql.push(if position > 0 { ", " } else { "" }).push("count(*) filter (where ");
        condition.write(&mut sql, Look { business, at });
        sql.push(")");
    }
    sql.push("]::bigint[] from booking_read.customer_summary where business_id = ").push_bind(business.0);
    conn.execute(AssertSqlSafe(format!("set local statement_timeout = {milliseconds}"))).await?;
    match sql.build_query_scalar().persistent(false).fetch_all(&mut *conn).await {
        Ok(mut counts) => {
            conn.execute("set local statement_timeout = default").await?;
            Ok(counts.pop())
        }
        Err(sqlx::Error::Database(error)) if error.code().as_deref() == Some(QUERY_CANCELED) => Ok(None),
        Err(error) => Err(error),
    }
}

const QUERY_CANCELED: &str = "57014";

/// Those of whom a condition is true, the newest first, up to `limit` of those before `before`.
pub(crate) async fn members(
    conn: &mut PgConnection,
    business: BusinessId,
    condition: &Condition,
    at: Moment,
    before: Option<i64>,
    limit: i64,
) -> sqlx::Result<Vec<SealedMember>> {
    let mut sql = QueryBuilder::<Postgres>::new(
        "select s.customer_id, c.name, c.phone, c.email, s.last_visit_on, s.visit_count, s.total_spent
         from (select business_id, customer_id, last_visit_on, visit_count, total_spent
               from booking_read.customer_summary where business_id = ",
    );
    sql.push_bind(business.0).push(" and ");
    condition.write(&mut sql, Look { business, at });
    if let Some(before) = before {
        sql.push(" and customer_id < ").push_bind(before);
    }
    sql.push(" order by customer_id desc limit ").push_bind(limit);
    // Looked up one by one: of a page, the planner would rather read all customers of all shops.
    sql.push(
        ") s cross join lateral (
             select name, phone, email from booking_read.customer
             where business_id = s.business_id and customer_id = s.customer_id limit 1) c
         order by s.customer_id desc",
    );
    sql.build_query_as().persistent(false).fetch_all(conn).await
}

/// Which services, staff and campaigns there are, or were.
pub(crate) struct KnownReferences {
    pub services: Vec<i64>,
    pub staff: Vec<i64>,
    pub campaigns: Vec<i64>,
}

pub(crate) async fn known_references(
    conn: &mut PgConnection,
    business: BusinessId,
    references: &[Reference],
) -> sqlx::Result<KnownReferences> {
    let ids = |to| -> Vec<i64> {
        references.iter().filter(|reference| reference.to == to).map(|reference| reference.id).collect()
    };
    let known = sqlx::query!(
        r#"select array(select service_id from booking_read.service where business_id = $1 and service_id = any($2))
                      as "services!: Vec<i64>",
                  array(select staff_id from booking_read.staff where business_id = $1 and staff_id = any($3))
                      as "staff!: Vec<i64>",
                  array(select campaign_id from crm.campaign where business_id = $1 and campaign_id = any($4))
                      as "campaigns!: Vec<i64>""#,
        business.0,
        &ids(ReferenceTo::Service),
        &ids(ReferenceTo::Staff),
        &ids(ReferenceTo::Campaign),
    )
    .fetch_one(conn)
    .await?;
    Ok(KnownReferences { services: known.services, staff: known.staff, campaigns: known.campaigns })
}

/// Something that a condition may name, as the shop calls it.
pub(crate) struct Named {
    pub id: i64,
    pub name: String,
}

/// What the shop offers, and what it offered.
pub(crate) async fn services(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<Named>> {
    sqlx::query_as!(
        Named,
        r#"select service_id as "id!", name as "name!" from booking_read.service where business_id = $1
           order by deleted_at is not null, name, service_id limit 500"#,
        business.0,
    )
    .fetch_all(conn)
    .await
}

/// Who works in the shop, and who did.
pub(crate) async fn staff(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<Named>> {
    sqlx::query_as!(
        Named,
        r#"select staff_id as "id!", name as "name!" from booking_read.staff where business_id = $1
           order by deleted_at is not null, name, staff_id limit 500"#,
        business.0,
    )
    .fetch_all(conn)
    .await
}

/// The newest campaigns of those that have begun and somebody wrote; an auto campaign writes one a day.
pub(crate) async fn campaigns(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<Named>> {
    sqlx::query_as!(
        Named,
        "select campaign_id as id, name from crm.campaign
         where business_id = $1 and started_at is not null and auto_campaign_id is null order by campaign_id desc limit 100",
        business.0,
    )
    .fetch_all(conn)
    .await
}

/// The tags that most customers have.
pub(crate) async fn tags(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"select tag as "tag!" from booking_read.customer_summary, unnest(tags) tag where business_id = $1
           group by tag order by count(*) desc, tag limit 100"#,
        business.0,
    )
    .fetch_all(conn)
    .await
}

/// Which of some customers there are, without those who were erased.
pub(crate) async fn known(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<Vec<i64>> {
    sqlx::query_scalar!(
        r#"select customer_id as "id!" from booking_read.customer_summary where business_id = $1 and customer_id = any($2)"#,
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await
}

//! `crm.segment` and `crm.stocked`.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::BusinessId;
use serde_json::Value;
use sqlx::PgConnection;

use crate::segment::{Segment, SegmentId, VERSION};

/// Notes that a shop has the ready-made segments; false if it had them before, or if there is no such shop.
pub(crate) async fn stock(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
) -> sqlx::Result<bool> {
    let stocked = sqlx::query!(
        "insert into crm.stocked (business_id, stocked_at)
         select business_id, $2 from identity_read.business where business_id = $1
         on conflict do nothing",
        business.0,
        now,
    )
    .execute(conn)
    .await?;
    Ok(stocked.rows_affected() == 1)
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    name: &str,
    conditions: &Value,
) -> sqlx::Result<SegmentId> {
    sqlx::query_scalar!(
        r#"insert into crm.segment (business_id, name, conditions, version, created_at, changed_at)
           values ($1, $2, $3, $4, $5, $5)
           returning segment_id as "id: SegmentId""#,
        business.0,
        name,
        conditions,
        VERSION,
        now,
    )
    .fetch_one(conn)
    .await
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    id: SegmentId,
    name: &str,
    conditions: &Value,
) -> sqlx::Result<()> {
    sqlx::query!(
        "update crm.segment set name = $3, conditions = $4, version = $5, changed_at = $6
         where business_id = $1 and segment_id = $2",
        business.0,
        id.0,
        name,
        conditions,
        VERSION,
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn delete(
    conn: &mut PgConnection,
    business: BusinessId,
    id: SegmentId,
) -> sqlx::Result<bool> {
    let deleted =
        sqlx::query!("delete from crm.segment where business_id = $1 and segment_id = $2", business.0, id.0)
            .execute(conn)
            .await?;
    Ok(deleted.rows_affected() == 1)
}

pub(crate) async fn one(
    conn: &mut PgConnection,
    business: BusinessId,
    id: SegmentId,
) -> sqlx::Result<Option<Segment>> {
    Ok(list(conn, business, Some(id), None, 1).await?.pop())
}

/// The newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    only: Option<SegmentId>,
    before: Option<SegmentId>,
    limit: i64,
) -> sqlx::Result<Vec<Segment>> {
    sqlx::query_as!(
        Segment,
        r#"select segment_id as "id: SegmentId", name, conditions, version, customer_count, counted_at, created_at,
                  changed_at
           from crm.segment
           where business_id = $1 and ($2::bigint is null or segment_id = $2) and ($3::bigint is null or segment_id < $3)
           order by segment_id desc limit $4"#,
        business.0,
        only.map(|id| id.0),
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

/// Remembers how many there were. That there are as many as an hour ago is not worth a write.
pub(crate) async fn write_counts(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    counts: &[(SegmentId, i64)],
) -> sqlx::Result<()> {
    let (ids, counts): (Vec<i64>, Vec<i64>) = counts.iter().map(|(id, count)| (id.0, *count)).unzip();
    sqlx::query!(
        "update crm.segment s set customer_count = counted.count, counted_at = $4
         from unnest($2::bigint[], $3::bigint[]) as counted (id, count)
         where s.business_id = $1 and s.segment_id = counted.id
           and (s.customer_count is distinct from counted.count or s.counted_at < $5)",
        business.0,
        &ids,
        &counts,
        now,
        now - TimeDelta::hours(1),
    )
    .execute(conn)
    .await?;
    Ok(())
}

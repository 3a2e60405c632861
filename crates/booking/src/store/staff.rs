//! `booking.staff`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::staff::{StaffId, StaffView};

/// What is known of somebody whom the feeding system named.
pub(crate) struct KnownStaff {
    pub id: StaffId,
    pub name: String,
    pub has_left: bool,
}

pub(crate) async fn known(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, KnownStaff>> {
    let rows = sqlx::query!(
        r#"select external_id as "external_id!", staff_id as "id: StaffId", name,
                  deleted_at is not null as "has_left!"
           from booking.staff
           where business_id = $1 and external_id = any($2) and external_id is not null"#,
        business.0,
        external_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.external_id, KnownStaff { id: row.id, name: row.name, has_left: row.has_left }))
        .collect())
}

/// The ids behind the feeding system's names, of those who left as well.
pub(crate) async fn named(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, StaffId>> {
    let known = known(conn, business, external_ids).await?;
    Ok(known.into_iter().map(|(name, staff)| (name, staff.id)).collect())
}

pub(crate) async fn names(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<HashMap<i64, String>> {
    let rows = sqlx::query!(
        "select staff_id, name from booking.staff where business_id = $1 and staff_id = any($2)",
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.staff_id, row.name)).collect())
}

/// Somebody new, under the feeding system's name where they have one.
pub(crate) struct NewStaff {
    pub external_id: Option<String>,
    pub name: String,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[NewStaff],
) -> sqlx::Result<Vec<StaffId>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        r#"insert into booking.staff (business_id, external_id, name, created_at, changed_at)
           select $1, fresh.external_id, fresh.name, $2, $2
           from unnest($3::text[], $4::text[]) as fresh (external_id, name)
           returning staff_id as "id: StaffId""#,
        business.0,
        now,
        &column(rows, |row| row.external_id.clone()) as &[Option<String>],
        &column(rows, |row| row.name.clone()),
    )
    .fetch_all(conn)
    .await
}

/// What is said of somebody: their name, and whether they work in the shop.
pub(crate) struct StaffSaid {
    pub id: StaffId,
    pub name: String,
    pub active: bool,
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[StaffSaid],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update booking.staff
         set name = said.name, deleted_at = case when said.active then null else coalesce(deleted_at, $2) end,
             changed_at = $2
         from unnest($3::bigint[], $4::text[], $5::bool[]) as said (staff_id, name, active)
         where staff.business_id = $1 and staff.staff_id = said.staff_id",
        business.0,
        now,
        &column(rows, |said| said.id.0),
        &column(rows, |said| said.name.clone()),
        &column(rows, |said| said.active),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which staff are wanted.
pub(crate) struct StaffFilter {
    /// The beginning of the name.
    pub name: Option<String>,
    pub active: Option<bool>,
    pub only: Option<StaffId>,
    pub before: Option<StaffId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &StaffFilter,
) -> sqlx::Result<Vec<StaffView>> {
    sqlx::query_as!(
        StaffView,
        r#"select staff_id as "staff_id: StaffId", external_id, name, deleted_at is null as "active!"
           from booking.staff
           where business_id = $1 and ($2::text is null or starts_with(name, $2))
             and ($3::bool is null or (deleted_at is null) = $3) and ($4::bigint is null or staff_id = $4)
             and ($5::bigint is null or staff_id < $5)
           order by staff_id desc limit $6"#,
        business.0,
        filter.name,
        filter.active,
        filter.only.map(|id| id.0),
        filter.before.map(|id| id.0),
        filter.limit,
    )
    .fetch_all(conn)
    .await
}

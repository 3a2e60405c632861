//! `booking.staff`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::staff::{FedStaff, StaffId};

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

pub(crate) async fn insert_fed(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[FedStaff],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into booking.staff (business_id, external_id, name, created_at, changed_at)
         select $1, fresh.external_id, fresh.name, $2, $2
         from unnest($3::text[], $4::text[]) as fresh (external_id, name)",
        business.0,
        now,
        &column(rows, |row| row.external_id.clone()),
        &column(rows, |row| row.name.clone()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// They are called so now, and work in the shop.
pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[(StaffId, String)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update booking.staff set name = said.name, deleted_at = null, changed_at = $2
         from unnest($3::bigint[], $4::text[]) as said (staff_id, name)
         where staff.business_id = $1 and staff.staff_id = said.staff_id",
        business.0,
        now,
        &column(rows, |(id, _)| id.0),
        &column(rows, |(_, name)| name.clone()),
    )
    .execute(conn)
    .await?;
    Ok(())
}

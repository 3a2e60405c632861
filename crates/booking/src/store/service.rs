//! `booking.service` and `booking.service_category`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::service::{FedService, ServiceFacts, ServiceId};

/// What is known of a service that the feeding system named.
pub(crate) struct KnownService {
    pub id: ServiceId,
    pub facts: ServiceFacts,
    pub is_withdrawn: bool,
}

/// A service that a reservation refers to.
#[derive(Clone, Copy)]
pub(crate) struct NamedService {
    pub id: ServiceId,
    pub duration_minutes: i32,
}

pub(crate) async fn known(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, KnownService>> {
    let rows = sqlx::query!(
        r#"select external_id as "external_id!", service_id as "id: ServiceId", service.name,
                  category.name as "category?", price, duration_minutes,
                  deleted_at is not null as "is_withdrawn!"
           from booking.service
           left join booking.service_category category
               on category.business_id = service.business_id and category.category_id = service.category_id
           where service.business_id = $1 and external_id = any($2) and external_id is not null"#,
        business.0,
        external_ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let facts = ServiceFacts {
                name: row.name,
                category: row.category,
                price: row.price,
                duration_minutes: row.duration_minutes,
            };
            (row.external_id, KnownService { id: row.id, facts, is_withdrawn: row.is_withdrawn })
        })
        .collect())
}

/// The services behind the feeding system's names, withdrawn ones as well.
pub(crate) async fn named(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, NamedService>> {
    let known = known(conn, business, external_ids).await?;
    let named = |service: KnownService| NamedService {
        id: service.id,
        duration_minutes: service.facts.duration_minutes,
    };
    Ok(known.into_iter().map(|(name, service)| (name, named(service))).collect())
}

pub(crate) async fn names(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<HashMap<i64, String>> {
    let rows = sqlx::query!(
        "select service_id, name from booking.service where business_id = $1 and service_id = any($2)",
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.service_id, row.name)).collect())
}

/// Makes the categories that are not there yet.
pub(crate) async fn add_categories(
    conn: &mut PgConnection,
    business: BusinessId,
    names: &[String],
) -> sqlx::Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into booking.service_category (business_id, name)
         select distinct $1::bigint, wanted.name from unnest($2::text[]) as wanted (name)
         where not exists (
             select from booking.service_category known
             where known.business_id = $1 and known.name = wanted.name)",
        business.0,
        names,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub(crate) async fn insert_fed(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[FedService],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into booking.service
             (business_id, external_id, category_id, name, price, duration_minutes, created_at, changed_at)
         select $1, fresh.external_id, category.category_id, fresh.name, fresh.price, fresh.duration_minutes, $2, $2
         from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[])
             as fresh (external_id, category, name, price, duration_minutes)
         left join booking.service_category category
             on category.business_id = $1 and category.name = fresh.category",
        business.0,
        now,
        &column(rows, |row| row.external_id.clone()),
        &column(rows, |row| row.facts.category.clone()) as &[Option<String>],
        &column(rows, |row| row.facts.name.clone()),
        &column(rows, |row| row.facts.price),
        &column(rows, |row| row.facts.duration_minutes),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// They are as it is said now, and offered.
pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[(ServiceId, ServiceFacts)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update booking.service
         set category_id = category.category_id, name = said.name, price = said.price,
             duration_minutes = said.duration_minutes, deleted_at = null, changed_at = $2
         from unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::int[])
             as said (service_id, category, name, price, duration_minutes)
         left join booking.service_category category
             on category.business_id = $1 and category.name = said.category
         where service.business_id = $1 and service.service_id = said.service_id",
        business.0,
        now,
        &column(rows, |(id, _)| id.0),
        &column(rows, |(_, facts)| facts.category.clone()) as &[Option<String>],
        &column(rows, |(_, facts)| facts.name.clone()),
        &column(rows, |(_, facts)| facts.price),
        &column(rows, |(_, facts)| facts.duration_minutes),
    )
    .execute(conn)
    .await?;
    Ok(())
}

//! `booking.service` and `booking.service_category`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::PgConnection;

use super::column;
use crate::service::{ServiceFacts, ServiceId, ServiceView};

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

/// A service that is new, under the feeding system's name where it has one.
pub(crate) struct NewService {
    pub external_id: Option<String>,
    pub facts: ServiceFacts,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[NewService],
) -> sqlx::Result<Vec<ServiceId>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        r#"insert into booking.service
             (business_id, external_id, category_id, name, price, duration_minutes, created_at, changed_at)
         select $1, fresh.external_id, category.category_id, fresh.name, fresh.price, fresh.duration_minutes, $2, $2
         from unnest($3::text[], $4::text[], $5::text[], $6::bigint[], $7::int[]) with ordinality
             as fresh (external_id, category, name, price, duration_minutes, position)
         left join booking.service_category category
             on category.business_id = $1 and category.name = fresh.category
         order by fresh.position
         returning service_id as "id: ServiceId""#,
        business.0,
        now,
        &column(rows, |row| row.external_id.clone()) as &[Option<String>],
        &column(rows, |row| row.facts.category.clone()) as &[Option<String>],
        &column(rows, |row| row.facts.name.clone()),
        &column(rows, |row| row.facts.price),
        &column(rows, |row| row.facts.duration_minutes),
    )
    .fetch_all(conn)
    .await
}

/// What is said of a service, and whether it is offered.
pub(crate) struct ServiceSaid {
    pub id: ServiceId,
    pub facts: ServiceFacts,
    pub active: bool,
}

pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[ServiceSaid],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "update booking.service
         set category_id = category.category_id, name = said.name, price = said.price,
             duration_minutes = said.duration_minutes,
             deleted_at = case when said.active then null else coalesce(deleted_at, $2) end, changed_at = $2
         from unnest($3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::int[], $8::bool[])
             as said (service_id, category, name, price, duration_minutes, active)
         left join booking.service_category category
             on category.business_id = $1 and category.name = said.category
         where service.business_id = $1 and service.service_id = said.service_id",
        business.0,
        now,
        &column(rows, |said| said.id.0),
        &column(rows, |said| said.facts.category.clone()) as &[Option<String>],
        &column(rows, |said| said.facts.name.clone()),
        &column(rows, |said| said.facts.price),
        &column(rows, |said| said.facts.duration_minutes),
        &column(rows, |said| said.active),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Which services are wanted.
pub(crate) struct ServiceFilter {
    /// The beginning of the name.
    pub name: Option<String>,
    pub active: Option<bool>,
    pub only: Option<ServiceId>,
    pub before: Option<ServiceId>,
    pub limit: i64,
}

/// Newest first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &ServiceFilter,
) -> sqlx::Result<Vec<ServiceView>> {
    sqlx::query_as!(
        ServiceView,
        r#"select service_id as "service_id: ServiceId", external_id, service.name, category.name as "category?",
                  price, duration_minutes, deleted_at is null as "active!"
           from booking.service
           left join booking.service_category category
               on category.business_id = service.business_id and category.category_id = service.category_id
           where service.business_id = $1 and ($2::text is null or starts_with(service.name, $2))
             and ($3::bool is null or (deleted_at is null) = $3) and ($4::bigint is null or service_id = $4)
             and ($5::bigint is null or service_id < $5)
           order by service_id desc limit $6"#,
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

/// A service with what it costs and takes.
pub(crate) struct PricedService {
    pub price: i64,
    pub duration_minutes: i32,
    pub is_offered: bool,
}

pub(crate) async fn priced(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<HashMap<ServiceId, PricedService>> {
    let rows = sqlx::query!(
        r#"select service_id as "id: ServiceId", price, duration_minutes, deleted_at is null as "is_offered!"
           from booking.service where business_id = $1 and service_id = any($2)"#,
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let priced = rows.into_iter().map(|row| {
        let service = PricedService {
            price: row.price,
            duration_minutes: row.duration_minutes,
            is_offered: row.is_offered,
        };
        (row.id, service)
    });
    Ok(priced.collect())
}

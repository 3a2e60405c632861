//! What files are made of. This context has no customers or visits: it reads what `booking` publishes in
//! schema `booking_read`, behind row-level security, and names the business all the same.

use chrono::{DateTime, Days as Later, Utc};
use futures::stream::BoxStream;
use kernel::{BusinessId, start_of_korean_day};
use sqlx::PgConnection;

use crate::{
    content::{CustomerRow, ReservationRow, StaffRow},
    export::{ExportType, Selection, VisitStatus},
    range::Days,
};

/// When the first day begins and the last one is over.
fn instants(days: Days) -> (DateTime<Utc>, DateTime<Utc>) {
    let day_after = days.end.checked_add_days(Later::new(1)).unwrap_or(days.end);
    (start_of_korean_day(days.start), start_of_korean_day(day_after))
}

/// How many rows a file will have.
pub(crate) async fn count(conn: &mut PgConnection, selection: &Selection) -> sqlx::Result<i64> {
    let Selection { business, kind, days, status, staff } = *selection;
    let (from, until) = days.map(instants).unzip();
    match kind {
        ExportType::Reservations => {
            sqlx::query_scalar!(
                r#"select count(*) as "rows!" from booking_read.reservation
                   where business_id = $1 and start_at >= $2 and start_at < $3
                     and ($4::text is null or status = $4) and ($5::bigint is null or staff_id = $5)"#,
                business.0,
                from,
                until,
                status.map(VisitStatus::as_str),
                staff,
            )
            .fetch_one(conn)
            .await
        }
        ExportType::Customers => {
            sqlx::query_scalar!(
                r#"select count(*) as "rows!" from booking_read.customer
                   where business_id = $1 and deleted_at is null
                     and ($2::timestamptz is null or created_at >= $2 and created_at < $3)"#,
                business.0,
                from,
                until,
            )
            .fetch_one(conn)
            .await
        }
        ExportType::Staffs => {
            sqlx::query_scalar!(
                r#"select count(*) as "rows!" from booking_read.staff where business_id = $1 and deleted_at is null"#,
                business.0,
            )
            .fetch_one(conn)
            .await
        }
        ExportType::Revenue => Ok(days.map_or(0, Days::count)),
    }
}

/// In the order in which they begin.
///
/// All lines of the days are put together at once: looking each reservation's up, as a lateral join would, takes
/// three times as long. They are sorted once, not for each reservation, which one process keeps to: the transaction must
/// not allow more.
pub(crate) fn reservations(
    conn: &mut PgConnection,
    business: BusinessId,
    days: Days,
    status: Option<VisitStatus>,
    staff: Option<i64>,
) -> BoxStream<'_, sqlx::Result<ReservationRow>> {
    sqlx::query_as!(
        ReservationRow,
        r#"with done as (
               select reservation_id, string_agg(name, ', ') as services, sum(duration_minutes) as minutes
               from (
                   select visit.reservation_id, visit.duration_minutes, service.name
                   from booking_read.visit
                   join booking_read.service
                       on service.business_id = visit.business_id and service.service_id = visit.service_id
                   where visit.business_id = $1 and visit.visit_on between $2 and $3
                   order by visit.reservation_id, visit.line) line
               group by reservation_id
           )
           select r.reservation_id as "id!", r.external_id, r.start_at as "start_at!",
                  r.status as "status!: VisitStatus", r.customer_id as customer, customer.name as "customer_name?",
                  customer.phone, staff.name as "staff?", done.services, done.minutes, r.price as "price!",
                  r.created_at as "created_at!"
           from booking_read.reservation r
           left join booking_read.customer
               on customer.business_id = r.business_id and customer.customer_id = r.customer_id
           left join booking_read.staff on staff.business_id = r.business_id and staff.staff_id = r.staff_id
           left join done on done.reservation_id = r.reservation_id
           where r.business_id = $1 and r.start_at >= $2::date::timestamp at time zone 'Asia/Seoul'
             and r.start_at < ($3::date + 1)::timestamp at time zone 'Asia/Seoul'
             and ($4::text is null or r.status = $4) and ($5::bigint is null or r.staff_id = $5)
           order by r.start_at, r.reservation_id"#,
        business.0,
        days.start,
        days.end,
        status.map(VisitStatus::as_str),
        staff,
    )
    .fetch(conn)
}

/// Those whom the shop got to know in the range, or all, in that order. Who was erased is nobody any more.
pub(crate) fn customers(
    conn: &mut PgConnection,
    business: BusinessId,
    days: Option<Days>,
) -> BoxStream<'_, sqlx::Result<CustomerRow>> {
    let (from, until) = days.map(instants).unzip();
    sqlx::query_as!(
        CustomerRow,
        r#"select c.customer_id as "id!", c.external_id, c.name as "name!", c.phone, c.email, c.birthday, c.gender,
                  array_to_string(c.tags, ', ') as "tags!", c.marketing_consent as "marketing_consent!",
                  c.created_at at time zone 'Asia/Seoul' as "created_at!",
                  came.visits as "visits!", came.revenue as "revenue!", came.first_visit, came.last_visit,
                  came.no_shows as "no_shows!"
           from booking_read.customer c
           cross join lateral (
               select count(*) filter (where r.status = 'COMPLETED') as visits,
                      coalesce(sum(r.price) filter (where r.status = 'COMPLETED'), 0)::bigint as revenue,
                      min(r.visit_on) filter (where r.status = 'COMPLETED') as first_visit,
                      max(r.visit_on) filter (where r.status = 'COMPLETED') as last_visit,
                      count(*) filter (where r.status = 'NO_SHOW') as no_shows
               from booking_read.reservation r
               where r.business_id = c.business_id and r.customer_id = c.customer_id) came
           where c.business_id = $1 and c.deleted_at is null
             and ($2::timestamptz is null or c.created_at >= $2 and c.created_at < $3)
           order by c.customer_id"#,
        business.0,
        from,
        until,
    )
    .fetch(conn)
}

/// Who brought most first. Whoever has left is listed for what they did in the range.
pub(crate) fn staffs(
    conn: &mut PgConnection,
    business: BusinessId,
    days: Days,
) -> BoxStream<'_, sqlx::Result<StaffRow>> {
    sqlx::query_as!(
        StaffRow,
        r#"with did as (
               select staff_id, count(*) filter (where line = 1) as reservations,
                      count(*) filter (where line = 1 and status = 'COMPLETED') as completed,
                      count(*) filter (where line = 1 and status = 'CANCELLED') as cancelled,
                      count(*) filter (where line = 1 and status = 'NO_SHOW') as no_shows,
                      count(distinct visit_on) filter (where status = 'COMPLETED') as worked_days,
                      sum(duration_minutes) filter (where status = 'COMPLETED') as minutes,
                      sum(price) filter (where status = 'COMPLETED') as revenue
               from booking_read.visit
               where business_id = $1 and visit_on between $2 and $3
               group by staff_id
           ), known as (
               select staff_id, name, deleted_at from booking_read.staff where business_id = $1
           )
           select known.staff_id as id, known.name, known.deleted_at is not null as "has_left!",
                  coalesce(did.worked_days, 0) as "worked_days!", coalesce(did.reservations, 0) as "reservations!",
                  coalesce(did.completed, 0) as "completed!", coalesce(did.cancelled, 0) as "cancelled!",
                  coalesce(did.no_shows, 0) as "no_shows!", coalesce(did.minutes, 0) as "minutes!",
                  coalesce(did.revenue, 0) as "revenue!",
                  coalesce(sum(did.revenue) over (), 0)::bigint as "total_revenue!"
           from known full join did on did.staff_id = known.staff_id
           where known.deleted_at is null or did.reservations is not null
           order by coalesce(did.revenue, 0) desc, known.name"#,
        business.0,
        days.start,
        days.end,
    )
    .fetch(conn)
}

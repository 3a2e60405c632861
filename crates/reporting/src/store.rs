//! Every SQL statement of this context. It has no tables: it reads what `booking` publishes in schema
//! `booking_read`, behind row-level security, and names the business all the same.

use chrono::NaiveDate;
use kernel::BusinessId;
use sqlx::PgConnection;

use crate::{
    customers::{CohortMonth, Visited, VisitorDay, Visitors},
    losses::LostDay,
    range::DateRange,
    revenue::{Cells, Named, Totals},
    services::ServiceDay,
    utilisation::Worked,
};

/// Who did what nobody is named for.
const UNASSIGNED: &str = "미지정";

/// How often what reports show of a business has changed.
pub(crate) async fn revision(conn: &mut PgConnection, business: BusinessId) -> sqlx::Result<i64> {
    let revision = sqlx::query_scalar!(
        r#"select revision as "revision!" from booking_read.revision where business_id = $1"#,
        business.0,
    )
    .fetch_optional(conn)
    .await?;
    Ok(revision.unwrap_or_default())
}

/// One pass over the visits of a range, grouped four ways at once, and with it as many days before in sum: one
/// statement, because for most shops the way to the database and back takes longer than their visits.
///
/// `grouping()` has a bit for each column that a row is *not* grouped by: 7 is a day, 11 a member of
/// staff, 13 a service, 14 an hour, and 15 would be all; it stands for the days before.
pub(crate) async fn cells(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<(Cells, Totals)> {
    let before = range.before();
    let rows = sqlx::query!(
        r#"with cell as (
               select grouping(visit_on, staff_id, service_id, hour) as grouped_by, visit_on, staff_id, service_id, hour,
                      sum(price) filter (where status = 'COMPLETED') as revenue,
                      count(*) filter (where line = 1) as reservations,
                      count(*) filter (where line = 1 and status = 'COMPLETED') as completed,
                      count(*) filter (where status = 'COMPLETED') as services
               from booking_read.visit
               where business_id = $1 and visit_on between $2 and $3
               group by grouping sets ((visit_on), (staff_id), (service_id), (hour))
           )
           select cell.grouped_by as "grouped_by!", cell.visit_on, cell.hour, coalesce(cell.revenue, 0) as "revenue!",
                  cell.reservations as "reservations!", cell.completed as "completed!", cell.services as "services!",
                  coalesce(service.name, staff.name) as name
           from cell
           left join booking_read.staff on staff.business_id = $1 and staff.staff_id = cell.staff_id
           left join booking_read.service on service.business_id = $1 and service.service_id = cell.service_id
           union all
           select 15, null, null, coalesce(sum(price) filter (where status = 'COMPLETED'), 0),
                  count(*) filter (where line = 1), count(*) filter (where line = 1 and status = 'COMPLETED'),
                  count(*) filter (where status = 'COMPLETED'), null
           from booking_read.visit
           where business_id = $1 and visit_on between $4 and $5"#,
        business.0,
        range.start(),
        range.end(),
        before.start(),
        before.end(),
    )
    .fetch_all(conn)
    .await?;
    let mut cells = Cells::default();
    let mut earlier = Totals::default();
    for row in rows {
        let name = row.name.unwrap_or_else(|| UNASSIGNED.to_owned());
        let totals =
            Totals { revenue: row.revenue, reservations: row.reservations, completed: row.completed };
        match (row.grouped_by, row.visit_on, row.hour) {
            (7, Some(day), _) => {
                cells.days.insert(day, totals);
            }
            // Whoever completed nothing in the range brought nothing to it.
            (11, ..) if row.services > 0 => {
                cells.staff.push(Named { name, revenue: row.revenue, count: row.completed });
            }
            (13, ..) if row.services > 0 => {
                cells.services.push(Named { name, revenue: row.revenue, count: row.services });
            }
            (14, _, Some(hour)) => cells.hours.push((hour, row.completed)),
            (15, ..) => earlier = totals,
            _ => {}
        }
    }
    Ok((cells, earlier))
}

/// A range, added up.
pub(crate) async fn totals(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Totals> {
    sqlx::query_as!(
        Totals,
        r#"select coalesce(sum(price) filter (where status = 'COMPLETED'), 0) as "revenue!",
                  count(*) filter (where line = 1) as "reservations!",
                  count(*) filter (where line = 1 and status = 'COMPLETED') as "completed!"
           from booking_read.visit
           where business_id = $1 and visit_on between $2 and $3"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_one(conn)
    .await
}

/// Each service on each day on which it was done.
pub(crate) async fn service_days(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Vec<ServiceDay>> {
    sqlx::query_as!(
        ServiceDay,
        r#"with done as (
               select service_id, visit_on, sum(price) as revenue, count(*) as count
               from booking_read.visit
               where business_id = $1 and visit_on between $2 and $3 and status = 'COMPLETED'
               group by service_id, visit_on
           )
           select done.service_id as "service!", service.name as "name!", service.category_name as category,
                  done.visit_on as "day!", done.revenue as "revenue!", done.count as "count!"
           from done
           join booking_read.service on service.business_id = $1 and service.service_id = done.service_id"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_all(conn)
    .await
}

/// The completed visits of a range by whose they were. A customer's first visit is looked for in all
/// that came before the range as well.
pub(crate) async fn visited(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Visited> {
    let rows = sqlx::query!(
        r#"with visit as (
               select customer_id, visit_on, price from booking_read.reservation
               where business_id = $1 and visit_on between $2 and $3 and status = 'COMPLETED'
           ), first as (
               select customer_id, min(visit_on) as day from booking_read.reservation
               where business_id = $1 and status = 'COMPLETED' and visit_on <= $3
                 and customer_id in (select customer_id from visit)
               group by customer_id
           )
           select visit.visit_on as "day!", first.day >= $2 as is_new, count(*) as "visits!",
                  coalesce(sum(visit.price), 0)::bigint as "revenue!",
                  count(distinct visit.customer_id) filter (where first.day = visit.visit_on) as "first_visits!"
           from visit left join first on first.customer_id = visit.customer_id
           group by visit.visit_on, first.day >= $2"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_all(&mut *conn)
    .await?;
    let returning = sqlx::query_scalar!(
        r#"select count(*) as "count!" from (
               select customer_id from booking_read.reservation
               where business_id = $1 and status = 'COMPLETED' and visit_on <= $3 and customer_id is not null
               group by customer_id
               having min(visit_on) < $2 and max(visit_on) >= $2) came_before"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_one(conn)
    .await?;
    let days = rows.into_iter().map(|row| VisitorDay {
        day: row.day,
        visitors: match row.is_new {
            Some(true) => Visitors::New,
            Some(false) => Visitors::Returning,
            None => Visitors::Anonymous,
        },
        visits: row.visits,
        revenue: row.revenue,
        first_visits: row.first_visits,
    });
    Ok(Visited { days: days.collect(), returning })
}

/// Of those whose first visit was in a month of the range: in which months they came, up to its end.
pub(crate) async fn cohort_months(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Vec<CohortMonth>> {
    sqlx::query_as!(
        CohortMonth,
        r#"with came as (
               select distinct customer_id, date_trunc('month', visit_on)::date as month
               from booking_read.reservation
               where business_id = $1 and status = 'COMPLETED' and visit_on <= $3 and customer_id is not null
           ), first as (
               select customer_id, min(month) as cohort from came group by customer_id
           )
           select first.cohort as "cohort!", came.month as "month!", count(*) as "customers!"
           from came join first on first.customer_id = came.customer_id
           where first.cohort >= date_trunc('month', $2::date)::date
           group by first.cohort, came.month"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_all(conn)
    .await
}

/// What came to nothing, day by day.
pub(crate) async fn lost_days(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Vec<(NaiveDate, LostDay)>> {
    let rows = sqlx::query!(
        r#"select visit_on as "day!", count(*) filter (where line = 1) as "reservations!",
                  count(*) filter (where line = 1 and status = 'CANCELLED') as "cancelled!",
                  coalesce(sum(price) filter (where status = 'CANCELLED'), 0) as "cancelled_amount!",
                  count(*) filter (where line = 1 and status = 'NO_SHOW') as "no_shows!",
                  coalesce(sum(price) filter (where status = 'NO_SHOW'), 0) as "no_show_amount!"
           from booking_read.visit
           where business_id = $1 and visit_on between $2 and $3
           group by visit_on"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_all(conn)
    .await?;
    let days = rows.into_iter().map(|row| {
        let lost = LostDay {
            reservations: row.reservations,
            cancelled: row.cancelled,
            cancelled_amount: row.cancelled_amount,
            no_shows: row.no_shows,
            no_show_amount: row.no_show_amount,
        };
        (row.day, lost)
    });
    Ok(days.collect())
}

/// What each member of staff did.
pub(crate) async fn worked(
    conn: &mut PgConnection,
    business: BusinessId,
    range: DateRange,
) -> sqlx::Result<Vec<Worked>> {
    let rows = sqlx::query!(
        r#"with duration as (
               select reservation_id, sum(duration_minutes) as minutes, sum(price) as revenue
               from booking_read.visit
               where business_id = $1 and visit_on between $2 and $3 and status = 'COMPLETED'
               group by reservation_id
           ), visit as (
               select reservation.staff_id, reservation.visit_on, reservation.start_at, duration.minutes, duration.revenue
               from duration
               join booking_read.reservation
                   on reservation.business_id = $1 and reservation.reservation_id = duration.reservation_id
           ), open as (
               select visit_on, extract(epoch from
                      max(start_at + minutes * interval '1 minute') - min(start_at))::bigint / 60 as minutes
               from visit group by visit_on
           ), day as (
               select staff_id, visit_on, sum(minutes) as busy, sum(revenue) as revenue, count(*) as reservations
               from visit group by staff_id, visit_on
           )
           select day.staff_id as staff, staff.name, count(*) as "days!", sum(day.busy)::bigint as "busy!",
                  sum(open.minutes)::bigint as "open!", sum(day.reservations)::bigint as "reservations!",
                  sum(day.revenue)::bigint as "revenue!"
           from day
           join open on open.visit_on = day.visit_on
           left join booking_read.staff on staff.business_id = $1 and staff.staff_id = day.staff_id
           group by day.staff_id, staff.name"#,
        business.0,
        range.start(),
        range.end(),
    )
    .fetch_all(conn)
    .await?;
    let worked = rows.into_iter().map(|row| Worked {
        staff: row.staff,
        name: row.name.unwrap_or_else(|| UNASSIGNED.to_owned()),
        days: row.days,
        busy_minutes: row.busy,
        open_minutes: row.open,
        reservations: row.reservations,
        revenue: row.revenue,
    });
    Ok(worked.collect())
}

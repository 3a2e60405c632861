//! `notifications.reminder`, and the visits to be reminded of.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::{BusinessId, KoreanTime, start_of_korean_day};
use sqlx::PgConnection;

use crate::reminder::ReminderDue;

/// All visits of a day were reminded of that there were.
pub(crate) async fn done(conn: &mut PgConnection, visit_on: NaiveDate) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into notifications.reminder_day (visit_on) values ($1) on conflict do nothing",
        visit_on,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The first day from `from` on that has visits and was not reminded of.
pub(crate) async fn first_unreminded_day(
    conn: &mut PgConnection,
    from: DateTime<Utc>,
) -> sqlx::Result<Option<NaiveDate>> {
    sqlx::query_scalar!(
        "select min(visit.visit_on)
         from identity_read.business b
         cross join lateral (
             select r.visit_on from booking_read.reservation r
             where r.business_id = b.business_id and r.start_at >= $1
               and r.status = 'CONFIRMED' and r.customer_id is not null
               and not exists (select from notifications.reminder_day d where d.visit_on = r.visit_on)
             order by r.start_at limit 1) visit",
        from,
    )
    .fetch_one(conn)
    .await
}

/// The next visits of a day behind one of them that nobody was reminded of yet: those that are to take place, of somebody
/// known, that were made on an earlier day than this one. Who reserves today for tomorrow knows it.
pub(crate) async fn visits(
    conn: &mut PgConnection,
    visit_on: NaiveDate,
    (after_business, after_reservation): (BusinessId, i64),
    limit: i64,
) -> sqlx::Result<Vec<(BusinessId, ReminderDue)>> {
    let day_before = visit_on.checked_sub_days(Days::new(1)).unwrap_or(visit_on);
    let from = start_of_korean_day(visit_on);
    let until = start_of_korean_day(visit_on.succ_opt().unwrap_or(visit_on));
    let rows = sqlx::query!(
        r#"select visit.business_id as "business!: BusinessId", visit.reservation_id as "reservation!",
                  visit.customer_id as "customer!", visit.start_at as "start_at!: KoreanTime",
                  array(select service.name
                        from booking_read.visit line
                        join booking_read.service
                            on service.business_id = line.business_id and service.service_id = line.service_id
                        where line.business_id = visit.business_id and line.reservation_id = visit.reservation_id
                        order by line.line) as "services!: Vec<String>"
           from identity_read.business b
           cross join lateral (
               select r.* from booking_read.reservation r
               where r.business_id = b.business_id and r.start_at >= $1 and r.start_at < $2
                 and r.status = 'CONFIRMED' and r.customer_id is not null and r.created_at < $3
                 and not exists (select from notifications.reminder done
                                 where done.business_id = r.business_id and done.reservation_id = r.reservation_id
                                   and done.visit_on = $7)) visit
           where b.business_id >= $4 and (visit.business_id, visit.reservation_id) > ($4, $5)
           order by visit.business_id, visit.reservation_id limit $6"#,
        from,
        until,
        start_of_korean_day(day_before),
        after_business.0,
        after_reservation,
        limit,
        visit_on,
    )
    .fetch_all(conn)
    .await?;
    let visits = rows.into_iter().map(|row| {
        let due = ReminderDue {
            reservation_id: row.reservation,
            customer_id: row.customer,
            start_at: row.start_at,
            services: row.services,
        };
        (row.business, due)
    });
    Ok(visits.collect())
}

/// Writes down that visits are reminded of; answers with those that were not yet.
pub(crate) async fn write_down(
    conn: &mut PgConnection,
    visit_on: NaiveDate,
    visits: Vec<(BusinessId, ReminderDue)>,
) -> sqlx::Result<Vec<(BusinessId, ReminderDue)>> {
    let businesses: Vec<i64> = visits.iter().map(|(business, _)| business.0).collect();
    let reservations: Vec<i64> = visits.iter().map(|(_, due)| due.reservation_id).collect();
    let fresh = sqlx::query!(
        "insert into notifications.reminder (business_id, reservation_id, visit_on)
         select business_id, reservation_id, $3
         from unnest($1::bigint[], $2::bigint[]) as due (business_id, reservation_id)
         on conflict do nothing
         returning business_id, reservation_id",
        &businesses,
        &reservations,
        visit_on,
    )
    .fetch_all(conn)
    .await?;
    let is_fresh = |(business, due): &(BusinessId, ReminderDue)| {
        fresh.iter().any(|row| row.business_id == business.0 && row.reservation_id == due.reservation_id)
    };
    Ok(visits.into_iter().filter(is_fresh).collect())
}

pub(crate) async fn forget_before(conn: &mut PgConnection, day: NaiveDate) -> sqlx::Result<()> {
    sqlx::query!("delete from notifications.reminder where visit_on < $1", day).execute(&mut *conn).await?;
    sqlx::query!("delete from notifications.reminder_day where visit_on < $1", day).execute(conn).await?;
    Ok(())
}

//! `booking.reservation` and `booking.reservation_service`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use sqlx::PgConnection;

use super::column;
use crate::{
    customer::CustomerId,
    reservation::{
        Line, Planned, ReservationId, ReservationStatus, ReservationView, ReservedService, SomeStaff,
        Somebody,
    },
    service::ServiceId,
    staff::StaffId,
};

/// What is known of a reservation that the feeding system named.
pub(crate) struct KnownReservation {
    pub id: ReservationId,
    pub planned: Planned,
}

/// Each is looked up by its name, one after the other (see `store`).
pub(crate) async fn known(
    conn: &mut PgConnection,
    business: BusinessId,
    external_ids: &[String],
) -> sqlx::Result<HashMap<String, KnownReservation>> {
    let rows = sqlx::query!(
        r#"select known.external_id as "external_id!", known.reservation_id as "id!: ReservationId",
                  known.customer_id as "customer: CustomerId", known.staff_id as "staff: StaffId",
                  known.start_at as "start_at!", known.status as "status!: ReservationStatus"
           from (select $1::bigint as business_id, name from unnest($2::text[]) as given (name) offset 0) named
           cross join lateral (
               select external_id, reservation_id, customer_id, staff_id, start_at, status from booking.reservation
               where business_id = named.business_id and external_id = named.name limit 1) known"#,
        business.0,
        external_ids,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut lines = lines(conn, business, &column(&rows, |row| row.id.0)).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let planned = Planned {
                customer: row.customer,
                staff: row.staff,
                start_at: row.start_at,
                status: row.status,
                lines: lines.remove(&row.id).unwrap_or_default(),
            };
            (row.external_id, KnownReservation { id: row.id, planned })
        })
        .collect())
}

/// The services of reservations, in their order.
pub(crate) async fn lines(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<HashMap<ReservationId, Vec<Line>>> {
    let mut lines: HashMap<_, Vec<_>> = HashMap::with_capacity(ids.len());
    if ids.is_empty() {
        return Ok(lines);
    }
    let rows = sqlx::query!(
        r#"select line.reservation_id as "id!: ReservationId", line.service_id as "service!: ServiceId",
                  line.price::bigint as "price!", line.duration_minutes as "duration_minutes!"
           from (select $1::bigint as business_id, id from unnest($2::bigint[]) as given (id) offset 0) named
           cross join lateral (
               select reservation_id, service_id, price, duration_minutes from booking.reservation_service
               where business_id = named.business_id and reservation_id = named.id
               order by reservation_service.line limit 50) line"#,
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    for row in rows {
        let line = Line { service: row.service, price: row.price, duration_minutes: row.duration_minutes };
        lines.entry(row.id).or_default().push(line);
    }
    Ok(lines)
}

pub(crate) async fn new_ids(conn: &mut PgConnection, how_many: usize) -> sqlx::Result<Vec<ReservationId>> {
    if how_many == 0 {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(
        r#"select nextval('booking.reservation_reservation_id_seq') as "id!: ReservationId"
           from generate_series(1, $1)"#,
        i32::try_from(how_many).unwrap_or(i32::MAX),
    )
    .fetch_all(conn)
    .await
}

/// A reservation that is new, under the feeding system's name where it has one.
pub(crate) struct NewReservation {
    pub id: ReservationId,
    pub external_id: Option<String>,
    pub planned: Planned,
    pub created_at: DateTime<Utc>,
}

pub(crate) async fn insert(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[NewReservation],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "insert into booking.reservation
             (business_id, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at,
              changed_at)
         select $1, fresh.*, $2
         from unnest($3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::timestamptz[], $8::text[],
                     $9::bigint[], $10::timestamptz[]) as fresh",
        business.0,
        now,
        &column(rows, |row| row.id.0),
        &column(rows, |row| row.external_id.clone()) as &[Option<String>],
        &column(rows, |row| row.planned.customer.map(|id| id.0)) as &[Option<i64>],
        &column(rows, |row| row.planned.staff.map(|id| id.0)) as &[Option<i64>],
        &column(rows, |row| row.planned.start_at),
        &column(rows, |row| row.planned.status.as_str().to_owned()),
        &column(rows, |row| row.planned.price()),
        &column(rows, |row| row.created_at),
    )
    .execute(&mut *conn)
    .await?;
    let planned: Vec<_> = rows.iter().map(|row| (row.id, &row.planned)).collect();
    insert_lines(conn, business, &planned).await
}

/// They are as it is planned now, with everything that hangs on them.
pub(crate) async fn update(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    rows: &[(ReservationId, Planned)],
) -> sqlx::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let ids = column(rows, |(id, _)| id.0);
    sqlx::query!(
        "update booking.reservation
         set customer_id = said.customer_id, staff_id = said.staff_id, start_at = said.start_at,
             status = said.status, price = said.price, changed_at = $2
         from (
             select $1::bigint as business_id, given.*
             from unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7::text[], $8::bigint[])
                 as given (reservation_id, customer_id, staff_id, start_at, status, price) offset 0) said
         where reservation.business_id = said.business_id and reservation.reservation_id = said.reservation_id",
        business.0,
        now,
        &ids,
        &column(rows, |(_, planned)| planned.customer.map(|id| id.0)) as &[Option<i64>],
        &column(rows, |(_, planned)| planned.staff.map(|id| id.0)) as &[Option<i64>],
        &column(rows, |(_, planned)| planned.start_at),
        &column(rows, |(_, planned)| planned.status.as_str().to_owned()),
        &column(rows, |(_, planned)| planned.price()),
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "delete from booking.reservation_service line
         using (select $1::bigint as business_id, id from unnest($2::bigint[]) as given (id) offset 0) changed
         where line.business_id = changed.business_id and line.reservation_id = changed.id",
        business.0,
        &ids,
    )
    .execute(&mut *conn)
    .await?;
    let planned: Vec<_> = rows.iter().map(|(id, planned)| (*id, planned)).collect();
    insert_lines(conn, business, &planned).await
}

/// The services of reservations, with what they repeat of them.
async fn insert_lines(
    conn: &mut PgConnection,
    business: BusinessId,
    rows: &[(ReservationId, &Planned)],
) -> sqlx::Result<()> {
    let mut columns = LineColumns::default();
    for (id, planned) in rows {
        for (line, position) in planned.lines.iter().zip(1..) {
            columns.push(*id, planned, position, *line);
        }
    }
    sqlx::query!(
        "insert into booking.reservation_service
             (business_id, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status, staff_id)
         select $1, reservation_id, line, service_id, price, duration_minutes,
                (start_at at time zone 'Asia/Seoul')::date,
                extract(hour from start_at at time zone 'Asia/Seoul')::smallint, status, staff_id
         from unnest($2::bigint[], $3::smallint[], $4::bigint[], $5::int[], $6::int[], $7::timestamptz[], $8::text[],
                     $9::bigint[])
             as fresh (reservation_id, line, service_id, price, duration_minutes, start_at, status, staff_id)",
        business.0,
        &columns.reservations,
        &columns.positions,
        &columns.services,
        &columns.prices,
        &columns.durations,
        &columns.starts,
        &columns.statuses,
        &columns.staffs as &[Option<i64>],
    )
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(Default)]
struct LineColumns {
    reservations: Vec<i64>,
    positions: Vec<i16>,
    services: Vec<i64>,
    prices: Vec<i32>,
    durations: Vec<i32>,
    starts: Vec<DateTime<Utc>>,
    statuses: Vec<String>,
    staffs: Vec<Option<i64>>,
}

impl LineColumns {
    fn push(&mut self, id: ReservationId, planned: &Planned, position: i16, line: Line) {
        self.reservations.push(id.0);
        self.positions.push(position);
        self.services.push(line.service.0);
        // A price was read as at most a thousand million, so it fits.
        self.prices.push(i32::try_from(line.price).unwrap_or(i32::MAX));
        self.durations.push(line.duration_minutes);
        self.starts.push(planned.start_at);
        self.statuses.push(planned.status.as_str().to_owned());
        self.staffs.push(planned.staff.map(|id| id.0));
    }
}

/// The reservation as it is planned; none if there is none. Whoever writes for the business is alone anyway.
pub(crate) async fn planned(
    conn: &mut PgConnection,
    business: BusinessId,
    id: ReservationId,
) -> sqlx::Result<Option<Planned>> {
    let row = sqlx::query!(
        r#"select customer_id as "customer: CustomerId", staff_id as "staff: StaffId", start_at,
                  status as "status: ReservationStatus"
           from booking.reservation where business_id = $1 and reservation_id = $2"#,
        business.0,
        id.0,
    )
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let lines = lines(conn, business, &[id.0]).await?.remove(&id).unwrap_or_default();
    Ok(Some(Planned {
        customer: row.customer,
        staff: row.staff,
        start_at: row.start_at,
        status: row.status,
        lines,
    }))
}

/// Which reservations are wanted.
#[derive(Default)]
pub(crate) struct ReservationFilter {
    pub status: Option<ReservationStatus>,
    pub staff: Option<StaffId>,
    pub customer: Option<CustomerId>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub only: Option<ReservationId>,
    pub before: Option<(DateTime<Utc>, ReservationId)>,
    pub limit: i64,
}

/// Those that begin last first.
pub(crate) async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    filter: &ReservationFilter,
) -> sqlx::Result<Vec<ReservationView>> {
    let rows = sqlx::query!(
        r#"select reservation_id as "id: ReservationId", reservation.external_id,
                  reservation.customer_id as "customer: CustomerId", customer.name as "customer_name?",
                  reservation.staff_id as "staff: StaffId", staff.name as "staff_name?",
                  start_at as "start_at: KoreanTime", status as "status: ReservationStatus", price,
                  reservation.created_at as "created_at: KoreanTime"
           from booking.reservation
           left join booking.customer
               on customer.business_id = reservation.business_id and customer.customer_id = reservation.customer_id
           left join booking.staff
               on staff.business_id = reservation.business_id and staff.staff_id = reservation.staff_id
           where reservation.business_id = $1 and ($2::text is null or status = $2)
             and ($3::bigint is null or reservation.staff_id = $3)
             and ($4::bigint is null or reservation.customer_id = $4)
             and ($5::timestamptz is null or start_at >= $5) and ($6::timestamptz is null or start_at < $6)
             and ($7::bigint is null or reservation_id = $7)
             and ($8::timestamptz is null or (start_at, reservation_id) < ($8, $9))
           order by start_at desc, reservation_id desc limit $10"#,
        business.0,
        filter.status.map(ReservationStatus::as_str),
        filter.staff.map(|id| id.0),
        filter.customer.map(|id| id.0),
        filter.from,
        filter.until,
        filter.only.map(|id| id.0),
        filter.before.map(|(start_at, _)| start_at),
        filter.before.map(|(_, id)| id.0),
        filter.limit,
    )
    .fetch_all(&mut *conn)
    .await?;
    let mut services = services(conn, business, &column(&rows, |row| row.id.0)).await?;
    let named = rows.into_iter().map(|row| ReservationView {
        reservation_id: row.id,
        external_id: row.external_id,
        customer: row
            .customer
            .zip(row.customer_name)
            .map(|(customer_id, name)| Somebody { customer_id, name }),
        staff: row.staff.zip(row.staff_name).map(|(staff_id, name)| SomeStaff { staff_id, name }),
        services: services.remove(&row.id).unwrap_or_default(),
        start_at: row.start_at,
        status: row.status,
        price: row.price,
        created_at: row.created_at,
    });
    Ok(named.collect())
}

/// The services of reservations as they are shown, in their order.
async fn services(
    conn: &mut PgConnection,
    business: BusinessId,
    ids: &[i64],
) -> sqlx::Result<HashMap<ReservationId, Vec<ReservedService>>> {
    let rows = sqlx::query!(
        r#"select reservation_id as "id: ReservationId", line.service_id as "service: ServiceId", service.name,
                  line.price::bigint as "price!", line.duration_minutes
           from booking.reservation_service line
           join booking.service
               on service.business_id = line.business_id and service.service_id = line.service_id
           where line.business_id = $1 and line.reservation_id = any($2)
           order by reservation_id, line"#,
        business.0,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let mut services: HashMap<_, Vec<_>> = HashMap::new();
    for row in rows {
        services.entry(row.id).or_default().push(ReservedService {
            service_id: row.service,
            name: row.name,
            price: row.price,
            duration_minutes: row.duration_minutes,
        });
    }
    Ok(services)
}

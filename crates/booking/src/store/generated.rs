//! Writing invented reservations as fast as the database takes them.
//!
//! `COPY` does not write into tables behind row-level security, so it fills a table of the transaction's own, from which
//! one statement writes on.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use sqlx::{Executor, PgConnection};

use crate::reservation::{Planned, ReservationId};

/// Some ten thousand reservations.
const LARGE: usize = 2 * 1024 * 1024;

/// Rows as `COPY` reads them.
#[derive(Default)]
pub(crate) struct Copy {
    reservations: String,
    lines: String,
}

impl Copy {
    pub(crate) fn push(
        &mut self,
        business: BusinessId,
        id: ReservationId,
        external_id: &str,
        planned: &Planned,
        created_at: DateTime<Utc>,
    ) {
        let or_null = |id: Option<i64>| id.map_or_else(|| "\\N".to_owned(), |id| id.to_string());
        let staff = or_null(planned.staff.map(|id| id.0));
        let customer = or_null(planned.customer.map(|id| id.0));
        let status = planned.status.as_str();
        let (start, created) = (planned.start_at.to_rfc3339(), created_at.to_rfc3339());
        let price = planned.price();
        // Writing into a String cannot fail.
        let _ = writeln!(
            self.reservations,
            "{business}\t{id}\t{external_id}\t{customer}\t{staff}\t{start}\t{status}\t{price}\t{created}\t{created}"
        );
        for (line, position) in planned.lines.iter().zip(1..) {
            let _ = writeln!(
                self.lines,
                "{business}\t{id}\t{position}\t{}\t{}\t{}\t{start}\t{status}\t{staff}",
                line.service, line.price, line.duration_minutes
            );
        }
    }

    pub(crate) fn is_large(&self) -> bool {
        self.reservations.len() > LARGE
    }

    pub(crate) async fn write(self, conn: &mut PgConnection) -> sqlx::Result<()> {
        if self.reservations.is_empty() {
            return Ok(());
        }
        conn.execute(
            "create temp table invented (
                 business_id bigint, reservation_id bigint, external_id text, customer_id bigint, staff_id bigint,
                 start_at timestamptz, status text, price bigint, created_at timestamptz, changed_at timestamptz
             ) on commit drop;
             create temp table invented_line (
                 business_id bigint, reservation_id bigint, line smallint, service_id bigint, price integer,
                 duration_minutes integer, start_at timestamptz, status text, staff_id bigint
             ) on commit drop",
        )
        .await?;
        for (statement, rows) in
            [("copy invented from stdin", self.reservations), ("copy invented_line from stdin", self.lines)]
        {
            let mut copy = conn.copy_in_raw(statement).await?;
            copy.send(rows.into_bytes()).await?;
            copy.finish().await?;
        }
        conn.execute(
            "insert into booking.reservation
                 (business_id, reservation_id, external_id, customer_id, staff_id, start_at, status, price, created_at,
                  changed_at)
             select * from invented;
             insert into booking.reservation_service
                 (business_id, reservation_id, line, service_id, price, duration_minutes, visit_on, hour, status,
                  staff_id)
             select business_id, reservation_id, line, service_id, price, duration_minutes,
                    (start_at at time zone 'Asia/Seoul')::date,
                    extract(hour from start_at at time zone 'Asia/Seoul')::smallint, status, staff_id
             from invented_line;
             drop table invented, invented_line",
        )
        .await?;
        Ok(())
    }
}

//! Reservations, one a row.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use kernel::korean_time;

use super::{Contacts, Record};
use crate::{
    export::VisitStatus,
    sheet::{Cell, Column, SheetError},
};

/// A reservation with all that belongs to it.
pub(crate) struct ReservationRow {
    pub id: i64,
    pub external_id: Option<String>,
    pub start_at: DateTime<Utc>,
    pub status: VisitStatus,
    pub customer: Option<i64>,
    pub customer_name: Option<String>,
    /// Sealed.
    pub phone: Option<String>,
    pub staff: Option<String>,
    pub services: Option<String>,
    pub minutes: Option<i64>,
    pub price: i64,
    pub created_at: DateTime<Utc>,
}

/// As in the reports, where no member of staff is named.
pub(super) const UNASSIGNED: &str = "미지정";

impl Record for ReservationRow {
    const NAME: &'static str = "예약내역";
    const COLUMNS: &'static [Column] = &[
        Column::new("예약번호", 11.0),
        Column::new("외부번호", 16.0),
        Column::new("예약일시", 17.0),
        Column::new("상태", 8.0),
        Column::new("고객번호", 11.0),
        Column::new("고객명", 14.0),
        Column::new("연락처", 16.0),
        Column::new("담당자", 14.0),
        Column::new("서비스", 34.0),
        Column::new("소요시간(분)", 13.0),
        Column::new("금액", 14.0),
        Column::new("접수일시", 17.0),
    ];

    fn cells<'a>(&'a self, contacts: &Contacts, cells: &mut Vec<Cell<'a>>) -> Result<(), SheetError> {
        let phone = match (self.customer, &self.phone) {
            (Some(customer), Some(sealed)) => Cell::Text(Cow::Owned(contacts.phone(customer, sealed)?)),
            _ => Cell::Empty,
        };
        cells.extend([
            Cell::Number(self.id),
            Cell::some_text(self.external_id.as_deref()),
            Cell::Time(korean_time(self.start_at)),
            Cell::text(self.status.korean()),
            self.customer.map_or(Cell::Empty, Cell::Number),
            Cell::some_text(self.customer_name.as_deref()),
            phone,
            Cell::text(self.staff.as_deref().unwrap_or(UNASSIGNED)),
            Cell::some_text(self.services.as_deref()),
            self.minutes.map_or(Cell::Empty, Cell::Number),
            Cell::Won(self.price),
            Cell::Time(korean_time(self.created_at)),
        ]);
        Ok(())
    }
}

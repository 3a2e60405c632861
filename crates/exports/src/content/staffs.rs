//! Members of staff, one a row, with what they did in the range.

use super::{Contacts, Record, reservations::UNASSIGNED};
use crate::sheet::{Cell, Column, SheetError};

/// A member of staff; or, without an id, what was done by nobody in particular.
pub(crate) struct StaffRow {
    pub id: Option<i64>,
    pub name: Option<String>,
    pub has_left: bool,
    pub worked_days: i64,
    pub reservations: i64,
    pub completed: i64,
    pub cancelled: i64,
    pub no_shows: i64,
    /// Of completed visits.
    pub minutes: i64,
    /// Won, of completed visits.
    pub revenue: i64,
    /// Of everybody.
    pub total_revenue: i64,
}

impl Record for StaffRow {
    const NAME: &'static str = "직원실적";
    const COLUMNS: &'static [Column] = &[
        Column::new("직원번호", 11.0),
        Column::new("직원명", 14.0),
        Column::new("재직", 8.0),
        Column::new("근무일수", 11.0),
        Column::new("예약", 9.0),
        Column::new("완료", 9.0),
        Column::new("취소", 9.0),
        Column::new("노쇼", 9.0),
        Column::new("시술시간(분)", 13.0),
        Column::new("매출", 15.0),
        Column::new("건당 평균", 14.0),
        Column::new("매출 비중(%)", 13.0),
    ];

    fn cells<'a>(&'a self, _: &Contacts, cells: &mut Vec<Cell<'a>>) -> Result<(), SheetError> {
        let employed = match self.id {
            None => Cell::Empty,
            Some(_) => Cell::text(if self.has_left { "퇴사" } else { "재직" }),
        };
        cells.extend([
            self.id.map_or(Cell::Empty, Cell::Number),
            Cell::text(self.name.as_deref().unwrap_or(UNASSIGNED)),
            employed,
            Cell::Number(self.worked_days),
            Cell::Number(self.reservations),
            Cell::Number(self.completed),
            Cell::Number(self.cancelled),
            Cell::Number(self.no_shows),
            Cell::Number(self.minutes),
            Cell::Won(self.revenue),
            Cell::Won(rounded(self.revenue, self.completed)),
            Cell::Percent(rounded(self.revenue * 1000, self.total_revenue)),
        ]);
        Ok(())
    }
}

/// Half up; nothing of nothing.
fn rounded(part: i64, whole: i64) -> i64 {
    if whole == 0 { 0 } else { (part + whole / 2) / whole }
}

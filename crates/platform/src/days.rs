//! Ranges of Korean days, as lists are asked for them.

use chrono::{DateTime, Datelike, Days, NaiveDate, Utc};
use kernel::start_of_korean_day;

use crate::Problem;

/// When the first of some days begins and when the last one is over; an end that is not given is open.
#[derive(Clone, Copy, Debug)]
pub struct DayRange {
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
}

impl DayRange {
    pub fn new(start: Option<NaiveDate>, end: Option<NaiveDate>) -> Result<Self, Problem> {
        // A year has four digits: beyond, neither the calendar nor the database can follow.
        let is_readable = |day: &NaiveDate| (1..=9999).contains(&day.year());
        if !start.iter().chain(&end).all(is_readable) {
            return Err(Problem::bad_request("INVALID_PARAMETER", "조회 기간의 연도가 올바르지 않습니다."));
        }
        if start.zip(end).is_some_and(|(start, end)| end < start) {
            return Err(Problem::bad_request(
                "INVALID_PARAMETER",
                "endDate는 startDate보다 빠를 수 없습니다.",
            ));
        }
        let day_after_end = end.and_then(|end| end.checked_add_days(Days::new(1)));
        Ok(Self { from: start.map(start_of_korean_day), until: day_after_end.map(start_of_korean_day) })
    }
}

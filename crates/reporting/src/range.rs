//! The days that a report is about.

use chrono::{Days, Months, NaiveDate};

/// Five years and the leap days in them.
const LONGEST: i64 = 5 * 366;

/// Korean days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DateRange {
    start: NaiveDate,
    end: NaiveDate,
}

/// Why two days are no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRange {
    #[error("the range ends before it begins")]
    Backwards,
    #[error("the range is longer than five years")]
    TooLong,
    #[error("the range is outside the years 2000 to 2099")]
    OutOfTime,
}

impl DateRange {
    pub(crate) fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, InvalidRange> {
        let (first, last) = (NaiveDate::from_ymd_opt(2000, 1, 1), NaiveDate::from_ymd_opt(2099, 12, 31));
        if Some(start) < first || Some(end) > last {
            return Err(InvalidRange::OutOfTime);
        }
        match (end - start).num_days() {
            ..0 => Err(InvalidRange::Backwards),
            LONGEST.. => Err(InvalidRange::TooLong),
            _ => Ok(Self { start, end }),
        }
    }

    pub(crate) fn start(self) -> NaiveDate {
        self.start
    }

    pub(crate) fn end(self) -> NaiveDate {
        self.end
    }

    pub(crate) fn days(self) -> u64 {
        (self.end - self.start).num_days().unsigned_abs() + 1
    }

    pub(crate) fn each_day(self) -> impl Iterator<Item = NaiveDate> {
        self.start.iter_days().take_while(move |day| *day <= self.end)
    }

    /// As many days, right before these.
    pub(crate) fn before(self) -> Self {
        let back = Days::new(self.days());
        Self {
            start: self.start.checked_sub_days(back).unwrap_or(self.start),
            end: self.end.checked_sub_days(back).unwrap_or(self.end),
        }
    }

    /// The same days of the year before; 29 February is compared with the 28th.
    pub(crate) fn a_year_earlier(self) -> Self {
        let earlier = |day: NaiveDate| day.checked_sub_months(Months::new(12)).unwrap_or(day);
        Self { start: earlier(self.start), end: earlier(self.end) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn range(start: &str, end: &str) -> Result<DateRange, InvalidRange> {
        DateRange::new(day(start), day(end))
    }

    #[test]
    fn a_range_goes_forward_five_years_at_most() {
        assert_eq!(range("2026-02-02", "2026-02-01"), Err(InvalidRange::Backwards));
        assert_eq!(range("2021-01-01", "2026-01-31"), Err(InvalidRange::TooLong));
        assert_eq!(range("1999-12-31", "2000-01-01"), Err(InvalidRange::OutOfTime));
        assert_eq!(range("2099-12-31", "2100-01-01"), Err(InvalidRange::OutOfTime));
        assert_eq!(range("2021-01-01", "2025-12-31").map(DateRange::days), Ok(1826));
        assert_eq!(range("2026-02-01", "2026-02-01").map(DateRange::days), Ok(1));
    }

    #[test]
    fn a_year_earlier_is_the_same_days_of_the_calendar() {
        let leap = range("2024-02-29", "2024-03-01").unwrap();
        assert_eq!(leap.a_year_earlier(), range("2023-02-28", "2023-03-01").unwrap());
    }

    proptest! {
        #[test]
        fn what_comes_before_is_as_long_and_touches(start in 0i64..30_000, length in 0i64..1_800) {
            let start = day("2001-01-01") + chrono::TimeDelta::days(start);
            prop_assume!(start + chrono::TimeDelta::days(length) <= day("2099-12-31"));
            let range = DateRange::new(start, start + chrono::TimeDelta::days(length)).unwrap();
            let before = range.before();
            prop_assert_eq!(before.days(), range.days());
            prop_assert_eq!(before.end().succ_opt(), Some(range.start()));
            prop_assert_eq!(range.each_day().count() as u64, range.days());
        }
    }
}

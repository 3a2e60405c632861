//! The days that an export is about.

use chrono::{Days as Later, NaiveDate};

/// Five years and the leap days in them.
const LONGEST: i64 = 5 * 366;

/// Korean days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    pub start: NaiveDate,
    pub end: NaiveDate,
}

/// Why two days are no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDays {
    #[error("the days end before they begin")]
    Backwards,
    #[error("the days are more than five years")]
    TooMany,
    #[error("the days are outside the years 2000 to 2099")]
    OutOfTime,
}

impl Days {
    pub fn new(start: NaiveDate, end: NaiveDate) -> Result<Self, InvalidDays> {
        let (first, last) = (NaiveDate::from_ymd_opt(2000, 1, 1), NaiveDate::from_ymd_opt(2099, 12, 31));
        if Some(start.min(end)) < first || Some(end.max(start)) > last {
            return Err(InvalidDays::OutOfTime);
        }
        match (end - start).num_days() {
            ..0 => Err(InvalidDays::Backwards),
            LONGEST.. => Err(InvalidDays::TooMany),
            _ => Ok(Self { start, end }),
        }
    }

    pub(crate) fn count(self) -> i64 {
        (self.end - self.start).num_days() + 1
    }

    /// The same days, one after another in parts of as many.
    pub(crate) fn in_parts(self, length: u64) -> impl Iterator<Item = Self> {
        let length = length.max(1);
        std::iter::successors(Some(self.start), move |start| start.checked_add_days(Later::new(length)))
            .take_while(move |start| *start <= self.end)
            .map(move |start| {
                let end = start.checked_add_days(Later::new(length - 1)).unwrap_or(self.end);
                Self { start, end: end.min(self.end) }
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_go_forward_five_years_at_most() {
        let days =
            |start: &str, end: &str| Days::new(start.parse().unwrap(), end.parse().unwrap()).map(Days::count);
        assert_eq!(days("2026-02-02", "2026-02-01"), Err(InvalidDays::Backwards));
        assert_eq!(days("2021-01-01", "2026-01-31"), Err(InvalidDays::TooMany));
        assert_eq!(days("9999-12-31", "9999-12-31"), Err(InvalidDays::OutOfTime));
        assert_eq!(days("2099-12-31", "1999-12-31"), Err(InvalidDays::OutOfTime));
        assert_eq!(days("2021-01-01", "2025-12-31"), Ok(1826));
    }

    #[test]
    fn parts_are_the_same_days_and_none_twice() {
        let days = Days::new("2026-01-30".parse().unwrap(), "2026-03-02".parse().unwrap()).unwrap();
        for length in [0, 1, 2, 7, 31, 32, 33, 10_000, u64::MAX] {
            let parts: Vec<_> = days.in_parts(length).collect();
            assert_eq!((parts[0].start, parts[parts.len() - 1].end), (days.start, days.end));
            for two in parts.windows(2) {
                assert_eq!(two[0].end.succ_opt(), Some(two[1].start));
            }
            assert_eq!(parts.iter().map(|part| part.count()).sum::<i64>(), days.count());
        }
    }
}

//! Days and birthdays as they are counted from today.

use chrono::{Datelike, Days, Months, NaiveDate};

use super::condition::{Birthdays, Day, Month};

impl Day {
    /// Which day it is on this day. A day that its month does not have is the month's last: three months before 31 May is 28
    /// February.
    pub(crate) fn on(self, today: NaiveDate) -> NaiveDate {
        match self {
            Self::Of(day) => day,
            Self::DaysAgo(days) => days_before(today, days.into()),
            Self::MonthsAgo(months) => {
                today.checked_sub_months(Months::new(months)).unwrap_or(NaiveDate::MIN)
            }
        }
    }
}

impl Month {
    /// 1 to 12.
    pub(crate) fn on(self, today: NaiveDate) -> u32 {
        match self {
            Self::Of(month) => month,
            Self::MonthsAhead(months) => (today.month0() + months) % 12 + 1,
        }
    }
}

impl Birthdays {
    /// The days of the year on which they fall, as 508 is 8 May; both ends of each stretch included.
    pub(crate) fn on(self, today: NaiveDate) -> Vec<(i32, i32)> {
        match self {
            Self::InNextDays(days) => birthdays_ahead(today, days),
            Self::Between(first, last) => {
                let (first, last) = (first.on(today), last.on(today));
                birthdays_ahead(first, u32::try_from((last - first).num_days()).unwrap_or_default())
            }
        }
    }
}

/// Negative days are ahead.
pub(crate) fn days_before(today: NaiveDate, days: i64) -> NaiveDate {
    let moved = if days < 0 {
        today.checked_add_days(Days::new(days.unsigned_abs()))
    } else {
        today.checked_sub_days(Days::new(days.unsigned_abs()))
    };
    moved.unwrap_or(if days < 0 { NaiveDate::MAX } else { NaiveDate::MIN })
}

/// The last birthday of those who are at least so old today. Who was born on 29 February is a year older on 1 March where there
/// is no such day, as the law counts (Civil Act, article 160).
pub(crate) fn born_by(today: NaiveDate, age: i64) -> NaiveDate {
    let months = u32::try_from(age).ok().and_then(|years| years.checked_mul(12));
    months.and_then(|months| today.checked_sub_months(Months::new(months))).unwrap_or(NaiveDate::MIN)
}

/// The days of the year, as 508 is 8 May, on which birthdays fall from today on, so many days ahead; both ends included. Where
/// there is no 29 February, it is celebrated on the 28th.
fn birthdays_ahead(today: NaiveDate, days: u32) -> Vec<(i32, i32)> {
    const WHOLE: (i32, i32) = (101, 1231);
    let last = days_before(today, -i64::from(days));
    if days >= 366 || last.year() > today.year() + 1 {
        return vec![WHOLE];
    }
    let until = |day: NaiveDate| match day_of_year(day) {
        228 if !day.leap_year() => 229,
        other => other,
    };
    if last.year() == today.year() {
        return vec![(day_of_year(today), until(last))];
    }
    vec![(day_of_year(today), WHOLE.1), (WHOLE.0, until(last))]
}

fn day_of_year(day: NaiveDate) -> i32 {
    i32::try_from(day.month() * 100 + day.day()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn months_are_counted_by_the_calendar() {
        assert_eq!(Day::MonthsAgo(3).on(day("2026-05-31")), day("2026-02-28"));
        assert_eq!(Day::MonthsAgo(3).on(day("2026-02-01")), day("2025-11-01"));
        assert_eq!(Day::DaysAgo(0).on(day("2026-02-01")), day("2026-02-01"));
        assert_eq!(Month::MonthsAhead(0).on(day("2026-12-31")), 12);
        assert_eq!(Month::MonthsAhead(1).on(day("2026-12-31")), 1);
    }

    #[test]
    fn who_was_born_on_29_february_is_older_on_1_march() {
        assert!(day("2004-02-29") > born_by(day("2026-02-28"), 22));
        assert!(day("2004-02-29") <= born_by(day("2026-03-01"), 22));
        assert!(day("2004-02-29") <= born_by(day("2024-02-29"), 20));
    }

    #[test]
    fn a_birthday_on_29_february_is_celebrated_in_its_month() {
        assert_eq!(birthdays_ahead(day("2026-02-28"), 0), [(228, 229)]);
        assert_eq!(birthdays_ahead(day("2028-02-28"), 0), [(228, 228)]);
        assert_eq!(birthdays_ahead(day("2026-03-01"), 0), [(301, 301)]);
        assert_eq!(birthdays_ahead(day("2026-12-31"), 1), [(1231, 1231), (101, 101)]);
    }

    proptest! {
        #[test]
        fn whoever_counts_day_by_day_finds_the_same_birthdays(start in 0u64..40_000, days in 0u32..400, born in 0u64..40_000) {
            let (today, birthday) = (day("1980-01-01") + Days::new(start), day("1930-01-01") + Days::new(born));
            let falls_on = |day: NaiveDate| {
                let celebrated = birthday.with_year(day.year());
                celebrated.unwrap_or_else(|| NaiveDate::from_ymd_opt(day.year(), 2, 28).expect("a day")) == day
            };
            let expected = (0..=days).any(|ahead| falls_on(today + Days::new(ahead.into())));
            let number = day_of_year(birthday);
            let found = birthdays_ahead(today, days).iter().any(|(from, until)| (*from..=*until).contains(&number));
            prop_assert_eq!(found, expected, "{} {} {}", today, days, birthday);
        }

        #[test]
        fn a_person_is_as_old_as_by_counting_birthdays(start in 0u64..40_000, born in 0u64..40_000, age in 0i64..130) {
            let (today, birthday) = (day("1980-01-01") + Days::new(start), day("1930-01-01") + Days::new(born));
            let had_birthday = (today.month(), today.day()) >= (birthday.month(), birthday.day());
            let counted = i64::from(today.year() - birthday.year()) - i64::from(!had_birthday);
            prop_assert_eq!(birthday <= born_by(today, age), counted >= age, "{} {}", today, birthday);
        }
    }
}

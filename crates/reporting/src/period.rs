//! The periods that a range is cut into.

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::range::DateRange;

/// How long each entry of a breakdown is. Weeks are ISO weeks, from Monday on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ReportPeriod {
    Daily,
    Weekly,
    #[default]
    Monthly,
    Yearly,
}

impl ReportPeriod {
    /// What the period that a day belongs to is called: `2026-02-14`, `2026-W07`, `2026-02`, `2026`.
    /// The first days of January may belong to the last week of the year before.
    pub(crate) fn label(self, day: NaiveDate) -> String {
        match self {
            Self::Daily => day.to_string(),
            Self::Weekly => {
                let week = day.iso_week();
                format!("{}-W{:02}", week.year(), week.week())
            }
            Self::Monthly => format!("{}-{:02}", day.year(), day.month()),
            Self::Yearly => day.year().to_string(),
        }
    }

    /// The periods of a range in order, each with its days: cut by the range at both ends, and none
    /// left out because nothing happened in it.
    pub(crate) fn cut(self, range: DateRange) -> Vec<(String, DateRange)> {
        let mut periods: Vec<(String, DateRange)> = Vec::new();
        for day in range.each_day() {
            let label = self.label(day);
            let first = match periods.last() {
                Some((last, days)) if *last == label => days.start(),
                _ => day,
            };
            let Ok(days) = DateRange::new(first, day) else { continue };
            match periods.last_mut() {
                Some(last) if last.0 == label => last.1 = days,
                _ => periods.push((label, days)),
            }
        }
        periods
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: &str, end: &str) -> DateRange {
        DateRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn labels(period: ReportPeriod, start: &str, end: &str) -> Vec<String> {
        period.cut(range(start, end)).into_iter().map(|(label, _)| label).collect()
    }

    #[test]
    fn weeks_are_iso_weeks_and_may_belong_to_another_year() {
        assert_eq!(
            labels(ReportPeriod::Weekly, "2025-12-28", "2026-01-05"),
            ["2025-W52", "2026-W01", "2026-W02"]
        );
        // 2026 has 53 weeks.
        assert_eq!(labels(ReportPeriod::Weekly, "2026-12-31", "2027-01-04"), ["2026-W53", "2027-W01"]);
    }

    #[test]
    fn months_and_weeks_are_cut_by_the_range() {
        let cut = ReportPeriod::Monthly.cut(range("2026-01-31", "2026-03-01"));
        assert_eq!(
            cut,
            [
                ("2026-01".to_owned(), range("2026-01-31", "2026-01-31")),
                ("2026-02".to_owned(), range("2026-02-01", "2026-02-28")),
                ("2026-03".to_owned(), range("2026-03-01", "2026-03-01")),
            ]
        );
        assert_eq!(labels(ReportPeriod::Yearly, "2024-12-31", "2026-01-01"), ["2024", "2025", "2026"]);
        assert_eq!(labels(ReportPeriod::Daily, "2024-02-28", "2024-03-01").len(), 3);
    }

    proptest! {
        #[test]
        fn periods_cover_the_range_without_gap_or_overlap(
            start in 0i64..20_000, length in 0i64..1_000, which in 0usize..4
        ) {
            let first = NaiveDate::from_ymd_opt(2001, 1, 1).unwrap() + chrono::TimeDelta::days(start);
            let range = DateRange::new(first, first + chrono::TimeDelta::days(length)).unwrap();
            let period = [ReportPeriod::Daily, ReportPeriod::Weekly, ReportPeriod::Monthly, ReportPeriod::Yearly][which];
            let cut = period.cut(range);
            prop_assert_eq!(cut.first().unwrap().1.start(), range.start());
            prop_assert_eq!(cut.last().unwrap().1.end(), range.end());
            for pair in cut.windows(2) {
                prop_assert_eq!(pair[0].1.end().succ_opt(), Some(pair[1].1.start()));
                prop_assert!(pair[0].0 != pair[1].0);
            }
            for (label, days) in &cut {
                prop_assert!(days.each_day().all(|day| period.label(day) == *label));
            }
        }
    }
}

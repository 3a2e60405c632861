//! Each service by itself, with its course over the range.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use kernel::Krw;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{period::ReportPeriod, range::DateRange};

/// What a service brought on a day.
pub(crate) struct ServiceDay {
    pub service: i64,
    pub name: String,
    pub category: Option<String>,
    pub day: NaiveDate,
    /// Won, of completed reservations.
    pub revenue: i64,
    pub count: i64,
}

/// A service and what it brought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServiceReport {
    #[schema(example = 7)]
    service_id: i64,
    /// As it is called now; services that were given up keep their history.
    #[schema(example = "여성 커트")]
    service_name: String,
    #[schema(example = "커트")]
    category_name: Option<String>,
    #[schema(example = 5_200_000)]
    total_revenue: Krw,
    /// How often it was done at completed reservations.
    #[schema(example = 130)]
    count: i64,
    /// What was charged for it on average, rounded to the won.
    #[schema(example = 40_000)]
    average_price: Krw,
    /// Every period of the range in order, also those in which it was not done.
    trend: Vec<TrendPoint>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TrendPoint {
    /// The first day of the period that is in the range.
    #[schema(example = "2026-02-14")]
    date: NaiveDate,
    #[schema(example = 240_000)]
    revenue: Krw,
    #[schema(example = 6)]
    count: i64,
}

struct Course {
    name: String,
    category: Option<String>,
    /// Revenue in won and how often it was done, by the period's name.
    by_period: HashMap<String, (i64, i64)>,
}

/// How fine a course is where nobody says: what a chart can show.
pub(crate) fn period_of_trend(range: DateRange) -> ReportPeriod {
    match range.days() {
        ..=92 => ReportPeriod::Daily,
        93..=731 => ReportPeriod::Weekly,
        _ => ReportPeriod::Monthly,
    }
}

/// Largest revenue first, ties by name.
pub(crate) fn reports(range: DateRange, period: ReportPeriod, days: Vec<ServiceDay>) -> Vec<ServiceReport> {
    let periods = period.cut(range);
    let mut services: BTreeMap<i64, Course> = BTreeMap::new();
    for day in days {
        let course = services.entry(day.service).or_insert_with(|| Course {
            name: day.name,
            category: day.category,
            by_period: HashMap::new(),
        });
        let (revenue, count) = course.by_period.entry(period.label(day.day)).or_default();
        *revenue += day.revenue;
        *count += day.count;
    }
    let mut reports: Vec<ServiceReport> = services
        .into_iter()
        .map(|(service_id, Course { name, category, by_period })| {
            let revenue: i64 = by_period.values().map(|(revenue, _)| revenue).sum();
            let count: i64 = by_period.values().map(|(_, count)| count).sum();
            let trend = periods.iter().map(|(label, days)| {
                let (revenue, count) = by_period.get(label).copied().unwrap_or_default();
                TrendPoint { date: days.start(), revenue: Krw::won(revenue), count }
            });
            ServiceReport {
                service_id,
                service_name: name,
                category_name: category,
                total_revenue: Krw::won(revenue),
                count,
                average_price: Krw::won(if count == 0 { 0 } else { (revenue + count / 2) / count }),
                trend: trend.collect(),
            }
        })
        .collect();
    reports.sort_by(|a, b| {
        (b.total_revenue, &a.service_name, a.service_id).cmp(&(
            a.total_revenue,
            &b.service_name,
            b.service_id,
        ))
    });
    reports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(service: i64, name: &str, day: &str, revenue: i64, count: i64) -> ServiceDay {
        ServiceDay {
            service,
            name: name.to_owned(),
            category: None,
            day: day.parse().unwrap(),
            revenue,
            count,
        }
    }

    #[test]
    fn a_course_has_every_period_and_adds_up() {
        let range = DateRange::new("2026-01-30".parse().unwrap(), "2026-03-02".parse().unwrap()).unwrap();
        let days = vec![
            day(2, "펌", "2026-01-31", 100_000, 1),
            day(1, "커트", "2026-01-30", 20_000, 1),
            day(1, "커트", "2026-03-01", 25_001, 1),
            day(1, "커트", "2026-03-02", 20_000, 1),
        ];
        let reports = reports(range, ReportPeriod::Monthly, days);
        assert_eq!(reports.iter().map(|one| one.service_id).collect::<Vec<_>>(), [2, 1]);
        let cuts = &reports[1];
        assert_eq!(
            (cuts.total_revenue, cuts.count, cuts.average_price),
            (Krw::won(65_001), 3, Krw::won(21_667))
        );
        let trend: Vec<_> =
            cuts.trend.iter().map(|point| (point.date.to_string(), point.revenue.get())).collect();
        let expected = [("2026-01-30", 20_000), ("2026-02-01", 0), ("2026-03-01", 45_001)];
        assert_eq!(trend, expected.map(|(day, won)| (day.to_owned(), won)));
    }

    #[test]
    fn a_long_range_is_shown_coarser() {
        let range = |days: u64| {
            let start = NaiveDate::from_ymd_opt(2022, 1, 1).unwrap();
            DateRange::new(start, start + chrono::Days::new(days - 1)).unwrap()
        };
        assert_eq!(period_of_trend(range(92)), ReportPeriod::Daily);
        assert_eq!(period_of_trend(range(93)), ReportPeriod::Weekly);
        assert_eq!(period_of_trend(range(732)), ReportPeriod::Monthly);
    }
}

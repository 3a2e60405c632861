//! New and returning customers, and how many of those who came once came back.

use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, Months, NaiveDate};
use kernel::Krw;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{percent::Percent, period::ReportPeriod, range::DateRange};

/// Whose visits they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Visitors {
    /// Their first completed visit ever lies in the range.
    New,
    Returning,
    /// Nobody knows who they were.
    Anonymous,
}

/// The completed visits of a day.
pub(crate) struct VisitorDay {
    pub day: NaiveDate,
    pub visitors: Visitors,
    pub visits: i64,
    /// Won.
    pub revenue: i64,
    /// Customers whose very first visit was on this day.
    pub first_visits: i64,
}

/// Who came in a range.
pub(crate) struct Visited {
    pub days: Vec<VisitorDay>,
    /// Customers who came, and had come before the range.
    pub returning: i64,
}

/// New and returning customers and what they brought.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CustomerReport {
    /// Customers whose first completed visit ever lies in the range.
    #[schema(example = 48)]
    new_customers: i64,
    /// Customers who came in the range and had come before it.
    #[schema(example = 210)]
    returning_customers: i64,
    /// What new customers paid in the range, their second visits included.
    #[schema(example = 2_900_000)]
    new_revenue: Krw,
    #[schema(example = 9_100_000)]
    returning_revenue: Krw,
    /// Completed visits of people who left no name.
    #[schema(example = 12)]
    anonymous_visits: i64,
    #[schema(example = 345_000)]
    anonymous_revenue: Krw,
    /// Returning among all known customers who came, percent; null if none came.
    #[schema(example = 81.4)]
    returning_rate: Option<Percent>,
    breakdown: Vec<CustomerPeriod>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CustomerPeriod {
    #[schema(example = "2026-02")]
    period: String,
    /// Customers whose first visit lies in this period.
    #[schema(example = 20)]
    new_customers: i64,
    #[schema(example = 1_200_000)]
    new_revenue: Krw,
    #[schema(example = 3_900_000)]
    returning_revenue: Krw,
    #[schema(example = 110_000)]
    anonymous_revenue: Krw,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    first_visits: i64,
    visits: ByVisitors,
}

/// Visits and revenue, in the order of [`Visitors`].
#[derive(Clone, Copy, Default)]
struct ByVisitors([(i64, i64); 3]);

impl Sums {
    fn add(&mut self, day: &VisitorDay) {
        self.first_visits += day.first_visits;
        let sum = &mut self.visits.0[day.visitors as usize];
        sum.0 += day.visits;
        sum.1 += day.revenue;
    }

    fn revenue(&self, of: Visitors) -> Krw {
        Krw::won(self.visits.0[of as usize].1)
    }
}

impl CustomerReport {
    pub(crate) fn new(range: DateRange, period: ReportPeriod, visited: &Visited) -> Self {
        let mut total = Sums::default();
        let mut periods: HashMap<String, Sums> = HashMap::new();
        for day in &visited.days {
            total.add(day);
            periods.entry(period.label(day.day)).or_default().add(day);
        }
        let breakdown = period.cut(range).into_iter().map(|(label, _)| {
            let sums = periods.get(&label).copied().unwrap_or_default();
            CustomerPeriod {
                period: label,
                new_customers: sums.first_visits,
                new_revenue: sums.revenue(Visitors::New),
                returning_revenue: sums.revenue(Visitors::Returning),
                anonymous_revenue: sums.revenue(Visitors::Anonymous),
            }
        });
        let known = total.first_visits + visited.returning;
        Self {
            new_customers: total.first_visits,
            returning_customers: visited.returning,
            new_revenue: total.revenue(Visitors::New),
            returning_revenue: total.revenue(Visitors::Returning),
            anonymous_visits: total.visits.0[Visitors::Anonymous as usize].0,
            anonymous_revenue: total.revenue(Visitors::Anonymous),
            returning_rate: Percent::of(visited.returning, known),
            breakdown: breakdown.collect(),
        }
    }
}

/// How many of a month's new customers came in a month.
pub(crate) struct CohortMonth {
    /// The first day of the month of their first visit.
    pub cohort: NaiveDate,
    /// The first day of the month in which they came.
    pub month: NaiveDate,
    pub customers: i64,
}

/// Those who came for the first time in a month, and how many of them came again.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Cohort {
    /// The month of their first completed visit.
    #[schema(example = "2025-11")]
    cohort: String,
    #[schema(example = 48)]
    customers: i64,
    /// Month by month after the first, up to the last month of the range.
    retained: Vec<Retained>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Retained {
    /// 1 is the month after the first visit.
    #[schema(example = 1)]
    months_later: u32,
    /// Of the cohort, who had a completed visit in that month.
    #[schema(example = 19)]
    customers: i64,
    #[schema(example = 39.6)]
    rate: Percent,
}

/// A cohort for every month of the range in which somebody came for the first time, oldest first.
pub(crate) fn cohorts(until: NaiveDate, months: Vec<CohortMonth>) -> Vec<Cohort> {
    let mut by_cohort: BTreeMap<NaiveDate, HashMap<NaiveDate, i64>> = BTreeMap::new();
    for CohortMonth { cohort, month, customers } in months {
        by_cohort.entry(cohort).or_default().insert(month, customers);
    }
    by_cohort
        .into_iter()
        .map(|(first, came)| {
            let customers = came.get(&first).copied().unwrap_or_default();
            let later = (1..).map_while(|months_later| {
                let month = first.checked_add_months(Months::new(months_later))?;
                (month <= until).then(|| {
                    let returned = came.get(&month).copied().unwrap_or_default();
                    let rate = Percent::of(returned, customers).unwrap_or_default();
                    Retained { months_later, customers: returned, rate }
                })
            });
            Cohort {
                cohort: format!("{}-{:02}", first.year(), first.month()),
                customers,
                retained: later.collect(),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn periods_add_up_to_the_whole() {
        let range = DateRange::new(day("2026-01-15"), day("2026-02-14")).unwrap();
        let visits = |at: &str, visitors, revenue, first_visits| VisitorDay {
            day: day(at),
            visitors,
            visits: 1,
            revenue,
            first_visits,
        };
        let visited = Visited {
            days: vec![
                visits("2026-01-20", Visitors::New, 30_000, 1),
                visits("2026-02-01", Visitors::New, 20_000, 0),
                visits("2026-02-01", Visitors::Returning, 50_000, 0),
                visits("2026-02-14", Visitors::Anonymous, 10_000, 0),
            ],
            returning: 1,
        };
        let report = CustomerReport::new(range, ReportPeriod::Monthly, &visited);
        assert_eq!((report.new_customers, report.returning_customers), (1, 1));
        assert_eq!((report.new_revenue, report.anonymous_revenue), (Krw::won(50_000), Krw::won(10_000)));
        assert_eq!(report.returning_rate.map(Percent::tenths), Some(500));
        let new: Vec<_> =
            report.breakdown.iter().map(|one| (one.new_customers, one.new_revenue.get())).collect();
        assert_eq!(new, [(1, 30_000), (0, 20_000)]);
    }

    #[test]
    fn a_cohort_is_followed_month_by_month() {
        let came = |cohort: &str, month: &str, customers| CohortMonth {
            cohort: day(cohort),
            month: day(month),
            customers,
        };
        let months = vec![
            came("2025-11-01", "2025-11-01", 40),
            came("2025-11-01", "2026-01-01", 10),
            came("2026-01-01", "2026-01-01", 3),
        ];
        let cohorts = cohorts(day("2026-02-28"), months);
        assert_eq!(cohorts.iter().map(|one| one.cohort.as_str()).collect::<Vec<_>>(), ["2025-11", "2026-01"]);
        let rates: Vec<_> =
            cohorts[0].retained.iter().map(|one| (one.months_later, one.rate.tenths())).collect();
        assert_eq!(rates, [(1, 0), (2, 250), (3, 0)]);
        assert_eq!(cohorts[1].retained.len(), 1);
    }
}

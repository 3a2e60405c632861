//! The revenue report: a range in sum, by period, service, staff, weekday and hour.

use std::collections::HashMap;

use chrono::{Datelike, NaiveDate};
use kernel::Krw;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    percent::{Percent, shares},
    period::ReportPeriod,
    range::DateRange,
};

/// A range, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Won, of completed reservations.
    pub revenue: i64,
    /// Whatever became of them.
    pub reservations: i64,
    pub completed: i64,
}

/// What one pass over the visits of a range brings.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    /// Days without any visit are absent.
    pub days: HashMap<NaiveDate, Totals>,
    pub services: Vec<Named>,
    pub staff: Vec<Named>,
    /// Completed reservations by the hour of the Korean day at which they began.
    pub hours: Vec<(i16, i64)>,
}

/// A service or a member of staff, with what they brought.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub name: String,
    pub revenue: i64,
    pub count: i64,
}

/// What a shop earned in a range of days.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevenueReport {
    summary: Summary,
    /// Every period of the range in order, also those in which nothing happened.
    breakdown: Vec<PeriodView>,
    /// Largest revenue first, ties by name.
    by_service: Vec<ServiceShare>,
    /// Largest revenue first, ties by name.
    by_staff: Vec<StaffShare>,
    /// Monday to Sunday.
    by_day_of_week: Vec<WeekdayView>,
    /// Busiest first, ties by hour; hours in which nobody came are left out.
    peak_hours: Vec<HourView>,
    /// Only where `compareTo` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    comparison: Option<Comparison>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Summary {
    /// Of completed reservations, by the Korean day of the visit.
    #[schema(example = 12_345_000)]
    total_revenue: Krw,
    /// All reservations whose visit falls into the range, cancelled ones and no-shows included.
    #[schema(example = 342)]
    total_reservations: i64,
    /// Revenue per completed reservation, rounded to the won; 0 where there is none.
    #[schema(example = 39_000)]
    average_per_reservation: Krw,
    /// Revenue against as many days right before, in percent; null if nothing was earned then.
    #[schema(example = 12.5)]
    growth: Option<Percent>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PeriodView {
    /// `2026-02-14`, `2026-W07`, `2026-02` or `2026`.
    #[schema(example = "2026-01")]
    period: String,
    #[schema(example = 4_115_000)]
    revenue: Krw,
    #[schema(example = 114)]
    reservations: i64,
    /// Completed among all reservations, percent; 0 where there is none.
    #[schema(example = 92.1)]
    completed_rate: Percent,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ServiceShare {
    #[schema(example = "여성 커트")]
    service_name: String,
    #[schema(example = 5_200_000)]
    revenue: Krw,
    /// How often it was done.
    #[schema(example = 130)]
    count: i64,
    /// Of the total revenue, percent. All of them add up to 100.0, or are 0 where nothing was earned.
    #[schema(example = 42.1)]
    share: Percent,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StaffShare {
    /// `미지정` where no member of staff is named.
    #[schema(example = "김실장")]
    staff_name: String,
    #[schema(example = 7_000_000)]
    revenue: Krw,
    /// Completed reservations.
    #[schema(example = 180)]
    count: i64,
    /// Of the total revenue, percent.
    #[schema(example = 56.7)]
    share: Percent,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WeekdayView {
    /// 1 is Monday.
    #[schema(minimum = 1, maximum = 7, example = 1)]
    day_of_week: u32,
    #[schema(example = "월")]
    label: &'static str,
    #[schema(example = 1_400_000)]
    revenue: Krw,
    /// Completed reservations.
    #[schema(example = 36)]
    count: i64,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HourView {
    /// Of the Korean day.
    #[schema(minimum = 0, maximum = 23, example = 14)]
    hour: i16,
    /// Completed reservations that began in it.
    #[schema(example = 95)]
    count: i64,
}

/// Another range beside the report's.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Comparison {
    start_date: NaiveDate,
    end_date: NaiveDate,
    #[schema(example = 11_000_000)]
    total_revenue: Krw,
    #[schema(example = 310)]
    total_reservations: i64,
    #[schema(example = 38_500)]
    average_per_reservation: Krw,
    /// How much more this report's range has, percent; null if there was nothing then.
    #[schema(example = 12.2)]
    revenue_change: Option<Percent>,
    #[schema(example = 10.3)]
    reservations_change: Option<Percent>,
}

/// The range that a report is compared with, added up.
pub(crate) struct Compared {
    pub range: DateRange,
    pub totals: Totals,
}

const WEEKDAYS: [&str; 7] = ["월", "화", "수", "목", "금", "토", "일"];

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.revenue += other.revenue;
        self.reservations += other.reservations;
        self.completed += other.completed;
    }
}

impl Totals {
    fn average(self) -> Krw {
        let half_up = |revenue: i64, count: i64| (revenue + count / 2) / count;
        Krw::won(if self.completed == 0 { 0 } else { half_up(self.revenue, self.completed) })
    }

    fn completed_rate(self) -> Percent {
        Percent::of(self.completed, self.reservations).unwrap_or_default()
    }
}

impl Cells {
    fn of(&self, range: DateRange) -> Totals {
        let mut sum = Totals::default();
        for day in range.each_day() {
            sum += self.days.get(&day).copied().unwrap_or_default();
        }
        sum
    }
}

impl RevenueReport {
    /// `before` is what as many days right before brought.
    pub(crate) fn new(
        range: DateRange,
        period: ReportPeriod,
        cells: Cells,
        before: Totals,
        compared: Option<&Compared>,
    ) -> Self {
        let total = cells.of(range);
        let breakdown = period.cut(range).into_iter().map(|(label, days)| {
            let sum = cells.of(days);
            PeriodView {
                period: label,
                revenue: Krw::won(sum.revenue),
                reservations: sum.reservations,
                completed_rate: sum.completed_rate(),
            }
        });
        Self {
            summary: Summary {
                total_revenue: Krw::won(total.revenue),
                total_reservations: total.reservations,
                average_per_reservation: total.average(),
                growth: Percent::growth(before.revenue, total.revenue),
            },
            breakdown: breakdown.collect(),
            by_day_of_week: by_day_of_week(&cells),
            peak_hours: peak_hours(cells.hours),
            by_service: shared(cells.services, |Named { name, revenue, count }, share| ServiceShare {
                service_name: name,
                revenue: Krw::won(revenue),
                count,
                share,
            }),
            by_staff: shared(cells.staff, |Named { name, revenue, count }, share| StaffShare {
                staff_name: name,
                revenue: Krw::won(revenue),
                count,
                share,
            }),
            comparison: compared.map(|compared| Comparison::new(compared, total)),
        }
    }
}

impl Comparison {
    fn new(compared: &Compared, now: Totals) -> Self {
        let Compared { range, totals } = compared;
        Self {
            start_date: range.start(),
            end_date: range.end(),
            total_revenue: Krw::won(totals.revenue),
            total_reservations: totals.reservations,
            average_per_reservation: totals.average(),
            revenue_change: Percent::growth(totals.revenue, now.revenue),
            reservations_change: Percent::growth(totals.reservations, now.reservations),
        }
    }
}

/// Largest first, ties by name, each with its share.
fn shared<V>(mut named: Vec<Named>, view: impl Fn(Named, Percent) -> V) -> Vec<V> {
    named.sort_by(|a, b| (b.revenue, &a.name).cmp(&(a.revenue, &b.name)));
    let revenues: Vec<i64> = named.iter().map(|one| one.revenue).collect();
    named.into_iter().zip(shares(&revenues)).map(|(one, share)| view(one, share)).collect()
}

fn by_day_of_week(cells: &Cells) -> Vec<WeekdayView> {
    let mut sums = [Totals::default(); 7];
    for (day, totals) in &cells.days {
        sums[day.weekday().num_days_from_monday() as usize] += *totals;
    }
    let named = (1..).zip(WEEKDAYS).zip(sums);
    named
        .map(|((day_of_week, label), sum)| WeekdayView {
            day_of_week,
            label,
            revenue: Krw::won(sum.revenue),
            count: sum.completed,
        })
        .collect()
}

fn peak_hours(mut hours: Vec<(i16, i64)>) -> Vec<HourView> {
    hours.retain(|(_, count)| *count > 0);
    hours.sort_by_key(|(hour, count)| (-count, *hour));
    hours.into_iter().map(|(hour, count)| HourView { hour, count }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(start: &str, end: &str) -> DateRange {
        DateRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    fn named(name: &str, revenue: i64) -> Named {
        Named { name: name.to_owned(), revenue, count: 1 }
    }

    #[test]
    fn nothing_at_all_is_zeros_and_no_growth() {
        let week = range("2026-02-02", "2026-02-08");
        let report = RevenueReport::new(week, ReportPeriod::Daily, Cells::default(), Totals::default(), None);
        assert_eq!(report.summary.average_per_reservation, Krw::ZERO);
        assert_eq!(report.summary.growth, None);
        assert_eq!(report.breakdown.len(), 7);
        assert!(report.breakdown.iter().all(|period| period.completed_rate == Percent::default()));
        assert_eq!(report.by_day_of_week.len(), 7);
        assert!(report.peak_hours.is_empty() && report.by_service.is_empty());
    }

    #[test]
    fn the_largest_comes_first_and_ties_go_by_name() {
        let names: Vec<String> =
            shared(vec![named("나", 5), named("가", 5), named("다", 9), named("라", 0)], |one, _| {
                one.name
            });
        assert_eq!(names, ["다", "가", "나", "라"]);
        let hours = peak_hours(vec![(9, 3), (14, 7), (8, 3), (23, 0)]);
        assert_eq!(hours.iter().map(|hour| hour.hour).collect::<Vec<_>>(), [14, 8, 9]);
    }

    #[test]
    fn an_average_is_of_completed_reservations_and_rounded_to_the_won() {
        let totals = Totals { revenue: 100_000, reservations: 5, completed: 3 };
        assert_eq!(totals.average(), Krw::won(33_333));
        assert_eq!(Totals { revenue: 5, completed: 2, ..totals }.average(), Krw::won(3));
        assert_eq!(totals.completed_rate().tenths(), 600);
    }

    proptest! {
        #[test]
        fn periods_and_weekdays_add_up_to_the_summary(
            days in prop::collection::hash_map(0u64..400, (0i64..9_000_000, 0i64..50, 0i64..50), 0..200),
            length in 1u64..400, which in 0usize..4,
        ) {
            let first = NaiveDate::from_ymd_opt(2025, 3, 9).unwrap();
            let range = DateRange::new(first, first + chrono::Days::new(length)).unwrap();
            let inside = days.into_iter().filter(|(day, _)| *day <= length);
            let days = inside.map(|(day, (revenue, completed, others))| {
                (first + chrono::Days::new(day), Totals { revenue, reservations: completed + others, completed })
            });
            let cells = Cells { days: days.collect(), ..Cells::default() };
            let period = [ReportPeriod::Daily, ReportPeriod::Weekly, ReportPeriod::Monthly, ReportPeriod::Yearly][which];
            let report = RevenueReport::new(range, period, cells, Totals::default(), None);
            let revenue = report.summary.total_revenue.get();
            prop_assert_eq!(report.breakdown.iter().map(|one| one.revenue.get()).sum::<i64>(), revenue);
            prop_assert_eq!(report.by_day_of_week.iter().map(|one| one.revenue.get()).sum::<i64>(), revenue);
            let reservations = report.breakdown.iter().map(|one| one.reservations).sum::<i64>();
            prop_assert_eq!(reservations, report.summary.total_reservations);
        }
    }
}

//! What cancelled reservations and no-shows would have brought.

use std::collections::HashMap;

use chrono::NaiveDate;
use kernel::Krw;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{percent::Percent, period::ReportPeriod, range::DateRange};

/// The reservations of a day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LostDay {
    pub reservations: i64,
    pub cancelled: i64,
    /// Won.
    pub cancelled_amount: i64,
    pub no_shows: i64,
    /// Won.
    pub no_show_amount: i64,
}

/// Reservations that came to nothing.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LossReport {
    cancelled: Loss,
    no_show: Loss,
    breakdown: Vec<LossPeriod>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Loss {
    #[schema(example = 21)]
    reservations: i64,
    /// What they would have brought at the agreed prices.
    #[schema(example = 840_000)]
    amount: Krw,
    /// Among all reservations of the range, percent; 0 where there is none.
    #[schema(example = 6.1)]
    rate: Percent,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LossPeriod {
    #[schema(example = "2026-02")]
    period: String,
    #[schema(example = 9)]
    cancelled: i64,
    #[schema(example = 360_000)]
    cancelled_amount: Krw,
    #[schema(example = 3)]
    no_shows: i64,
    #[schema(example = 120_000)]
    no_show_amount: Krw,
}

impl std::ops::AddAssign for LostDay {
    fn add_assign(&mut self, other: Self) {
        self.reservations += other.reservations;
        self.cancelled += other.cancelled;
        self.cancelled_amount += other.cancelled_amount;
        self.no_shows += other.no_shows;
        self.no_show_amount += other.no_show_amount;
    }
}

impl LossReport {
    pub(crate) fn new(range: DateRange, period: ReportPeriod, days: &[(NaiveDate, LostDay)]) -> Self {
        let mut total = LostDay::default();
        let mut periods: HashMap<String, LostDay> = HashMap::new();
        for (day, lost) in days {
            total += *lost;
            *periods.entry(period.label(*day)).or_default() += *lost;
        }
        let breakdown = period.cut(range).into_iter().map(|(label, _)| {
            let lost = periods.get(&label).copied().unwrap_or_default();
            LossPeriod {
                period: label,
                cancelled: lost.cancelled,
                cancelled_amount: Krw::won(lost.cancelled_amount),
                no_shows: lost.no_shows,
                no_show_amount: Krw::won(lost.no_show_amount),
            }
        });
        let loss = |reservations: i64, amount: i64| Loss {
            reservations,
            amount: Krw::won(amount),
            rate: Percent::of(reservations, total.reservations).unwrap_or_default(),
        };
        Self {
            cancelled: loss(total.cancelled, total.cancelled_amount),
            no_show: loss(total.no_shows, total.no_show_amount),
            breakdown: breakdown.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_add_up_and_are_measured_against_all_reservations() {
        let range = DateRange::new("2026-01-31".parse().unwrap(), "2026-02-01".parse().unwrap()).unwrap();
        let lost = LostDay { reservations: 4, cancelled: 1, cancelled_amount: 30_000, ..LostDay::default() };
        let missed = LostDay { reservations: 4, no_shows: 2, no_show_amount: 50_000, ..LostDay::default() };
        let report =
            LossReport::new(range, ReportPeriod::Monthly, &[(range.start(), lost), (range.end(), missed)]);
        assert_eq!((report.cancelled.reservations, report.cancelled.rate.tenths()), (1, 125));
        assert_eq!((report.no_show.amount, report.no_show.rate.tenths()), (Krw::won(50_000), 250));
        assert_eq!(report.breakdown.iter().map(|one| one.no_shows).collect::<Vec<_>>(), [0, 2]);
        let nothing = LossReport::new(range, ReportPeriod::Daily, &[]);
        assert_eq!((nothing.no_show.rate, nothing.breakdown.len()), (Percent::default(), 2));
    }
}

//! What businesses can subscribe to, and the calendar of a subscription.

use chrono::{Datelike, Months, NaiveDate};
use kernel::Krw;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How often a subscription is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BillingCycle {
    #[default]
    Monthly,
    Yearly,
}

impl BillingCycle {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Monthly => "MONTHLY",
            Self::Yearly => "YEARLY",
        }
    }

    fn months(self) -> u32 {
        match self {
            Self::Monthly => 1,
            Self::Yearly => 12,
        }
    }

    /// The first day of the period after the one that begins on `from`.
    ///
    /// Counted from the anchor, never from the period before: 31 January is followed by
    /// 28 February and then by 31 March; a year from 29 February 2024 is 28 February 2025, and
    /// 2028 has its 29th again. `None` past the end of the calendar (year 262142).
    pub fn next(self, anchor: NaiveDate, from: NaiveDate) -> Option<NaiveDate> {
        let months =
            (from.year() - anchor.year()) * 12 + from.month().cast_signed() - anchor.month().cast_signed();
        let months = u32::try_from(months).ok()? + self.months();
        anchor.checked_add_months(Months::new(months))
    }
}

/// What happens when the last retry of a renewal has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WhenExhausted {
    /// The subscription ends and the business is on FREE.
    Downgrade,
    /// Access stops; a new card that pays the open invoice brings it back.
    Suspend,
}

/// How long a declined renewal is pursued: data of the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DunningPolicy {
    /// Days after the due date on which the charge is tried again.
    #[schema(example = json!([3, 7]))]
    pub retry_days: Vec<i32>,
    pub when_exhausted: WhenExhausted,
}

impl DunningPolicy {
    /// The day of the next retry, after `retries_used` of them; `None` when they are used up.
    pub fn next_retry(&self, due_on: NaiveDate, retries_used: i32) -> Option<NaiveDate> {
        let days = *self.retry_days.get(usize::try_from(retries_used).ok()?)?;
        due_on.checked_add_days(chrono::Days::new(u64::try_from(days).ok()?))
    }
}

/// A plan of the catalogue.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    #[schema(example = "BASIC")]
    pub code: String,
    #[schema(example = "베이직")]
    pub name: String,
    /// What it unlocks.
    #[schema(example = json!(["EXPORTS", "CRM"]))]
    pub features: Vec<String>,
    /// Won a month, VAT included; null if not offered monthly.
    #[schema(example = 29000)]
    pub monthly_amount: Option<Krw>,
    /// Won a year, VAT included; null if not offered yearly.
    #[schema(example = 290_000)]
    pub yearly_amount: Option<Krw>,
    pub dunning: DunningPolicy,
}

/// The plan of every business without a paid subscription.
pub(crate) const FREE: &str = "FREE";

impl Plan {
    /// The price of one period; `None` if the plan is free or not offered in this cycle.
    pub fn price(&self, cycle: BillingCycle) -> Option<Krw> {
        let price = match cycle {
            BillingCycle::Monthly => self.monthly_amount,
            BillingCycle::Yearly => self.yearly_amount,
        };
        price.filter(|price| price.is_positive())
    }

    /// Whether it can be bought at all, in whatever cycle.
    pub fn is_sold(&self) -> bool {
        self.price(BillingCycle::Monthly).or(self.price(BillingCycle::Yearly)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The first days of the `count` periods after the anchor.
    fn periods(cycle: BillingCycle, anchor: NaiveDate, count: usize) -> Vec<NaiveDate> {
        std::iter::successors(Some(anchor), |from| cycle.next(anchor, *from)).skip(1).take(count).collect()
    }

    #[test]
    fn the_last_day_of_january_is_followed_by_the_last_of_february_and_the_31st_of_march() {
        let expected = ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"].map(day);
        assert_eq!(periods(BillingCycle::Monthly, day("2026-01-31"), 4), expected);
    }

    #[test]
    fn a_leap_day_comes_back_every_four_years() {
        let expected = ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"].map(day);
        assert_eq!(periods(BillingCycle::Yearly, day("2024-02-29"), 4), expected);
    }

    #[test]
    fn retries_come_three_and_seven_days_after_the_due_date_and_then_no_more() {
        let policy = DunningPolicy { retry_days: vec![3, 7], when_exhausted: WhenExhausted::Downgrade };
        let due_on = day("2026-02-27");
        assert_eq!(policy.next_retry(due_on, 0), Some(day("2026-03-02")));
        assert_eq!(policy.next_retry(due_on, 1), Some(day("2026-03-06")));
        assert_eq!(policy.next_retry(due_on, 2), None);
    }

    proptest! {
        #[test]
        fn over_fifty_years_no_month_is_skipped_and_none_billed_twice(
            anchor in (0..36_525i64).prop_map(|days| day("2000-01-01") + chrono::TimeDelta::days(days)),
        ) {
            let days = periods(BillingCycle::Monthly, anchor, 600);
            prop_assert_eq!(days.len(), 600);
            let months = |day: &NaiveDate| day.year() * 12 + day.month0().cast_signed();
            for (n, from) in days.iter().enumerate() {
                prop_assert_eq!(months(from) - months(&anchor), i32::try_from(n).unwrap() + 1);
                let last_of_month = *from + chrono::TimeDelta::days(1);
                prop_assert!(from.day() == anchor.day() || (from.day() < anchor.day() && last_of_month.day() == 1));
            }
        }

        #[test]
        fn twelve_months_are_a_year(
            anchor in (0..36_525i64).prop_map(|days| day("2000-01-01") + chrono::TimeDelta::days(days)),
        ) {
            let monthly = periods(BillingCycle::Monthly, anchor, 600);
            let yearly = periods(BillingCycle::Yearly, anchor, 50);
            for (n, from) in yearly.iter().enumerate() {
                prop_assert_eq!(*from, monthly[n * 12 + 11]);
            }
        }
    }
}

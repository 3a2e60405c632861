//! Auto campaigns: what a shop says by itself when a customer's day comes.
//!
//! At the shop's hour of each day an auto campaign writes a campaign of its own for those whose day it is, a run, which is like
//! any other from then on: consents, nights, figures, recipients. That nobody hears the same twice in a cycle is decided when a
//! page of a run is written, under a lock that all runs of the auto campaign share.

mod run;
mod save;

pub(crate) use save::AutoChange;

use std::ops::RangeInclusive;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use kernel::{at_korean_time, start_of_korean_day};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{TemplateType, wording::Wording};

kernel::number_id!(
    /// Names an auto campaign of a business.
    AutoCampaignId
);

/// The day that an auto campaign is about. A shop has one auto campaign for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[sqlx(type_name = "text")]
pub(crate) enum Occasion {
    /// A birthday. Who was born on 29 February has it on the 28th where there is no 29th.
    #[serde(rename = "BIRTHDAY")]
    #[sqlx(rename = "BIRTHDAY")]
    Birthday,
    /// The thirtieth day after the last visit, if no reservation is to come.
    #[serde(rename = "REVISIT_30D")]
    #[sqlx(rename = "REVISIT_30D")]
    Revisit30,
    /// The sixtieth.
    #[serde(rename = "REVISIT_60D")]
    #[sqlx(rename = "REVISIT_60D")]
    Revisit60,
    /// The ninetieth.
    #[serde(rename = "REVISIT_90D")]
    #[sqlx(rename = "REVISIT_90D")]
    Revisit90,
}

/// What kept an auto campaign from saying anything when it last ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Obstacle {
    PlanLacksCrm,
    /// The shop cannot advertise by this channel.
    SenderNotReady,
    /// The coupon was stopped, or is over.
    CouponUnavailable,
    /// What it says cannot be said any more; saving it again tells why.
    WordingRefused,
}

/// What is said, and when.
#[derive(Clone, Debug)]
pub(crate) struct AutoTerms {
    pub occasion: Occasion,
    pub wording: Wording,
    /// So many days after the occasion; negative: before it.
    pub trigger_days: i16,
    /// Of the Korean day.
    pub hour: i16,
}

/// An auto campaign as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct AutoCampaign {
    pub id: AutoCampaignId,
    pub terms: AutoTerms,
    /// The last Korean day that was seen to.
    pub covered_on: NaiveDate,
    /// `None`: it is switched off.
    pub next_run_at: Option<DateTime<Utc>>,
    pub last_run_at: Option<DateTime<Utc>>,
    pub obstacle: Option<Obstacle>,
}

/// Within so many days a birthday that was corrected is the same birthday. Those of two years are 305 apart at least, where the first
/// was told thirty days late and the second is told thirty days early.
const SAME_BIRTHDAY: TimeDelta = TimeDelta::days(300);

impl Occasion {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Birthday => "생일",
            Self::Revisit30 => "30일 미방문",
            Self::Revisit60 => "60일 미방문",
            Self::Revisit90 => "90일 미방문",
        }
    }

    pub(crate) fn template_type(self) -> TemplateType {
        match self {
            Self::Birthday => TemplateType::Birthday,
            Self::Revisit30 | Self::Revisit60 | Self::Revisit90 => TemplateType::Revisit,
        }
    }

    /// How long after the day that it counts from: a birthday, or the last visit.
    fn days_after(self) -> i64 {
        match self {
            Self::Birthday => 0,
            Self::Revisit30 => 30,
            Self::Revisit60 => 60,
            Self::Revisit90 => 90,
        }
    }

    /// How far from the occasion it may be said. A visit's days stay apart from those of the next occasion.
    pub(crate) fn trigger_days(self) -> RangeInclusive<i16> {
        match self {
            Self::Birthday => -30..=30,
            Self::Revisit30 | Self::Revisit60 | Self::Revisit90 => -14..=14,
        }
    }

    /// Whose day it is on the days from `first` to `last`, in the language of segments.
    fn conditions(self, trigger_days: i16, first: NaiveDate, last: NaiveDate) -> Value {
        let back = TimeDelta::days(self.days_after() + i64::from(trigger_days));
        let days = [first - back, last - back];
        match self {
            Self::Birthday => json!([{"field": "birthday", "operator": "BETWEEN", "value": days}]),
            Self::Revisit30 | Self::Revisit60 | Self::Revisit90 => json!([
                {"field": "lastVisitDate", "operator": "BETWEEN", "value": days},
                {"field": "upcomingReservation", "operator": "IS", "value": false},
            ]),
        }
    }

    /// Who heard it since then, heard it in this cycle: since the last visit, or about the same birthday.
    pub(crate) fn cycle_began(self, last_visit: Option<NaiveDate>, now: DateTime<Utc>) -> DateTime<Utc> {
        match (self, last_visit.map(day_after)) {
            (Self::Revisit30 | Self::Revisit60 | Self::Revisit90, Some(day)) => start_of_korean_day(day),
            (Self::Birthday, _) | (_, None) => now - SAME_BIRTHDAY,
        }
    }
}

fn day_after(day: NaiveDate) -> NaiveDate {
    day.checked_add_days(Days::new(1)).unwrap_or(day)
}

/// The instant at which it runs on a day.
fn runs_at(day: NaiveDate, hour: i16) -> DateTime<Utc> {
    let hour = u32::try_from(hour).unwrap_or_default();
    at_korean_time(day, NaiveTime::from_hms_opt(hour, 0, 0).unwrap_or_default())
}

/// The last day whose hour has come.
fn last_day(hour: i16, now: DateTime<Utc>) -> NaiveDate {
    let today = kernel::korean_day(now);
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    if runs_at(today, hour) > now { yesterday } else { today }
}

/// The first time that it runs after `now`, if it has seen to `covered_on`.
fn next_run(covered_on: NaiveDate, hour: i16, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = kernel::korean_day(now);
    let day = day_after(covered_on).max(today);
    let at = runs_at(day, hour);
    if at > now { at } else { runs_at(day_after(day), hour) }
}

#[cfg(test)]
mod tests {
    use kernel::KoreanTime;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    fn at(text: &str) -> DateTime<Utc> {
        KoreanTime::parse(text).expect("a time").0
    }

    #[test]
    fn it_runs_once_a_day_at_its_hour() {
        let next = |covered: &str, now: &str| KoreanTime(next_run(day(covered), 10, at(now))).to_string();
        assert_eq!(next("2026-03-13", "2026-03-14T09:59"), "2026-03-14T10:00:00+09:00");
        assert_eq!(next("2026-03-13", "2026-03-14T10:00"), "2026-03-15T10:00:00+09:00");
        assert_eq!(next("2026-03-14", "2026-03-14T10:00"), "2026-03-15T10:00:00+09:00");
        assert_eq!(next("2026-03-14", "2026-03-14T09:00"), "2026-03-15T10:00:00+09:00");
        assert_eq!(next("2026-03-01", "2026-03-14T23:59"), "2026-03-15T10:00:00+09:00");
    }

    #[test]
    fn days_are_counted_from_the_occasion() {
        let days = |occasion: Occasion, trigger| {
            let conditions = occasion.conditions(trigger, day("2026-03-03"), day("2026-03-03"));
            conditions[0]["value"][0].as_str().expect("a day").to_owned()
        };
        assert_eq!(days(Occasion::Birthday, -3), "2026-03-06");
        assert_eq!(days(Occasion::Birthday, 0), "2026-03-03");
        assert_eq!(days(Occasion::Revisit30, 0), "2026-02-01");
        assert_eq!(days(Occasion::Revisit30, 2), "2026-01-30");
        assert_eq!(days(Occasion::Revisit90, -2), "2025-12-05");
    }

    #[test]
    fn a_visit_begins_a_cycle_the_day_after() {
        let now = at("2026-03-14T10:00");
        let began = |occasion: Occasion, visit| occasion.cycle_began(Some(day(visit)), now);
        assert_eq!(began(Occasion::Revisit30, "2026-02-12"), at("2026-02-13T00:00"));
        assert_eq!(began(Occasion::Birthday, "2026-02-12"), now - SAME_BIRTHDAY);
    }
}

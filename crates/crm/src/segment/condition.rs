//! What can be true of a customer, as a tree. Whoever has one has read it: nothing in it makes no sense.
//!
//! Each condition is true or false of a customer, never anything else. What nobody knows of a customer (a birthday, the last
//! visit of somebody who never came) is neither before nor after anything: every comparison with it is false, and `not` turns
//! that into true like any other false.

use chrono::NaiveDate;
use serde::Deserialize;

/// A condition, or several put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Is(Test),
}

/// One thing that is true of a customer or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Test {
    Day(DayField, DayTest),
    Number(NumberField, Range),
    Flag(FlagField, bool),
    Gender(Known<Vec<Gender>>),
    Birthday(Known<Birthdays>),
    BirthdayMonth(Vec<Month>),
    Tags(Membership, Vec<String>),
    Visited(VisitedField, Membership, Vec<i64>),
    Channels(Membership, Vec<Channel>),
    Campaigns(CampaignField, Known<(Membership, Vec<i64>)>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayField {
    LastVisit,
    FirstVisit,
    LastCampaign,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberField {
    VisitCount,
    TotalSpent,
    AverageSpent,
    NoShowCount,
    DaysSinceLastVisit,
    Age,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagField {
    UpcomingReservation,
    MarketingConsent,
}

/// What or who a customer came for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VisitedField {
    Service,
    Staff,
}

/// What somebody did with a campaign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CampaignField {
    /// A message of it was handed to a carrier and did not fail.
    Received,
    /// Its link was followed.
    Clicked,
}

/// On which days a birthday falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Birthdays {
    /// Within so many days from today, which is day 0.
    InNextDays(u32),
    /// From the first day to the last, both included, in whichever year they are.
    Between(Day, Day),
}

/// A value that may not be known, or a list that may be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known<T> {
    Is(T),
    IsSet,
    IsNotSet,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DayTest {
    Before(Day),
    OnOrBefore(Day),
    After(Day),
    OnOrAfter(Day),
    On(Day),
    Between(Day, Day),
    IsSet,
    IsNotSet,
}

/// A day of the calendar, or one that is counted from whatever day it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Day {
    Of(NaiveDate),
    DaysAgo(u32),
    MonthsAgo(u32),
}

/// A month of the year, or one that is counted from whatever month it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Month {
    Of(u32),
    MonthsAhead(u32),
}

/// Both ends belong to it; one that is not there is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub least: Option<i64>,
    pub most: Option<i64>,
}

/// How a customer's list has to be to some values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Membership {
    Any,
    All,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Gender {
    Female,
    Male,
    Other,
}

impl Gender {
    pub(crate) const ALL: [Self; 3] = [Self::Female, Self::Male, Self::Other];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Female => "FEMALE",
            Self::Male => "MALE",
            Self::Other => "OTHER",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Female => "여성",
            Self::Male => "남성",
            Self::Other => "기타",
        }
    }
}

/// How a customer can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Channel {
    Kakao,
    Sms,
    Email,
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::Kakao, Self::Sms, Self::Email];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Kakao => "KAKAO",
            Self::Sms => "SMS",
            Self::Email => "EMAIL",
        }
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Kakao => "카카오톡",
            Self::Sms => "문자",
            Self::Email => "이메일",
        }
    }
}

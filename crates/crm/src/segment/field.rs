//! What can be asked about a customer: every field with its operators. What is not in these tables cannot be asked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::condition::{CampaignField, DayField, FlagField, NumberField, VisitedField};

/// A fact about a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Day(DayField),
    Number(NumberField),
    Flag(FlagField),
    Visited(VisitedField),
    Birthday,
    BirthdayMonth,
    Gender,
    Tag,
    Channel,
    Campaigns(CampaignField),
}

/// How a fact is compared with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Operator {
    Before,
    OnOrBefore,
    After,
    OnOrAfter,
    On,
    Between,
    Equals,
    AtLeast,
    AtMost,
    MoreThan,
    LessThan,
    Is,
    IsAnyOf,
    HasAny,
    HasAll,
    HasNone,
    InNextDays,
    IsSet,
    IsNotSet,
}

/// What kind of fact a field is, which decides about its operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum FieldType {
    /// A Korean day.
    Date,
    Number,
    /// Won.
    Money,
    Boolean,
    /// One of the options.
    Choice,
    /// Some of the options, or texts.
    Set,
    Birthday,
    /// A month of the year.
    Month,
}

/// What an operator is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum ValueKind {
    /// `2026-02-14`, or counted from today: `{"daysAgo": 90}`, `{"monthsAgo": 3}`.
    Date,
    /// The first and the last of them: a list of two.
    DateRange,
    Number,
    /// The least and the most: a list of two.
    NumberRange,
    Boolean,
    /// The `value` of one of the options.
    Option,
    /// A list of values of the options.
    Options,
    /// A list of texts.
    Texts,
    /// 1 to 12, or counted from this month: `{"monthsAhead": 0}`.
    Month,
    /// A list of months.
    Months,
    /// No value.
    None,
}

const DAYS: &[Operator] = &[
    Operator::Before,
    Operator::OnOrBefore,
    Operator::After,
    Operator::OnOrAfter,
    Operator::On,
    Operator::Between,
    Operator::IsSet,
    Operator::IsNotSet,
];
const NUMBERS: &[Operator] = &[
    Operator::AtLeast,
    Operator::AtMost,
    Operator::MoreThan,
    Operator::LessThan,
    Operator::Equals,
    Operator::Between,
];
const SETS: &[Operator] = &[Operator::HasAny, Operator::HasAll, Operator::HasNone];
const SETS_OR_NOTHING: &[Operator] =
    &[Operator::HasAny, Operator::HasAll, Operator::HasNone, Operator::IsSet, Operator::IsNotSet];
const CHOICES: &[Operator] = &[Operator::Is, Operator::IsAnyOf, Operator::IsSet, Operator::IsNotSet];

impl Field {
    pub(crate) const ALL: [Self; 20] = [
        Self::Day(DayField::LastVisit),
        Self::Day(DayField::FirstVisit),
        Self::Number(NumberField::DaysSinceLastVisit),
        Self::Number(NumberField::VisitCount),
        Self::Number(NumberField::TotalSpent),
        Self::Number(NumberField::AverageSpent),
        Self::Number(NumberField::NoShowCount),
        Self::Flag(FlagField::UpcomingReservation),
        Self::Visited(VisitedField::Service),
        Self::Visited(VisitedField::Staff),
        Self::Birthday,
        Self::BirthdayMonth,
        Self::Number(NumberField::Age),
        Self::Gender,
        Self::Tag,
        Self::Flag(FlagField::MarketingConsent),
        Self::Channel,
        Self::Campaigns(CampaignField::Received),
        Self::Campaigns(CampaignField::Clicked),
        Self::Day(DayField::LastCampaign),
    ];

    /// The name in conditions.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Day(DayField::LastVisit) => "lastVisitDate",
            Self::Day(DayField::FirstVisit) => "firstVisitDate",
            Self::Day(DayField::LastCampaign) => "lastCampaignDate",
            Self::Number(NumberField::VisitCount) => "visitCount",
            Self::Number(NumberField::TotalSpent) => "totalSpent",
            Self::Number(NumberField::AverageSpent) => "averageSpent",
            Self::Number(NumberField::NoShowCount) => "noShowCount",
            Self::Number(NumberField::DaysSinceLastVisit) => "daysSinceLastVisit",
            Self::Number(NumberField::Age) => "age",
            Self::Flag(FlagField::UpcomingReservation) => "upcomingReservation",
            Self::Flag(FlagField::MarketingConsent) => "marketingConsent",
            Self::Visited(VisitedField::Service) => "service",
            Self::Visited(VisitedField::Staff) => "staff",
            Self::Birthday => "birthday",
            Self::BirthdayMonth => "birthdayMonth",
            Self::Gender => "gender",
            Self::Tag => "tag",
            Self::Channel => "channel",
            Self::Campaigns(CampaignField::Received) => "receivedCampaign",
            Self::Campaigns(CampaignField::Clicked) => "clickedCampaign",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Day(DayField::LastVisit) => "마지막 방문일",
            Self::Day(DayField::FirstVisit) => "첫 방문일",
            Self::Day(DayField::LastCampaign) => "마지막 캠페인 수신일",
            Self::Number(NumberField::VisitCount) => "방문 횟수",
            Self::Number(NumberField::TotalSpent) => "총 결제 금액",
            Self::Number(NumberField::AverageSpent) => "평균 결제 금액",
            Self::Number(NumberField::NoShowCount) => "노쇼 횟수",
            Self::Number(NumberField::DaysSinceLastVisit) => "마지막 방문 후 지난 일수",
            Self::Number(NumberField::Age) => "만 나이",
            Self::Flag(FlagField::UpcomingReservation) => "다가오는 예약",
            Self::Flag(FlagField::MarketingConsent) => "마케팅 수신 동의",
            Self::Visited(VisitedField::Service) => "이용한 시술",
            Self::Visited(VisitedField::Staff) => "담당 직원",
            Self::Birthday => "생일",
            Self::BirthdayMonth => "생일이 있는 달",
            Self::Gender => "성별",
            Self::Tag => "태그",
            Self::Channel => "연락 가능한 채널",
            Self::Campaigns(CampaignField::Received) => "받은 캠페인",
            Self::Campaigns(CampaignField::Clicked) => "링크를 누른 캠페인",
        }
    }

    /// What it means, and what it is of somebody of whom it is not known.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Day(DayField::LastVisit) => {
                "완료된 방문 중 가장 늦은 날. 방문한 적이 없는 고객은 IS_NOT_SET에만 해당합니다."
            }
            Self::Day(DayField::FirstVisit) => {
                "완료된 방문 중 가장 이른 날. 방문한 적이 없는 고객은 IS_NOT_SET에만 해당합니다."
            }
            Self::Day(DayField::LastCampaign) => {
                "마지막으로 받은 캠페인 메시지가 발송된 날. 받은 적이 없는 고객은 IS_NOT_SET에만 해당합니다."
            }
            Self::Number(NumberField::VisitCount) => "완료된 방문의 수. 방문한 적이 없는 고객은 0입니다.",
            Self::Number(NumberField::TotalSpent) => {
                "완료된 방문의 결제 금액 합계. 방문한 적이 없는 고객은 0원입니다."
            }
            Self::Number(NumberField::AverageSpent) => {
                "완료된 방문 1회당 금액(원 단위 반올림). 방문한 적이 없는 고객은 어떤 비교에도 해당하지 않습니다."
            }
            Self::Number(NumberField::NoShowCount) => "노쇼로 기록된 예약의 수.",
            Self::Number(NumberField::DaysSinceLastVisit) => {
                "마지막 방문일부터 오늘까지의 일수. 방문한 적이 없는 고객은 어떤 비교에도 해당하지 않습니다."
            }
            Self::Number(NumberField::Age) => {
                "오늘의 만 나이. 생일을 모르는 고객은 어떤 비교에도 해당하지 않습니다."
            }
            Self::Flag(FlagField::UpcomingReservation) => {
                "지금 이후에 시작하는 대기 또는 확정 예약이 있는지."
            }
            Self::Flag(FlagField::MarketingConsent) => {
                "고객 정보에 기록된 수신 동의. 보낼 때에는 동의 기록을 다시 확인합니다."
            }
            Self::Visited(VisitedField::Service) => "완료된 방문에서 받은 시술.",
            Self::Visited(VisitedField::Staff) => "완료된 방문을 담당한 직원.",
            Self::Birthday => {
                "오늘(0일)부터 며칠 안에 오거나, 두 날짜 사이에 있는 생일. 2월 29일생은 윤년이 아니면 2월 28일입니다. 생일을 모르는 고객은 IS_NOT_SET에만 해당합니다."
            }
            Self::BirthdayMonth => "생일이 있는 달. 생일을 모르는 고객은 해당하지 않습니다.",
            Self::Gender => "성별. 모르는 고객은 IS_NOT_SET에만 해당합니다.",
            Self::Tag => "고객에게 붙인 태그. 태그가 없는 고객은 HAS_NONE에 해당합니다.",
            Self::Channel => "카카오톡과 문자는 전화번호, 이메일은 주소가 있으면 연락할 수 있습니다.",
            Self::Campaigns(CampaignField::Received) => {
                "메시지가 발송되었고 실패하지 않은 캠페인. 받은 적이 없는 고객은 HAS_NONE과 IS_NOT_SET에 해당합니다."
            }
            Self::Campaigns(CampaignField::Clicked) => {
                "메시지의 링크를 한 번 이상 누른 캠페인. 누른 적이 없는 고객은 HAS_NONE과 IS_NOT_SET에 해당합니다."
            }
        }
    }

    pub(crate) fn field_type(self) -> FieldType {
        match self {
            Self::Day(_) => FieldType::Date,
            Self::Number(NumberField::TotalSpent | NumberField::AverageSpent) => FieldType::Money,
            Self::Number(_) => FieldType::Number,
            Self::Flag(_) => FieldType::Boolean,
            Self::Visited(_) | Self::Tag | Self::Channel | Self::Campaigns(_) => FieldType::Set,
            Self::Birthday => FieldType::Birthday,
            Self::BirthdayMonth => FieldType::Month,
            Self::Gender => FieldType::Choice,
        }
    }

    pub(crate) fn operators(self) -> &'static [Operator] {
        match self {
            Self::Day(_) => DAYS,
            Self::Number(_) => NUMBERS,
            Self::Flag(_) => &[Operator::Is],
            Self::Visited(_) | Self::Tag | Self::Channel => SETS,
            Self::Campaigns(_) => SETS_OR_NOTHING,
            Self::Birthday => &[Operator::InNextDays, Operator::Between, Operator::IsSet, Operator::IsNotSet],
            Self::BirthdayMonth => &[Operator::Is, Operator::IsAnyOf],
            Self::Gender => CHOICES,
        }
    }

    pub(crate) fn value_kind(self, operator: Operator) -> ValueKind {
        match (self, operator) {
            (_, Operator::IsSet | Operator::IsNotSet) => ValueKind::None,
            (Self::Day(_) | Self::Birthday, Operator::Between) => ValueKind::DateRange,
            (Self::Day(_), _) => ValueKind::Date,
            (Self::Number(_), Operator::Between) => ValueKind::NumberRange,
            (Self::Number(_) | Self::Birthday, _) => ValueKind::Number,
            (Self::Flag(_), _) => ValueKind::Boolean,
            (Self::Tag, _) => ValueKind::Texts,
            (Self::BirthdayMonth, Operator::IsAnyOf) => ValueKind::Months,
            (Self::BirthdayMonth, _) => ValueKind::Month,
            (Self::Gender, Operator::Is) => ValueKind::Option,
            (Self::Gender | Self::Visited(_) | Self::Channel | Self::Campaigns(_), _) => ValueKind::Options,
        }
    }

    /// The largest number that it is compared with.
    pub(crate) fn most(self) -> Option<i64> {
        Some(match self {
            Self::Number(NumberField::VisitCount | NumberField::NoShowCount) => 1_000_000,
            Self::Number(NumberField::TotalSpent) => 1_000_000_000_000,
            Self::Number(NumberField::AverageSpent) => 1_000_000_000,
            Self::Number(NumberField::DaysSinceLastVisit) => MOST_DAYS,
            Self::Number(NumberField::Age) => 150,
            Self::Birthday => 366,
            _ => return None,
        })
    }
}

/// A hundred years: further back nobody counts in days.
pub(crate) const MOST_DAYS: i64 = 36_500;

impl Operator {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Before => "이전",
            Self::OnOrBefore => "당일 또는 이전",
            Self::After => "이후",
            Self::OnOrAfter => "당일 또는 이후",
            Self::On => "당일",
            Self::Between => "사이(양 끝 포함)",
            Self::Equals => "같음",
            Self::AtLeast => "이상",
            Self::AtMost => "이하",
            Self::MoreThan => "초과",
            Self::LessThan => "미만",
            Self::Is => "맞음",
            Self::IsAnyOf => "다음 중 하나",
            Self::HasAny => "하나라도 포함",
            Self::HasAll => "모두 포함",
            Self::HasNone => "하나도 포함하지 않음",
            Self::InNextDays => "오늘부터 며칠 안",
            Self::IsSet => "값이 있음",
            Self::IsNotSet => "값이 없음",
        }
    }
}

//! A condition as SQL over a row of `booking_read.customer_summary`.
//!
//! The text is ours, word for word; whatever came from outside is a parameter. SQL knows a third truth value beside true and false,
//! which is what a comparison with null is. `and`, `or`, `where` and `filter` take it for false; only `not` does not, and is
//! written `is not true` for that reason.

mod campaigns;

use chrono::{DateTime, NaiveDate, Utc};
use kernel::BusinessId;
use sqlx::{Postgres, QueryBuilder};

use super::{
    calendar::{born_by, days_before},
    condition::{
        Channel, Condition, Day, DayField, DayTest, FlagField, Gender, Known, Membership, NumberField, Range,
        Test, VisitedField,
    },
};

/// When a segment is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub now: DateTime<Utc>,
    pub today: NaiveDate,
}

/// Among whose customers it is looked, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub business: BusinessId,
    pub at: Moment,
}

type Sql = QueryBuilder<Postgres>;

impl Condition {
    /// Writes the condition, in parentheses where it needs them.
    pub(crate) fn write(&self, sql: &mut Sql, look: Look) {
        match self {
            Self::All(conditions) => joined(sql, conditions, " and ", "true", look),
            Self::Any(conditions) => joined(sql, conditions, " or ", "false", look),
            Self::Not(condition) if condition.is_never_null() => {
                sql.push("(not ");
                condition.write(sql, look);
                sql.push(")");
            }
            Self::Not(condition) => {
                sql.push("(");
                condition.write(sql, look);
                sql.push(" is not true)");
            }
            Self::Is(test) => {
                sql.push("(");
                test.write(sql, look);
                sql.push(")");
            }
        }
    }
}

impl Condition {
    /// `exists` is true or false, and PostgreSQL joins what does `not exists`; with `is not true` it looks for each row.
    fn is_never_null(&self) -> bool {
        matches!(self, Self::Is(Test::Campaigns(..) | Test::Day(DayField::LastCampaign, _)))
    }

    fn looks_into_lists(&self) -> bool {
        match self {
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::looks_into_lists),
            Self::Not(condition) => condition.looks_into_lists(),
            Self::Is(test) => matches!(
                test,
                Test::Tags(..)
                    | Test::Visited(..)
                    | Test::Campaigns(..)
                    | Test::Day(DayField::LastCampaign, _)
            ),
        }
    }
}

/// `neutral` is what nothing at all is.
fn joined(sql: &mut Sql, conditions: &[Condition], word: &str, neutral: &str, look: Look) {
    sql.push("(");
    if conditions.is_empty() {
        sql.push(neutral);
    }
    // What is looked for in a list takes longest, so it is asked of those alone whom the rest leaves.
    let mut conditions: Vec<_> = conditions.iter().collect();
    conditions.sort_by_key(|condition| condition.looks_into_lists());
    for (position, condition) in conditions.into_iter().enumerate() {
        if position > 0 {
            sql.push(word);
        }
        condition.write(sql, look);
    }
    sql.push(")");
}

impl Test {
    fn write(&self, sql: &mut Sql, look: Look) {
        let Look { at, .. } = look;
        match self {
            Self::Day(DayField::LastVisit, test) => {
                day_test(sql, "last_visit_on", *test, at.today);
            }
            Self::Day(DayField::FirstVisit, test) => {
                day_test(sql, "first_visit_on", *test, at.today);
            }
            Self::Day(DayField::LastCampaign, test) => campaigns::last_day_test(sql, *test, look),
            Self::Number(field, range) => number_test(sql, *field, *range, at.today),
            Self::Flag(FlagField::MarketingConsent, is) => {
                sql.push(if *is { "marketing_consent" } else { "not marketing_consent" });
            }
            Self::Flag(FlagField::UpcomingReservation, is) => {
                sql.push("(planned_until > ").push_bind(at.now).push(if *is { ")" } else { ") is not true" });
            }
            Self::Gender(Known::Is(genders)) => {
                let genders: Vec<_> = genders.iter().copied().map(Gender::as_str).collect();
                sql.push("gender = any(").push_bind(genders).push(")");
            }
            Self::Gender(Known::IsSet) => _ = sql.push("gender is not null"),
            Self::Gender(Known::IsNotSet) => _ = sql.push("gender is null"),
            Self::Birthday(Known::Is(birthdays)) => {
                for (position, (from, until)) in birthdays.on(at.today).into_iter().enumerate() {
                    sql.push(if position > 0 {
                        " or birthday_day between "
                    } else {
                        "birthday_day between "
                    });
                    sql.push_bind(from).push(" and ").push_bind(until);
                }
            }
            Self::Birthday(Known::IsSet) => _ = sql.push("birthday_day is not null"),
            Self::Birthday(Known::IsNotSet) => _ = sql.push("birthday_day is null"),
            Self::BirthdayMonth(months) => {
                let months: Vec<_> =
                    months.iter().filter_map(|month| i32::try_from(month.on(at.today)).ok()).collect();
                sql.push("birthday_day / 100 = any(").push_bind(months).push(")");
            }
            Self::Tags(membership, tags) => {
                listed(sql, "tags", *membership, |sql| _ = sql.push_bind(tags.clone()));
            }
            Self::Visited(field, membership, ids) => {
                let column = match field {
                    VisitedField::Service => "service_ids",
                    VisitedField::Staff => "staff_ids",
                };
                listed(sql, column, *membership, |sql| _ = sql.push_bind(ids.clone()));
            }
            Self::Channels(membership, channels) => channel_test(sql, *membership, channels),
            Self::Campaigns(field, test) => campaigns::test(sql, *field, test, look),
        }
    }
}

fn day_test(sql: &mut Sql, column: &str, test: DayTest, today: NaiveDate) {
    let mut compared =
        |operator: &str, day: Day| _ = sql.push(column).push(operator).push_bind(day.on(today));
    match test {
        DayTest::Before(day) => compared(" < ", day),
        DayTest::OnOrBefore(day) => compared(" <= ", day),
        DayTest::After(day) => compared(" > ", day),
        DayTest::OnOrAfter(day) => compared(" >= ", day),
        DayTest::On(day) => compared(" = ", day),
        DayTest::Between(first, last) => {
            compared(" >= ", first);
            sql.push(" and ").push(column).push(" <= ").push_bind(last.on(today));
        }
        DayTest::IsSet => _ = sql.push(column).push(" is not null"),
        DayTest::IsNotSet => _ = sql.push(column).push(" is null"),
    }
}

/// Days since and years of age are dates the other way round, so that a column is compared and nothing computed for each row.
fn number_test(sql: &mut Sql, field: NumberField, Range { least, most }: Range, today: NaiveDate) {
    let column = match field {
        NumberField::VisitCount => "visit_count",
        NumberField::TotalSpent => "total_spent",
        NumberField::NoShowCount => "no_show_count",
        NumberField::DaysSinceLastVisit => {
            let bounds = [(" <= ", least), (" >= ", most)];
            return bounded(
                sql,
                "last_visit_on",
                bounds.map(|(is, days)| (is, days.map(|days| days_before(today, days)))),
            );
        }
        NumberField::Age => {
            let born = [(" <= ", least), (" > ", most.map(|age| age + 1))];
            return bounded(sql, "birthday", born.map(|(is, age)| (is, age.map(|age| born_by(today, age)))));
        }
        NumberField::AverageSpent => {
            // The average, rounded half up, is at least `n` if twice the sum is at least `2n - 1` times the count.
            sql.push("visit_count > 0");
            for (is, bound) in
                [(" >= ", least.map(|least| 2 * least - 1)), (" < ", most.map(|most| 2 * most + 1))]
            {
                if let Some(bound) = bound {
                    sql.push(" and 2 * total_spent").push(is).push_bind(bound).push(" * visit_count");
                }
            }
            return;
        }
    };
    bounded(sql, column, [(" >= ", least), (" <= ", most)]);
}

fn bounded<T>(sql: &mut Sql, column: &str, bounds: [(&str, Option<T>); 2])
where
    T: sqlx::Type<Postgres> + for<'q> sqlx::Encode<'q, Postgres> + Send + 'static,
{
    let bounds = bounds.into_iter().filter_map(|(is, bound)| bound.map(|bound| (is, bound)));
    for (position, (is, bound)) in bounds.enumerate() {
        sql.push(if position > 0 { " and " } else { "" }).push(column).push(is).push_bind(bound);
    }
}

/// What a customer's list has to be to a list of values.
fn listed(sql: &mut Sql, column: &str, membership: Membership, values: impl FnOnce(&mut Sql)) {
    let (before, operator) = match membership {
        Membership::Any => ("", " && "),
        Membership::All => ("", " @> "),
        Membership::None => ("not ", " && "),
    };
    sql.push(before).push(column).push(operator);
    values(sql);
}

fn channel_test(sql: &mut Sql, membership: Membership, channels: &[Channel]) {
    let reached = |channel: &Channel| match channel {
        Channel::Kakao | Channel::Sms => "has_phone",
        Channel::Email => "has_email",
    };
    let word = if membership == Membership::All { " and " } else { " or " };
    let channels: Vec<_> = channels.iter().map(reached).collect();
    sql.push(if membership == Membership::None { "not (" } else { "(" }).push(channels.join(word)).push(")");
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use sqlx::Execute;

    use super::*;
    use crate::segment::read::Conditions;

    fn sql(condition: &Value) -> String {
        let at = Moment { now: DateTime::UNIX_EPOCH, today: "2026-02-01".parse().expect("a day") };
        let read = Conditions::read(std::slice::from_ref(condition), at.today).expect("it can be");
        let mut sql = QueryBuilder::new("");
        read.all.write(&mut sql, Look { business: BusinessId(1), at });
        sql.build().sql().as_str().to_owned()
    }

    #[test]
    fn what_came_from_outside_is_a_parameter() {
        let hostile = "') or true; drop table crm.segment; --";
        let tags = json!({"not": {"field": "tag", "operator": "HAS_ANY", "value": [hostile.get(..30)]}});
        assert_eq!(sql(&tags), "(((tags && $1) is not true))");
        let staff_of_whoever_came = json!({"all": [
            {"field": "staff", "operator": "HAS_ALL", "value": [1]},
            {"field": "visitCount", "operator": "AT_LEAST", "value": 1},
        ]});
        assert_eq!(sql(&staff_of_whoever_came), "(((visit_count >= $1) and (staff_ids @> $2)))");
        let followed = json!({"field": "clickedCampaign", "operator": "HAS_NONE", "value": [1, 2]});
        assert_eq!(
            sql(&followed),
            "((not exists (select from crm.campaign_recipient r where r.message_id is not null and r.first_clicked_at <= $1 \
             and r.business_id = $2 and r.customer_id = customer_summary.customer_id and r.campaign_id = any($3))))"
        );
        let long_ago =
            json!({"not": {"field": "lastCampaignDate", "operator": "AFTER", "value": {"daysAgo": 30}}});
        assert!(
            sql(&long_ago)
                .starts_with("((not (exists (select from crm.campaign_recipient r join messaging_read")
        );
        let both = json!({"any": [
            {"field": "lastVisitDate", "operator": "BETWEEN", "value": ["2025-01-01", {"daysAgo": 3}]},
            {"field": "averageSpent", "operator": "AT_LEAST", "value": 10_000},
        ]});
        assert_eq!(
            sql(&both),
            "(((last_visit_on >= $1 and last_visit_on <= $2) or (visit_count > 0 and 2 * total_spent >= $3 * visit_count)))"
        );
    }
}

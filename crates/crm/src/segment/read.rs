//! Reading conditions as they are sent: all that is wrong with them is found, and named by its path.

use chrono::{Datelike, NaiveDate};
use platform::FieldError;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    condition::{
        Birthdays, Channel, Condition, Day, DayTest, Gender, Known, Membership, Month, Range, Test,
        VisitedField,
    },
    field::{Field, MOST_DAYS, Operator},
};

/// So many conditions in each other; deeper ones nobody can read any more.
const MOST_DEEP: usize = 5;
/// So many comparisons in all.
const MOST_TESTS: usize = 50;
/// So many values in one list.
const MOST_VALUES: usize = 50;
/// After so many errors the rest is not looked at.
const MOST_ERRORS: usize = 20;

/// Conditions that can be, with what they name by an id: whether that is there is for the shop's tables to say.
#[derive(Debug)]
pub(crate) struct Conditions {
    pub all: Condition,
    pub references: Vec<Reference>,
}

/// Something that a condition names by its id.
#[derive(Debug)]
pub(crate) struct Reference {
    pub path: String,
    pub to: ReferenceTo,
    pub id: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReferenceTo {
    Service,
    Staff,
    Campaign,
}

impl Conditions {
    /// All of a list has to be true. No condition at all is true of everybody.
    pub(crate) fn read(sent: &[Value], today: NaiveDate) -> Result<Self, Vec<FieldError>> {
        let mut reader = Reader { today, errors: Vec::new(), tests: 0, references: Vec::new() };
        let all = reader.list("conditions", sent, 1);
        let Reader { errors, references, .. } = reader;
        match all {
            Some(all) if errors.is_empty() => Ok(Self { all: Condition::All(all), references }),
            _ => Err(errors),
        }
    }
}

struct Reader {
    today: NaiveDate,
    errors: Vec<FieldError>,
    tests: usize,
    references: Vec<Reference>,
}

/// One comparison, and where it stands.
struct Asked<'a> {
    path: &'a str,
    field: Field,
    operator: Operator,
    value: &'a Value,
}

impl Asked<'_> {
    fn at(&self) -> String {
        format!("{}.value", self.path)
    }
}

impl Reader {
    /// Notes what is wrong, and where.
    fn refuse<T>(
        &mut self,
        path: impl Into<String>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Option<T> {
        self.errors.push(FieldError { field: path.into(), code, message: message.into() });
        None
    }

    /// `None` where something was refused.
    fn list(&mut self, path: &str, sent: &[Value], depth: usize) -> Option<Vec<Condition>> {
        if sent.len() > MOST_TESTS {
            return self.refuse(path, "TOO_MANY", format!("조건은 모두 {MOST_TESTS}개까지 쓸 수 있습니다."));
        }
        let mut read = Vec::with_capacity(sent.len());
        for (position, condition) in sent.iter().enumerate() {
            if self.errors.len() >= MOST_ERRORS {
                return None;
            }
            read.push(self.condition(&format!("{path}[{position}]"), condition, depth));
        }
        read.into_iter().collect()
    }

    fn condition(&mut self, path: &str, sent: &Value, depth: usize) -> Option<Condition> {
        let Value::Object(members) = sent else {
            return self.refuse(path, "INVALID", "조건은 JSON 객체여야 합니다.");
        };
        if depth > MOST_DEEP {
            return self.refuse(path, "TOO_DEEP", format!("조건은 {MOST_DEEP}단계까지 겹칠 수 있습니다."));
        }
        let Some(group) = ["all", "any", "not"].into_iter().find(|group| members.contains_key(*group)) else {
            return self.test(path, members).map(Condition::Is);
        };
        let known = members.len() == 1;
        if !known {
            let other = members.keys().find(|member| *member != group).cloned().unwrap_or_default();
            return self.unknown_member(path, &other);
        }
        let inside = format!("{path}.{group}");
        match (group, &members[group]) {
            ("not", condition) => {
                Some(Condition::Not(Box::new(self.condition(&inside, condition, depth + 1)?)))
            }
            (_, Value::Array(sent)) if sent.is_empty() => {
                self.refuse(inside, "REQUIRED", "조건이 하나 이상 필요합니다.")
            }
            (_, Value::Array(sent)) => {
                let read = self.list(&inside, sent, depth + 1)?;
                Some(if group == "any" { Condition::Any(read) } else { Condition::All(read) })
            }
            _ => self.refuse(inside, "INVALID", "조건의 목록이어야 합니다."),
        }
    }

    fn unknown_member<T>(&mut self, path: &str, member: &str) -> Option<T> {
        // The name is worth repeating, but not at any length.
        let member: String = member.chars().take(50).collect();
        self.refuse(format!("{path}.{member}"), "UNKNOWN_MEMBER", "알 수 없는 항목입니다.")
    }

    fn test(&mut self, path: &str, members: &Map<String, Value>) -> Option<Test> {
        self.tests += 1;
        if self.tests > MOST_TESTS {
            return self.refuse(path, "TOO_MANY", format!("조건은 모두 {MOST_TESTS}개까지 쓸 수 있습니다."));
        }
        let stranger =
            members.keys().find(|member| !["field", "operator", "value"].contains(&member.as_str()));
        if let Some(stranger) = stranger {
            return self.unknown_member(path, &stranger.clone());
        }
        let Some(name) = members.get("field").and_then(Value::as_str) else {
            return self.refuse(format!("{path}.field"), "REQUIRED", "조건의 항목이 필요합니다.");
        };
        let Some(field) = Field::named(name) else {
            return self.refuse(format!("{path}.field"), "UNKNOWN_FIELD", "알 수 없는 조건 항목입니다.");
        };
        let operator = members.get("operator").cloned().unwrap_or_default();
        let operator =
            Operator::deserialize(operator).ok().filter(|operator| field.operators().contains(operator));
        let Some(operator) = operator else {
            return self.refuse(
                format!("{path}.operator"),
                "UNKNOWN_OPERATOR",
                format!("{}에 쓸 수 없는 비교입니다.", field.label()),
            );
        };
        self.compared(&Asked { path, field, operator, value: members.get("value").unwrap_or(&Value::Null) })
    }

    fn compared(&mut self, asked: &Asked<'_>) -> Option<Test> {
        if matches!(asked.operator, Operator::IsSet | Operator::IsNotSet) && !asked.value.is_null() {
            return self.refuse(asked.at(), "INVALID", "이 비교에는 값을 쓰지 않습니다.");
        }
        Some(match asked.field {
            Field::Day(field) => Test::Day(field, self.day_test(asked)?),
            Field::Number(field) => Test::Number(field, self.range(asked)?),
            Field::Flag(field) => match asked.value {
                Value::Bool(is) => Test::Flag(field, *is),
                _ => return self.refuse(asked.at(), "INVALID_BOOLEAN", "true 또는 false여야 합니다."),
            },
            Field::Gender => Test::Gender(match asked.operator {
                Operator::IsSet => Known::IsSet,
                Operator::IsNotSet => Known::IsNotSet,
                Operator::Is => Known::Is(vec![self.option(
                    &asked.at(),
                    asked.value,
                    &Gender::ALL.map(Gender::as_str),
                )?]),
                _ => Known::Is(self.options(asked, &Gender::ALL.map(Gender::as_str))?),
            }),
            Field::Birthday => Test::Birthday(match asked.operator {
                Operator::IsSet => Known::IsSet,
                Operator::IsNotSet => Known::IsNotSet,
                Operator::Between => {
                    let (first, last) = self.days(asked)?;
                    Known::Is(Birthdays::Between(first, last))
                }
                _ => {
                    let days = self.number(&asked.at(), asked.value, asked.field)?;
                    Known::Is(Birthdays::InNextDays(days.try_into().ok()?))
                }
            }),
            Field::BirthdayMonth => Test::BirthdayMonth(match asked.operator {
                Operator::Is => vec![self.month(&asked.at(), asked.value)?],
                _ => self.values(asked, Self::month)?,
            }),
            Field::Tag => Test::Tags(membership(asked.operator), self.values(asked, Self::tag)?),
            Field::Visited(field) => {
                let to = match field {
                    VisitedField::Service => ReferenceTo::Service,
                    VisitedField::Staff => ReferenceTo::Staff,
                };
                Test::Visited(field, membership(asked.operator), self.ids(asked, to)?)
            }
            Field::Channel => Test::Channels(
                membership(asked.operator),
                self.options(asked, &Channel::ALL.map(Channel::as_str))?,
            ),
            Field::Campaigns(field) => Test::Campaigns(
                field,
                match asked.operator {
                    Operator::IsSet => Known::IsSet,
                    Operator::IsNotSet => Known::IsNotSet,
                    _ => Known::Is((membership(asked.operator), self.ids(asked, ReferenceTo::Campaign)?)),
                },
            ),
        })
    }

    fn day_test(&mut self, asked: &Asked<'_>) -> Option<DayTest> {
        let make = match asked.operator {
            Operator::IsSet => return Some(DayTest::IsSet),
            Operator::IsNotSet => return Some(DayTest::IsNotSet),
            Operator::Between => {
                let (first, last) = self.days(asked)?;
                return Some(DayTest::Between(first, last));
            }
            Operator::Before => DayTest::Before,
            Operator::OnOrBefore => DayTest::OnOrBefore,
            Operator::After => DayTest::After,
            Operator::OnOrAfter => DayTest::OnOrAfter,
            _ => DayTest::On,
        };
        self.day(&asked.at(), asked.value).map(make)
    }

    /// The first and the last of some days.
    fn days(&mut self, asked: &Asked<'_>) -> Option<(Day, Day)> {
        let [from, until] = self.two(asked)?;
        let first = self.day(&format!("{}[0]", asked.at()), from);
        let last = self.day(&format!("{}[1]", asked.at()), until);
        let (first, last) = first.zip(last)?;
        if first.on(self.today) > last.on(self.today) {
            return self.backwards(asked);
        }
        Some((first, last))
    }

    fn day(&mut self, path: &str, value: &Value) -> Option<Day> {
        match value {
            Value::String(text) => {
                // Exactly as it is documented: chrono would also take `+12026-1-1`.
                let day = text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10);
                match day {
                    Some(day) if (1900..2100).contains(&day.year()) => Some(Day::Of(day)),
                    Some(_) => {
                        self.refuse(path, "DATE_OUT_OF_RANGE", "날짜는 1900년에서 2099년 사이여야 합니다.")
                    }
                    None => self.invalid_day(path),
                }
            }
            Value::Object(members) if members.len() == 1 => {
                let ago = |name: &str, most: i64| {
                    members.get(name).and_then(Value::as_i64).filter(|ago| (0..=most).contains(ago))
                };
                let days = ago("daysAgo", MOST_DAYS).and_then(|days| days.try_into().ok()).map(Day::DaysAgo);
                let months =
                    ago("monthsAgo", 1_200).and_then(|months| months.try_into().ok()).map(Day::MonthsAgo);
                match days.or(months) {
                    Some(day) => Some(day),
                    None => self.invalid_day(path),
                }
            }
            _ => self.invalid_day(path),
        }
    }

    fn invalid_day<T>(&mut self, path: &str) -> Option<T> {
        self.refuse(
            path,
            "INVALID_DATE",
            "날짜는 \"2026-03-14\" 또는 {\"daysAgo\": 90}, {\"monthsAgo\": 3}과 같은 형식이어야 합니다.",
        )
    }

    fn range(&mut self, asked: &Asked<'_>) -> Option<Range> {
        if asked.operator == Operator::Between {
            let [least, most] = self.two(asked)?;
            let least = self.number(&format!("{}[0]", asked.at()), least, asked.field);
            let most = self.number(&format!("{}[1]", asked.at()), most, asked.field);
            let (least, most) = least.zip(most)?;
            if least > most {
                return self.backwards(asked);
            }
            return Some(Range { least: Some(least), most: Some(most) });
        }
        let value = self.number(&asked.at(), asked.value, asked.field)?;
        let (least, most) = match asked.operator {
            Operator::AtLeast => (Some(value), None),
            Operator::MoreThan => (Some(value + 1), None),
            Operator::AtMost => (None, Some(value)),
            Operator::LessThan => (None, Some(value - 1)),
            _ => (Some(value), Some(value)),
        };
        Some(Range { least, most })
    }

    fn number(&mut self, path: &str, value: &Value, field: Field) -> Option<i64> {
        let most = field.most().unwrap_or_default();
        match value.as_i64().filter(|number| (0..=most).contains(number)) {
            Some(number) => Some(number),
            None => self.refuse(path, "INVALID_NUMBER", format!("0에서 {most} 사이의 정수여야 합니다.")),
        }
    }

    fn month(&mut self, path: &str, value: &Value) -> Option<Month> {
        let of = |value: &Value, most: u64| {
            value.as_u64().filter(|n| *n <= most).and_then(|n| u32::try_from(n).ok())
        };
        let month = match value {
            Value::Object(members) if members.len() == 1 => {
                members.get("monthsAhead").and_then(|ahead| of(ahead, 11)).map(Month::MonthsAhead)
            }
            value => of(value, 12).filter(|month| *month > 0).map(Month::Of),
        };
        match month {
            Some(month) => Some(month),
            None => self.refuse(
                path,
                "INVALID_MONTH",
                "1에서 12 사이의 달 또는 {\"monthsAhead\": 0}이어야 합니다.",
            ),
        }
    }

    fn tag(&mut self, path: &str, value: &Value) -> Option<String> {
        let tag = value.as_str().map(str::trim).filter(|tag| !tag.is_empty() && tag.chars().count() <= 30);
        match tag {
            Some(tag) => Some(tag.to_owned()),
            None => self.refuse(path, "INVALID_TAG", "태그는 1자에서 30자 사이의 글이어야 합니다."),
        }
    }

    fn ids(&mut self, asked: &Asked<'_>, to: ReferenceTo) -> Option<Vec<i64>> {
        self.values(asked, |reader, path, value| reader.id(path, value, to))
    }

    fn id(&mut self, path: &str, value: &Value, to: ReferenceTo) -> Option<i64> {
        let Some(id) = value.as_i64().filter(|id| *id > 0) else {
            return self.refuse(path, "INVALID_ID", "번호여야 합니다.");
        };
        self.references.push(Reference { path: path.to_owned(), to, id });
        Some(id)
    }

    fn option<T: for<'de> Deserialize<'de>>(
        &mut self,
        path: &str,
        value: &Value,
        known: &[&str],
    ) -> Option<T> {
        match T::deserialize(value) {
            Ok(option) => Some(option),
            Err(_) => self.refuse(path, "UNKNOWN_VALUE", format!("{} 중 하나여야 합니다.", known.join(", "))),
        }
    }

    fn options<T: for<'de> Deserialize<'de>>(&mut self, asked: &Asked<'_>, known: &[&str]) -> Option<Vec<T>> {
        self.values(asked, |reader, path, value| reader.option(path, value, known))
    }

    /// A list of one value or more, each of them read.
    fn values<T>(
        &mut self,
        asked: &Asked<'_>,
        mut read: impl FnMut(&mut Self, &str, &Value) -> Option<T>,
    ) -> Option<Vec<T>> {
        let at = asked.at();
        let Some(values) = asked.value.as_array().filter(|values| !values.is_empty()) else {
            return self.refuse(at, "INVALID_LIST", "값이 하나 이상 있는 목록이어야 합니다.");
        };
        if values.len() > MOST_VALUES {
            return self.refuse(at, "TOO_MANY", format!("값은 {MOST_VALUES}개까지 쓸 수 있습니다."));
        }
        let read: Vec<_> = values
            .iter()
            .enumerate()
            .map(|(position, value)| read(self, &format!("{at}[{position}]"), value))
            .collect();
        read.into_iter().collect()
    }

    fn two<'a>(&mut self, asked: &Asked<'a>) -> Option<[&'a Value; 2]> {
        match asked.value.as_array().map(Vec::as_slice) {
            Some([first, second]) => Some([first, second]),
            _ => self.refuse(asked.at(), "INVALID_RANGE", "처음과 끝, 두 값의 목록이어야 합니다."),
        }
    }

    fn backwards<T>(&mut self, asked: &Asked<'_>) -> Option<T> {
        self.refuse(asked.at(), "INVALID_RANGE", "끝이 처음보다 앞섭니다.")
    }
}

fn membership(operator: Operator) -> Membership {
    match operator {
        Operator::HasAll => Membership::All,
        Operator::HasNone => Membership::None,
        _ => Membership::Any,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::segment::condition::{DayField, NumberField};

    fn today() -> NaiveDate {
        "2026-02-01".parse().expect("a day")
    }

    fn refused(sent: &Value) -> Vec<(String, &'static str)> {
        let errors = Conditions::read(sent.as_array().expect("a list"), today()).expect_err("it is refused");
        errors.into_iter().map(|error| (error.field, error.code)).collect()
    }

    fn read(sent: &Value) -> Condition {
        let sent = sent.as_array().expect("a list").clone();
        let Condition::All(mut all) = Conditions::read(&sent, today()).expect("it can be").all else {
            panic!("a list")
        };
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    #[test]
    fn a_condition_is_what_it_says() {
        let before = json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": "2025-11-14"}]);
        let day = "2025-11-14".parse().expect("a day");
        assert_eq!(
            read(&before),
            Condition::Is(Test::Day(DayField::LastVisit, DayTest::Before(Day::Of(day))))
        );
        let more = json!([{"not": {"any": [{"field": "visitCount", "operator": "MORE_THAN", "value": 3}]}}]);
        let range = Range { least: Some(4), most: None };
        assert_eq!(
            read(&more),
            Condition::Not(Box::new(Condition::Any(vec![Condition::Is(Test::Number(
                NumberField::VisitCount,
                range
            ))])))
        );
    }

    #[test]
    fn everything_that_is_wrong_is_named_by_its_path() {
        let sent = json!([
            {"field": "lastVisitDay", "operator": "BEFORE", "value": "2025-11-14"},
            {"any": [{"field": "visitCount", "operator": "BEFORE", "value": 3}, {"field": "age", "operator": "AT_LEAST", "value": 1.5}]},
            {"not": {"field": "gender", "operator": "IS", "value": "female"}},
            {"field": "tag", "operator": "HAS_ANY", "value": ["단골", 3]},
            {"field": "birthdayMonth", "operator": "IS", "value": 13},
            {"any": [], "value": 1},
            {"all": []},
            {"field": "totalSpent", "operator": "BETWEEN", "value": [5, 1]},
            {"field": "lastVisitDate", "operator": "ON", "value": {"daysAgo": -1}},
            {"field": "lastVisitDate", "operator": "IS_SET", "value": true},
            3,
            {"field": "receivedCampaign", "operator": "HAS_ANY", "value": ["1"]},
            {"field": "clickedCampaign", "operator": "IS_NOT_SET", "value": [1]},
            {"field": "lastCampaignDate", "operator": "HAS_ANY", "value": [1]},
        ]);
        assert_eq!(
            refused(&sent),
            [
                ("conditions[0].field", "UNKNOWN_FIELD"),
                ("conditions[1].any[0].operator", "UNKNOWN_OPERATOR"),
                ("conditions[1].any[1].value", "INVALID_NUMBER"),
                ("conditions[2].not.value", "UNKNOWN_VALUE"),
                ("conditions[3].value[1]", "INVALID_TAG"),
                ("conditions[4].value", "INVALID_MONTH"),
                ("conditions[5].value", "UNKNOWN_MEMBER"),
                ("conditions[6].all", "REQUIRED"),
                ("conditions[7].value", "INVALID_RANGE"),
                ("conditions[8].value", "INVALID_DATE"),
                ("conditions[9].value", "INVALID"),
                ("conditions[10]", "INVALID"),
                ("conditions[11].value[0]", "INVALID_ID"),
                ("conditions[12].value", "INVALID"),
                ("conditions[13].operator", "UNKNOWN_OPERATOR"),
            ]
            .map(|(path, code)| (path.to_owned(), code))
        );
    }

    #[test]
    fn too_deep_and_too_many_are_refused() {
        let one = json!({"field": "visitCount", "operator": "AT_LEAST", "value": 1});
        let deep = |levels: usize| (0..levels).fold(one.clone(), |inside, _| json!({"not": inside}));
        assert!(Conditions::read(&[deep(4)], today()).is_ok());
        assert_eq!(refused(&json!([deep(5)])).remove(0).1, "TOO_DEEP");
        assert!(Conditions::read(&vec![one.clone(); 50], today()).is_ok());
        assert_eq!(refused(&json!(vec![one.clone(); 51])), [("conditions".to_owned(), "TOO_MANY")]);
        let many = json!([{"any": vec![one.clone(); 30]}, {"any": vec![one; 30]}]);
        assert_eq!(refused(&many)[0], ("conditions[1].any[20]".to_owned(), "TOO_MANY"));
        assert_eq!(refused(&json!(vec![json!(null); 40])).len(), 20, "the rest is not looked at");
    }

    #[test]
    fn a_field_is_found_by_its_name() {
        for field in Field::ALL {
            assert_eq!(Field::named(field.name()), Some(field));
        }
    }

    proptest! {
        #[test]
        fn no_text_at_all_breaks_anything(field in any::<String>(), operator in any::<String>(), value in any::<String>()) {
            let sent = [json!({"field": field, "operator": operator, "value": value})];
            prop_assert!(Conditions::read(&sent, today()).is_err());
            let dated = [json!({"field": "lastVisitDate", "operator": "BEFORE", "value": value})];
            let _ = Conditions::read(&dated, today());
        }
    }
}

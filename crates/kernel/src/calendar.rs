//! The Korean calendar: which day an instant falls on, and times as the API writes them.

use std::fmt;

use chrono::{
    DateTime, Datelike, Duration, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc, Weekday,
};
use chrono_tz::Asia::Seoul;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The Korean calendar day that an instant falls on.
pub fn korean_day(instant: DateTime<Utc>) -> NaiveDate {
    instant.with_timezone(&Seoul).date_naive()
}

/// What clocks in Korea show at an instant.
pub fn korean_time(instant: DateTime<Utc>) -> NaiveDateTime {
    instant.with_timezone(&Seoul).naive_local()
}

/// `월` to `일`.
pub fn korean_weekday(day: NaiveDate) -> &'static str {
    match day.weekday() {
        Weekday::Mon => "월",
        Weekday::Tue => "화",
        Weekday::Wed => "수",
        Weekday::Thu => "목",
        Weekday::Fri => "금",
        Weekday::Sat => "토",
        Weekday::Sun => "일",
    }
}

/// The instant at which clocks in Korea show `time` on `day`.
///
/// Korea had daylight saving time until 1988. A time skipped by it is read an hour later, a
/// repeated one as the first of the two.
pub fn at_korean_time(day: NaiveDate, time: NaiveTime) -> DateTime<Utc> {
    let local = day.and_time(time);
    Seoul
        .from_local_datetime(&local)
        .earliest()
        .or_else(|| Seoul.from_local_datetime(&(local + Duration::hours(1))).earliest())
        .map_or_else(|| local.and_utc(), |zoned| zoned.with_timezone(&Utc))
}

/// Midnight in Korea, where a half-open range of days begins.
pub fn start_of_korean_day(day: NaiveDate) -> DateTime<Utc> {
    at_korean_time(day, NaiveTime::MIN)
}

/// An instant as the API speaks it: written as RFC 3339 with Korea's offset, read with any offset,
/// or without one, which means Korean time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, sqlx::Type)]
#[sqlx(transparent)]
pub struct KoreanTime(pub DateTime<Utc>);

impl KoreanTime {
    /// Reads `2026-03-14T10:00:00+09:00`, `2026-03-14T01:00:00Z` or `2026-03-14T10:00[:00[.000]]`.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(instant.with_timezone(&Utc)));
        }
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(text, format).ok())
            .map(|local| Self(at_korean_time(local.date(), local.time())))
    }
}

impl From<DateTime<Utc>> for KoreanTime {
    fn from(instant: DateTime<Utc>) -> Self {
        Self(instant)
    }
}

impl fmt::Display for KoreanTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.with_timezone(&Seoul).to_rfc3339_opts(SecondsFormat::AutoSi, false))
    }
}

impl Serialize for KoreanTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KoreanTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::custom("expected a time such as 2026-03-14T10:00:00+09:00"))
    }
}

impl utoipa::PartialSchema for KoreanTime {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("RFC 3339 with Korea's offset. On input an absent offset means Korean time."))
            .examples(["2026-03-14T10:00:00+09:00"])
            .into()
    }
}

impl utoipa::ToSchema for KoreanTime {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_past_eleven_at_night_utc_is_already_tomorrow_in_korea() {
        let instant = KoreanTime::parse("2026-01-31T23:30:00Z").unwrap().0;
        assert_eq!(korean_day(instant), NaiveDate::from_ymd_opt(2026, 2, 1).unwrap());
    }

    #[test]
    fn a_time_without_an_offset_is_korean_time() {
        let expected = KoreanTime::parse("2026-03-14T10:00:00+09:00");
        assert!(expected.is_some());
        for text in
            ["2026-03-14T10:00:00", "2026-03-14T10:00", "2026-03-14T10:00:00.000", "2026-03-14T01:00:00Z"]
        {
            assert_eq!(KoreanTime::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn times_are_written_with_koreas_offset() {
        let time = KoreanTime::parse("2026-03-14T01:00:00Z").unwrap();
        assert_eq!(time.to_string(), "2026-03-14T10:00:00+09:00");
    }
}

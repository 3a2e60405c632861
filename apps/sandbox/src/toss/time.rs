//! Times as Toss writes them.

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use kernel::at_korean_time;

const KOREA: FixedOffset = FixedOffset::east_opt(9 * 3600).expect("nine hours are an offset");

/// `2026-01-01T00:00:00+09:00`
pub(crate) fn with_offset(instant: DateTime<Utc>) -> String {
    korean(instant).format("%Y-%m-%dT%H:%M:%S+09:00").to_string()
}

/// `createdAt` of webhooks: Korean time without an offset, in practice with five or six fraction digits.
pub(crate) fn without_offset(instant: DateTime<Utc>) -> String {
    let mut text = korean(instant).format("%Y-%m-%dT%H:%M:%S%.6f").to_string();
    if text.ends_with('0') {
        text.pop();
    }
    text
}

/// The date part of a payment key.
pub(crate) fn digits(instant: DateTime<Utc>) -> String {
    korean(instant).format("%Y%m%d%H%M%S").to_string()
}

/// `yyyy-MM-dd'T'HH:mm:ss` or a date alone, without a zone: measured, a `Z` is refused.
pub(crate) fn parse_zoneless(text: &str) -> Option<DateTime<Utc>> {
    let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S")
        .ok()
        .or_else(|| Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN)))?;
    Some(at_korean_time(local.date(), local.time()))
}

fn korean(instant: DateTime<Utc>) -> NaiveDateTime {
    instant.with_timezone(&KOREA).naive_local()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_dates_are_korean_and_refuse_a_zone() {
        let expected = "2026-01-31T15:00:00Z".parse::<DateTime<Utc>>().ok();
        assert_eq!(parse_zoneless("2026-02-01T00:00:00"), expected);
        assert_eq!(parse_zoneless("2026-02-01"), expected);
        for text in
            ["2026-02-01T00:00:00Z", "2026-02-01T00:00:00+09:00", "2026-02-30", "", "2026-02-01 00:00:00"]
        {
            assert_eq!(parse_zoneless(text), None, "{text}");
        }
    }

    #[test]
    fn webhook_times_have_five_or_six_fraction_digits() {
        let at = |text: &str| without_offset(text.parse().unwrap());
        assert_eq!(at("2026-01-31T23:30:00.123456Z"), "2026-02-01T08:30:00.123456");
        assert_eq!(at("2026-01-31T23:30:00.123450Z"), "2026-02-01T08:30:00.12345");
        assert_eq!(at("2026-01-31T23:30:00Z"), "2026-02-01T08:30:00.00000");
    }
}

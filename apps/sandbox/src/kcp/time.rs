//! Times as KCP writes them: Korean, fourteen digits.

use chrono::{DateTime, FixedOffset, Utc};

const KOREA: FixedOffset = FixedOffset::east_opt(9 * 3600).expect("nine hours are an offset");

/// `20261120090000`
pub(super) fn digits(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&KOREA).format("%Y%m%d%H%M%S").to_string()
}

/// `261120`, with which transaction numbers begin.
pub(super) fn short_day(instant: DateTime<Utc>) -> String {
    instant.with_timezone(&KOREA).format("%y%m%d").to_string()
}

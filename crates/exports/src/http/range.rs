//! `Range` and `If-Range`, as far as one range goes (RFC 9110, section 14).

use std::ops::Range;

use axum::http::{HeaderMap, HeaderValue, header};

/// Which bytes are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    Some(Range<u64>),
    /// The file has none of them.
    Impossible,
}

impl Wanted {
    /// What cannot be read, several ranges, and a range of a file that is not this one any more, all mean the
    /// whole file.
    pub(super) fn of(headers: &HeaderMap, etag: &HeaderValue, size: u64) -> Self {
        let is_this_file = headers.get(header::IF_RANGE).is_none_or(|known| known == etag);
        let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
        range.filter(|_| is_this_file).map_or(Self::All, |range| Self::read(range, size))
    }

    fn read(text: &str, size: u64) -> Self {
        let Some((unit, ranges)) = text.split_once('=') else { return Self::All };
        let Some((first, last)) = ranges.trim().split_once('-') else { return Self::All };
        if !unit.trim().eq_ignore_ascii_case("bytes") {
            return Self::All;
        }
        let range = match (number(first), number(last)) {
            (Some(first), None) if last.is_empty() => first..size,
            (Some(first), Some(last)) if first <= last => first..last.saturating_add(1).min(size),
            (None, Some(length)) if first.is_empty() => size.saturating_sub(length)..size,
            _ => return Self::All,
        };
        if range.is_empty() { Self::Impossible } else { Self::Some(range) }
    }
}

/// Digits alone: `+1` is none. One too large for any file is as good as the largest.
fn number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_what_the_file_has_of_it() {
        for (text, wanted) in [
            ("bytes=0-0", Wanted::Some(0..1)),
            ("bytes=10-", Wanted::Some(10..100)),
            ("bytes=-10", Wanted::Some(90..100)),
            ("bytes=-1000", Wanted::Some(0..100)),
            ("bytes=90-1000", Wanted::Some(90..100)),
            ("Bytes=0-99999999999999999999999", Wanted::Some(0..100)),
            ("bytes=100-", Wanted::Impossible),
            ("bytes=-0", Wanted::Impossible),
            ("bytes=5-4", Wanted::All),
            ("bytes=0-1,5-6", Wanted::All),
            ("bytes=+1-2", Wanted::All),
            ("lines=1-2", Wanted::All),
            ("bytes=", Wanted::All),
            ("bytes=-", Wanted::All),
        ] {
            assert_eq!(Wanted::read(text, 100), wanted, "{text}");
        }
    }

    #[test]
    fn a_range_of_another_file_is_the_whole_of_this_one() {
        let etag = HeaderValue::from_static("\"a\"");
        for (known, wanted) in
            [("\"a\"", Wanted::Some(0..1)), ("\"b\"", Wanted::All), ("W/\"a\"", Wanted::All)]
        {
            let headers = HeaderMap::from_iter([
                (header::RANGE, HeaderValue::from_static("bytes=0-0")),
                (header::IF_RANGE, HeaderValue::from_static(known)),
            ]);
            assert_eq!(Wanted::of(&headers, &etag, 100), wanted, "{known}");
        }
    }
}

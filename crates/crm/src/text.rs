//! What people write: names, and days.

use chrono::{Datelike, NaiveDate};

/// Why a text cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: &'static str,
}

const fn refusal(code: &'static str, message: &'static str) -> Refusal {
    Refusal { code, message }
}

/// The name of a segment or a coupon: a line that somebody can see.
pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    line(text, 50)
}

/// The shop's own name for something.
pub(crate) fn reference(text: &str) -> Result<String, Refusal> {
    line(text, 100)
}

fn line(text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().all(is_invisible) {
        return Err(refusal("REQUIRED", "값이 필요합니다."));
    }
    if text.chars().any(char::is_control) {
        return Err(refusal("CONTROL_CHARACTER", "줄바꿈이나 제어 문자는 쓸 수 없습니다."));
    }
    if text.chars().count() > most {
        return Err(refusal("TOO_LONG", "너무 깁니다."));
    }
    Ok(text.to_owned())
}

/// Space, marks of direction and joiners: a name of nothing else would be an empty line on every page.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// A Korean day of our time.
pub(crate) fn day(text: &str) -> Result<NaiveDate, Refusal> {
    // Exactly as it is documented: chrono would also take `+12026-1-1`.
    let day = text.parse::<NaiveDate>().ok().filter(|_| text.len() == 10);
    let day = day.ok_or(refusal("INVALID_DATE", "날짜는 2026-03-14와 같은 형식이어야 합니다."))?;
    if (2000..2100).contains(&day.year()) {
        return Ok(day);
    }
    Err(refusal("DATE_OUT_OF_RANGE", "날짜는 2000년에서 2099년 사이여야 합니다."))
}

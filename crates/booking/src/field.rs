//! What a member of a row or a body may be: one function a kind of value, each refusing with a code and a sentence.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use kernel::{KoreanTime, korean_day};
use platform::FieldError;

use crate::contact::{Email, Phone};

/// Why a value cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub code: &'static str,
    pub message: &'static str,
}

const fn refusal(code: &'static str, message: &'static str) -> Refusal {
    Refusal { code, message }
}

const REQUIRED: Refusal = refusal("REQUIRED", "값이 필요합니다.");
const TOO_LONG: Refusal = refusal("TOO_LONG", "너무 깁니다.");
const CONTROL_CHARACTER: Refusal = refusal("CONTROL_CHARACTER", "줄바꿈이나 제어 문자는 쓸 수 없습니다.");
const INVALID_DATE: Refusal = refusal("INVALID_DATE", "날짜는 2026-03-14와 같은 형식이어야 합니다.");
const INVALID_TIME: Refusal =
    refusal("INVALID_TIME", "시각은 2026-03-14T10:00:00+09:00과 같은 형식이어야 합니다.");
const DATE_OUT_OF_RANGE: Refusal = refusal("DATE_OUT_OF_RANGE", "날짜는 1900년에서 2100년 사이여야 합니다.");
const TIME_OUT_OF_RANGE: Refusal =
    refusal("DATE_OUT_OF_RANGE", "예약 시각은 2000년에서 2099년 사이여야 합니다.");
const INVALID_PRICE: Refusal =
    refusal("INVALID_PRICE", "금액은 0원에서 1,000,000,000원 사이의 정수여야 합니다.");
const INVALID_DURATION: Refusal = refusal("INVALID_DURATION", "소요 시간은 1분에서 1,440분 사이여야 합니다.");
pub(crate) const TOO_MANY: Refusal = refusal("TOO_MANY", "개수가 너무 많습니다.");

/// Gathers what is wrong with one row, so that whoever sent it can put all of it right at once.
#[derive(Default)]
pub(crate) struct Checked(Vec<FieldError>);

impl Checked {
    /// The value if it can be; what is wrong with it is remembered.
    pub(crate) fn take<T>(&mut self, field: &str, result: Result<T, Refusal>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(Refusal { code, message }) => {
                self.0.push(FieldError { field: field.to_owned(), code, message: message.to_owned() });
                None
            }
        }
    }

    /// `None` is good for what was not given, and refused if it was given and cannot be.
    pub(crate) fn optional<T>(
        &mut self,
        field: &str,
        given: Option<String>,
        read: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Option<T> {
        let given = given.filter(|text| !text.trim().is_empty())?;
        self.take(field, read(&given))
    }

    /// All of it, unless something was refused.
    pub(crate) fn finish<T>(self, whole: Option<T>) -> Result<T, Vec<FieldError>> {
        match whole {
            Some(whole) if self.0.is_empty() => Ok(whole),
            _ => Err(self.0),
        }
    }
}

/// One line of text that somebody can see, trimmed.
pub(crate) fn line(text: &str, most: usize) -> Result<String, Refusal> {
    let text = text.trim();
    if text.chars().all(is_invisible) {
        return Err(REQUIRED);
    }
    if text.chars().any(char::is_control) {
        return Err(CONTROL_CHARACTER);
    }
    if text.chars().count() > most {
        return Err(TOO_LONG);
    }
    Ok(text.to_owned())
}

/// Space, marks of direction and joiners: a name of nothing else would be an empty line on every page.
fn is_invisible(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

pub(crate) fn name(text: &str) -> Result<String, Refusal> {
    line(text, 100)
}

/// The feeding system's name for a row.
pub(crate) fn external_id(text: &str) -> Result<String, Refusal> {
    line(text, 100)
}

/// Several lines of text; nothing of it is nothing.
pub(crate) fn prose(text: &str, most: usize) -> Result<Option<String>, Refusal> {
    let text = text.trim();
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(CONTROL_CHARACTER);
    }
    if text.chars().count() > most {
        return Err(TOO_LONG);
    }
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

pub(crate) fn tags(given: &[String]) -> Result<Vec<String>, Refusal> {
    let mut tags = Vec::new();
    for tag in given {
        let tag = line(tag, 30)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > 20 { Err(TOO_MANY) } else { Ok(tags) }
}

pub(crate) fn phone(text: &str) -> Result<Phone, Refusal> {
    Phone::parse(text).ok_or(refusal("INVALID_PHONE", "올바른 전화번호가 아닙니다."))
}

pub(crate) fn email(text: &str) -> Result<Email, Refusal> {
    Email::parse(text).ok_or(refusal("INVALID_EMAIL", "올바른 이메일 주소가 아닙니다."))
}

/// A day on which somebody can have been born.
pub(crate) fn day(text: &str) -> Result<NaiveDate, Refusal> {
    let text = text.trim();
    // Exactly as it is documented: chrono would also take `+12026-1-1`.
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| text.len() == 10);
    let day = day.ok_or(INVALID_DATE)?;
    if (1900..2100).contains(&day.year()) { Ok(day) } else { Err(DATE_OUT_OF_RANGE) }
}

/// When a visit begins.
pub(crate) fn start(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let instant = KoreanTime::parse(text.trim()).ok_or(INVALID_TIME)?.0;
    if (2000..2100).contains(&korean_day(instant).year()) { Ok(instant) } else { Err(TIME_OUT_OF_RANGE) }
}

/// When something came to be; a day alone means its beginning.
pub(crate) fn created(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let text = text.trim();
    let instant = if text.len() == 10 {
        kernel::start_of_korean_day(text.parse().map_err(|_| INVALID_TIME)?)
    } else {
        KoreanTime::parse(text).ok_or(INVALID_TIME)?.0
    };
    if (1900..2100).contains(&korean_day(instant).year()) { Ok(instant) } else { Err(DATE_OUT_OF_RANGE) }
}

/// Won.
pub(crate) fn price(won: i64) -> Result<i64, Refusal> {
    if (0..=1_000_000_000).contains(&won) { Ok(won) } else { Err(INVALID_PRICE) }
}

pub(crate) fn duration(minutes: i64) -> Result<i32, Refusal> {
    i32::try_from(minutes).ok().filter(|minutes| (1..=1_440).contains(minutes)).ok_or(INVALID_DURATION)
}

/// Stars.
pub(crate) fn rating(stars: i64) -> Result<i16, Refusal> {
    let one_to_five = i16::try_from(stars).ok().filter(|stars| (1..=5).contains(stars));
    one_to_five.ok_or(refusal("INVALID_RATING", "별점은 1점에서 5점 사이여야 합니다."))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_people_call_themselves_is_kept_as_they_write_it() {
        for text in ["김민서", "=cmd|' /C calc'!A0", "\u{202e}שלום\u{202c}", "👩‍👩‍👧‍👦", "O'Brien <b>", "null"]
        {
            assert_eq!(name(text), Ok(text.to_owned()));
        }
        assert_eq!(name("  이지은\t"), Ok("이지은".to_owned()));
    }

    #[test]
    fn a_name_that_nobody_can_see_or_print_is_refused() {
        for text in ["", "  ", "\u{feff}", "\u{200b}\u{202e} "] {
            assert_eq!(name(text), Err(REQUIRED), "{text:?}");
        }
        for text in ["a\nb", "\u{1b}[31m", "a\0b"] {
            assert_eq!(name(text), Err(CONTROL_CHARACTER), "{text:?}");
        }
        assert_eq!(name(&"가".repeat(100)).map(|name| name.chars().count()), Ok(100));
        assert_eq!(name(&"가".repeat(10_000)), Err(TOO_LONG));
    }

    #[test]
    fn days_outside_of_what_a_calendar_of_people_has_are_refused() {
        assert_eq!(day("9999-12-31"), Err(DATE_OUT_OF_RANGE));
        assert_eq!(day("1899-12-31"), Err(DATE_OUT_OF_RANGE));
        for text in ["2026-02-30", "20260201", "2026-2-1", "+12026-01-01", "-262143-01-01", "어제"] {
            assert_eq!(day(text), Err(INVALID_DATE), "{text}");
        }
        assert_eq!(start("9999-12-31T10:00:00"), Err(TIME_OUT_OF_RANGE));
        // The year 2100 has begun in Korea.
        assert_eq!(start("2099-12-31T15:00:00Z"), Err(TIME_OUT_OF_RANGE));
        assert!(start("2099-12-31T14:59:59Z").is_ok());
        assert_eq!(start("2026-03-14"), Err(INVALID_TIME));
        assert_eq!(created("2026-03-14"), created("2026-03-14T00:00"));
    }

    #[test]
    fn tags_are_each_said_once() {
        let given = ["단골", " 단골 ", "염색"].map(str::to_owned);
        assert_eq!(tags(&given), Ok(vec!["단골".to_owned(), "염색".to_owned()]));
        let many: Vec<_> = (0..21).map(|n| n.to_string()).collect();
        assert_eq!(tags(&many), Err(TOO_MANY));
        assert_eq!(tags(&[String::new()]), Err(REQUIRED));
    }

    proptest! {
        #[test]
        fn no_text_at_all_breaks_anything(text in any::<String>()) {
            if let Ok(name) = name(&text) {
                prop_assert_eq!(super::name(&name), Ok(name.clone()));
                prop_assert!(!name.contains('\0') && name.chars().count() <= 100);
            }
            let _ = (day(&text), start(&text), created(&text), phone(&text), email(&text), prose(&text, 2_000));
        }
    }
}

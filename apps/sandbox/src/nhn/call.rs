//! One call of an API, and what is said to it. Errors come with HTTP 200: `header` tells.

use chrono::{DateTime, NaiveDateTime, Utc};
use kernel::{KoreanTime, at_korean_time};
use serde_json::{Value, json};

use super::{notices::NhnNotice, switches::NhnSwitches};
use crate::store::Record;

pub(super) struct Call<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    pub(super) switches: NhnSwitches,
}

impl Call<'_> {
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = form_urlencoded::parse(self.query.as_bytes());
        pairs
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }

    /// `yyyy-MM-dd HH:mm:ss` in Korea.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.parameter(name)?;
        let time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M"]
            .iter()
            .find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok())?;
        Some(at_korean_time(time.date(), time.time()))
    }
}

pub(super) struct Change {
    pub(super) answer: Value,
    pub(super) records: Vec<Record>,
    /// Webhooks that this change sets off.
    pub(super) news: Vec<NhnNotice>,
}

impl Change {
    pub(super) fn answer(answer: Value) -> Self {
        Self { answer, records: Vec::new(), news: Vec::new() }
    }
}

/// A code that says no to the whole request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub(super) i64);

impl Refusal {
    pub(super) fn body(self) -> Value {
        json!({"header": header(self.0), "body": null})
    }
}

pub(super) fn header(code: i64) -> Value {
    let message = if code == 0 { "SUCCESS" } else { "FAILURE" };
    json!({"isSuccessful": code == 0, "resultCode": code, "resultMessage": message})
}

pub(super) fn korean(at: DateTime<Utc>) -> String {
    KoreanTime(at).to_string().chars().take(19).collect::<String>().replace('T', " ")
}

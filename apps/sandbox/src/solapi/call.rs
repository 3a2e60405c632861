//! One call of the API, and what is said to it.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{notices::SolapiNotice, switches::SolapiSwitches};
use crate::{
    faults::{Faults, Struck},
    store::Record,
};

pub(super) struct Call<'a> {
    pub(super) now: DateTime<Utc>,
    pub(super) query: &'a str,
    pub(super) body: &'a [u8],
    pub(super) switches: SolapiSwitches,
    pub(super) faults: &'a Faults,
    pub(super) struck: &'a Struck<'a>,
}

impl Call<'_> {
    /// All values of a parameter; several may also stand behind one name, between commas.
    pub(super) fn parameters(&self, name: &str) -> Vec<String> {
        let pairs = form_urlencoded::parse(self.query.as_bytes());
        let values = pairs.filter(|(key, _)| key == name || key.strip_suffix("[]") == Some(name));
        values.flat_map(|(_, value)| value.split(',').map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        self.parameters(name).into_iter().next().filter(|value| !value.is_empty())
    }

    pub(super) fn time(&self, name: &str) -> Result<Option<DateTime<Utc>>, Refusal> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        let time = DateTime::parse_from_rfc3339(&text);
        time.map(|time| Some(time.with_timezone(&Utc)))
            .map_err(|_| Refusal::invalid(format!("{name}의 형식이 올바르지 않습니다.")))
    }
}

pub(super) struct Change {
    pub(super) answer: Value,
    pub(super) records: Vec<Record>,
    /// Webhooks that this change sets off.
    pub(super) news: Vec<SolapiNotice>,
}

impl Change {
    pub(super) fn answer(answer: Value) -> Self {
        Self { answer, records: Vec::new(), news: Vec::new() }
    }
}

/// `Err` changes nothing.
pub(super) type Decision = Result<Change, Refusal>;

#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    code: String,
    message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { status, code: code.into(), message: message.into() }
    }

    pub(super) fn forbidden(code: &str, message: &str) -> Self {
        Self::new(403, code, message)
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "ValidationError", message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, "ResourceNotFound", "해당 리소스를 찾을 수 없습니다.")
    }

    pub(super) fn body(&self) -> Value {
        json!({"errorCode": self.code, "errorMessage": self.message})
    }
}

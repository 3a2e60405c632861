//! An answer of KCP: a flat object whose values are strings.

use chrono::{DateTime, NaiveDateTime, Utc};
use kernel::{Krw, at_korean_time};
use serde_json::{Map, Value};

/// No `Debug`: a batch key may be in it.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// `None` if it is no JSON object.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().map(Self)
    }

    /// An empty string means "not present". A number is taken for its digits: that all values are
    /// strings was seen, not promised.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let text = match self.0.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!text.is_empty()).then_some(text)
    }

    /// The first of these names that is there: older answers call the same things otherwise.
    pub(super) fn any(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.text(name))
    }

    /// An amount in whole won. `Err` if something is there that is none.
    pub(super) fn won(&self, names: &[&str]) -> Result<Option<Krw>, String> {
        let Some(text) = self.any(names) else {
            // Null or a list where an amount should be is not the same as nothing.
            let strange =
                names.iter().any(|name| !matches!(self.0.get(*name), None | Some(Value::String(_))));
            return if strange { Err(format!("{names:?} is not an amount")) } else { Ok(None) };
        };
        let is_amount = text.len() <= 12 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_amount
            .then(|| text.parse().ok())
            .flatten()
            .map(|amount| Some(Krw::won(amount)))
            .ok_or_else(|| format!("{names:?} is not an amount"))
    }

    /// `yyyyMMddHHmmss`, Korean time.
    pub(super) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let text = self.text(name).filter(|text| text.len() == 14)?;
        let local = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S").ok()?;
        Some(at_korean_time(local.date(), local.time()))
    }
}

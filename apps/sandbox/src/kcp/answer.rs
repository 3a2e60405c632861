//! What KCP is told and what it answers: flat objects of strings.

use std::collections::BTreeMap;

use kernel::Krw;
use serde_json::{Map, Value};

use super::codes::Refusal;

/// The fields of a request.
pub(super) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Every value is a string in the guides, amounts included. Whether KCP takes numbers too is unknown.
    pub(super) fn read(body: &[u8]) -> Result<Self, Refusal> {
        serde_json::from_slice(body).map(Self).map_err(|_| Refusal::new("8005"))
    }

    /// Empty means the same as absent.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(super) fn given(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|value| !value.is_empty())
    }

    /// Decimal digits, at most twelve, with no separator.
    pub(super) fn won(&self, name: &str) -> Result<Krw, Refusal> {
        let digits = self.get(name);
        let is_amount = (1..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_amount {
            return Err(Refusal::new("8106"));
        }
        digits.parse().map(Krw::won).map_err(|_| Refusal::new("8106"))
    }
}

pub(super) type Answer = Map<String, Value>;

pub(super) trait Answering {
    fn put(&mut self, name: &str, value: impl Into<String>) -> &mut Self;

    fn put_won(&mut self, name: &str, amount: Krw) -> &mut Self {
        self.put(name, amount.get().to_string())
    }
}

impl Answering for Answer {
    fn put(&mut self, name: &str, value: impl Into<String>) -> &mut Self {
        self.insert(name.to_owned(), Value::String(value.into()));
        self
    }
}

/// The beginning of every success.
pub(super) fn success() -> Answer {
    let mut answer = Answer::new();
    answer.put("res_cd", "0000").put("res_msg", "정상처리").put("res_en_msg", "processing completed");
    answer
}

//! Webhooks, with the signature that the console was given.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::random;

/// How often, and how far apart, nobody says.
const MOST_ATTEMPTS: usize = 5;
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(5);

/// One webhook and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NhnNotice {
    /// The sandbox's name for it, which NHN Cloud does not send.
    pub id: String,
    /// The body, byte for byte as it is sent each time.
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<NhnAttempt>,
    /// `None`: delivered, given up, or held back.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NhnAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    /// The receiver's status; `None` if it did not answer in time.
    pub status: Option<u16>,
    pub error: Option<String>,
}

impl NhnNotice {
    /// At this time.
    pub(super) fn new(body: &Value, at: DateTime<Utc>) -> Self {
        Self {
            id: format!("notice_{}", random::letters(16)),
            body: body.to_string(),
            created_at: at,
            attempts: Vec::new(),
            next_attempt_at: Some(at),
        }
    }

    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.status.is_some_and(|status| (200..300).contains(&status)))
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: NhnAttempt) {
        let again = attempt.at + RETRY_AFTER;
        self.attempts.push(attempt);
        let goes_on = !self.is_delivered() && self.attempts.len() < MOST_ATTEMPTS;
        self.next_attempt_at = goes_on.then_some(again);
    }
}

//! Webhooks: a list of messages, brought again until somebody answers 200, five times in all.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::random;

const MOST_ATTEMPTS: usize = 5;
/// "At intervals"; which, nobody says.
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(5);

/// One webhook and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SolapiNotice {
    /// The sandbox's name for it, which Solapi does not send.
    pub id: String,
    /// The body, byte for byte as it is sent each time.
    pub body: String,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<SolapiAttempt>,
    /// `None`: delivered, given up, or held back.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SolapiAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    /// The receiver's status; `None` if it did not answer in time.
    pub status: Option<u16>,
    pub error: Option<String>,
}

impl SolapiNotice {
    /// At this time.
    pub(super) fn new(body: String, at: DateTime<Utc>) -> Self {
        Self {
            id: format!("notice_{}", random::letters(16)),
            body,
            created_at: at,
            attempts: Vec::new(),
            next_attempt_at: Some(at),
        }
    }

    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.status == Some(200))
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: SolapiAttempt) {
        let again = attempt.at + RETRY_AFTER;
        self.attempts.push(attempt);
        let goes_on = !self.is_delivered() && self.attempts.len() < MOST_ATTEMPTS;
        self.next_attempt_at = goes_on.then_some(again);
    }
}

//! Webhooks: what is sent, and what came of it. They are not signed.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{receipt::Payment, switches::BootpaySwitches};
use crate::random;

/// Ten is documented, the interval is not.
const MOST_ATTEMPTS: usize = 10;
const RETRY_AFTER: TimeDelta = TimeDelta::minutes(5);

/// One webhook and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootpayNotice {
    /// The sandbox's name for it, which Bootpay does not send.
    pub id: String,
    /// The body, byte for byte as it is sent each time.
    pub body: String,
    /// `application/x-www-form-urlencoded` in place of JSON.
    pub is_form: bool,
    /// Named in the request that caused it; `None` is the URL of the console.
    pub feedback_url: Option<String>,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<BootpayAttempt>,
    /// `None`: delivered, given up, or held back.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BootpayAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    /// The receiver's status; `None` if it did not answer in time.
    pub status: Option<u16>,
    /// 200 and `{"success": true}`, which alone stops the repeats.
    pub accepted: bool,
    pub error: Option<String>,
}

impl BootpayNotice {
    pub(super) fn new(body: &Value, switches: BootpaySwitches, now: DateTime<Utc>) -> Self {
        Self {
            id: format!("notice_{}", random::letters(16)),
            body: if switches.form_webhooks { form(body) } else { body.to_string() },
            is_form: switches.form_webhooks,
            feedback_url: None,
            created_at: now,
            attempts: Vec::new(),
            next_attempt_at: Some(now),
        }
    }

    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.accepted)
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: BootpayAttempt) {
        let again = attempt.at + RETRY_AFTER;
        self.attempts.push(attempt);
        let goes_on = !self.is_delivered() && self.attempts.len() < MOST_ATTEMPTS;
        self.next_attempt_at = goes_on.then_some(again);
    }
}

/// About a payment as it now is: that it was paid, or what was given back.
pub(super) fn about(payment: &Payment, switches: BootpaySwitches, now: DateTime<Utc>) -> BootpayNotice {
    let mut body = payment.body(switches);
    let kind = match (payment.cancels.is_empty(), payment.left().is_positive()) {
        (true, _) => "PAYMENT_COMPLETED",
        (false, true) => "PAYMENT_PARTIAL_CANCELLED",
        (false, false) => "PAYMENT_CANCELLED",
    };
    if !switches.old_webhooks {
        body["webhook_type"] = json!(kind);
    }
    let feedback_url = payment.feedback_url.clone();
    BootpayNotice { feedback_url, ..BootpayNotice::new(&body, switches, now) }
}

/// How nested objects stand in a form is not documented; they are left out.
fn form(body: &Value) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in body.as_object().into_iter().flatten() {
        match value {
            Value::String(text) => _ = form.append_pair(name, text),
            Value::Number(number) => _ = form.append_pair(name, &number.to_string()),
            Value::Bool(flag) => _ = form.append_pair(name, &flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => {}
        }
    }
    form.finish()
}

pub(super) fn accepts(body: &str) -> bool {
    serde_json::from_str::<Value>(body).is_ok_and(|answer| answer["success"] == json!(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_success_in_so_many_words_stops_the_repeats() {
        assert!(accepts(r#"{"success": true}"#));
        for other in ["", "OK", "{}", r#"{"success": "true"}"#, r#"{"success": false}"#] {
            assert!(!accepts(other), "{other}");
        }
    }

    #[test]
    fn a_notice_nobody_accepts_is_given_up() {
        let now = DateTime::UNIX_EPOCH;
        let mut notice = BootpayNotice::new(&json!({}), BootpaySwitches::default(), now);
        while let Some(at) = notice.next_attempt_at {
            let url = String::new();
            notice.book(BootpayAttempt { at, url, status: Some(200), accepted: false, error: None });
        }
        assert_eq!(notice.attempts.len(), MOST_ATTEMPTS);
    }
}

//! Webhooks: what is sent, in which of the three shapes, and what came of it.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::time;
use crate::random;

/// Minutes between one failed attempt and the next: seven retries, the last after almost four days.
const RETRY_LADDER: [i64; 7] = [1, 4, 16, 64, 256, 1024, 4096];

/// One webhook and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDelivery {
    pub transmission_id: String,
    /// Deposit callbacks have none.
    pub event_type: Option<String>,
    /// The body, byte for byte as it is sent each time.
    pub body: String,
    /// Sign each attempt with this security key (64 hex digits), as payout and seller events are.
    pub security_key: Option<String>,
    /// Where it goes, if not where all of this provider go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_url: Option<String>,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<WebhookAttempt>,
    /// `None`: delivered, given up, held back, or there was nowhere to send it.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    pub retried_count: usize,
    /// The receiver's status; `None` if it did not answer within ten seconds.
    pub status: Option<u16>,
    pub error: Option<String>,
}

pub(crate) use WebhookDelivery as Delivery;

impl WebhookDelivery {
    /// Shape 1: `{eventType, createdAt, data}`.
    pub(crate) fn event(event_type: &str, data: &Value, now: DateTime<Utc>) -> Self {
        let body = json!({"eventType": event_type, "createdAt": time::without_offset(now), "data": data});
        Self::raw(Some(event_type.to_owned()), &body, now)
    }

    /// Any event in the shape that its type has.
    pub(crate) fn of_type(event_type: &str, data: Value, now: DateTime<Utc>) -> Self {
        match event_type {
            "DEPOSIT_CALLBACK" => Self::raw(None, &deposit_callback(data, now), now),
            "payout.changed" | "seller.changed" => {
                let body = json!({
                    "eventType": event_type,
                    "createdAt": time::with_offset(now),
                    "version": "2022-11-16",
                    "eventId": random::hex_id(),
                    "entityType": event_type.split('.').next(),
                    "entityBody": data,
                });
                Self::raw(Some(event_type.to_owned()), &body, now)
            }
            _ => Self::event(event_type, &data, now),
        }
    }

    /// A body that no event of Toss has: a forger is not bound to shapes.
    pub(crate) fn raw(event_type: Option<String>, body: &Value, now: DateTime<Utc>) -> Self {
        Self {
            transmission_id: format!("whtrans_{}", random::letters(24)),
            event_type,
            body: body.to_string(),
            security_key: None,
            own_url: None,
            created_at: now,
            attempts: Vec::new(),
            next_attempt_at: Some(now),
        }
    }

    /// Only 200 counts: whether other successes do is not documented.
    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.status == Some(200))
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: WebhookAttempt) {
        let at = attempt.at;
        self.attempts.push(attempt);
        let retry = RETRY_LADDER.get(self.attempts.len() - 1);
        self.next_attempt_at = match retry {
            Some(minutes) if !self.is_delivered() => Some(at + TimeDelta::minutes(*minutes)),
            _ => None,
        };
    }

    /// `v1:` and the HMAC of body and transmission time. Whether the key is used as text or as the
    /// bytes that its hex digits stand for is not spelled out; one integrator decodes it.
    pub(super) fn signature(&self, transmission_time: &str) -> Option<String> {
        let security_key = self.security_key.as_deref()?;
        let bytes = hex::decode(security_key).unwrap_or_else(|_| security_key.as_bytes().to_vec());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
        let tag = hmac::sign(&key, format!("{}:{transmission_time}", self.body).as_bytes());
        Some(format!("v1:{}", STANDARD.encode(tag)))
    }
}

/// Shape 2: flat, and without an event type.
fn deposit_callback(data: Value, now: DateTime<Utc>) -> Value {
    let mut body = Map::new();
    body.insert("createdAt".into(), time::without_offset(now).into());
    if let Value::Object(fields) = data {
        body.extend(fields);
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn body(delivery: &WebhookDelivery) -> Value {
        serde_json::from_str(&delivery.body).unwrap()
    }

    #[test]
    fn each_event_has_its_shape() {
        let payment = body(&WebhookDelivery::of_type("PAYMENT_STATUS_CHANGED", json!({"a": 1}), NOW));
        assert_eq!(payment["data"]["a"], 1);
        let deposit = body(&WebhookDelivery::of_type("DEPOSIT_CALLBACK", json!({"secret": "ps_1"}), NOW));
        assert_eq!((&deposit["secret"], deposit.get("eventType")), (&json!("ps_1"), None));
        let payout = body(&WebhookDelivery::of_type("payout.changed", json!({"id": "p"}), NOW));
        assert_eq!((&payout["entityType"], &payout["entityBody"]["id"]), (&json!("payout"), &json!("p")));
    }

    #[test]
    fn a_webhook_is_tried_eight_times_over_almost_four_days() {
        let mut delivery = WebhookDelivery::event("BILLING_DELETED", &json!({}), NOW);
        let mut tries = 0;
        while let Some(at) = delivery.next_attempt_at {
            let failed = WebhookAttempt {
                at,
                url: String::new(),
                retried_count: tries,
                status: Some(201),
                error: None,
            };
            delivery.book(failed);
            tries += 1;
        }
        assert_eq!(tries, 8);
        assert_eq!(delivery.attempts[7].at, NOW + TimeDelta::minutes(5461));
    }
}

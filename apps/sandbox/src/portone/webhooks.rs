//! Webhooks: what is sent, how it is signed, and what came of it.

use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{STORE_ID, payment::Payment, switches::PortOneSwitches};
use crate::random;

/// Minutes between one failed attempt and the next. The real ones are each drawn between nought and
/// that ("full jitter"); these are the latest times at which they come.
const RETRY_LADDER: [i64; 5] = [1, 4, 16, 64, 256];

/// One webhook and every attempt to deliver it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortOneDelivery {
    pub webhook_id: String,
    /// Absent for a body that is no event.
    pub event_type: Option<String>,
    /// The body, byte for byte as it is sent each time.
    pub body: String,
    /// Named in the request that caused it; `None` is the URL of the console.
    pub notice_url: Option<String>,
    pub created_at: DateTime<Utc>,
    pub attempts: Vec<PortOneAttempt>,
    /// `None`: delivered, given up, or held back.
    pub next_attempt_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PortOneAttempt {
    pub at: DateTime<Utc>,
    pub url: String,
    /// The receiver's status; `None` if it did not answer within 30 seconds.
    pub status: Option<u16>,
    pub error: Option<String>,
}

pub(crate) use PortOneDelivery as Delivery;

impl PortOneDelivery {
    pub(crate) fn new(event_type: Option<String>, body: &Value, now: DateTime<Utc>) -> Self {
        Self {
            webhook_id: format!("msg_{}", random::letters(27)),
            event_type,
            body: body.to_string(),
            notice_url: None,
            created_at: now,
            attempts: Vec::new(),
            next_attempt_at: Some(now),
        }
    }

    /// Any 2xx, as Standard Webhooks says; whether PortOne takes others than 200 is unknown.
    pub fn is_delivered(&self) -> bool {
        self.attempts.iter().any(|attempt| attempt.status.is_some_and(|status| (200..300).contains(&status)))
    }

    /// Books an attempt and plans the next one.
    pub(super) fn book(&mut self, attempt: PortOneAttempt) {
        let at = attempt.at;
        self.attempts.push(attempt);
        let retry = RETRY_LADDER.get(self.attempts.len() - 1);
        self.next_attempt_at = match retry {
            Some(minutes) if !self.is_delivered() => Some(at + TimeDelta::minutes(*minutes)),
            _ => None,
        };
    }
}

/// `v1,` and the HMAC-SHA256 of `{id}.{timestamp}.{body}`. The secret is Base64, with or without its
/// prefix `whsec_`, and its bytes are the key.
///
/// `None` for a secret that is not Base64.
pub(crate) fn signature(secret: &str, webhook_id: &str, timestamp: i64, body: &str) -> Option<String> {
    let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let tag = hmac::sign(&key, format!("{webhook_id}.{timestamp}.{body}").as_bytes());
    Some(format!("v1,{}", STANDARD.encode(tag)))
}

/// What tells of a payment: neither its status nor its amount.
pub(crate) fn about_payment(
    event_type: &str,
    payment: &Payment,
    cancellation_id: Option<&str>,
    switches: PortOneSwitches,
    now: DateTime<Utc>,
) -> Vec<Delivery> {
    let body = if switches.old_webhooks {
        // `Transaction.Paid` was `Paid` then.
        let status = event_type.trim_start_matches("Transaction.");
        json!({"payment_id": payment.id, "tx_id": payment.transaction_id, "status": status})
    } else {
        let mut data = json!({
            "storeId": STORE_ID,
            "paymentId": payment.id,
            "transactionId": payment.transaction_id,
        });
        if let Some(id) = cancellation_id {
            data["cancellationId"] = json!(id);
        }
        event(event_type, &data, now)
    };
    let news = Delivery::new(Some(event_type.to_owned()), &body, now);
    if payment.notice_urls.is_empty() {
        return vec![news];
    }
    let to = |url: &String| Delivery {
        notice_url: Some(url.clone()),
        ..Delivery::new(news.event_type.clone(), &body, now)
    };
    payment.notice_urls.iter().map(to).collect()
}

/// Version `2024-01-01` is about payments only.
pub(crate) fn about_key(
    event_type: &str,
    billing_key: &str,
    switches: PortOneSwitches,
    now: DateTime<Utc>,
) -> Vec<Delivery> {
    if switches.old_webhooks {
        return Vec::new();
    }
    let body = event(event_type, &json!({"storeId": STORE_ID, "billingKey": billing_key}), now);
    vec![Delivery::new(Some(event_type.to_owned()), &body, now)]
}

pub(crate) fn event(event_type: &str, data: &Value, now: DateTime<Utc>) -> Value {
    let timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    json!({"type": event_type, "timestamp": timestamp, "data": data})
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checked with the vendor's own library, as the PortOne reference tells.
    #[test]
    fn the_signature_is_that_of_the_known_answer() {
        let body = r#"{"type":"Transaction.Paid","timestamp":"2025-10-09T08:53:20.000Z","data":{"storeId":"store-00000000-0000-4000-8000-000000000001","paymentId":"pay0001","transactionId":"00000000-0000-4000-8000-000000000002"}}"#;
        for secret in ["whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"] {
            let signature = signature(secret, "msg_simulator_0001", 1_760_000_000, body);
            assert_eq!(signature.as_deref(), Some("v1,odl1AOo9FPVF5pO7y+sUabBEz19Kf1GonSnlR/tiX5k="));
        }
        assert_eq!(signature("whsec_한글", "msg", 1, "{}"), None);
    }

    #[test]
    fn a_webhook_is_tried_six_times_over_five_hours_and_41_minutes() {
        let now = DateTime::UNIX_EPOCH;
        let mut delivery = Delivery::new(None, &json!({}), now);
        let mut tries = 0;
        while let Some(at) = delivery.next_attempt_at {
            delivery.book(PortOneAttempt { at, url: String::new(), status: Some(500), error: None });
            tries += 1;
        }
        assert_eq!(tries, 6);
        assert_eq!(delivery.attempts[5].at, now + TimeDelta::minutes(341));
    }
}

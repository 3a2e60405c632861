//! Webhooks: Standard Webhooks, signed over the bytes as they came.
//!
//! Two versions of the body exist: `{type, timestamp, data}` of 2024-04-25, and the older
//! `{payment_id, tx_id, status}`, which a store may still be set to. Neither says what happened to how
//! much money: both are a reason to ask.

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::{BillingKeySecret, Subject, Webhook, WebhookRefused};

const ID: &str = "webhook-id";
const TIME: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// In seconds, both ways, as the vendor's own libraries have it.
const TOLERANCE: u64 = 300;
/// What is far longer is not an id and would only fill a column.
const LONGEST_ID: usize = 200;

/// The secrets that webhooks may be signed with: two while one is replaced by the other.
pub(super) struct Keys(Vec<hmac::Key>);

impl Keys {
    /// `None` if one of them is not Base64, with or without `whsec_` before it.
    pub(super) fn new(secrets: &[SecretString]) -> Option<Self> {
        let key = |secret: &SecretString| {
            let text = secret.expose_secret().trim();
            let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
            (!bytes.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
        };
        secrets.iter().map(key).collect::<Option<_>>().map(Self)
    }

    /// Compares in constant time.
    fn signed(&self, text: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| hmac::verify(key, text, signature).is_ok())
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    data: Value,
    /// These two in the older version.
    #[serde(default)]
    payment_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

pub(super) fn read(
    headers: &HeaderMap,
    body: &[u8],
    keys: &Keys,
    store_id: &str,
    now: DateTime<Utc>,
) -> Result<Webhook, WebhookRefused> {
    let id = verify(headers, body, keys, now)?;
    std::str::from_utf8(body).map_err(|_| malformed("not UTF-8"))?;
    // The position of the error, not its text: that may quote a billing key.
    let envelope: Envelope = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
    let (kind, subject) = match envelope {
        Envelope { r#type: Some(kind), data, .. } => {
            let subject = subject(&kind, &data, store_id)?;
            (kind, subject)
        }
        Envelope { payment_id: Some(payment_id), status: Some(status), .. } => {
            (status, payment(&payment_id)?)
        }
        Envelope { .. } => return Err(malformed("neither a type nor a payment_id")),
    };
    Ok(Webhook { id, kind, subject })
}

/// The id of a delivery whose signature is right and whose time is now.
fn verify(
    headers: &HeaderMap,
    body: &[u8],
    keys: &Keys,
    now: DateTime<Utc>,
) -> Result<String, WebhookRefused> {
    let (Some(id), Some(time), Some(signatures)) =
        (only(headers, ID), only(headers, TIME), only(headers, SIGNATURE))
    else {
        return Err(WebhookRefused::BadSignature);
    };
    if id.is_empty() || id.len() > LONGEST_ID {
        return Err(malformed("not a webhook id"));
    }
    // The header's text is signed, not the number that it stands for.
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    let matches = signatures
        .split(' ')
        .filter_map(|value| STANDARD.decode(value.strip_prefix("v1,")?).ok())
        .any(|signature| keys.signed(&signed, &signature));
    if !matches {
        return Err(WebhookRefused::BadSignature);
    }
    let sent_at: i64 = time.parse().map_err(|_| malformed("not a time"))?;
    if now.timestamp().abs_diff(sent_at) > TOLERANCE {
        return Err(WebhookRefused::Stale);
    }
    Ok(id.to_owned())
}

/// A header that occurs twice is as good as missing: two readers might read two different ones.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn subject(kind: &str, data: &Value, store_id: &str) -> Result<Subject, WebhookRefused> {
    let text = |field: &str| data.get(field).and_then(Value::as_str);
    // One console may send the news of several stores to one address.
    if text("storeId").is_some_and(|store| store != store_id) {
        return Ok(Subject::Other);
    }
    // `Transaction.Confirm` is a question that PortOne asks before it approves, not news.
    if kind.starts_with("Transaction.") && kind != "Transaction.Confirm" {
        return payment(text("paymentId").ok_or_else(|| malformed("no paymentId"))?);
    }
    if kind == "BillingKey.Deleted" {
        return match text("billingKey") {
            Some(key) if !key.is_empty() => {
                Ok(Subject::BillingKeyDeleted { billing_key: BillingKeySecret::from(key.to_owned()) })
            }
            _ => Err(malformed("no billingKey")),
        };
    }
    Ok(Subject::Other)
}

fn payment(payment_id: &str) -> Result<Subject, WebhookRefused> {
    if payment_id.is_empty() || payment_id.len() > LONGEST_ID {
        return Err(malformed("not a paymentId"));
    }
    let payment_id = payment_id.to_owned();
    Ok(Subject::Payment { order_id: payment_id.clone(), payment_key: Some(payment_id) })
}

fn malformed(reason: impl Into<String>) -> WebhookRefused {
    WebhookRefused::Malformed(reason.into())
}

#[cfg(test)]
#[path = "webhook_tests.rs"]
mod tests;

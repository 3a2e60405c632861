//! Webhooks: JSON or forms, as the console is set, signed by nobody.
//!
//! Nothing in one is believed. It is a reason to look the receipt up, and that is all. Their source
//! address (223.130.82.0/24) is for a firewall to check: an adapter sees only what a proxy says.

use std::collections::HashMap;

use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::{ORDER_IDS, mapping, wire};
use crate::{Acknowledgement, Subject, Webhook, WebhookRefused};

/// With 200. Anything else is sent again, ten times unless the console says otherwise.
pub(super) const ACCEPTED: Acknowledgement =
    Acknowledgement { content_type: "application/json", body: "{\"success\": true}" };

const LONGEST: usize = 64 * 1024;

pub(super) fn read(_headers: &HeaderMap, body: &[u8]) -> Result<Webhook, WebhookRefused> {
    if body.len() > LONGEST {
        return Err(malformed("it is too long"));
    }
    let text = std::str::from_utf8(body).map_err(|_| malformed("not UTF-8"))?;
    // Which of the two it is the body itself says; the header follows a setting that may lag.
    let fields = if text.trim_start().starts_with(['{', '[']) { json(text)? } else { form(text) };
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());

    let receipt_id = field("receipt_id").filter(|id| mapping::is_receipt_id(id));
    let receipt_id = receipt_id.ok_or_else(|| malformed("it has no receipt"))?;
    let status = field("status").filter(|status| status.len() <= 4 && status.parse::<i16>().is_ok());
    // Old versions have no type, only the status.
    let is_kind =
        |kind: &&str| kind.len() <= 60 && kind.bytes().all(|b| b.is_ascii_alphabetic() || b == b'_');
    let kind = match field("webhook_type") {
        Some(kind) => Some(kind).filter(is_kind),
        None => status,
    };
    let kind = kind.ok_or_else(|| malformed("it has no type and no status"))?;
    let subject = if is_about_money(kind) {
        let order_id = field("order_id").filter(|id| ORDER_IDS.allow(id));
        let order_id = order_id.ok_or_else(|| malformed("it has no order of ours"))?;
        Subject::Payment { order_id: order_id.to_owned(), payment_key: Some(receipt_id.to_owned()) }
    } else {
        Subject::Other
    };
    // Bootpay numbers no deliveries, so all that is acted on is part of the name: with another order in it
    // a forgery is another delivery. Partial cancels share all but what was cancelled.
    let cancelled = field("cancelled_price").unwrap_or("0");
    if cancelled.len() > 20 || !cancelled.bytes().all(|b| b.is_ascii_digit()) {
        return Err(malformed("what it says was cancelled is no amount"));
    }
    let order_id = field("order_id").filter(|id| ORDER_IDS.allow(id)).unwrap_or_default();
    let id = format!("{receipt_id}:{order_id}:{kind}:{cancelled}");
    Ok(Webhook { id, kind: kind.to_owned(), subject })
}

fn is_about_money(kind: &str) -> bool {
    matches!(
        kind,
        "PAYMENT_COMPLETED"
            | "PAYMENT_CANCELLED"
            | "PAYMENT_PARTIAL_CANCELLED"
            | "PAYMENT_VIRTUAL_ACCOUNT_ISSUED"
            | "1"
            | "5"
            | "20"
    )
}

/// The fields that stand at the top.
fn json(text: &str) -> Result<HashMap<String, String>, WebhookRefused> {
    let fields: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
    let flat = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            Some(wire::whole_won(value).map_or_else(|| number.to_string(), |whole| whole.get().to_string()))
        }
        _ => None,
    };
    Ok(fields.iter().filter_map(|(name, value)| Some((name.clone(), flat(value)?))).collect())
}

fn form(text: &str) -> HashMap<String, String> {
    form_urlencoded::parse(text.trim().as_bytes()).into_owned().collect()
}

fn malformed(reason: impl Into<String>) -> WebhookRefused {
    WebhookRefused::Malformed(reason.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::damage::{CASES, damage, damaged};

    const ORDER: &str = "SUB202611000123";

    fn sample() -> Value {
        json!({
            "receipt_id": "65f0c0ffee0000000000a001", "order_id": ORDER, "price": 9900, "tax_free": 0,
            "cancelled_price": 3000, "order_name": "Monthly plan", "pg": "나이스페이", "status": 20,
            "status_locale": "취소완료", "webhook_type": "PAYMENT_PARTIAL_CANCELLED",
        })
    }

    fn id(body: &Value) -> String {
        read(&HeaderMap::new(), body.to_string().as_bytes()).unwrap().id
    }

    #[test]
    fn partial_cancels_are_told_apart_and_repeats_are_not() {
        let next = json!({"cancelled_price": 6000.0, "receipt_id": "65f0c0ffee0000000000a001",
            "order_id": ORDER, "webhook_type": "PAYMENT_PARTIAL_CANCELLED"});
        assert_eq!(id(&sample()), "65f0c0ffee0000000000a001:SUB202611000123:PAYMENT_PARTIAL_CANCELLED:3000");
        assert_eq!(id(&next), "65f0c0ffee0000000000a001:SUB202611000123:PAYMENT_PARTIAL_CANCELLED:6000");
        assert_eq!(id(&sample()), id(&sample()));
    }

    #[test]
    fn a_form_says_the_same() {
        let form = format!("receipt_id=65f0&order_id={ORDER}&status=1&cancelled_price=0");
        let webhook = read(&HeaderMap::new(), form.as_bytes()).unwrap();
        assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), ("65f0:SUB202611000123:1:0", "1"));
        assert!(matches!(webhook.subject, Subject::Payment { order_id, .. } if order_id == ORDER));
    }

    #[test]
    fn what_was_cancelled_is_digits() {
        for price in ["1%00", "%EA%B0%80", "-1", "1e3", "1+0", &"9".repeat(21)] {
            let form = format!("receipt_id=65f0&order_id={ORDER}&status=20&cancelled_price={price}");
            let refused = read(&HeaderMap::new(), form.as_bytes());
            assert!(matches!(refused, Err(WebhookRefused::Malformed(_))), "{price}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(CASES))]

        #[test]
        fn damaged_webhooks_do_not_panic_and_name_ids_alone(damage in damage()) {
            if let Ok(webhook) = read(&HeaderMap::new(), &damaged(sample(), &damage)) {
                prop_assert!(webhook.id.len() < 200 && webhook.id.bytes().all(|b| b.is_ascii_graphic()));
                if let Subject::Payment { order_id, payment_key } = webhook.subject {
                    prop_assert!(ORDER_IDS.allow(&order_id));
                    prop_assert!(payment_key.is_some_and(|key| mapping::is_receipt_id(&key)));
                }
            }
        }
    }
}

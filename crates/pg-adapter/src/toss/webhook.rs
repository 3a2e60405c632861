//! Webhooks, of which Toss has three shapes.
//!
//! - `{eventType, createdAt, data}`: payments, billing keys, wallets.
//! - flat, with no `eventType`: the deposit call-back of virtual accounts.
//! - `{eventType, entityType, entityBody, ..}`: payouts and sellers, the only signed ones.
//!
//! Webhooks about payments are not signed. A check for a signature there would refuse every real
//! one, so they are hints and nothing more, and the caller asks Toss for the payment.

use aws_lc_rs::{digest, hmac};
use base64::{Engine, engine::general_purpose::STANDARD};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::Value;

use crate::{BillingKeySecret, Subject, Webhook, WebhookRefused};

const ID: &str = "tosspayments-webhook-transmission-id";
const TIME: &str = "tosspayments-webhook-transmission-time";
const SIGNATURE: &str = "tosspayments-webhook-signature";
/// Real ids have about 40 characters; what is far longer is not one and would only fill a column.
const LONGEST_ID: usize = 200;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope {
    #[serde(default)]
    event_type: Option<String>,
    #[serde(default)]
    data: Value,
    /// These two only in the deposit call-back.
    #[serde(default)]
    order_id: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

pub(super) fn read(
    headers: &HeaderMap,
    body: &[u8],
    security_key: Option<&SecretString>,
) -> Result<Webhook, WebhookRefused> {
    std::str::from_utf8(body).map_err(|_| malformed("not UTF-8"))?;
    // The position of the error, not its text: that may quote a billing key.
    let envelope: Envelope = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
    let (kind, subject) = match envelope {
        Envelope { event_type: Some(kind), data, .. } => {
            if is_signed(&kind)
                && let Some(key) = security_key
            {
                verify(headers, body, key)?;
            }
            let subject = subject(&kind, &data)?;
            (kind, subject)
        }
        Envelope { event_type: None, order_id: Some(order_id), status: Some(_), .. } => {
            ("DEPOSIT_CALLBACK".to_owned(), payment(&order_id, None)?)
        }
        Envelope { .. } => return Err(malformed("no eventType, and not a deposit call-back")),
    };
    Ok(Webhook { id: id(headers, body), kind, subject })
}

fn subject(kind: &str, data: &Value) -> Result<Subject, WebhookRefused> {
    let text = |field: &str| data.get(field).and_then(Value::as_str);
    match kind {
        "PAYMENT_STATUS_CHANGED" | "DEPOSIT_CALLBACK" => {
            payment(text("orderId").ok_or_else(|| malformed("no orderId"))?, text("paymentKey"))
        }
        "BILLING_DELETED" => match text("billingKey") {
            Some(key) if !key.is_empty() => {
                Ok(Subject::BillingKeyDeleted { billing_key: BillingKeySecret::from(key.to_owned()) })
            }
            _ => Err(malformed("no billingKey")),
        },
        _ => Ok(Subject::Other),
    }
}

fn payment(order_id: &str, payment_key: Option<&str>) -> Result<Subject, WebhookRefused> {
    // Longer than any order id that Toss accepts; shorter ones than it documents do occur.
    if order_id.is_empty() || order_id.len() > LONGEST_ID {
        return Err(malformed("not an orderId"));
    }
    let payment_key = payment_key.filter(|key| (1..=LONGEST_ID).contains(&key.len())).map(str::to_owned);
    Ok(Subject::Payment { order_id: order_id.to_owned(), payment_key })
}

fn id(headers: &HeaderMap, body: &[u8]) -> String {
    headers
        .get(ID)
        .and_then(|id| id.to_str().ok())
        .filter(|id| !id.is_empty() && id.len() <= LONGEST_ID)
        // Repeats carry the same body, so this is the same for them as well.
        .map_or_else(|| hex::encode(digest::digest(&digest::SHA256, body)), str::to_owned)
}

fn is_signed(kind: &str) -> bool {
    matches!(kind, "payout.changed" | "seller.changed")
}

/// HMAC-SHA256 over `{body}:{transmission time}`, several `v1:` values while a key is rotated.
fn verify(headers: &HeaderMap, body: &[u8], key: &SecretString) -> Result<(), WebhookRefused> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let (Some(signatures), Some(time)) = (header(SIGNATURE), header(TIME)) else {
        return Err(WebhookRefused::BadSignature);
    };
    let signed = [body, b":", time.as_bytes()].concat();
    // The security key is 64 hex digits. Whether it signs as those digits or as the bytes they stand
    // for is not spelled out for webhooks; one integrator decodes it. Either proves who has the key.
    let key = key.expose_secret().trim();
    let keys = [Some(key.as_bytes().to_vec()), hex::decode(key).ok()];
    let matches = signatures
        .split(',')
        .filter_map(|value| STANDARD.decode(value.trim().strip_prefix("v1:")?).ok())
        .any(|signature| {
            keys.iter().flatten().any(|key| {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key);
                hmac::verify(&key, &signed, &signature).is_ok()
            })
        });
    if matches { Ok(()) } else { Err(WebhookRefused::BadSignature) }
}

fn malformed(reason: impl Into<String>) -> WebhookRefused {
    WebhookRefused::Malformed(reason.into())
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn read_plain(body: &str) -> Result<Webhook, WebhookRefused> {
        read(&headers(&[(ID, "whtrans_1")]), body.as_bytes(), None)
    }

    #[test]
    fn all_three_shapes_are_read() {
        let payment = r#"{"eventType":"PAYMENT_STATUS_CHANGED","createdAt":"2026-11-20T10:00:05.12345",
            "data":{"orderId":"order-1","status":"DONE","somethingNew":[1]}}"#;
        let webhook = read_plain(payment).unwrap();
        assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), ("whtrans_1", "PAYMENT_STATUS_CHANGED"));
        assert!(matches!(webhook.subject, Subject::Payment { order_id, .. } if order_id == "order-1"));

        let deposit = r#"{"createdAt":"2026-11-20T10:00:05+09:00","secret":"ps_1","status":"DONE",
            "transactionKey":"t","orderId":"order-2"}"#;
        let webhook = read_plain(deposit).unwrap();
        assert_eq!(webhook.kind, "DEPOSIT_CALLBACK");
        assert!(matches!(webhook.subject, Subject::Payment { order_id, .. } if order_id == "order-2"));

        let payout = r#"{"eventType":"payout.changed","createdAt":"2026-11-20T10:00:05+09:00",
            "version":"2022-11-16","eventId":"e","entityType":"payout","entityBody":{}}"#;
        assert!(matches!(read_plain(payout).unwrap().subject, Subject::Other));
    }

    #[test]
    fn a_deleted_billing_key_is_named() {
        let body =
            r#"{"eventType":"BILLING_DELETED","createdAt":"x","data":{"billingKey":"k=","reason":null}}"#;
        let Subject::BillingKeyDeleted { billing_key } = read_plain(body).unwrap().subject else { panic!() };
        assert_eq!(billing_key.expose_secret(), "k=");
    }

    #[test]
    fn an_event_that_we_do_not_know_is_no_error() {
        for kind in ["METHOD_UPDATED", "CUSTOMER_STATUS_CHANGED", "CANCEL_STATUS_CHANGED", "SOMETHING_NEW"] {
            let webhook = read_plain(&format!(r#"{{"eventType":"{kind}"}}"#)).unwrap();
            assert_eq!(webhook.kind, kind);
            assert!(matches!(webhook.subject, Subject::Other));
        }
    }

    #[test]
    fn garbage_is_refused() {
        let deep = "[".repeat(100_000);
        for body in [
            "",
            "{",
            "[]",
            "null",
            "{}",
            "<html>",
            r#"{"orderId":"order-1"}"#,
            r#"{"eventType":7}"#,
            r#"{"eventType":"PAYMENT_STATUS_CHANGED"}"#,
            r#"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":""}}"#,
            r#"{"eventType":"BILLING_DELETED","data":{"billingKey":null}}"#,
            &deep,
        ] {
            assert!(matches!(read_plain(body), Err(WebhookRefused::Malformed(_))), "{body}");
        }
        assert!(read(&HeaderMap::new(), b"{\"eventType\":\"NEW\",\"a\":\"\xff\"}", None).is_err());
    }

    #[test]
    fn a_delivery_without_an_id_is_named_by_its_body() {
        let body = br#"{"eventType":"METHOD_UPDATED"}"#;
        let first = read(&HeaderMap::new(), body, None).unwrap();
        let again = read(&headers(&[(ID, "")]), body, None).unwrap();
        assert_eq!(first.id.len(), 64);
        assert_eq!(first.id, again.id);
    }

    const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const SENT_AT: &str = "2026-11-20T10:00:05+09:00";
    const PAYOUT: &str = r#"{"eventType":"payout.changed","entityBody":{}}"#;

    fn signature(key: &[u8], body: &str, time: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        format!("v1:{}", STANDARD.encode(hmac::sign(&key, format!("{body}:{time}").as_bytes())))
    }

    fn read_signed(signatures: &str) -> Result<Webhook, WebhookRefused> {
        let headers = headers(&[(TIME, SENT_AT), (SIGNATURE, signatures)]);
        read(&headers, PAYOUT.as_bytes(), Some(&KEY.to_owned().into()))
    }

    #[test]
    fn one_matching_signature_is_enough() {
        for key in [KEY.as_bytes().to_vec(), hex::decode(KEY).unwrap()] {
            let good = signature(&key, PAYOUT, SENT_AT);
            let old = signature(b"the key before", PAYOUT, SENT_AT);
            assert!(read_signed(&good).is_ok());
            assert!(read_signed(&format!("{old},{good}")).is_ok());
        }
    }

    #[test]
    fn a_forged_signature_is_refused() {
        let time = signature(KEY.as_bytes(), PAYOUT, "2026-11-20T10:00:06+09:00");
        let body = signature(KEY.as_bytes(), "{}", SENT_AT);
        for forged in ["", "v1:", "v1:AAAA", "v1:!", "AAAA", &time, &body] {
            assert!(matches!(read_signed(forged), Err(WebhookRefused::BadSignature)), "{forged}");
        }
        let unsigned = read(&HeaderMap::new(), PAYOUT.as_bytes(), Some(&KEY.to_owned().into()));
        assert!(matches!(unsigned, Err(WebhookRefused::BadSignature)));
    }

    #[test]
    fn events_about_payments_need_no_signature() {
        let body = br#"{"eventType":"PAYMENT_STATUS_CHANGED","data":{"orderId":"order-1"}}"#;
        assert!(read(&HeaderMap::new(), body, Some(&KEY.to_owned().into())).is_ok());
    }
}

use chrono::{TimeDelta, TimeZone};
use reqwest::header::HeaderValue;

use super::*;

/// The known answer of the PortOne reference, checked with the vendor's own library.
const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";
const NAME: &str = "msg_simulator_0001";
const SENT_AT: i64 = 1_760_000_000;
const STORE: &str = "store-00000000-0000-4000-8000-000000000001";
const BODY: &str = r#"{"type":"Transaction.Paid","timestamp":"2025-10-09T08:53:20.000Z","data":{"storeId":"store-00000000-0000-4000-8000-000000000001","paymentId":"pay0001","transactionId":"00000000-0000-4000-8000-000000000002"}}"#;
const GOOD: &str = "v1,odl1AOo9FPVF5pO7y+sUabBEz19Kf1GonSnlR/tiX5k=";

fn keys(secrets: &[&str]) -> Keys {
    let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).to_owned().into()).collect();
    Keys::new(&secrets).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(seconds, 0).unwrap()
}

fn headers(signature: &str) -> HeaderMap {
    [(ID, NAME), (TIME, "1760000000"), (SIGNATURE, signature)]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn read_known(signature: &str, body: &str, now: i64) -> Result<Webhook, WebhookRefused> {
    read(&headers(signature), body.as_bytes(), &keys(&[SECRET]), STORE, at(now))
}

fn signed(body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(&SECRET[6..]).unwrap());
    format!("v1,{}", STANDARD.encode(hmac::sign(&key, format!("{NAME}.{SENT_AT}.{body}").as_bytes())))
}

fn subject_of(body: &str) -> Result<Subject, WebhookRefused> {
    read_known(&signed(body), body, SENT_AT).map(|webhook| webhook.subject)
}

#[test]
fn the_known_answer_is_read() {
    let webhook = read_known(GOOD, BODY, SENT_AT).unwrap();
    assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), (NAME, "Transaction.Paid"));
    let Subject::Payment { order_id, payment_key } = webhook.subject else { panic!() };
    assert_eq!((order_id.as_str(), payment_key.as_deref()), ("pay0001", Some("pay0001")));
}

#[test]
fn one_right_signature_among_several_and_one_right_secret_of_two_are_enough() {
    for signatures in [format!("v1,AAAA {GOOD}"), format!("v2,xyz v1a,abc {GOOD}"), format!("{GOOD} v1,AAAA")]
    {
        assert!(read_known(&signatures, BODY, SENT_AT).is_ok(), "{signatures}");
    }
    for secrets in [
        vec!["whsec_AAAA", SECRET],
        vec![SECRET, "AAAA"],
        // Without the prefix it is Base64 all the same.
        vec![&SECRET[6..]],
    ] {
        assert!(read(&headers(GOOD), BODY.as_bytes(), &keys(&secrets), STORE, at(SENT_AT)).is_ok());
    }
}

#[test]
fn whatever_is_not_signed_is_refused() {
    let without_version = GOOD.trim_start_matches("v1,");
    for forged in
        ["", "v1,", "v1,AAAA", "v1,!", "v1a,odl1AOo9FPVF5pO7y+sUabBEz19Kf1GonSnlR/tiX5k=", without_version]
    {
        assert!(matches!(read_known(forged, BODY, SENT_AT), Err(WebhookRefused::BadSignature)), "{forged}");
    }
    let longer = format!("{BODY} ");
    assert!(matches!(read_known(GOOD, &longer, SENT_AT), Err(WebhookRefused::BadSignature)));
    for other in [keys(&["whsec_AAAA"]), keys(&[])] {
        let read = read(&headers(GOOD), BODY.as_bytes(), &other, STORE, at(SENT_AT));
        assert!(matches!(read, Err(WebhookRefused::BadSignature)));
    }
    for name in [ID, TIME, SIGNATURE] {
        let mut missing = headers(GOOD);
        missing.remove(name);
        let mut twice = headers(GOOD);
        twice.append(name, HeaderValue::from_static("1760000000"));
        for headers in [missing, twice] {
            let read = read(&headers, BODY.as_bytes(), &keys(&[SECRET]), STORE, at(SENT_AT));
            assert!(matches!(read, Err(WebhookRefused::BadSignature)), "{name}");
        }
    }
}

#[test]
fn a_webhook_is_good_for_five_minutes_both_ways() {
    for seconds in [-300, 0, 300] {
        assert!(read_known(GOOD, BODY, SENT_AT + seconds).is_ok(), "{seconds}");
    }
    for seconds in [-301, 301] {
        let read = read_known(GOOD, BODY, SENT_AT + seconds);
        assert!(matches!(read, Err(WebhookRefused::Stale)), "{seconds}");
    }
    let a_year = TimeDelta::days(365).num_seconds();
    assert!(matches!(read_known(GOOD, BODY, SENT_AT + a_year), Err(WebhookRefused::Stale)));
}

#[test]
fn each_kind_says_what_to_ask_about() {
    let deleted = r#"{"type":"BillingKey.Deleted","data":{"billingKey":"billing-key-1"}}"#;
    let Ok(Subject::BillingKeyDeleted { billing_key }) = subject_of(deleted) else { panic!() };
    assert_eq!(billing_key.expose_secret(), "billing-key-1");

    let old = r#"{"payment_id":"pay0001","tx_id":"t","status":"Paid"}"#;
    assert!(matches!(subject_of(old), Ok(Subject::Payment { order_id, .. }) if order_id == "pay0001"));
    // Added without notice, as new kinds of transactions are: about a payment all the same.
    let new = r#"{"type":"Transaction.NextYear","data":{"paymentId":"pay0001"}}"#;
    assert!(matches!(subject_of(new), Ok(Subject::Payment { .. })));

    for other in [
        r#"{"type":"BillingKey.Issued","data":{"billingKey":"billing-key-1"}}"#,
        r#"{"type":"Transaction.Confirm","data":{"paymentId":"pay0001","totalAmount":1}}"#,
        r#"{"type":"Transaction.Paid","data":{"storeId":"store-of-others","paymentId":"pay0001"}}"#,
        r#"{"type":"TaxInvoice.Issued","data":{}}"#,
        r#"{"type":"Something.New"}"#,
    ] {
        assert!(matches!(subject_of(other), Ok(Subject::Other)), "{other}");
    }
}

#[test]
fn signed_garbage_is_garbage() {
    let deep = "[".repeat(100_000);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "{}",
        r#"{"type":7}"#,
        r#"{"type":"Transaction.Paid"}"#,
        r#"{"type":"Transaction.Paid","data":{"paymentId":""}}"#,
        r#"{"type":"BillingKey.Deleted","data":{"billingKey":null}}"#,
        r#"{"payment_id":"pay0001"}"#,
        &deep,
    ] {
        assert!(matches!(subject_of(body), Err(WebhookRefused::Malformed(_))), "{body}");
    }
}

#[test]
fn a_secret_that_is_not_base64_is_noticed_at_the_start() {
    for secret in ["whsec_!", "", "whsec_", "whsec_한글"] {
        assert!(Keys::new(&[secret.to_owned().into()]).is_none(), "{secret}");
    }
}

//! Answers that were damaged on their way: no damage may panic, none may turn a no into a yes, and
//! none a yes into a no.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use kernel::Krw;
use proptest::prelude::*;
use reqwest::{
    StatusCode,
    header::{HeaderMap, HeaderValue},
};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    Operation, errors,
    http::{self, Answer},
    keys,
    mapping::{self, Ours},
    receipts, webhook,
};
use crate::{
    Cancel, CashReceiptLookup, IssueBillingKey, Lookup, Outcome,
    damage::{CASES, damage, damaged},
    http::whole,
};

const ORDER: &str = "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e";
const KEY: &str = "billing-key-00000000-0000-4000-8000-000000000001";

static OURS: LazyLock<Ours> = LazyLock::new(|| Ours {
    store_id: "store-1".to_owned(),
    channel_key: "channel-key-1".to_owned(),
    accept_test_channels: false,
});

fn payment(status: &str) -> Value {
    json!({
        "status": status, "id": ORDER, "transactionId": "t1", "merchantId": "m1", "storeId": "store-1",
        "version": "V2", "requestedAt": "2026-11-20T01:00:05Z", "updatedAt": "2026-11-20T01:00:05Z",
        "statusChangedAt": "2026-11-20T01:00:05Z", "orderName": "프로 요금제", "currency": "KRW",
        "amount": {"total": 9900, "taxFree": 0, "vat": 900, "supply": 9000, "discount": 0, "paid": 9900,
            "cancelled": 0, "cancelledTaxFree": 0},
        "channel": {"type": "LIVE", "key": "channel-key-1", "pgProvider": "TOSSPAYMENTS", "pgMerchantId": "m"},
        "customer": {"id": "customer"}, "origin": {"platformType": "API", "ipAddress": "127.0.0.1"},
        "method": {"type": "PaymentMethodCard", "card": {"issuer": "HYUNDAI_CARD", "number": "43301234****123*"}},
    })
}

fn failed_payment(status: &str) -> Value {
    let mut payment = payment(status);
    payment["failedAt"] = json!("2026-11-20T01:00:06Z");
    payment["failure"] = json!({"pgCode": "REJECT_CARD_PAYMENT", "pgMessage": "한도초과 혹은 잔액부족"});
    payment
}

fn paid_payment() -> Value {
    let mut payment = payment("PARTIAL_CANCELLED");
    payment["paidAt"] = json!("2026-11-20T01:00:06Z");
    payment["amount"]["cancelled"] = json!(900);
    payment["cancellations"] = json!([cancellation("SUCCEEDED")]);
    payment
}

fn cancellation(status: &str) -> Value {
    json!({"status": status, "id": "cancellation-1", "totalAmount": 900, "taxFreeAmount": 0, "vatAmount": 82,
        "reason": "변심 (refund-1)", "requestedAt": "2026-11-21T01:00:06Z", "cancelledAt": "2026-11-21T01:00:06Z"})
}

fn refund(reference: &str) -> Cancel {
    Cancel {
        payment_key: ORDER.to_owned(),
        amount: Krw::won(900),
        reason: "변심".to_owned(),
        reference: reference.to_owned(),
        remaining_before: Krw::won(9_900),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_cash_receipt_that_is_not_there_never_is_and_the_other_way_round(
        damage in damage(),
        status in prop::sample::select(vec!["CANCELLED", "ISSUE_FAILED"]),
    ) {
        let receipt = |status: &str| json!({"status": status, "paymentId": ORDER, "amount": 9_900,
            "issueNumber": "123456789", "url": "https://r", "currency": "KRW"});
        let lookup = receipts::found(&damaged(receipt(status), &damage), Krw::won(9_900));
        prop_assert!(!matches!(lookup, CashReceiptLookup::Issued(_)), "{:?}", lookup);
        let lookup = receipts::found(&damaged(receipt("ISSUED"), &damage), Krw::won(9_900));
        prop_assert!(matches!(lookup, CashReceiptLookup::Issued(_) | CashReceiptLookup::Unknown(_)), "{:?}", lookup);
    }

    #[test]
    fn a_damaged_cash_receipt_answer_is_no_refusal(damage in damage()) {
        let body = damaged(json!({"cashReceipt": {"issueNumber": "123456789", "url": "https://r", "pgReceiptId": "p"}}), &damage);
        let outcome = receipts::issued(&body);
        prop_assert!(matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)), "{:?}", outcome);
        let body = damaged(json!({"cancelledAmount": 900, "cancelledAt": "2026-11-20T01:00:05Z"}), &damage);
        prop_assert!(!matches!(receipts::canceled(&body, Krw::won(9_900)), Outcome::Approved(())));
    }

    #[test]
    fn a_payment_that_was_not_paid_never_becomes_one_that_was(
        damage in damage(),
        status in prop::sample::select(vec!["FAILED", "READY", "PAY_PENDING", "VIRTUAL_ACCOUNT_ISSUED"]),
    ) {
        let body = damaged(failed_payment(status), &damage);
        prop_assert!(!matches!(mapping::found(&body, ORDER, &OURS), Lookup::Approved(_)));
    }

    #[test]
    fn a_paid_payment_never_becomes_a_failed_one(damage in damage()) {
        let body = damaged(paid_payment(), &damage);
        match mapping::found(&body, ORDER, &OURS) {
            Lookup::Approved(approval) => prop_assert_eq!(approval.order_id, ORDER),
            Lookup::Unknown(_) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_payment_of_a_test_channel_never_becomes_a_real_one(damage in damage()) {
        let mut payment = paid_payment();
        payment["channel"]["type"] = json!("TEST");
        let body = damaged(payment, &damage);
        prop_assert!(!matches!(mapping::found(&body, ORDER, &OURS), Lookup::Approved(_)));
    }

    #[test]
    fn an_answer_cut_short_is_unknown(place in any::<prop::sample::Index>()) {
        let text = paid_payment().to_string().into_bytes();
        let body = &text[..place.index(text.len())];
        prop_assert!(matches!(mapping::found(body, ORDER, &OURS), Lookup::Unknown(_)));
    }

    #[test]
    fn a_refusal_never_becomes_an_acceptance(
        damage in damage(),
        status in 300_u16..600,
        kind in prop::sample::select(vec!["PG_PROVIDER", "ALREADY_PAID", "UNAUTHORIZED", "NEW"]),
    ) {
        let body = json!({"type": kind, "message": "거절", "pgCode": "REJECT_CARD_PAYMENT", "pgMessage": "거절"});
        let reply = whole(StatusCode::from_u16(status).unwrap(), damaged(body, &damage));
        match http::understand(reply) {
            Answer::Accepted(_) => prop_assert!(false, "{status}"),
            Answer::Refused { status, error } => {
                for operation in [Operation::Issue, Operation::Charge, Operation::Confirm, Operation::Cancel] {
                    prop_assert!(!matches!(errors::judge(operation, status, &error), errors::Verdict::Gone));
                }
            }
            Answer::NotSent(_) | Answer::Unclear(_) => {}
        }
    }

    #[test]
    fn a_cancel_that_is_not_done_never_becomes_one_that_is(
        damage in damage(),
        status in prop::sample::select(vec!["REQUESTED", "FAILED"]),
    ) {
        let body = damaged(json!({"cancellation": cancellation(status)}), &damage);
        prop_assert!(!matches!(mapping::canceled(&body, &refund("refund-1")), Outcome::Approved(_)));
    }

    #[test]
    fn a_done_cancel_never_becomes_a_no_or_another_amount(damage in damage()) {
        let body = damaged(json!({"cancellation": cancellation("SUCCEEDED")}), &damage);
        match mapping::canceled(&body, &refund("refund-1")) {
            Outcome::Approved(cancellation) => prop_assert_eq!(cancellation.amount, Krw::won(900)),
            Outcome::Unknown(_) => {}
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn a_damaged_payment_never_holds_a_cancel_that_was_not_made(damage in damage()) {
        let body = damaged(paid_payment(), &damage);
        if let Ok(payment) = mapping::payment(&body, ORDER, &OURS) {
            let found = mapping::our_cancel(&payment, &refund("another refund"));
            prop_assert!(found.is_none(), "{:?}", found);
        }
    }

    #[test]
    fn a_damaged_billing_key_is_never_another_one(
        damage in damage(),
        status in prop::sample::select(vec!["ISSUED", "DELETED"]),
    ) {
        let body = damaged(json!({
            "status": status, "billingKey": KEY, "merchantId": "m1", "storeId": "store-1",
            "channels": [{"type": "LIVE", "key": "channel-key-1", "pgProvider": "TOSSPAYMENTS"}],
            "customer": {"id": "customer"}, "issuedAt": "2026-11-20T01:00:05Z",
            "methods": [{"type": "BillingKeyPaymentMethodCard", "card": {"issuer": "BC_CARD", "number": "43**"}}],
        }), &damage);
        let request = IssueBillingKey {
            auth_key: KEY.to_owned().into(),
            customer_key: "customer".to_owned(),
            idempotency_key: "issue".to_owned(),
        };
        let outcome = keys::verified(&body, &request, KEY.to_owned().into(), &OURS);
        prop_assert!(status == "ISSUED" || !matches!(outcome, Outcome::Approved(_)));
    }

    #[test]
    fn a_damaged_page_lists_no_negative_amount(damage in damage()) {
        let event = |kind: &str, amount: i64| json!({"paymentEvent": {
            "type": kind, "id": "event", "paymentId": ORDER, "transactionId": "t1", "currency": "KRW",
            "createdAt": "2026-11-20T01:00:05Z", "eventAmount": amount,
        }, "cursor": "c1"});
        let body = damaged(json!({"items": [event("PAID", 9_900), event("CANCELLED", -9_900)]}), &damage);
        if let Ok(page) = mapping::transactions(&body, 2) {
            prop_assert!(page.transactions.iter().all(|transaction| transaction.amount >= Krw::ZERO));
        }
    }

    #[test]
    fn a_webhook_that_was_touched_is_refused(damage in damage()) {
        let sent = json!({"type": "Transaction.Paid", "timestamp": "2026-11-20T01:00:05.000Z",
            "data": {"storeId": "store-1", "paymentId": ORDER, "transactionId": "t1"}});
        let body = damaged(sent.clone(), &damage);
        let untouched = body == sent.to_string().as_bytes();
        let read = webhook::read(&signed(sent.to_string().as_bytes()), &body, &KEYS, "store-1", NOW);
        prop_assert_eq!(read.is_ok(), untouched);
        // Even an attacker with the secret makes nothing but a webhook or an error.
        if let Ok(webhook) = webhook::read(&signed(&body), &body, &KEYS, "store-1", NOW) {
            prop_assert!(!webhook.id.is_empty());
        }
    }

    #[test]
    fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(mapping::found(&body, ORDER, &OURS), Lookup::Unknown(_)));
        prop_assert!(webhook::read(&signed(&body), &body, &KEYS, "store-1", NOW).is_err());
    }

    #[test]
    fn any_headers_at_all_are_survived(
        id in "\\PC{0,40}",
        time in "\\PC{0,20}|-?[0-9]{1,30}",
        signature in "(v1,)?[A-Za-z0-9+/= ]{0,90}",
    ) {
        let mut headers = HeaderMap::new();
        for (name, value) in [("webhook-id", id), ("webhook-timestamp", time), ("webhook-signature", signature)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        let body = br#"{"type":"Transaction.Paid"}"#;
        let read = webhook::read(&headers, body, &KEYS, "store-1", NOW);
        prop_assert!(read.is_err());
    }
}

const SECRET: &str = "whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY";
const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
static KEYS: LazyLock<webhook::Keys> =
    LazyLock::new(|| webhook::Keys::new(&[SecretString::from(SECRET)]).unwrap());

fn signed(body: &[u8]) -> HeaderMap {
    use aws_lc_rs::hmac;
    use base64::{Engine, engine::general_purpose::STANDARD};
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(&SECRET[6..]).unwrap());
    let tag = hmac::sign(&key, &[b"msg_1.0.", body].concat());
    let signature = format!("v1,{}", STANDARD.encode(tag));
    [("webhook-id", "msg_1"), ("webhook-timestamp", "0"), ("webhook-signature", &signature)]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
}

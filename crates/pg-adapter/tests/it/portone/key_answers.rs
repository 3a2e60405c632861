//! Billing keys, lists and configurations of PortOne.

use std::sync::Arc;

use chrono::NaiveDate;
use kernel::SystemClock;
use pg_adapter::{
    Cancel, Charge, Confirm, DeclineClass, IssueBillingKey, Outcome, PaymentGateway, TransactionKind,
    portone::{PortOneConfig, PortOneConfigError, PortOneGateway},
};
use serde_json::{Value, json};

use super::canned::{KEY, ORDER, answering, cancel, charge, config, confirm, declined, refusal};
use crate::canned::{Canned, body, ok, raw};

fn key_info(pointer: &str, value: Value) -> Vec<u8> {
    let mut info = json!({
        "status": "ISSUED", "billingKey": KEY, "merchantId": "m1", "storeId": "store-1",
        "channels": [{"type": "LIVE", "key": "channel-key-1", "pgProvider": "TOSSPAYMENTS"}],
        "customer": {"id": "customer-1"}, "issuedAt": "2026-11-20T01:00:05Z",
        "methods": [{"type": "BillingKeyPaymentMethodEasyPay", "provider": "KAKAOPAY"}],
    });
    if !pointer.is_empty() {
        *info.pointer_mut(pointer).unwrap() = value;
    }
    ok(&info)
}

fn issue(auth_key: &str) -> IssueBillingKey {
    IssueBillingKey {
        auth_key: auth_key.to_owned().into(),
        customer_key: "customer-1".to_owned(),
        idempotency_key: "issue-1".to_owned(),
    }
}

#[tokio::test]
async fn a_billing_key_is_believed_after_it_was_read() {
    let server = answering([key_info("", Value::Null)]).await;
    let Outcome::Approved(issued) = server.gateway.issue_billing_key(&issue(KEY)).await else { panic!() };
    assert_eq!(issued.card.company, "카카오페이");

    for (pointer, value, class) in [
        ("/status", json!("DELETED"), Some(DeclineClass::NewCard)),
        ("/status", json!("SOMETHING_NEW"), None),
        ("/billingKey", json!("billing-key-of-another"), None),
        ("/storeId", json!("store-2"), Some(DeclineClass::OurBug)),
        ("/customer/id", json!("customer-2"), Some(DeclineClass::OurBug)),
        ("/channels/0/type", json!("TEST"), Some(DeclineClass::OurBug)),
        ("/channels", json!([]), Some(DeclineClass::OurBug)),
        ("/channels/0/key", json!("channel-key-2"), Some(DeclineClass::OurBug)),
    ] {
        let server = answering([key_info(pointer, value)]).await;
        let found = match server.gateway.issue_billing_key(&issue(KEY)).await {
            Outcome::Declined(decline) => Some(decline.class),
            Outcome::Unknown(_) => None,
            other => panic!("{pointer}: {other:?}"),
        };
        assert_eq!(found, class, "{pointer}");
    }
    for (pointer, value) in
        [("/customer", json!({})), ("/channels/0/key", Value::Null), ("/methods", json!(1))]
    {
        let server = answering([key_info(pointer, value)]).await;
        assert!(
            matches!(server.gateway.issue_billing_key(&issue(KEY)).await, Outcome::Approved(_)),
            "{pointer}"
        );
    }
}

#[tokio::test]
async fn a_token_is_confirmed_first_and_its_key_is_read() {
    let confirmed = ok(&json!({"billingKey": KEY}));
    let server = answering([confirmed.clone(), key_info("", Value::Null)]).await;
    assert!(matches!(server.gateway.issue_billing_key(&issue("token-1")).await, Outcome::Approved(_)));
    let [post, _] = server.requests().try_into().unwrap();
    assert!(post.starts_with("POST /billing-keys/confirm HTTP/1.1\r\n"));
    assert_eq!(body(&post), json!({"storeId": "store-1", "billingIssueToken": "token-1", "isTest": false}));
    // The key is there, but could not be read: the same request again finds it.
    let server = answering([confirmed]).await;
    assert!(matches!(server.gateway.issue_billing_key(&issue("token-1")).await, Outcome::Unknown(_)));
    for (status, kind, class) in [
        (409, "BILLING_KEY_ALREADY_ISSUED", DeclineClass::NewCard),
        (404, "BILLING_KEY_NOT_FOUND", DeclineClass::NewCard),
        (409, "INFORMATION_MISMATCH", DeclineClass::OurBug),
    ] {
        let server = answering([refusal(status, kind)]).await;
        let outcome = server.gateway.issue_billing_key(&issue("token-1")).await;
        let Outcome::Declined(decline) = outcome else { panic!("{kind}: {outcome:?}") };
        assert_eq!(decline.class, class);
    }
}

#[tokio::test]
async fn a_deleted_key_is_told_from_a_wrong_url() {
    let delete = async |answer: Vec<u8>| {
        answering([answer]).await.gateway.delete_billing_key(&KEY.to_owned().into()).await
    };
    assert!(matches!(delete(ok(&json!({"deletedAt": "x"}))).await, Outcome::Approved(())));
    for kind in ["BILLING_KEY_ALREADY_DELETED", "BILLING_KEY_NOT_FOUND", "BILLING_KEY_NOT_ISSUED"] {
        assert!(matches!(delete(refusal(404, kind)).await, Outcome::Approved(())), "{kind}");
    }
    assert!(matches!(delete(refusal(409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")).await, Outcome::Declined(_)));
    assert!(matches!(delete(raw("404 Not Found", "", b"Not Found")).await, Outcome::Unknown(_)));
    assert!(matches!(delete(raw("200 OK", "", b"<html></html>")).await, Outcome::Unknown(_)));
    assert!(matches!(delete(declined("X")).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn a_day_is_listed_page_by_page() {
    let event = |kind: &str, amount: i64, at: &str| {
        json!({"paymentEvent": {"type": kind, "id": format!("event-{amount}"), "paymentId": ORDER,
            "transactionId": "t1", "createdAt": at, "currency": "KRW", "eventAmount": amount,
            "cancellation": {"id": "cancellation-1"}}, "cursor": format!("cursor{amount}")})
    };
    let page = json!({"items": [
        event("PAID", 29_000, "2026-11-19T15:00:00Z"),
        event("PARTIAL_CANCELLED", -9_000, "2026-11-20T14:59:59Z"),
        event("CANCELLED", -20_000, "2026-11-20T15:00:00Z"),
    ]});
    let day = NaiveDate::from_ymd_opt(2026, 11, 20).unwrap();
    let server = Canned::to(
        |base_url| {
            let mut config = config(base_url);
            config.events_per_page = 3;
            PortOneGateway::new(config, Arc::new(SystemClock)).unwrap()
        },
        [ok(&page), ok(&json!({"items": []}))],
    )
    .await;
    let first = server.gateway.transactions(day, None).await.unwrap();
    let moved: Vec<_> =
        first.transactions.iter().map(|it| (it.kind, it.amount.get(), it.transaction_key.as_str())).collect();
    let expected =
        [(TransactionKind::Charge, 29_000, "t1"), (TransactionKind::Cancel, 9_000, "cancellation-1")];
    assert_eq!(moved, expected, "the last one is of the next day");
    assert_eq!(first.next.as_deref(), Some("cursor-20000"));
    let second = server.gateway.transactions(day, first.next.as_deref()).await.unwrap();
    assert!(second.transactions.is_empty() && second.next.is_none());
    let [first, second] = server.requests().try_into().unwrap();
    assert!(first.starts_with("GET /payment-events-by-cursor?requestBody=%7B"), "{first}");
    assert!(second.contains("cursor-20000"), "{second}");

    for odd in [event("PAID", -1, "2026-11-20T00:00:00Z"), event("NEW", 1, "2026-11-20T00:00:00Z")] {
        let server = answering([ok(&json!({"items": [odd]}))]).await;
        assert!(server.gateway.transactions(day, None).await.is_err(), "{odd}");
    }
}

#[tokio::test]
async fn what_can_only_be_wrong_is_not_sent_and_no_text_contains_a_billing_key() {
    let server = answering([]).await;
    for order_id in ["", "with-hyphens", "a\r\nb", &"o".repeat(41)] {
        let request = Charge { order_id: order_id.to_owned(), ..charge() };
        assert!(matches!(server.gateway.charge(&request).await, Outcome::Declined(_)));
        let request = Confirm { order_id: order_id.to_owned(), ..confirm("token") };
        assert!(matches!(server.gateway.confirm(&request).await, Outcome::Declined(_)));
    }
    for reference in ["", "환불", "a b", &"r".repeat(101)] {
        let request = Cancel { reference: reference.to_owned(), ..cancel() };
        assert!(matches!(server.gateway.cancel(&request).await, Outcome::Declined(_)));
    }
    for billing_key in ["", ".", ".."] {
        let outcome = server.gateway.delete_billing_key(&billing_key.to_owned().into()).await;
        assert!(matches!(outcome, Outcome::Declined(_)));
    }
    assert!(server.requests().is_empty());
    let Outcome::Unknown(reason) = server.gateway.delete_billing_key(&KEY.to_owned().into()).await else {
        panic!()
    };
    assert!(!reason.contains("billing-key"), "{reason}");
}

#[test]
fn a_configuration_that_cannot_work_is_noticed_at_the_start() {
    let error = |change: fn(&mut PortOneConfig)| {
        let mut config = config("https://api.portone.io/");
        change(&mut config);
        PortOneGateway::new(config, Arc::new(SystemClock)).err()
    };
    assert!(error(|_| {}).is_none());
    assert!(matches!(
        error(|config| config.base_url = "api.portone.io".to_owned()),
        Some(PortOneConfigError::BaseUrl(_))
    ));
    assert!(matches!(
        error(|config| config.api_secret = "a\nb".to_owned().into()),
        Some(PortOneConfigError::ApiSecret)
    ));
    assert!(matches!(
        error(|config| config.webhook_secrets = vec!["whsec_!".to_owned().into()]),
        Some(PortOneConfigError::WebhookSecret)
    ));
}

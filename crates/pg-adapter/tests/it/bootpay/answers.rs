//! Answers that no sandbox should give.

use std::sync::Arc;

use kernel::{Krw, MovableClock};
use pg_adapter::{Charge, Confirm, Lookup, Outcome, PaymentGateway, bootpay::BootpayGateway};
use serde_json::{Value, json};

use super::rig::gateway;
use crate::canned::{Canned, body, ok, raw};

pub(super) const RECEIPT: &str = "65f0c0ffee0000000000a001";

pub(super) async fn bootpay(answers: impl IntoIterator<Item = Vec<u8>>) -> Canned<BootpayGateway> {
    let clock = Arc::new(MovableClock::default());
    let token = ok(&json!({"access_token": "token-1", "expire_in": 1800}));
    Canned::to(|base_url| gateway(base_url, clock), [token].into_iter().chain(answers)).await
}

pub(super) fn receipt() -> Value {
    json!({
        "receipt_id": RECEIPT, "order_id": "ORDER1", "price": 29_000, "cancelled_price": 0, "status": 1,
        "purchased_at": "2026-11-20T09:00:03 +09:00",
    })
}

pub(super) fn with(field: &str, value: Value) -> Value {
    let mut receipt = receipt();
    receipt[field] = value;
    receipt
}

pub(super) fn refusal(status: &str, message: &str) -> Vec<u8> {
    let body = json!({"error_code": "RC_ANY", "message": message}).to_string();
    raw(status, "content-type: application/json\r\n", body.as_bytes())
}

fn charge() -> Charge {
    Charge {
        billing_key: "65f0c0ffee0000000000b001".to_owned().into(),
        customer_key: "customer-1".to_owned(),
        order_id: "ORDER1".to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
    }
}

#[tokio::test]
async fn a_charge_carries_the_token_and_names_the_order() {
    let bootpay = bootpay([ok(&receipt())]).await;
    let Outcome::Approved(approval) = bootpay.gateway.charge(&charge()).await else { panic!() };
    assert_eq!(
        approval.approved_at,
        "2026-11-20T00:00:03Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap()
    );
    let requests = bootpay.requests();
    assert!(requests[0].starts_with("POST /request/token "), "{}", requests[0]);
    assert_eq!(
        body(&requests[0]),
        json!({"application_id": "application-of-the-suite", "private_key": "private-key"})
    );
    assert!(requests[1].starts_with("POST /subscribe/payment "), "{}", requests[1]);
    assert!(requests[1].to_lowercase().contains("authorization: bearer token-1\r\n"));
    assert!(requests[1].to_lowercase().contains("bootpay-api-version: 5.0.0\r\n"));
    let expected = json!({
        "billing_key": "65f0c0ffee0000000000b001", "order_name": "단골 프로 요금제", "order_id": "ORDER1",
        "price": 29_000, "user": {"id": "customer-1"},
    });
    assert_eq!(body(&requests[1]), expected);
}

#[tokio::test]
async fn a_charge_without_a_token_was_not_sent() {
    let clock = Arc::new(MovableClock::default());
    for answer in [refusal("401 Unauthorized", "?"), refusal("500 Oops", "?"), ok(&json!({})), Vec::new()] {
        let bootpay = Canned::to(|base_url| gateway(base_url, clock.clone()), [answer]).await;
        assert!(matches!(bootpay.gateway.charge(&charge()).await, Outcome::NotSent(_)));
        assert_eq!(bootpay.requests().len(), 1);
    }
}

#[tokio::test]
async fn what_is_not_quite_our_payment_is_unknown() {
    for answer in [
        with("order_id", json!("ORDER2")),
        with("status", json!(0)),
        with("status", json!(20)),
        with("status", json!(42)),
        with("cancelled_price", json!(1)),
        with("currency", json!("USD")),
        with("price", json!(-29_000)),
        with("price", json!("29000")),
        with("purchased_at", json!(null)),
        json!([receipt()]),
    ] {
        let bootpay = bootpay([ok(&answer)]).await;
        let outcome = bootpay.gateway.charge(&charge()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{answer}: {outcome:?}");
    }
}

/// The second sending of a charge that worked gets a no that is none.
#[tokio::test]
async fn after_a_refusal_the_payment_goes_first() {
    for message in ["잔액이 부족합니다.", "이미 결제된 order_id입니다.", "?"] {
        let bootpay = bootpay([refusal("400 Bad Request", message), ok(&json!([receipt()]))]).await;
        assert!(matches!(bootpay.gateway.charge(&charge()).await, Outcome::Approved(_)), "{message}");
        assert!(bootpay.requests()[2].starts_with("GET /lookup/order/ORDER1 "));
    }
    let lost = bootpay([refusal("400 Bad Request", "잔액이 부족합니다."), Vec::new()]).await;
    assert!(matches!(lost.gateway.charge(&charge()).await, Outcome::Unknown(_)));
    let words = bootpay([refusal("400 Bad Request", "?"), ok(&json!([]))]).await;
    assert!(matches!(words.gateway.charge(&charge()).await, Outcome::Unknown(_)));
}

#[tokio::test]
async fn the_look_up_by_order_knows_one_payment_among_failures() {
    let failed =
        |status: i64| json!({"receipt_id": "65f0", "order_id": "ORDER1", "price": 29_000, "status": status});
    let found = async |list: Value| bootpay([ok(&list)]).await.gateway.find_by_order("ORDER1").await;
    assert!(matches!(found(json!([failed(-2), receipt(), failed(-1)])).await, Lookup::Approved(_)));
    assert!(matches!(found(json!([failed(-2)])).await, Lookup::Failed(_)));
    assert!(matches!(found(json!([failed(-2), failed(3)])).await, Lookup::InProgress));
    assert!(matches!(found(json!([failed(-2), failed(99)])).await, Lookup::Unknown(_)));
    assert!(matches!(found(json!([receipt(), receipt()])).await, Lookup::Unknown(_)));
    assert!(matches!(found(json!([])).await, Lookup::NotFound));
    assert!(matches!(found(json!({})).await, Lookup::Unknown(_)));
    assert!(matches!(found(json!([with("order_id", json!("ORDER2"))])).await, Lookup::Unknown(_)));
}

/// A page of something in between is not Bootpay's word.
#[tokio::test]
async fn only_bootpays_own_404_is_not_found() {
    let page = raw("404 Not Found", "content-type: text/html\r\n", b"<html></html>");
    assert!(matches!(bootpay([page]).await.gateway.find(RECEIPT).await, Lookup::Unknown(_)));
    let own = refusal("404 Not Found", "?");
    assert!(matches!(bootpay([own]).await.gateway.find(RECEIPT).await, Lookup::NotFound));
}

#[tokio::test]
async fn a_confirm_that_would_take_another_amount_is_not_sent() {
    let request =
        Confirm { payment_key: RECEIPT.to_owned(), order_id: "ORDER1".to_owned(), amount: Krw::won(29_000) };
    for wrong in [with("price", json!(100)), with("order_id", json!("ORDER2"))] {
        let bootpay = bootpay([ok(&wrong)]).await;
        assert!(matches!(bootpay.gateway.confirm(&request).await, Outcome::Declined(_)), "{wrong}");
        assert_eq!(bootpay.requests().len(), 2, "the token and the look-up");
    }
}

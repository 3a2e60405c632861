use std::time::Duration;

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Moment, Operation, TossSwitches};
use serde_json::json;

use crate::merchant::{GOOD_CARD, Merchant, charge_body};

#[tokio::test]
async fn the_same_key_gets_the_first_answer_byte_for_byte_whatever_happened_since() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let first = shop.post_once("key-1", &path, charge_body("order-replay", 1_000)).await;
    let payment = first.json()["paymentKey"].as_str().unwrap().to_owned();
    shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": 300})).await;
    let switches = TossSwitches { unknown_fields: true, ..TossSwitches::default() };
    shop.sandbox.set_toss_switches(switches);

    // The body is no part of the match: another order gets the first one's answer.
    let again = shop.post_once("key-1", &path, charge_body("order-other", 2_000)).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(shop.sandbox.book().len(), 2);

    for answer in [&first, &again] {
        assert_eq!(answer.header("idempotency-key"), "key-1");
    }
    let (own, both) = (first.header("x-tosspayments-trace-id"), again.header("x-tosspayments-trace-id"));
    assert!(both.len() > own.len() && both.ends_with(own), "{both} names {own} too");
}

#[tokio::test]
async fn a_replayed_partial_cancel_takes_no_more_from_the_balance() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;
    let path = format!("/v1/payments/{payment}/cancel");
    let body = json!({"cancelReason": "부분", "cancelAmount": 300});
    let first = shop.post_once("cancel-1", &path, body.clone()).await;
    let again = shop.post_once("cancel-1", &path, body).await;
    assert_eq!(again.text, first.text);
    assert_eq!(shop.get(&format!("/v1/payments/{payment}")).await.json()["balanceAmount"], 700);
}

#[tokio::test]
async fn refusals_are_kept_too_even_when_the_body_was_corrected() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/payments/{}/cancel", shop.paid(1_000).await);
    let too_much = json!({"cancelReason": "전액", "cancelAmount": 2_000});
    let corrected = json!({"cancelReason": "전액", "cancelAmount": 1_000});
    assert_eq!(shop.post_once("a", &path, too_much).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    assert_eq!(shop.post_once("a", &path, corrected.clone()).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    assert_eq!(shop.post_once("b", &path, json!({})).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(shop.post_once("b", &path, corrected.clone()).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(shop.post_once("c", &path, corrected).await.status, 200);
}

#[tokio::test]
async fn keys_are_told_apart_by_path_and_secret_key() {
    let shop = Merchant::opens().await;
    let (one, two) = (shop.billing_key(GOOD_CARD).await, shop.billing_key(GOOD_CARD).await);
    let charge = |key: &str, order: &str| {
        let path = format!("/v1/billing/{key}");
        let body = charge_body(order, 1_000);
        let shop = &shop;
        async move { shop.post_once("same", &path, body).await.json()["orderId"].clone() }
    };
    assert_eq!(charge(&one, "order-one").await, "order-one");
    assert_eq!(charge(&two, "order-two").await, "order-two");
    let other = Merchant { secret_key: "test_sk_other".into(), ..shop };
    let answer =
        other.post_once("same", &format!("/v1/billing/{one}"), charge_body("order-three", 1_000)).await;
    assert_eq!(answer.json()["orderId"], "order-three");
}

#[tokio::test]
async fn a_second_request_while_the_first_still_runs_is_told_to_wait() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let slow = FaultKind::Delay { before: Duration::ZERO, after: Duration::from_millis(500) };
    shop.sandbox.add_fault(Fault::new(slow).on(Operation::Charge));
    let first = shop.post_once("slow", &path, charge_body("order-slow", 1_000));
    let second = async {
        while shop.sandbox.book().is_empty() {
            tokio::task::yield_now().await;
        }
        shop.post_once("slow", &path, charge_body("order-slow", 1_000)).await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.status, 200);
    assert_eq!(second.refusal(), "409 IDEMPOTENT_REQUEST_PROCESSING");
    let third = shop.post_once("slow", &path, charge_body("order-slow", 1_000)).await;
    assert_eq!(third.text, first.text);
}

#[tokio::test]
async fn a_key_is_forgotten_after_fifteen_days() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let charge = |order: &str| shop.post_once("old", &path, charge_body(order, 1_000));
    assert_eq!(charge("order-day-1").await.json()["orderId"], "order-day-1");
    shop.clock.advance(TimeDelta::days(15) - TimeDelta::minutes(1));
    assert_eq!(charge("order-day-15").await.json()["orderId"], "order-day-1");
    shop.clock.advance(TimeDelta::minutes(2));
    assert_eq!(charge("order-day-16").await.json()["orderId"], "order-day-16");
}

#[tokio::test]
async fn a_key_has_at_most_300_characters() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let body = charge_body("order-length", 1_000);
    let too_long = shop.post_once(&"k".repeat(301), &path, body.clone()).await;
    assert_eq!(too_long.refusal(), "400 INVALID_IDEMPOTENCY_KEY");
    assert_eq!(shop.post_once(&"k".repeat(300), &path, body).await.status, 200);
}

#[tokio::test]
async fn server_errors_are_kept_only_when_the_switch_says_so() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let fails = Fault::new(FaultKind::Error500(Moment::BeforeProcessing));

    shop.sandbox.add_fault(fails.clone());
    let body = charge_body("order-fresh", 1_000);
    assert_eq!(shop.post_once("a", &path, body.clone()).await.status, 500);
    assert_eq!(shop.post_once("a", &path, body).await.status, 200);

    shop.sandbox.set_toss_switches(TossSwitches { store_server_errors: true, ..TossSwitches::default() });
    shop.sandbox.add_fault(fails);
    let body = charge_body("order-stuck", 1_000);
    assert_eq!(shop.post_once("b", &path, body.clone()).await.status, 500);
    assert_eq!(shop.post_once("b", &path, body).await.refusal(), "500 FAILED_INTERNAL_SYSTEM_PROCESSING");
}

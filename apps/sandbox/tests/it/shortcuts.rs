use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{BookStatus, Fault, FaultKind, Operation};
use serde_json::{Value, json};

use crate::merchant::{CUSTOMER, Merchant, charge_body};

const ISSUE: &str = "/v1/billing/authorizations/issue";
const CONFIRM: &str = "/v1/payments/confirm";
const GOOD: &str = "test_pay_4300000000000001";

fn issue(auth_key: &str, customer_key: &str) -> Value {
    json!({"authKey": auth_key, "customerKey": customer_key})
}

fn confirm(payment_key: &str, order: &str) -> Value {
    json!({"paymentKey": payment_key, "orderId": order, "amount": 9_026})
}

#[tokio::test]
async fn an_auth_key_that_names_a_card_is_good_any_number_of_times_and_for_everyone() {
    let shop = Merchant::opens().await;
    let mut keys = Vec::new();
    for customer in [CUSTOMER, CUSTOMER, "somebody-else"] {
        let issued = shop.post(ISSUE, issue("test_auth_4300000000000001", customer)).await.json();
        assert_eq!(issued["customerKey"], customer);
        assert_eq!(issued["card"]["number"], "43000000****000*");
        keys.push(issued["billingKey"].as_str().unwrap().to_owned());
    }
    assert!(keys[0] != keys[1] && keys[1] != keys[2], "each request issues a new one: {keys:?}");
    for (key, order) in keys.iter().zip(["order-one", "order-two"]) {
        assert_eq!(shop.charges(key, order, 1_000).await.status, 200);
    }
    let theirs = shop.charges(&keys[2], "order-three", 1_000).await;
    assert_eq!(theirs.refusal(), "400 NOT_MATCHES_CUSTOMER_KEY");

    let first = shop.post_once("issue-1", ISSUE, issue("test_auth_4300000000000001", CUSTOMER)).await;
    let again = shop.post_once("issue-1", ISSUE, issue("test_auth_4300000000000001", CUSTOMER)).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
}

#[tokio::test]
async fn the_named_card_has_its_fate() {
    let shop = Merchant::opens().await;
    let issued = shop.post(ISSUE, issue("test_auth_4300000000000004", CUSTOMER)).await.json();
    let path = format!("/v1/billing/{}", issued["billingKey"].as_str().unwrap());
    let charged = shop.post(&path, charge_body("order-stopped", 1_000)).await;
    assert_eq!(charged.refusal(), "400 INVALID_STOPPED_CARD");
}

#[tokio::test]
async fn one_payment_key_that_names_a_card_pays_two_orders_with_two_payments() {
    let shop = Merchant::opens().await;
    let one = shop.post(CONFIRM, confirm(GOOD, "order-one")).await.json();
    let two = shop.post(CONFIRM, confirm(GOOD, "order-two")).await.json();
    for (payment, order) in [(&one, "order-one"), (&two, "order-two")] {
        assert_eq!((&payment["status"], &payment["type"]), (&json!("DONE"), &json!("NORMAL")));
        assert_eq!((&payment["orderId"], &payment["totalAmount"]), (&json!(order), &json!(9_026)));
        let key = payment["paymentKey"].as_str().unwrap();
        assert_eq!(shop.get(&format!("/v1/payments/{key}")).await.json(), *payment);
        assert_eq!(shop.get(&format!("/v1/payments/orders/{order}")).await.json(), *payment);
    }
    assert_ne!(one["paymentKey"], two["paymentKey"]);
    assert_eq!(shop.get(&format!("/v1/payments/{GOOD}")).await.refusal(), "404 NOT_FOUND_PAYMENT");
    assert_eq!(shop.sandbox.webhooks().len(), 2);

    let cancelled = shop.cancels(one["paymentKey"].as_str().unwrap(), json!({"cancelReason": "변심"})).await;
    assert_eq!(cancelled.json()["status"], "CANCELED");
}

/// Whoever confirms again finds the payment, also when the answer was lost and even when the
/// idempotency key is forgotten: by the order, since by the key there is nothing to find.
#[tokio::test]
async fn a_second_confirm_of_an_order_takes_no_more_money_and_leads_to_its_payment() {
    let shop = Merchant::opens().await;
    shop.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Confirm));
    let lost = shop.request(Method::POST, CONFIRM).header("idempotency-key", "order-twice");
    assert!(lost.json(&confirm(GOOD, "order-twice")).send().await.is_err());
    let replayed = shop.post_once("order-twice", CONFIRM, confirm(GOOD, "order-twice")).await;
    assert_eq!(replayed.status, 200);

    shop.clock.advance(TimeDelta::days(16));
    for again in [
        shop.post_once("order-twice", CONFIRM, confirm(GOOD, "order-twice")).await,
        shop.post(CONFIRM, confirm(GOOD, "order-twice")).await,
    ] {
        assert_eq!(again.refusal(), "400 DUPLICATED_ORDER_ID");
    }
    assert_eq!(shop.get("/v1/payments/orders/order-twice").await.json(), replayed.json());
    assert_eq!(shop.sandbox.book().len(), 1);
}

#[tokio::test]
async fn a_declined_order_is_declined_again_until_a_better_card_comes() {
    let shop = Merchant::opens().await;
    let empty = "test_pay_4300000000000002";
    for _ in 0..2 {
        let declined = shop.post(CONFIRM, confirm(empty, "order-again")).await;
        assert_eq!(declined.refusal(), "403 REJECT_CARD_PAYMENT");
        let aborted = shop.get("/v1/payments/orders/order-again").await.json();
        assert_eq!(aborted["status"], "ABORTED");
    }
    assert_eq!(shop.post(CONFIRM, confirm(GOOD, "order-again")).await.status, 200);
    let statuses: Vec<_> = shop.sandbox.book().iter().map(|entry| entry.status).collect();
    assert_eq!(statuses, [BookStatus::Declined, BookStatus::Declined, BookStatus::Approved]);
}

#[tokio::test]
async fn a_confirm_has_to_name_an_order_and_an_amount_that_a_payer_could_have_agreed_to() {
    let shop = Merchant::opens().await;
    assert_eq!(shop.post(CONFIRM, confirm(GOOD, "short")).await.refusal(), "400 INVALID_REQUEST");
    let cheap = json!({"paymentKey": GOOD, "orderId": "order-cheap", "amount": 99});
    assert_eq!(shop.post(CONFIRM, cheap).await.refusal(), "400 BELOW_MINIMUM_AMOUNT");
    assert_eq!(shop.sandbox.book(), []);
}

#[tokio::test]
async fn other_spellings_and_live_keys_find_nothing() {
    let mut shop = Merchant::opens().await;
    for number in ["430000000000", "43000000000000000001", "4300-0000-0000-0001", "430000000000000x", ""] {
        let issued = shop.post(ISSUE, issue(&format!("test_auth_{number}"), CUSTOMER)).await;
        assert_eq!(issued.refusal(), "404 NOT_FOUND_BILLING", "{number}");
        let confirmed = shop.post(CONFIRM, confirm(&format!("test_pay_{number}"), "order-odd")).await;
        assert_eq!(confirmed.refusal(), "404 NOT_FOUND_PAYMENT", "{number}");
    }
    let swapped = shop.post(CONFIRM, confirm("test_auth_4300000000000001", "order-odd")).await;
    assert_eq!(swapped.refusal(), "404 NOT_FOUND_PAYMENT");

    for live in ["live_sk_story", "live_gsk_story"] {
        shop.secret_key = live.into();
        let issued = shop.post(ISSUE, issue("test_auth_4300000000000001", CUSTOMER)).await;
        assert_eq!(issued.refusal(), "404 NOT_FOUND_BILLING");
        let confirmed = shop.post(CONFIRM, confirm(GOOD, "order-live")).await;
        assert_eq!(confirmed.refusal(), "404 NOT_FOUND_PAYMENT");
    }
    assert_eq!(shop.sandbox.book(), []);
}

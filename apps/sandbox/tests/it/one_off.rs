use chrono::TimeDelta;
use kernel::Krw;
use sandbox::{Fault, FaultKind, Operation, PaymentAuth};
use serde_json::{Value, json};

use crate::merchant::{Answer, EMPTY_CARD, GOOD_CARD, Merchant};

fn authenticated(shop: &Merchant, order: &str, card: &str) -> String {
    let payment = PaymentAuth {
        order_id: order.into(),
        amount: Krw::won(9_026),
        card_number: card.into(),
        order_name: None,
        customer_key: None,
    };
    shop.sandbox.payment_auth(payment).unwrap()
}

async fn confirm(shop: &Merchant, key: &str, order: &str, amount: i64) -> Answer {
    shop.post("/v1/payments/confirm", json!({"paymentKey": key, "orderId": order, "amount": amount})).await
}

#[tokio::test]
async fn a_payment_is_confirmed_once() {
    let shop = Merchant::opens().await;
    let key = authenticated(&shop, "order-once", GOOD_CARD);
    let waiting = shop.get(&format!("/v1/payments/{key}")).await.json();
    assert_eq!((&waiting["status"], &waiting["approvedAt"]), (&json!("IN_PROGRESS"), &Value::Null));

    let done = confirm(&shop, &key, "order-once", 9_026).await.json();
    assert_eq!((&done["status"], &done["type"]), (&json!("DONE"), &json!("NORMAL")));
    assert_eq!((&done["vat"], &done["suppliedAmount"]), (&json!(821), &json!(8_205)));
    assert_eq!(confirm(&shop, &key, "order-once", 9_026).await.refusal(), "400 ALREADY_PROCESSED_PAYMENT");
    assert_eq!(shop.get("/v1/payments/orders/order-once").await.json(), done);
}

#[tokio::test]
async fn another_order_another_amount_and_an_invented_key_are_refused() {
    let shop = Merchant::opens().await;
    let key = authenticated(&shop, "order-mine", GOOD_CARD);
    assert_eq!(confirm(&shop, &key, "order-theirs", 9_026).await.refusal(), "404 NOT_FOUND_PAYMENT_SESSION");
    assert_eq!(confirm(&shop, &key, "order-mine", 1_000).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(confirm(&shop, "invented", "order-mine", 9_026).await.refusal(), "404 NOT_FOUND_PAYMENT");
    assert_eq!(confirm(&shop, &key, "order-mine", 9_026).await.status, 200);
}

#[tokio::test]
async fn a_confirm_after_ten_minutes_is_too_late() {
    let shop = Merchant::opens().await;
    let (early, late) =
        (authenticated(&shop, "order-early", GOOD_CARD), authenticated(&shop, "order-late", GOOD_CARD));
    shop.clock.advance(TimeDelta::minutes(9));
    assert_eq!(confirm(&shop, &early, "order-early", 9_026).await.status, 200);
    shop.clock.advance(TimeDelta::minutes(2));
    assert_eq!(confirm(&shop, &late, "order-late", 9_026).await.refusal(), "404 NOT_FOUND_PAYMENT_SESSION");
    let expired = shop.get(&format!("/v1/payments/{late}")).await.json();
    assert_eq!((&expired["status"], &expired["method"]), (&json!("EXPIRED"), &Value::Null));
    assert_eq!(expired["failure"]["code"], "EXPIRED_PAYMENT");
}

#[tokio::test]
async fn a_declined_confirm_aborts_the_payment_and_the_payer_starts_again() {
    let shop = Merchant::opens().await;
    let key = authenticated(&shop, "order-again", EMPTY_CARD);
    assert_eq!(confirm(&shop, &key, "order-again", 9_026).await.refusal(), "403 REJECT_CARD_PAYMENT");
    let aborted = shop.get("/v1/payments/orders/order-again").await.json();
    assert_eq!(
        (&aborted["status"], &aborted["failure"]["code"]),
        (&json!("ABORTED"), &json!("REJECT_CARD_PAYMENT"))
    );

    let key = authenticated(&shop, "order-again", GOOD_CARD);
    assert_eq!(confirm(&shop, &key, "order-again", 9_026).await.status, 200);
    assert_eq!(shop.get("/v1/payments/orders/order-again").await.json()["status"], "DONE");
}

#[tokio::test]
async fn two_windows_for_one_order_make_one_payment() {
    let shop = Merchant::opens().await;
    let (one, two) =
        (authenticated(&shop, "order-twice", GOOD_CARD), authenticated(&shop, "order-twice", GOOD_CARD));
    assert_eq!(confirm(&shop, &one, "order-twice", 9_026).await.status, 200);
    assert_eq!(confirm(&shop, &two, "order-twice", 9_026).await.refusal(), "400 DUPLICATED_ORDER_ID");
    assert_eq!(shop.get("/v1/payments/orders/order-twice").await.json()["paymentKey"], one.as_str());
}

#[tokio::test]
async fn an_unconfirmed_payment_cannot_be_cancelled() {
    let shop = Merchant::opens().await;
    let key = authenticated(&shop, "order-early-cancel", GOOD_CARD);
    let refused = shop.cancels(&key, json!({"cancelReason": "변심"})).await;
    assert_eq!(refused.refusal(), "403 NOT_CANCELABLE_PAYMENT");
}

#[tokio::test]
async fn a_decline_fault_strikes_a_confirm_too() {
    let shop = Merchant::opens().await;
    let key = authenticated(&shop, "order-fault", GOOD_CARD);
    let decline = FaultKind::Decline { code: "EXCEED_MAX_ONE_DAY_AMOUNT".into() };
    shop.sandbox.add_fault(Fault::new(decline).on(Operation::Confirm));
    assert_eq!(confirm(&shop, &key, "order-fault", 9_026).await.refusal(), "403 EXCEED_MAX_ONE_DAY_AMOUNT");
}

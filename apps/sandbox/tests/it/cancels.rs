use sandbox::{BookKind, BookStatus};
use serde_json::{Value, json};

use crate::merchant::Merchant;

fn part(amount: i64) -> Value {
    json!({"cancelReason": "고객 요청", "cancelAmount": amount})
}

#[tokio::test]
async fn parts_of_a_payment_are_cancelled_until_nothing_is_left_and_it_stays_partial() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;

    let first = shop.cancels(&payment, part(300)).await.json();
    assert_eq!((&first["status"], &first["balanceAmount"]), (&json!("PARTIAL_CANCELED"), &json!(700)));
    assert_eq!(first["cancels"].as_array().unwrap().len(), 1);
    assert_eq!((&first["vat"], &first["suppliedAmount"]), (&json!(64), &json!(636)));
    assert_eq!(first["totalAmount"], 1_000);

    let second = shop.cancels(&payment, part(700)).await.json();
    assert_eq!((&second["status"], &second["balanceAmount"]), (&json!("PARTIAL_CANCELED"), &json!(0)));
    let last = &second["cancels"][1];
    assert_eq!(last["refundableAmount"], 0);
    assert_eq!(last["transactionKey"], second["lastTransactionKey"]);
    assert_eq!(last["cancelStatus"], "DONE");

    assert_eq!(shop.cancels(&payment, part(1)).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    let all = json!({"cancelReason": "고객 요청"});
    assert_eq!(shop.cancels(&payment, all).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
}

#[tokio::test]
async fn a_whole_cancel_is_canceled_and_cannot_be_repeated() {
    let shop = Merchant::opens().await;
    for body in [json!({"cancelReason": "전액"}), part(1_000)] {
        let payment = shop.paid(1_000).await;
        let canceled = shop.cancels(&payment, body.clone()).await.json();
        assert_eq!((&canceled["status"], &canceled["balanceAmount"]), (&json!("CANCELED"), &json!(0)));
        assert_eq!(shop.cancels(&payment, body).await.refusal(), "400 ALREADY_CANCELED_PAYMENT");
    }
}

#[tokio::test]
async fn more_than_the_balance_cannot_be_cancelled_and_changes_nothing() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;
    assert_eq!(shop.cancels(&payment, part(2_000)).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    let found = shop.get(&format!("/v1/payments/{payment}")).await.json();
    assert_eq!((&found["status"], &found["balanceAmount"]), (&json!("DONE"), &json!(1_000)));
    assert_eq!(found["cancels"], Value::Null);
}

#[tokio::test]
async fn a_refundable_amount_locks_the_cancel_to_the_balance_the_merchant_believes_in() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;
    let believing =
        |balance: i64| json!({"cancelReason": "부분", "cancelAmount": 100, "refundableAmount": balance});
    assert_eq!(shop.cancels(&payment, believing(1_000)).await.status, 200);
    assert_eq!(shop.cancels(&payment, believing(1_000)).await.refusal(), "400 NOT_MATCHES_REFUNDABLE_AMOUNT");
    assert_eq!(shop.cancels(&payment, believing(900)).await.status, 200);
}

#[tokio::test]
async fn a_cancel_needs_a_reason_an_amount_and_a_payment() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;
    for body in [
        json!({}),
        json!({"cancelReason": ""}),
        json!({"cancelReason": "가".repeat(201)}),
        part(0),
        part(-1),
        json!({"cancelReason": "달러", "currency": "USD"}),
    ] {
        assert_eq!(shop.cancels(&payment, body.clone()).await.refusal(), "400 INVALID_REQUEST", "{body}");
    }
    assert_eq!(shop.cancels("invented", part(1)).await.refusal(), "404 NOT_FOUND_PAYMENT");
}

#[tokio::test]
async fn the_book_holds_charge_and_cancels() {
    let shop = Merchant::opens().await;
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, part(300)).await;
    let lines: Vec<_> =
        shop.sandbox.book().iter().map(|line| (line.kind, line.status, line.amount.get())).collect();
    let expected =
        [(BookKind::Charge, BookStatus::Approved, 1_000), (BookKind::Cancel, BookStatus::Canceled, 300)];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn tax_free_amounts_follow_the_balance() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(crate::merchant::GOOD_CARD).await;
    let mut body = crate::merchant::charge_body("order-taxfree", 11_000);
    body["taxFreeAmount"] = json!(5_500);
    let payment = shop.post(&format!("/v1/billing/{key}"), body).await.json();
    assert_eq!((&payment["vat"], &payment["suppliedAmount"]), (&json!(500), &json!(5_000)));

    let key = payment["paymentKey"].as_str().unwrap();
    let too_taxable = json!({"cancelReason": "부분", "cancelAmount": 6_000});
    assert_eq!(shop.cancels(key, too_taxable).await.refusal(), "400 INVALID_REQUEST");
    let part = json!({"cancelReason": "부분", "cancelAmount": 6_600, "taxFreeAmount": 1_100});
    let left = shop.cancels(key, part).await.json();
    assert_eq!((&left["taxFreeAmount"], &left["vat"]), (&json!(4_400), &json!(0)));
    let gone = shop.cancels(key, json!({"cancelReason": "나머지"})).await.json();
    assert_eq!((&gone["taxFreeAmount"], &gone["balanceAmount"]), (&json!(0), &json!(0)));
}

use sandbox::{BookKind, CancelOutcome};
use serde_json::{Value, json};

use crate::merchant::{Answer, Merchant};

impl Merchant {
    async fn portone_cancels(&self, order: &str, body: Value) -> Answer {
        self.portone_post(&format!("/payments/{order}/cancel"), body).await
    }
}

fn part(amount: i64) -> Value {
    json!({"reason": "부분", "amount": amount})
}

#[tokio::test]
async fn parts_add_up_until_nothing_is_left() {
    let shop = Merchant::opens().await;
    shop.portone_paid("pay").await;
    let cancel = shop.portone_cancels("pay", part(3_000)).await.json()["cancellation"].clone();
    assert_eq!((&cancel["status"], &cancel["totalAmount"]), (&json!("SUCCEEDED"), &json!(3_000)));
    assert_eq!((&cancel["taxFreeAmount"], &cancel["vatAmount"]), (&json!(0), &json!(273)));
    let payment = shop.portone_payment("pay").await;
    assert_eq!(
        (&payment["status"], &payment["amount"]["cancelled"]),
        (&json!("PARTIAL_CANCELLED"), &json!(3_000))
    );
    assert_eq!((&payment["amount"]["paid"], &payment["cancellations"][0]), (&json!(10_000), &cancel));

    // Without an amount: everything that is left.
    let rest = shop.portone_cancels("pay", json!({"reason": "나머지"})).await.json();
    assert_eq!(rest["cancellation"]["totalAmount"], 7_000);
    assert_eq!(shop.portone_payment("pay").await["status"], "CANCELLED");
    let refused = shop.portone_cancels("pay", part(1)).await;
    assert_eq!(refused.portone_refusal(), "409 PAYMENT_ALREADY_CANCELLED");
    let given_back: i64 = shop
        .sandbox
        .book()
        .iter()
        .filter(|line| line.kind == BookKind::Cancel)
        .map(|line| line.amount.get())
        .sum();
    assert_eq!(given_back, 10_000);
}

#[tokio::test]
async fn a_cancel_that_breaks_a_rule_gives_nothing_back() {
    let shop = Merchant::opens().await;
    shop.portone_paid("pay").await;
    shop.portone_cancels("pay", part(1_000)).await;
    let with = |field: &str, value: Value| {
        let mut body = part(1_000);
        body[field] = value;
        let shop = &shop;
        async move { shop.portone_cancels("pay", body).await.portone_refusal() }
    };
    assert_eq!(with("reason", Value::Null).await, "400 INVALID_REQUEST");
    assert_eq!(with("amount", json!(0)).await, "400 INVALID_REQUEST");
    assert_eq!(with("requester", json!("Customer")).await, "400 INVALID_REQUEST");
    assert_eq!(with("amount", json!(9_001)).await, "409 CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT");
    assert_eq!(
        with("currentCancellableAmount", json!(10_000)).await,
        "409 CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"
    );
    assert_eq!(
        with("taxFreeAmount", json!(1)).await,
        "409 CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"
    );
    assert_eq!(with("vatAmount", json!(1_001)).await, "409 CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT");
    let unknown = shop.portone_cancels("unknown", part(1_000)).await;
    assert_eq!(unknown.portone_refusal(), "404 PAYMENT_NOT_FOUND");
    assert_eq!(shop.portone_payment("pay").await["amount"]["cancelled"], 1_000);
    let mut guarded = part(1_000);
    guarded["currentCancellableAmount"] = json!(9_000);
    assert_eq!(shop.portone_cancels("pay", guarded).await.status, 200);
}

#[tokio::test]
async fn a_200_need_not_mean_that_the_money_is_back() {
    let shop = Merchant::opens().await;
    shop.portone_paid("pay").await;
    shop.switch_portone(|switches| switches.cancel_outcome = CancelOutcome::Failed);
    let failed = shop.portone_cancels("pay", part(1_000)).await;
    assert_eq!((failed.status.as_u16(), &failed.json()["cancellation"]["status"]), (200, &json!("FAILED")));

    shop.switch_portone(|switches| switches.cancel_outcome = CancelOutcome::Requested);
    let requested = shop.portone_cancels("pay", part(4_000)).await.json();
    assert_eq!(requested["cancellation"]["status"], "REQUESTED");
    let payment = shop.portone_payment("pay").await;
    assert_eq!((&payment["status"], &payment["amount"]["cancelled"]), (&json!("PAID"), &json!(0)));
    assert_eq!(payment["cancellations"].as_array().unwrap().len(), 2);
    // What is on its way cannot be asked for again.
    let too_much = shop.portone_cancels("pay", part(6_001)).await;
    assert_eq!(too_much.portone_refusal(), "409 CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT");
    assert_eq!(shop.sandbox.book().len(), 1);

    let settle = json!({"paymentId": "pay", "status": "SUCCEEDED"});
    assert_eq!(shop.window("cancels/settle", settle).await["settled"], 1);
    assert_eq!(shop.portone_payment("pay").await["amount"]["cancelled"], 4_000);
    assert_eq!(shop.sandbox.book().len(), 2);

    shop.portone_cancels("pay", part(6_000)).await;
    shop.window("cancels/settle", json!({"paymentId": "pay", "status": "FAILED"})).await;
    assert_eq!(shop.portone_payment("pay").await["amount"]["cancelled"], 4_000);
    shop.switch_portone(|switches| switches.cancel_outcome = CancelOutcome::Succeeded);
    assert_eq!(shop.portone_cancels("pay", part(6_000)).await.status, 200);
}

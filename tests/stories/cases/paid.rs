//! A webhook about what is paid already: the provider denies it, or has another charge of the order.

use serde_json::{Value, json};
use testkit::{Approval, Lookup, TestApp};

use super::{hears_of, subscribed};

async fn hears_of_payment(app: &TestApp, order_id: &str, payment_key: &str) {
    let data = json!({"orderId": order_id, "paymentKey": payment_key, "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook(&format!("whtrans_{payment_key}"), &body).await.status, 200);
    app.sweep().await;
}

#[tokio::test]
async fn a_payment_that_the_provider_denies_for_hours_is_missing_there() {
    let app = subscribed().await;
    let payment = app.approved()[0].clone();
    app.provider.on_find(async |_, _| Lookup::NotFound);
    hears_of(&app, &json!(payment.order_id), "whtrans_denied").await;
    assert_eq!(app.cases().await, [] as [Value; 0], "it may not show everywhere yet");
    app.time_passes_until("2026-02-01T13:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("MISSING_AT_PROVIDER"), &json!(101)));
    assert_eq!(app.each_payments("status").await, ["SUCCESS"], "our books stay as they are");
}

#[tokio::test]
async fn one_that_it_shows_again_is_not() {
    let app = subscribed().await;
    let payment = app.approved()[0].clone();
    app.provider.on_find(async |_, _| Lookup::NotFound);
    hears_of(&app, &json!(payment.order_id), "whtrans_denied").await;
    app.provider.is_itself_again();
    app.time_passes_until("2026-02-01T13:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0]);
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0);
}

#[tokio::test]
async fn another_payment_of_an_order_that_is_paid_is_a_second_charge() {
    let app = subscribed().await;
    let payment = app.approved()[0].clone();
    let first = payment.payment_key.clone();
    app.provider.on_find(move |real, payment_key: String| {
        let first = first.clone();
        async move {
            match real.find(&first).await {
                Lookup::Approved(theirs) => Lookup::Approved(Approval { payment_key, ..theirs }),
                shown => shown,
            }
        }
    });
    hears_of_payment(&app, &payment.order_id, "tgen_second").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("UNKNOWN_CHARGE"), &json!(101)));
    assert_eq!((&case["paymentKey"], &case["theirAmount"]), (&json!("tgen_second"), &json!(29_000)));
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
}

#[tokio::test]
async fn a_payment_that_somebody_made_up_and_one_of_another_order_are_none() {
    let app = subscribed().await;
    let payment = app.approved()[0].clone();
    let other = app.charges_at_the_console("console-order-1", 5_000).await;
    for payment_key in ["tgen_made_up", &other] {
        hears_of_payment(&app, &payment.order_id, payment_key).await;
    }
    assert_eq!(app.cases().await, [] as [Value; 0]);
}

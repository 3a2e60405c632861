//! Paid in a window that takes the money at once, and the payer closed the browser before it came to a confirm.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use testkit::TestApp;

use super::{confirms, orders};

/// The owner of business 1 orders BASIC; answers with the order id.
async fn ordered(app: &TestApp) -> String {
    orders(&app.owner()).await["orderId"].as_str().expect("an order id").to_owned()
}

async fn hears_of(app: &TestApp, order_id: &str) {
    let data = json!({"orderId": order_id, "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook(&format!("whtrans_{order_id}"), &body).await.status, 200);
    app.sweep().await;
}

#[tokio::test]
async fn what_was_paid_without_a_confirm_begins_the_subscription() {
    let app = TestApp::start().await;
    let order_id = ordered(&app).await;
    let payment_key = app.charges_at_the_console(&order_id, 29_000).await;
    hears_of(&app, &order_id).await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    let current = app.current().await;
    assert_eq!((&current["plan"], &current["status"]), (&json!("BASIC"), &json!("NON_RENEWING")));
    assert_eq!(app.provider_key(101).await, payment_key);
    // The browser comes back: it is the answer that it would have had.
    let confirmation = json!({"orderId": order_id, "paymentKey": payment_key, "amount": 29_000});
    assert_eq!(confirms(&app.owner(), &confirmation).await.data()["status"], "SUCCESS");
    assert_eq!((app.provider_totals(), app.cases().await), ((29_000, 0), vec![]));
    app.books_are_right().await;
}

#[tokio::test]
async fn at_portone_as_well() {
    let app = TestApp::start().await;
    let address = app.listens().await;
    app.sandbox.set_portone_webhook_url(Some(format!("http://{address}/api/webhooks/portone")));
    let order = app.owner().post("/api/payments/portone/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].clone();
    let payer = json!({"orderId": order_id, "amount": 29_000, "cardNumber": "4300-0000-0000-0001",
        "manualConfirmation": false});
    let url = format!("{}/_sandbox/portone/payment-auth", app.sandbox.base_url());
    let paid = reqwest::Client::new().post(url).json(&payer).send().await.expect("the sandbox answers");
    assert_eq!(paid.status(), 200);
    let is_paid = async {
        while app.each_payments("status").await != ["SUCCESS"] {
            tokio::time::sleep(Duration::from_millis(20)).await;
            app.sweep().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), is_paid).await.expect("the webhook pays the order");
    assert_eq!(app.current().await["plan"], "BASIC");
    assert_eq!(app.provider_totals(), (29_000, 0));
    app.books_are_right().await;
}

async fn can_only_go_back(app: &TestApp, taken: i64) {
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["theirAmount"]), (&json!("LATE_APPROVAL"), &json!(taken)));
    assert_eq!(case["possibleResolutions"], json!(["REFUND", "WRITE_OFF"]));
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [taken]);
    app.books_are_right().await;
}

#[tokio::test]
async fn for_a_business_that_subscribed_otherwise_meanwhile_it_can_only_go_back() {
    let app = TestApp::start().await;
    let order_id = ordered(&app).await;
    app.subscribed().await;
    app.charges_at_the_console(&order_id, 29_000).await;
    hears_of(&app, &order_id).await;
    assert_eq!(app.each_payments("status").await, ["REQUESTED", "SUCCESS"]);
    can_only_go_back(&app, 29_000).await;
    assert_eq!(app.current().await["status"], "ACTIVE");
}

#[tokio::test]
async fn for_an_order_that_expired_it_can_only_go_back() {
    let app = TestApp::start().await;
    let order_id = ordered(&app).await;
    app.pass(TimeDelta::hours(2));
    app.sweep().await;
    app.charges_at_the_console(&order_id, 29_000).await;
    hears_of(&app, &order_id).await;
    assert_eq!(app.each_payments("status").await, ["EXPIRED"]);
    can_only_go_back(&app, 29_000).await;
    assert_eq!(app.current().await["plan"], "FREE");
}

#[tokio::test]
async fn for_another_amount_than_was_ordered_it_can_only_go_back() {
    let app = TestApp::start().await;
    let order_id = ordered(&app).await;
    app.charges_at_the_console(&order_id, 100).await;
    hears_of(&app, &order_id).await;
    assert_eq!(app.each_payments("status").await, ["REQUESTED"]);
    can_only_go_back(&app, 100).await;
    assert_eq!(app.current().await["plan"], "FREE");
}

/// The webhook may come while the payer's own confirm is under way, and come twice.
#[tokio::test]
async fn a_confirm_and_webhooks_at_once_pay_it_once() {
    let app = TestApp::start().await;
    let order_id = ordered(&app).await;
    let payment_key = app.charges_at_the_console(&order_id, 29_000).await;
    let confirmation = json!({"orderId": order_id, "paymentKey": payment_key, "amount": 29_000});
    let owner = app.owner();
    tokio::join!(hears_of(&app, &order_id), confirms(&owner, &confirmation), app.sweep());
    hears_of(&app, &order_id).await;
    app.time_passes_until("2026-02-01T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!((app.provider_totals(), app.cases().await), ((29_000, 0), vec![]));
    app.books_are_right().await;
}

//! What a provider says about a business's own contract comes to an address of its own.

use axum::http::Method;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Answer, Capabilities, Card, TestApp};

use super::{id, registers, with_a_contract};

async fn arrives(app: &TestApp, path: &str, body: &str) -> Answer {
    app.anonymous()
        .with_header("tosspayments-webhook-transmission-id", "whtrans_1")
        .send(Method::POST, path, Some(body.as_bytes().to_vec()))
        .await
}

#[tokio::test]
async fn a_webhook_is_acted_on_by_asking_under_the_contract() {
    let (app, contract) = with_a_contract().await;
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Confirm));
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    let lost = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    assert_eq!(lost.status, 202, "{}", lost.body);

    let body = json!({
        "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-02-01T08:30:00.000000",
        "data": {"orderId": order_id, "paymentKey": payment_key, "status": "DONE"},
    });
    let path = contract["webhookPath"].as_str().expect("a path").to_owned();
    assert_eq!(arrives(&app, &path, &body.to_string()).await.status, 200);
    app.pass(chrono::TimeDelta::seconds(6));
    app.sweep().await;
    assert_eq!(app.current().await["plan"], "BASIC");
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    let for_the_contract =
        "billing.webhook where merchant_account_id <> '00000000-0000-0000-0000-000000000000'";
    assert_eq!(app.count(for_the_contract).await, 1);
}

/// Under each contract an order number is another order.
#[tokio::test]
async fn what_was_paid_under_another_contract_pays_no_order_of_this_one() {
    let (app, _) = with_a_contract().await;
    // As at KCP, a payment is found by the key that the webhook names.
    app.provider.declares(|as_it_is| Capabilities { finds_by_order: false, ..as_it_is });
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Confirm));
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    assert_eq!(app.owner().post("/api/payments/toss/confirm", confirmation).await.status, 202);

    app.charges_at_the_console(&order_id, 29_000).await;
    let theirs = app.approved()[0].payment_key.clone();
    let data = json!({"orderId": order_id, "paymentKey": theirs, "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    app.pass(chrono::TimeDelta::seconds(6));
    assert_eq!(app.webhook("whtrans_platform", &body).await.status, 200);
    app.app.billing.act_on_webhooks().await.expect("the webhook is acted on");
    assert_eq!(app.each_payments("status").await, ["PROCESSING"]);

    app.time_passes_until("2026-02-01T23:00").await;
    assert_ne!(app.provider_key(101).await, theirs);
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("UNKNOWN_CHARGE"), &Value::Null));
    assert_eq!((&case["paymentKey"], &case["merchantAccountId"]), (&json!(theirs), &Value::Null));
}

#[tokio::test]
async fn the_address_of_a_contract_takes_what_is_signed_with_its_secret_alone() {
    let app = TestApp::start().await;
    let credentials = json!({
        "apiSecret": "secret-of-the-salon", "storeId": sandbox::PORTONE_STORE_ID,
        "channelKey": sandbox::PORTONE_CHANNEL_KEY, "webhookSecret": "whsec_c2Fsb24tc2Fsb24tc2Fsb24tc2Fsb24=",
    });
    let contract = registers(&app, 1, "PORTONE", credentials).await.data().clone();
    let path = contract["webhookPath"].as_str().expect("a path");
    let address = app.listens().await;
    // The sandbox signs with the platform's secret.
    for (path, status) in [(path, 401), ("/api/webhooks/portone", 200)] {
        app.sandbox.set_portone_webhook_url(Some(format!("http://{address}{path}")));
        let url = format!("{}/_sandbox/portone/webhooks", app.sandbox.base_url());
        let order = json!({"type": "BillingKey.Issued", "data": {}});
        let sent = reqwest::Client::new().post(url).json(&order).send().await.expect("the sandbox answers");
        let sent: Value = sent.json().await.expect("what came of it");
        assert_eq!(sent["attempts"][0]["status"], status, "{sent}");
    }
}

/// Else whoever guesses an id could keep a contract's news from being heard, by way of the platform's address.
#[tokio::test]
async fn the_same_delivery_id_at_two_addresses_is_two_deliveries() {
    let (app, contract) = with_a_contract().await;
    let path = contract["webhookPath"].as_str().expect("a path");
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": {"orderId": "dg_1", "status": "DONE"}});
    for path in ["/api/webhooks/toss", path, path] {
        assert_eq!(arrives(&app, path, &body.to_string()).await.status, 200);
    }
    assert_eq!(app.count("billing.webhook").await, 2);
}

#[tokio::test]
async fn an_address_that_is_no_contracts_is_not_found() {
    let (app, contract) = with_a_contract().await;
    let id = id(&contract);
    for path in [
        format!("/api/webhooks/kcp/{id}"),
        format!("/api/webhooks/nova/{id}"),
        "/api/webhooks/toss/ma_0199f6b2c0de7a52a0f1d2c3b4a59687".to_owned(),
        "/api/webhooks/toss/salon".to_owned(),
    ] {
        arrives(&app, &path, "{}").await.problem(404, "NOT_FOUND");
    }
    let path = contract["webhookPath"].as_str().expect("a path");
    for body in ["", "{", "[]", "null", "\u{0}"] {
        arrives(&app, path, body).await.problem(400, "MALFORMED_WEBHOOK");
    }
}

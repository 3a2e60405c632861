//! The whole life of a subscription, at each provider the same.

use sandbox::Provider;
use serde_json::{Value, json};
use testkit::{Card, TestApp, name};

#[tokio::test]
async fn at_every_provider_a_salon_subscribes_renews_is_declined_is_refunded_and_cancels() {
    for provider in [Provider::Toss, Provider::PortOne, Provider::Kcp, Provider::Bootpay] {
        let app = TestApp::start().await;
        let started = app.subscribes_at(provider).await;
        assert_eq!(started["nextPaymentDate"], "2026-03-01", "{provider:?}");
        assert_eq!(app.current().await["paymentMethod"]["provider"], name(provider));
        app.time_passes_until("2026-03-01T10:05").await;
        is_declined_once_and_pays_on_the_retry_day(&app, provider).await;
        is_refunded_in_parts(&app, provider).await;
        cancels(&app, provider).await;
        assert_eq!(app.charged_at(), [name(provider); 3]);
        assert_eq!(app.provider_totals(), (3 * 29_000, 29_000), "{provider:?}");
        app.books_are_right().await;
        assert!(app.cases().await.is_empty(), "{provider:?}: {:?}", app.cases().await);
    }
}

async fn is_declined_once_and_pays_on_the_retry_day(app: &TestApp, provider: Provider) {
    app.cards_become_at(provider, Card::InsufficientFunds).await;
    app.time_passes_until("2026-04-01T10:05").await;
    let current = app.current().await;
    assert_eq!(current["status"], "PAST_DUE", "{provider:?}");
    assert_eq!(
        current["openInvoice"]["lastFailure"]["declineClass"], "RETRY_LATER",
        "{provider:?}: {current}"
    );
    app.cards_become_at(provider, Card::Good).await;
    app.time_passes_until("2026-04-04T10:05").await;
    assert_eq!(
        app.each_payments("status").await,
        ["SUCCESS", "SUCCESS", "FAILED", "SUCCESS"],
        "{provider:?}"
    );
    assert_eq!(app.current().await["nextPaymentDate"], "2026-05-01", "{provider:?}");
}

async fn is_refunded_in_parts(app: &TestApp, provider: Provider) {
    let payment = app.payments().await[0]["paymentId"].clone();
    let path = format!("/api/payments/{payment}/partial-refund");
    for (amount, status) in [(9_000, "PARTIAL_REFUNDED"), (20_000, "REFUNDED")] {
        let part = json!({"amount": amount, "reason": "부분 환불"});
        app.owner().patch(&path, part).await.data();
        assert_eq!(app.each_payments("status").await[0], status, "{provider:?}");
    }
    let more = app.owner().patch(&path, json!({"amount": 1, "reason": "부분 환불"})).await;
    assert_eq!(more.status, 422, "{provider:?}: {}", more.body);
}

async fn cancels(app: &TestApp, provider: Provider) {
    let canceled = app.owner().post("/api/subscriptions/cancel", json!({"reason": "폐업"})).await;
    canceled.data();
    app.time_passes_until("2026-05-02T10:00").await;
    assert_eq!(app.current().await["status"], "ENDED", "{provider:?}");
    let kept = app.count("billing.payment_method where status <> 'RELEASED'").await;
    assert_eq!(kept, 0, "{provider:?}: its key is deleted");
}

/// What Swagger UI offers for an operation, one for each provider.
fn examples(path: &str) -> Vec<Value> {
    let document = gateway::cli::openapi_json().expect("the document is generated");
    let document: Value = serde_json::from_str(&document).expect("the document is JSON");
    let offered = &document["paths"][path]["post"]["requestBody"]["content"]["application/json"]["examples"];
    let offered = offered.as_object().expect("named examples").values();
    offered.map(|example| example["value"].clone()).collect()
}

#[tokio::test]
async fn the_documents_examples_work_when_pressed_at_every_provider() {
    let registrations = examples("/api/payments/billing-key");
    let providers: Vec<_> = registrations.iter().map(|example| example["provider"].clone()).collect();
    assert_eq!(providers.len(), 4, "{providers:?}");
    for registration in registrations {
        let app = TestApp::start().await;
        let started = app.owner().post("/api/payments/billing-key", registration.clone()).await;
        assert_eq!(started.status, 200, "{registration}: {}", started.body);
        assert_eq!(app.current().await["paymentMethod"]["provider"], registration["provider"]);
    }
    for confirmation in examples("/api/payments/confirm") {
        // A receipt of Bootpay's holds the order, so there can be none that fits any.
        if confirmation["provider"] == "BOOTPAY" {
            continue;
        }
        let app = TestApp::start().await;
        let confirmed = app.owner().post("/api/payments/confirm", confirmation.clone()).await;
        assert_eq!(confirmed.status, 200, "{confirmation}: {}", confirmed.body);
    }
}

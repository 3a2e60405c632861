//! Which provider a business is led to, and which of its cards is charged.

mod backups;
mod breakers;
mod every_provider;
mod moving;
mod rules;
mod same_key;

use sandbox::{FaultKind, Provider};
use serde_json::{Value, json};
use testkit::{Card, TestApp};

/// So many lost answers in a row open a breaker.
const ENOUGH: i64 = 20;

/// Business 1 has its first card at Toss and one at `PortOne` to fall back on.
async fn with_a_backup() -> TestApp {
    let app = TestApp::start().await;
    app.subscribes_at(Provider::Toss).await;
    app.adds_backup_at(Provider::PortOne, Card::Good).await.data();
    app
}

/// From now on Toss answers no charge, and so many businesses found out that its breaker is open.
async fn toss_goes_down(app: &TestApp) {
    app.charges_meet(Provider::Toss, FaultKind::DropResponse);
    for business in 100..100 + ENOUGH {
        let registration = app.registration_at(Provider::Toss, Card::Good).await;
        let answer = app.owner_of(business).post("/api/payments/billing-key", registration).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
    }
}

/// The state of Toss's breaker, as operators see it.
async fn breaker(app: &TestApp) -> Value {
    app.provider_view(Provider::Toss).await["breaker"].clone()
}

/// What business 1 was asked for, oldest first: provider and status.
async fn asked(app: &TestApp) -> Vec<(Value, Value)> {
    let mut asked = Vec::new();
    for payment in app.payments().await {
        let path = format!("/api/payments/{}", payment["paymentId"]);
        let detail = app.owner().get(&path).await.data().clone();
        asked.push((detail["provider"].clone(), detail["status"].clone()));
    }
    asked
}

/// The same, written shorter in a test.
fn each(expected: &[(&str, &str)]) -> Vec<(Value, Value)> {
    expected.iter().map(|(provider, status)| (json!(provider), json!(status))).collect()
}

/// The cards of business 1: provider and what it is kept for.
async fn cards(app: &TestApp) -> Vec<(Value, Value)> {
    let answer = app.owner().get("/api/subscriptions/payment-methods").await;
    let cards = answer.data().as_array().expect("a list").iter();
    cards.map(|card| (card["provider"].clone(), card["standby"].clone())).collect()
}

/// The handle of the card that business 1 has at a provider.
async fn card_at(app: &TestApp, provider: Provider) -> String {
    let answer = app.owner().get("/api/subscriptions/payment-methods").await;
    let mut cards = answer.data().as_array().expect("a list").iter();
    let card = cards.find(|card| card["provider"] == testkit::name(provider)).expect("a card there");
    card["billingKey"].as_str().expect("a handle").to_owned()
}

/// Business 1 has one card the less, or is told why not.
async fn removes(app: &TestApp, card: &str) -> testkit::Answer {
    let path = format!("/api/subscriptions/payment-methods/{card}");
    app.owner().send(axum::http::Method::DELETE, &path, None).await
}

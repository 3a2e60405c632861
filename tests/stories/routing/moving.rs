//! Moving to another provider.

use sandbox::Provider::{PortOne, Toss};
use serde_json::{Value, json};
use testkit::{Card, TestApp};

use super::{cards, with_a_backup};

#[tokio::test]
async fn the_old_key_is_kept_until_the_new_provider_has_charged_once() {
    let app = TestApp::start().await;
    app.subscribes_at(Toss).await;
    let new = app.new_card_at(PortOne, Card::Good).await;
    app.owner().put("/api/subscriptions/payment-method", new).await.data();
    app.sweep().await;
    let kept = [(json!("PORTONE"), Value::Null), (json!("TOSS"), json!("PREDECESSOR"))];
    assert_eq!(cards(&app).await, kept);
    assert_eq!(app.deleted_keys(), 0);

    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(app.charged_at(), ["TOSS", "PORTONE"]);
    assert_eq!(cards(&app).await, [(json!("PORTONE"), Value::Null)]);
    assert_eq!(app.deleted_keys(), 1);
    app.books_are_right().await;
}

#[tokio::test]
async fn while_the_new_card_is_declined_the_old_one_pays() {
    let app = TestApp::start().await;
    app.subscribes_at(Toss).await;
    let new = app.new_card_at(PortOne, Card::InsufficientFunds).await;
    app.owner().put("/api/subscriptions/payment-method", new).await.data();
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(app.charged_at(), ["TOSS", "TOSS"]);
    assert_eq!(app.current().await["status"], "ACTIVE");
}

#[tokio::test]
async fn a_backup_at_the_new_provider_is_not_needed_any_more() {
    let app = with_a_backup().await;
    let new = app.new_card_at(PortOne, Card::Good).await;
    app.owner().put("/api/subscriptions/payment-method", new).await.data();
    app.sweep().await;
    assert_eq!(app.deleted_portone_keys(), 1);
    assert_eq!(cards(&app).await.len(), 2, "the new one and its predecessor");
}

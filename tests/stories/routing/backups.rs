//! A card to fall back on.

use sandbox::{
    BookStatus, Fault, FaultKind, Operation,
    Provider::{Kcp, PortOne, Toss},
};
use serde_json::{Value, json};
use testkit::{Card, TestApp, name};

use super::{asked, card_at, cards, each, removes, with_a_backup};

#[tokio::test]
async fn a_backup_is_added_listed_and_removed_and_there_is_one_for_each_provider() {
    let app = with_a_backup().await;
    let listed = [("TOSS", Value::Null), ("PORTONE", json!("BACKUP"))];
    assert_eq!(cards(&app).await, listed.clone().map(|(provider, standby)| (json!(provider), standby)));
    for taken in [Toss, PortOne] {
        app.adds_backup_at(taken, Card::Good).await.problem(409, "CARD_AT_PROVIDER_EXISTS");
    }
    app.adds_backup_at(Kcp, Card::Good).await.data();
    assert_eq!(cards(&app).await.len(), 3);

    let backup = card_at(&app, PortOne).await;
    assert_eq!(removes(&app, &backup).await.status, 204);
    app.sweep().await;
    assert_eq!(app.deleted_portone_keys(), 1);
    removes(&app, &backup).await.problem(404, "NOT_FOUND");
    let left = cards(&app).await;
    assert_eq!(left, [(json!("TOSS"), Value::Null), (json!("KCP"), json!("BACKUP"))]);
}

#[tokio::test]
async fn the_card_that_is_charged_is_replaced_and_not_removed() {
    let app = with_a_backup().await;
    let first = card_at(&app, Toss).await;
    removes(&app, &first).await.problem(409, "CARD_IN_USE");
    assert_eq!(app.deleted_keys(), 0);
}

#[tokio::test]
async fn only_a_subscription_that_renews_has_a_use_for_a_backup() {
    let app = TestApp::start().await;
    app.adds_backup_at(PortOne, Card::Good).await.problem(404, "NO_SUBSCRIPTION");
    app.subscribes_at(Toss).await;
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.adds_backup_at(PortOne, Card::Good).await.problem(409, "NOT_RENEWING");
}

#[tokio::test]
async fn a_declined_renewal_goes_to_the_backup_at_once_and_the_next_month_begins_with_the_first_card() {
    let app = with_a_backup().await;
    app.cards_become_at(Toss, Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-01T10:01").await;
    let march = [("TOSS", "SUCCESS"), ("TOSS", "FAILED"), ("PORTONE", "SUCCESS")];
    assert_eq!(asked(&app).await, each(&march));
    let current = app.current().await;
    assert_eq!((&current["status"], &current["openInvoice"]), (&json!("ACTIVE"), &Value::Null));
    assert_eq!(app.count("billing.invoice where retries_used > 0").await, 0);
    assert!(!app.story().await.iter().any(|event| event == "payment.failed"), "the salon hears nothing");

    app.cards_become_at(Toss, Card::Good).await;
    app.time_passes_until("2026-04-01T10:05").await;
    assert_eq!(app.charged_at(), ["TOSS", "PORTONE", "TOSS"]);
    app.books_are_right().await;
}

#[tokio::test]
async fn what_fraud_screening_refuses_is_not_tried_elsewhere() {
    let app = with_a_backup().await;
    app.charges_meet(Toss, FaultKind::Decline { code: "FDS_ERROR".to_owned() });
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS"), ("TOSS", "FAILED")]));
    assert_eq!(app.current().await["status"], "PAST_DUE");
}

#[tokio::test]
async fn an_unknown_renewal_never_goes_to_the_backup_while_it_is_unknown() {
    let app = with_a_backup().await;
    // Made, and nobody can be asked about it.
    app.charges_meet(Toss, FaultKind::DropResponse);
    let silent = Fault::new(FaultKind::Refuse).on(Operation::Lookup).until_cleared();
    app.sandbox.add_fault(Fault { provider: Some(Toss), ..silent });
    app.time_passes_until("2026-03-01T22:00").await;
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS"), ("TOSS", "PROCESSING")]));
    assert_eq!(app.charged_at(), ["TOSS", "TOSS"]);

    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-02T12:00").await;
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS"), ("TOSS", "SUCCESS")]));
    assert_eq!(app.charged_at(), ["TOSS", "TOSS"]);
    app.books_are_right().await;
}

#[tokio::test]
async fn when_both_decline_the_retry_day_begins_with_the_first_card() {
    let app = with_a_backup().await;
    for provider in [Toss, PortOne] {
        app.cards_become_at(provider, Card::InsufficientFunds).await;
    }
    app.time_passes_until("2026-03-03T12:00").await;
    assert_eq!(declined_at(&app), ["TOSS", "PORTONE"]);
    let current = app.current().await;
    assert_eq!(current["status"], "PAST_DUE");
    assert_eq!(current["openInvoice"]["nextAttemptAt"], "2026-03-04T10:00:00+09:00");

    app.time_passes_until("2026-03-05T12:00").await;
    assert_eq!(declined_at(&app), ["TOSS", "PORTONE", "TOSS", "PORTONE"]);
    assert_eq!(app.count("billing.invoice where retries_used = 1").await, 1);
    app.cards_become_at(PortOne, Card::Good).await;
    app.time_passes_until("2026-03-08T12:00").await;
    assert_eq!(declined_at(&app).len(), 5);
    assert_eq!(app.charged_at(), ["TOSS", "PORTONE"]);
    assert_eq!(app.current().await["status"], "ACTIVE");
    app.books_are_right().await;
}

fn declined_at(app: &TestApp) -> Vec<&'static str> {
    let book = app.sandbox.book();
    let declined = book.iter().filter(|entry| entry.status == BookStatus::Declined);
    declined.map(|entry| name(entry.provider)).collect()
}

//! Cancelling a subscription.

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Answer, Card, TestApp};

async fn cancels(app: &TestApp) -> Answer {
    let subscription = app.current().await["subscriptionId"].clone();
    let cancel = json!({"subscriptionId": subscription, "reason": "서비스를 더 이상 사용하지 않음"});
    app.owner().post("/api/subscriptions/cancel", cancel).await
}

#[tokio::test]
async fn a_cancelled_subscription_lasts_as_long_as_it_is_paid_for() {
    let app = TestApp::start().await;
    app.subscribes("PRO", "MONTHLY").await;
    let answer = cancels(&app).await;
    assert_eq!(answer.data()["status"], "NON_RENEWING");
    assert_eq!(answer.data()["accessUntil"], "2026-03-01");
    assert_eq!(answer.data()["message"], "구독 해지가 예약되었습니다.");

    app.time_passes_until("2026-02-28T23:59").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("NON_RENEWING"), &json!("PRO")));
    assert_eq!(current["features"], json!(["EXPORTS", "CRM"]));
    assert_eq!((&current["accessUntil"], &current["nextPaymentDate"]), (&json!("2026-03-01"), &Value::Null));
    assert_eq!(current["cancelReason"], "서비스를 더 이상 사용하지 않음");
    assert!(current["canceledAt"].is_string() && current["endedAt"].is_null(), "{current}");

    app.time_passes_until("2026-03-01T00:00").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("ENDED"), &json!("FREE")));
    assert_eq!((&current["endReason"], &current["paymentMethod"]), (&json!("CANCELED"), &Value::Null));
    let story = app.story().await;
    assert_eq!(story[2..], ["subscription.canceled", "subscription.expiring", "subscription.ended"]);
}

#[tokio::test]
async fn nothing_is_charged_after_a_cancel() {
    let app = TestApp::start().await;
    app.subscribed().await;
    cancels(&app).await.data();
    app.time_passes_until("2026-12-01T00:00").await;
    assert_eq!(app.sandbox.book().len(), 1);
    assert_eq!(app.deleted_keys(), 1);
}

#[tokio::test]
async fn cancelling_twice_is_cancelling() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let first = cancels(&app).await;
    app.pass(TimeDelta::hours(1));
    let again = cancels(&app).await;
    assert_eq!(again.data(), first.data());
    assert_eq!(app.story().await.iter().filter(|kind| *kind == "subscription.canceled").count(), 1);
}

#[tokio::test]
async fn a_subscription_that_is_past_due_ends_at_once_and_owes_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-02T00:00").await;
    let answer = cancels(&app).await;
    assert_eq!((&answer.data()["status"], &answer.data()["accessUntil"]), (&json!("ENDED"), &Value::Null));
    assert_eq!(answer.data()["message"], "구독이 해지되었습니다.");
    let current = app.current().await;
    assert_eq!((&current["plan"], &current["openInvoice"]), (&json!("FREE"), &Value::Null));
    assert_eq!(current["endReason"], "CANCELED");
    assert_eq!(app.count("billing.invoice where status = 'VOID'").await, 1);
    assert_eq!(app.story().await[4..], ["subscription.canceled", "subscription.ended"]);
    app.time_passes_until("2026-03-10T00:00").await;
    assert_eq!((app.sandbox.book().len(), app.deleted_keys()), (2, 1), "no retry, and the key is gone");
}

#[tokio::test]
async fn a_suspended_subscription_ends_at_once() {
    let app = TestApp::start().await;
    app.sql("update billing.plan set retry_days = '{1}', when_exhausted = 'SUSPEND' where code = 'BASIC'")
        .await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-05T00:00").await;
    assert_eq!(cancels(&app).await.data()["status"], "ENDED");
    assert_eq!(app.current().await["openInvoice"], Value::Null);
}

#[tokio::test]
async fn who_cancelled_can_subscribe_again_once_it_ended() {
    let app = TestApp::start().await;
    app.subscribed().await;
    cancels(&app).await.data();
    let too_early = app.owner().post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await;
    too_early.problem(409, "ALREADY_SUBSCRIBED");
    app.time_passes_until("2026-03-01T00:00").await;
    let again = app.subscribes("PRO", "MONTHLY").await;
    assert_eq!(again["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.current().await["status"], "ACTIVE");
    cancels(&app).await.data();
    assert_eq!(app.current().await["subscriptionId"], again["subscriptionId"]);
}

#[tokio::test]
async fn what_is_over_or_unknown_cannot_be_cancelled() {
    let app = TestApp::start().await;
    app.subscribed().await;
    cancels(&app).await.data();
    app.time_passes_until("2026-03-01T00:00").await;
    cancels(&app).await.problem(404, "NO_SUBSCRIPTION");
    let stranger = json!({"subscriptionId": app.current().await["subscriptionId"]});
    app.owner_of(2).post("/api/subscriptions/cancel", stranger).await.problem(404, "NOT_FOUND");
    let not_an_id = json!({"subscriptionId": "sub_1"});
    app.owner().post("/api/subscriptions/cancel", not_an_id).await.problem(422, "VALIDATION_FAILED");
}

#[tokio::test]
async fn while_the_first_charge_is_unknown_there_is_nothing_to_cancel_yet() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let answer = app.owner().post("/api/payments/billing-key", app.registration("BASIC", Card::Good)).await;
    assert_eq!(answer.status, 202);
    cancels(&app).await.problem(409, "PAYMENT_IN_PROGRESS");
    app.pass(TimeDelta::seconds(15));
    app.sweep().await;
    assert_eq!(cancels(&app).await.data()["status"], "NON_RENEWING");
}

#[tokio::test]
async fn a_cancel_during_a_renewal_stands_whatever_becomes_of_the_charge() {
    for (card, until) in [(Card::Good, Some("2026-04-01")), (Card::InsufficientFunds, None)] {
        let app = TestApp::start().await;
        app.subscribed().await;
        app.card_becomes(card);
        app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
        app.time_passes_until("2026-03-01T10:00").await;
        assert_eq!(cancels(&app).await.data()["status"], "NON_RENEWING");
        // A decline leaves no trace at the provider: after a day without one it is certain.
        app.time_passes_until("2026-03-03T00:00").await;
        let current = app.current().await;
        assert_eq!(current["accessUntil"].as_str(), until);
        assert_eq!(current["status"], if until.is_some() { "NON_RENEWING" } else { "ENDED" });
        app.time_passes_until("2026-05-01T00:00").await;
        assert_eq!(app.sandbox.book().len(), 2);
        assert_eq!(app.current().await["endReason"], "CANCELED");
    }
}

#[tokio::test]
async fn who_has_one_subscription_need_not_name_it() {
    let app = TestApp::start().await;
    let cancels = async || app.owner().post("/api/subscriptions/cancel", json!({"reason": "폐업"})).await;
    cancels().await.problem(404, "NO_SUBSCRIPTION");
    let started = app.subscribed().await;
    assert_eq!(cancels().await.data()["subscriptionId"], started["subscriptionId"]);
    assert_eq!(app.current().await["cancelReason"], "폐업");
    app.time_passes_until("2026-03-01T00:00").await;
    cancels().await.problem(404, "NO_SUBSCRIPTION");
}

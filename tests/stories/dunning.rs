//! What happens to a salon whose renewal is declined.

use chrono::TimeDelta;
use sandbox::{BookStatus, Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Card, TestApp};

/// The days on which a charge was asked for, in Korea, and whether it was approved.
fn asked_on(app: &TestApp) -> Vec<(String, bool)> {
    let book = app.sandbox.book();
    book.iter()
        .map(|line| (line.at.to_string()[..13].to_owned(), line.status == BookStatus::Approved))
        .collect()
}

/// Business 1 subscribed on 1 February; its card goes bad.
async fn with_a_bad_card(card: Card) -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(card);
    app
}

/// The next charge is declined with this code, whatever the card.
fn decline_once(app: &TestApp, code: &str) {
    app.sandbox.add_fault(Fault::new(FaultKind::Decline { code: code.to_owned() }).on(Operation::Charge));
}

#[tokio::test]
async fn a_declined_renewal_is_past_due_and_keeps_its_access() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-01T10:00").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("PAST_DUE"), &json!("BASIC")));
    assert_eq!(current["paymentMethod"]["isUsable"], true);
    let owed = &current["openInvoice"];
    assert_eq!((&owed["amount"], &owed["dueDate"]), (&json!(29_000), &json!("2026-03-01")));
    assert_eq!((&owed["supplyAmount"], &owed["vatAmount"]), (&json!(26_364), &json!(2_636)));
    assert_eq!(owed["nextAttemptAt"], "2026-03-04T10:00:00+09:00");
    assert_eq!(owed["paymentInProgress"], false);
    assert_eq!(owed["lastFailure"]["providerCode"], "REJECT_CARD_PAYMENT");
    assert_eq!(
        app.story().await,
        ["payment.succeeded", "subscription.started", "payment.failed", "subscription.past_due"]
    );
}

#[tokio::test]
async fn it_is_tried_again_on_day_three_and_seven_and_then_downgraded() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-08T09:59").await;
    assert_eq!(app.current().await["status"], "PAST_DUE");
    app.time_passes_until("2026-04-01T12:00").await;

    let hours = ["2026-02-01T08", "2026-03-01T10", "2026-03-04T10", "2026-03-08T10"];
    assert_eq!(asked_on(&app), hours.map(|hour| (hour.to_owned(), hour.starts_with("2026-02"))));
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("ENDED"), &json!("FREE")));
    assert_eq!(current["endReason"], "DOWNGRADED");
    assert_eq!((&current["openInvoice"], &current["features"]), (&Value::Null, &json!([])));
    assert_eq!(app.deleted_keys(), 1);
    assert_eq!(app.each_payments("reason").await, ["FIRST", "RENEWAL", "DUNNING", "DUNNING"]);
    assert_eq!(
        app.story().await[2..],
        [
            "payment.failed",
            "subscription.past_due",
            "payment.failed",
            "payment.failed",
            "subscription.downgraded",
            "subscription.ended"
        ]
    );
}

#[tokio::test]
async fn each_failure_says_when_it_is_tried_again() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-08T10:00").await;
    let events = app.owner().get("/api/subscriptions/current/events").await;
    let failures = events.data().as_array().expect("a list").iter().rev();
    let next: Vec<_> = failures
        .filter(|event| event["type"] == "payment.failed")
        .map(|event| event["data"]["nextAttemptDate"].clone())
        .collect();
    assert_eq!(next, [json!("2026-03-04"), json!("2026-03-08"), Value::Null]);
}

#[tokio::test]
async fn after_a_downgrade_the_salon_can_subscribe_again() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-08T10:00").await;
    let again = app.subscribes("PRO", "MONTHLY").await;
    assert_eq!(again["nextPaymentDate"], "2026-04-08", "a new anchor day");
    assert_eq!(app.current().await["plan"], "PRO");
}

#[tokio::test]
async fn a_retry_that_succeeds_brings_it_back_and_keeps_the_anchor_day() {
    for (recovers_on, asked) in [("2026-03-04", 2), ("2026-03-08", 3)] {
        let app = with_a_bad_card(Card::LimitExceeded).await;
        app.time_passes_until(&format!("{recovers_on}T09:00")).await;
        app.card_becomes(Card::Good);
        app.time_passes_until(&format!("{recovers_on}T10:00")).await;
        let current = app.current().await;
        assert_eq!(
            (&current["status"], &current["nextPaymentDate"]),
            (&json!("ACTIVE"), &json!("2026-04-01"))
        );
        assert_eq!(current["currentPeriod"], json!({"from": "2026-03-01", "until": "2026-04-01"}));
        assert_eq!(app.sandbox.book().len(), 1 + asked);
        assert_eq!(app.story().await.last().map(String::as_str), Some("subscription.recovered"));
        app.time_passes_until("2026-04-01T10:00").await;
        assert_eq!(app.provider_totals(), (3 * 29_000, 0));
        assert_eq!(app.current().await["nextPaymentDate"], "2026-05-01");
    }
}

#[tokio::test]
async fn a_card_that_will_never_work_is_not_charged_again_and_the_deadline_stays() {
    let app = with_a_bad_card(Card::Suspended).await;
    app.time_passes_until("2026-03-01T10:00").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("PAST_DUE"), &json!("BASIC")));
    assert_eq!(current["paymentMethod"]["isUsable"], false);
    app.time_passes_until("2026-03-08T09:59").await;
    assert_eq!(app.sandbox.book().len(), 2, "one approved, one declined, none after");
    assert_eq!(app.current().await["status"], "PAST_DUE");
    app.time_passes_until("2026-03-08T10:00").await;
    assert_eq!(app.current().await["endReason"], "DOWNGRADED");
    assert_eq!(app.sandbox.book().len(), 2);
    assert_eq!(
        app.story().await[2..],
        ["payment.failed", "subscription.past_due", "subscription.downgraded", "subscription.ended"]
    );
}

#[tokio::test]
async fn the_owner_of_a_dead_card_pays_with_another() {
    let app = with_a_bad_card(Card::Suspended).await;
    app.time_passes_until("2026-03-02T15:00").await;
    let replacement = json!({"authKey": app.auth_key(Card::Good), "customerKey": "user_1"});
    let answer = app.owner().put("/api/subscriptions/payment-method", replacement).await;
    assert_eq!(answer.data()["paymentMethod"]["isUsable"], true);
    let current = app.current().await;
    assert_eq!((&current["status"], &current["nextPaymentDate"]), (&json!("ACTIVE"), &json!("2026-04-01")));
    assert_eq!(
        app.story().await[4..],
        ["payment_method.replaced", "payment.succeeded", "subscription.recovered"]
    );
}

#[tokio::test]
async fn another_plan_may_have_other_days_and_suspend() {
    let app = TestApp::start().await;
    app.sql("update billing.plan set retry_days = '{1,2,5}', when_exhausted = 'SUSPEND' where code = 'PRO'")
        .await;
    app.subscribes("PRO", "MONTHLY").await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-07T00:00").await;

    let hours = ["2026-02-01T08", "2026-03-01T10", "2026-03-02T10", "2026-03-03T10", "2026-03-06T10"];
    assert_eq!(asked_on(&app), hours.map(|hour| (hour.to_owned(), hour.starts_with("2026-02"))));
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("SUSPENDED"), &json!("FREE")));
    assert_eq!(
        (&current["subscribedPlan"], &current["openInvoice"]["amount"]),
        (&json!("PRO"), &json!(59_000))
    );
    assert_eq!(current["openInvoice"]["nextAttemptAt"], Value::Null);
    assert_eq!(app.story().await.last().map(String::as_str), Some("subscription.suspended"));
    // It stays so until somebody pays.
    app.time_passes_until("2026-06-01T00:00").await;
    assert_eq!((app.sandbox.book().len(), app.deleted_keys()), (5, 0));
}

#[tokio::test]
async fn a_new_card_brings_a_suspended_subscription_back() {
    let app = TestApp::start().await;
    app.sql("update billing.plan set retry_days = '{1}', when_exhausted = 'SUSPEND' where code = 'PRO'")
        .await;
    app.subscribes("PRO", "MONTHLY").await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-15T00:00").await;
    assert_eq!(app.current().await["status"], "SUSPENDED");

    let replaces = |card| json!({"authKey": app.auth_key(card), "customerKey": "user_1"});
    let in_vain = app.owner().put("/api/subscriptions/payment-method", replaces(Card::LimitExceeded)).await;
    in_vain.problem(402, "CARD_DECLINED");
    assert_eq!(app.current().await["status"], "SUSPENDED");
    let paid = app.owner().put("/api/subscriptions/payment-method", replaces(Card::Good)).await;
    assert_eq!(paid.data()["message"], "결제 카드가 변경되고 미납 금액이 결제되었습니다.");
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("ACTIVE"), &json!("PRO")));
    assert_eq!((&current["openInvoice"], &current["nextPaymentDate"]), (&Value::Null, &json!("2026-04-01")));
    assert_eq!(app.story().await.last().map(String::as_str), Some("subscription.recovered"));
}

#[tokio::test]
async fn months_without_access_are_not_charged_for_when_a_suspended_salon_comes_back() {
    let app = TestApp::start().await;
    app.sql("update billing.plan set retry_days = '{1}', when_exhausted = 'SUSPEND' where code = 'PRO'")
        .await;
    app.subscribes("PRO", "MONTHLY").await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-10-20T00:00").await;
    assert_eq!(app.current().await["status"], "SUSPENDED");

    let good = json!({"authKey": app.auth_key(Card::Good), "customerKey": "user_1"});
    let paid = app.owner().put("/api/subscriptions/payment-method", good).await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    app.sweep().await;
    assert_eq!(app.approved().len(), 2, "the first month, and the one that begins again");
    let current = app.current().await;
    assert_eq!(current["currentPeriod"], json!({"from": "2026-10-01", "until": "2026-11-01"}));
    assert_eq!(current["nextPaymentDate"], "2026-11-01");
    assert_eq!(app.payments().await.last().expect("a payment")["period"], current["currentPeriod"]);
}

#[tokio::test]
async fn what_is_nobodys_fault_is_not_held_against_the_salon() {
    for code in ["NOT_AVAILABLE_BANK", "UNAUTHORIZED_KEY"] {
        let app = TestApp::start().await;
        app.subscribed().await;
        decline_once(&app, code);
        app.time_passes_until("2026-03-01T10:30").await;
        let current = app.current().await;
        assert_eq!((&current["status"], &current["plan"]), (&json!("ACTIVE"), &json!("BASIC")), "{code}");
        assert_eq!(current["paymentMethod"]["isUsable"], true);
        assert_eq!(app.sandbox.book().len(), 2);
        app.time_passes_until("2026-03-01T11:01").await;
        assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
        assert_eq!(app.provider_totals(), (58_000, 0));
        assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
        assert_eq!(
            app.story().await,
            ["payment.succeeded", "subscription.started", "payment.succeeded"],
            "the shop hears nothing of it"
        );
    }
}

#[tokio::test]
async fn what_is_nobodys_fault_uses_up_no_retry() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-04T09:00").await;
    decline_once(&app, "NOT_AVAILABLE_BANK");
    app.time_passes_until("2026-03-04T10:30").await;
    app.time_passes_until("2026-03-08T12:00").await;
    let hours: Vec<_> = asked_on(&app).into_iter().map(|(hour, _)| hour).skip(2).collect();
    assert_eq!(hours, ["2026-03-04T10", "2026-03-04T11", "2026-03-08T10"]);
    assert_eq!(app.current().await["endReason"], "DOWNGRADED");
}

#[tokio::test]
async fn an_owners_own_attempt_uses_up_no_retry() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-02T12:00").await;
    let current = app.current().await;
    let retry = json!({"subscriptionId": current["subscriptionId"]});
    // Once it is the bank that is closed, once nothing gets through, and once the card is refused.
    decline_once(&app, "NOT_AVAILABLE_BANK");
    let answer = app.owner().post("/api/payments/billing/retry", retry.clone()).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["declineClass"], "TEMPORARY");
    app.time_passes_until("2026-03-02T15:00").await;
    let answer = app.cut_off(&app.owner()).post("/api/payments/billing/retry", retry.clone()).await;
    answer.problem(503, "PROVIDER_UNAVAILABLE");
    app.time_passes_until("2026-03-02T18:00").await;
    app.owner().post("/api/payments/billing/retry", retry).await.problem(402, "CARD_DECLINED");

    assert_eq!(app.current().await["openInvoice"]["nextAttemptAt"], "2026-03-04T10:00:00+09:00");
    app.time_passes_until("2026-03-08T09:59").await;
    assert_eq!(app.current().await["status"], "PAST_DUE", "both retry days were left to it");
    app.time_passes_until("2026-03-08T10:00").await;
    assert_eq!(app.current().await["status"], "ENDED");
    assert_eq!(app.each_payments("status").await.iter().filter(|status| **status == "SUCCESS").count(), 1);
}

#[tokio::test]
async fn a_retry_whose_answer_is_lost_is_not_followed_by_another() {
    let app = with_a_bad_card(Card::InsufficientFunds).await;
    app.time_passes_until("2026-03-04T09:00").await;
    app.card_becomes(Card::Good);
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    app.it_is("2026-03-04T10:00");
    assert_eq!(app.sweep().await.unknown, 1);
    assert_eq!(app.current().await["openInvoice"]["paymentInProgress"], true);
    app.pass(TimeDelta::minutes(1));
    assert_eq!(app.sweep().await.due, 0);
    assert_eq!(app.current().await["status"], "ACTIVE");
    assert_eq!(app.charges(), 2);
}

#[tokio::test]
async fn after_an_outage_a_salon_does_not_run_through_all_of_its_retries_at_once() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.it_is("2026-03-20T12:00");
    app.sweep().await;
    app.sweep().await;
    let current = app.current().await;
    assert_eq!(current["status"], "PAST_DUE");
    assert_eq!(current["openInvoice"]["nextAttemptAt"], "2026-03-21T10:00:00+09:00");
    assert_eq!(app.sandbox.book().len(), 2);
}

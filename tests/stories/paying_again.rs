//! What the owner can do about a failed renewal: try again, or bring another card.

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

async fn retries(actor: &Actor, target: Value) -> Answer {
    actor.post("/api/payments/billing/retry", target).await
}

async fn replaces_the_card(app: &TestApp, card: Card) -> Answer {
    let replacement = json!({"authKey": app.auth_key(card), "customerKey": "user_1"});
    app.owner().put("/api/subscriptions/payment-method", replacement).await
}

/// Business 1 owes for March: payment 102 was declined. Its card is good again.
async fn past_due() -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(app.current().await["status"], "PAST_DUE");
    app.card_becomes(Card::Good);
    app
}

#[tokio::test]
async fn the_owner_tries_the_failed_payment_again() {
    let app = past_due().await;
    let failed = app.current().await["openInvoice"]["lastPaymentId"].clone();
    let answer = retries(&app.owner(), json!({"paymentId": failed})).await;
    assert_eq!(answer.data(), &json!({"paymentId": 103, "status": "SUCCESS"}));
    let current = app.current().await;
    assert_eq!((&current["status"], &current["nextPaymentDate"]), (&json!("ACTIVE"), &json!("2026-04-01")));
    assert_eq!(app.provider_totals(), (58_000, 0));
    assert_eq!(app.each_payments("reason").await, ["FIRST", "RENEWAL", "MANUAL"]);
    // The retry days come and go.
    app.time_passes_until("2026-03-31T23:00").await;
    assert_eq!(app.charges(), 2);
}

#[tokio::test]
async fn the_owner_pays_what_the_subscription_owes() {
    let app = past_due().await;
    let subscription = app.current().await["subscriptionId"].clone();
    let answer = retries(&app.owner(), json!({"subscriptionId": subscription})).await;
    assert_eq!(answer.data()["status"], "SUCCESS");
    assert_eq!(app.story().await[4..], ["payment.succeeded", "subscription.recovered"]);
}

#[tokio::test]
async fn a_platform_operator_does_it_for_the_salon() {
    for target in ["paymentId", "subscriptionId"] {
        let app = past_due().await;
        let current = app.current().await;
        let id = match target {
            "paymentId" => &current["openInvoice"]["lastPaymentId"],
            _ => &current["subscriptionId"],
        };
        let answer = retries(&app.platform_admin(), json!({target: id})).await;
        assert_eq!(answer.data()["status"], "SUCCESS");
        assert_eq!(app.current().await["status"], "ACTIVE");
    }
}

#[tokio::test]
async fn a_retry_that_is_declined_says_why_and_changes_nothing() {
    let app = past_due().await;
    app.card_becomes(Card::LimitExceeded);
    let before = app.current().await;
    let answer = retries(&app.owner(), json!({"paymentId": 102})).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["paymentId"], 103);
    let after = app.current().await;
    assert_eq!(after["status"], "PAST_DUE");
    assert_eq!(after["openInvoice"]["nextAttemptAt"], before["openInvoice"]["nextAttemptAt"]);
}

#[tokio::test]
async fn while_an_attempt_is_open_there_is_no_other() {
    let app = past_due().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let answer = retries(&app.owner(), json!({"paymentId": 102})).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert_eq!(answer.data()["status"], "PROCESSING");
    retries(&app.owner(), json!({"paymentId": 102})).await.problem(409, "PAYMENT_IN_PROGRESS");
    retries(&app.platform_admin(), json!({"paymentId": 103})).await.problem(409, "PAYMENT_IN_PROGRESS");
    app.pass(TimeDelta::seconds(15));
    app.sweep().await;
    // A request that was just refused may hold its locks for a moment longer; the sweep passes over them.
    app.sweep().await;
    assert_eq!(app.current().await["status"], "ACTIVE");
    assert_eq!(app.provider_totals(), (58_000, 0));
}

#[tokio::test]
async fn many_retries_at_once_are_one_charge() {
    let app = past_due().await;
    let owner = app.owner();
    let retry = || retries(&owner, json!({"paymentId": 102}));
    let answers = tokio::join!(retry(), retry(), retry(), retry());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 409).count(), 3);
    assert_eq!(app.provider_totals(), (58_000, 0));
}

#[tokio::test]
async fn where_nothing_is_owed_nothing_is_charged() {
    let app = TestApp::start().await;
    let subscription = app.subscribed().await["subscriptionId"].clone();
    retries(&app.owner(), json!({"paymentId": 101})).await.problem(409, "NOTHING_TO_PAY");
    retries(&app.owner(), json!({"subscriptionId": subscription})).await.problem(409, "NOTHING_TO_PAY");
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn what_was_paid_is_not_paid_again_because_something_else_is_owed() {
    let app = past_due().await;
    retries(&app.owner(), json!({"paymentId": 101})).await.problem(409, "NOTHING_TO_PAY");
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn a_retry_names_one_of_the_two() {
    let app = past_due().await;
    let subscription = app.current().await["subscriptionId"].clone();
    for target in [json!({}), json!({"paymentId": 102, "subscriptionId": subscription})] {
        retries(&app.owner(), target).await.problem(422, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn what_belongs_to_another_business_does_not_exist() {
    let app = past_due().await;
    let subscription = app.current().await["subscriptionId"].clone();
    let stranger = app.owner_of(2);
    retries(&stranger, json!({"paymentId": 102})).await.problem(404, "NOT_FOUND");
    retries(&stranger, json!({"subscriptionId": subscription})).await.problem(404, "NOT_FOUND");
    retries(&app.owner(), json!({"paymentId": 999})).await.problem(404, "NOT_FOUND");
    retries(&app.platform_admin(), json!({"paymentId": 999})).await.problem(404, "NOT_FOUND");
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn a_card_that_will_never_work_is_not_tried_again() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::Suspended);
    app.time_passes_until("2026-03-01T12:00").await;
    retries(&app.owner(), json!({"paymentId": 102})).await.problem(409, "CARD_UNUSABLE");
    assert_eq!(app.sandbox.book().len(), 2);
}

#[tokio::test]
async fn a_new_card_pays_what_is_owed_at_once() {
    let app = past_due().await;
    let old = app.current().await["paymentMethod"]["billingKey"].clone();
    let answer = replaces_the_card(&app, Card::Good).await;
    assert_eq!(answer.data()["paymentId"], 103);
    assert_eq!(answer.data()["message"], "결제 카드가 변경되고 미납 금액이 결제되었습니다.");
    assert_ne!(answer.data()["paymentMethod"]["billingKey"], old);
    assert_eq!(app.current().await["paymentMethod"], answer.data()["paymentMethod"]);
    assert_eq!(app.each_payments("reason").await, ["FIRST", "RENEWAL", "CARD_REPLACED"]);
    assert_eq!(app.provider_totals(), (58_000, 0));
    app.sweep().await;
    assert_eq!(app.deleted_keys(), 1);
}

#[tokio::test]
async fn a_new_card_that_is_declined_is_on_file_all_the_same() {
    let app = past_due().await;
    let answer = replaces_the_card(&app, Card::InsufficientFunds).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["declineClass"], "RETRY_LATER");
    let current = app.current().await;
    assert_eq!(
        (&current["status"], &current["paymentMethod"]["isUsable"]),
        (&json!("PAST_DUE"), &json!(true))
    );
    app.card_becomes(Card::Good);
    app.time_passes_until("2026-03-04T10:00").await;
    assert_eq!(app.current().await["status"], "ACTIVE");
}

#[tokio::test]
async fn a_new_card_is_charged_nothing_when_nothing_is_owed() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let answer = replaces_the_card(&app, Card::Good).await;
    assert_eq!((answer.status.as_u16(), &answer.data()["paymentId"]), (200, &Value::Null));
    assert_eq!(answer.data()["message"], "결제 카드가 변경되었습니다.");
    assert_eq!(app.charges(), 1);
    app.sweep().await;
    assert_eq!(app.deleted_keys(), 1, "the old card's key");
    assert_eq!(app.story().await.last().map(String::as_str), Some("payment_method.replaced"));
    // The next renewal is on the new card.
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.charges(), 2);
}

#[tokio::test]
async fn a_card_replaced_while_a_renewal_is_open_is_charged_only_if_that_one_failed() {
    for (old_card, expected) in [
        (Card::Good, vec!["SUCCESS", "SUCCESS"]),
        (Card::InsufficientFunds, vec!["SUCCESS", "FAILED", "SUCCESS"]),
    ] {
        let app = TestApp::start().await;
        app.subscribed().await;
        app.card_becomes(old_card);
        app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
        app.time_passes_until("2026-03-01T10:00").await;
        let answer = replaces_the_card(&app, Card::Good).await;
        assert_eq!(answer.data()["paymentId"], Value::Null, "one attempt at a time");
        app.time_passes_until("2026-03-01T10:10").await;
        assert_eq!(app.each_payments("status").await, expected);
        assert_eq!(app.current().await["status"], "ACTIVE");
        assert_eq!(
            (app.charges(), app.deleted_keys()),
            (2, 1),
            "the old key is deleted once it is not needed"
        );
    }
}

#[tokio::test]
async fn what_does_not_renew_needs_no_other_card() {
    let app = TestApp::start().await;
    replaces_the_card(&app, Card::Good).await.problem(404, "NO_SUBSCRIPTION");
    let subscription = app.subscribed().await["subscriptionId"].clone();
    let cancel = json!({"subscriptionId": subscription});
    app.owner().post("/api/subscriptions/cancel", cancel).await.data();
    replaces_the_card(&app, Card::Good).await.problem(409, "NOT_RENEWING");
    // Its auth key was not even used.
    assert_eq!(app.count("billing.payment_method").await, 1);
}

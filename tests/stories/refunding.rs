//! Giving money back, all of it or in parts.

mod console;
mod first_answers;
mod in_turn;

use chrono::TimeDelta;
use futures::future::join_all;
use sandbox::{BookKind, Fault, FaultKind, Operation};
use serde_json::json;
use testkit::{Answer, Card, TestApp};

async fn refunds(app: &TestApp, payment: i64) -> Answer {
    app.owner().post(&format!("/api/payments/{payment}/refund"), json!({"reason": "고객 요청"})).await
}

async fn refunds_part(app: &TestApp, payment: i64, amount: i64) -> Answer {
    let part = json!({"amount": amount, "reason": "부분 환불 요청"});
    app.owner().patch(&format!("/api/payments/{payment}/partial-refund"), part).await
}

async fn subscribed() -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app
}

#[tokio::test]
async fn a_full_refund_of_the_current_period_ends_the_access() {
    let app = subscribed().await;
    let answer = refunds(&app, 101).await;
    let refund_id = answer.data()["refundId"].clone();
    assert_eq!(
        answer.data(),
        &json!({
            "paymentId": 101, "refundId": refund_id, "originalAmount": 29_000, "refundedAmount": 29_000,
            "remainingAmount": 0, "status": "REFUNDED", "refundStatus": "SUCCESS",
        })
    );
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("ENDED"), &json!("FREE")));
    assert_eq!(current["endReason"], "REFUNDED");
    assert_eq!(app.story().await[2..], ["payment.refunded", "subscription.ended"]);
    app.time_passes_until("2026-04-01T00:00").await;
    assert_eq!((app.charges(), app.deleted_keys()), (1, 1));
}

#[tokio::test]
async fn a_full_refund_of_an_earlier_period_changes_nothing_else() {
    let app = subscribed().await;
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(refunds(&app, 101).await.data()["status"], "REFUNDED");
    let current = app.current().await;
    assert_eq!((&current["status"], &current["nextPaymentDate"]), (&json!("ACTIVE"), &json!("2026-04-01")));
    app.time_passes_until("2026-04-01T10:00").await;
    assert_eq!(app.provider_totals(), (3 * 29_000, 29_000));
}

#[tokio::test]
async fn a_part_is_given_back_and_the_access_stays() {
    let app = subscribed().await;
    let answer = refunds_part(&app, 101, 15_000).await;
    let refund_id = answer.data()["refundId"].clone();
    assert_eq!(
        answer.data(),
        &json!({
            "paymentId": 101, "refundId": refund_id, "originalAmount": 29_000, "refundedAmount": 15_000,
            "remainingAmount": 14_000, "status": "PARTIAL_REFUNDED", "refundStatus": "SUCCESS",
        })
    );
    assert_eq!(app.provider_totals(), (29_000, 15_000));
    assert_eq!(app.current().await["status"], "ACTIVE");
}

#[tokio::test]
async fn the_rest_given_back_later_is_a_full_refund() {
    let app = subscribed().await;
    refunds_part(&app, 101, 15_000).await.data();
    // Toss Payments goes on calling it PARTIAL_CANCELED: what is left is what counts.
    let rest = refunds(&app, 101).await;
    assert_eq!(
        (&rest.data()["refundedAmount"], &rest.data()["status"]),
        (&json!(29_000), &json!("REFUNDED"))
    );
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    assert_eq!(app.current().await["endReason"], "REFUNDED");
    let detail = app.owner().get("/api/payments/101").await;
    let amounts: Vec<_> =
        detail.data()["refunds"].as_array().expect("a list").iter().map(|refund| &refund["amount"]).collect();
    assert_eq!(amounts, [15_000, 14_000]);
}

#[tokio::test]
async fn more_than_is_left_is_refused_with_what_is_left() {
    let app = subscribed().await;
    let answer = refunds_part(&app, 101, 29_001).await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["refundableAmount"], 29_000);
    refunds_part(&app, 101, 15_000).await.data();
    let answer = refunds_part(&app, 101, 14_001).await;
    let problem = answer.problem(422, "VALIDATION_FAILED");
    assert_eq!(problem["refundableAmount"], 14_000);
    assert_eq!(problem["errors"][0]["code"], "REFUND_EXCEEDS_PAYMENT");
    for nothing in [0, -1] {
        let answer = refunds_part(&app, 101, nothing).await;
        assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], "INVALID_AMOUNT");
    }
    assert_eq!(app.provider_totals(), (29_000, 15_000));
    refunds(&app, 101).await.data();
    refunds(&app, 101).await.problem(409, "NOT_REFUNDABLE");
    assert_eq!(refunds_part(&app, 101, 1).await.problem(422, "VALIDATION_FAILED")["refundableAmount"], 0);
}

#[tokio::test]
async fn what_was_not_paid_is_not_given_back() {
    let app = TestApp::start().await;
    let owner = app.owner();
    let registration = app.registration("BASIC", Card::InsufficientFunds);
    owner.post("/api/payments/billing-key", registration).await.problem(402, "CARD_DECLINED");
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Charge));
    let registration = app.registration("BASIC", Card::Good);
    assert_eq!(owner.post("/api/payments/billing-key", registration).await.status, 202);
    assert_eq!(app.each_payments("status").await, ["FAILED", "PROCESSING"]);
    for payment in [101, 102] {
        refunds(&app, payment).await.problem(409, "NOT_REFUNDABLE");
        refunds_part(&app, payment, 100).await.problem(409, "NOT_REFUNDABLE");
    }
    refunds(&app, 103).await.problem(404, "NOT_FOUND");
    assert_eq!(app.provider_totals(), (0, 0));
}

#[tokio::test]
async fn another_businesss_payment_cannot_be_given_back() {
    let app = subscribed().await;
    let reason = json!({"reason": "고객 요청"});
    app.owner_of(2).post("/api/payments/101/refund", reason).await.problem(404, "NOT_FOUND");
    assert_eq!(app.provider_totals(), (29_000, 0));
}

#[tokio::test]
async fn an_operator_of_the_platform_refunds_whose_payment_it_is() {
    let app = subscribed().await;
    let auth_key = app.sandbox.billing_auth("user_2", Card::Good.number()).expect("an auth key");
    let registration = json!({"plan": "BASIC", "customerKey": "user_2", "authKey": auth_key});
    app.owner_of(2).post("/api/payments/billing-key", registration).await.data();
    let operator = app.platform_admin();
    let reason = json!({"reason": "고객센터 요청"});
    let whole = operator.post("/api/payments/102/refund", reason.clone()).await;
    assert_eq!(whole.data()["status"], "REFUNDED");
    let part = json!({"amount": 15_000, "reason": "고객센터 요청"});
    let part = operator.patch("/api/payments/101/partial-refund", part).await;
    assert_eq!(part.data()["remainingAmount"], 14_000);
    operator.post("/api/payments/103/refund", reason).await.problem(404, "NOT_FOUND");
    assert_eq!(app.provider_totals(), (58_000, 44_000));
    let other = app.owner_of(2).get("/api/subscriptions/current").await;
    assert_eq!(
        (&other.data()["endReason"], app.current().await["status"].clone()),
        (&json!("REFUNDED"), json!("ACTIVE"))
    );
}

#[tokio::test]
async fn ten_refunds_at_once_never_exceed_the_payment() {
    let app = subscribed().await;
    let answers = join_all((0..10).map(|_| refunds_part(&app, 101, 5_000))).await;
    let (given, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(given.len(), 5, "those that fit are given");
    for answer in refused {
        assert_eq!(answer.problem(422, "VALIDATION_FAILED")["refundableAmount"], 4_000);
    }
    assert_eq!(app.provider_totals(), (29_000, 25_000));
    let detail = app.owner().get("/api/payments/101").await;
    assert_eq!(
        (&detail.data()["refundedAmount"], &detail.data()["status"]),
        (&json!(25_000), &json!("PARTIAL_REFUNDED"))
    );
}

#[tokio::test]
async fn a_lost_answer_is_processing_and_then_settled_with_one_cancel() {
    for fault in [FaultKind::DropResponse, FaultKind::Refuse] {
        let app = subscribed().await;
        app.sandbox.add_fault(Fault::new(fault).on(Operation::Cancel));
        let answer = refunds_part(&app, 101, 15_000).await;
        assert_eq!(answer.status, 202, "{}", answer.body);
        assert_eq!(
            (&answer.data()["refundStatus"], &answer.data()["refundedAmount"]),
            (&json!("PROCESSING"), &json!(0))
        );
        // What is promised is not given twice.
        assert_eq!(
            refunds_part(&app, 101, 14_001).await.problem(422, "VALIDATION_FAILED")["refundableAmount"],
            14_000
        );

        app.pass(TimeDelta::minutes(1));
        app.sweep().await;
        let detail = app.owner().get("/api/payments/101").await;
        assert_eq!(detail.data()["refunds"][0]["status"], "SUCCESS");
        assert_eq!(detail.data()["refundedAmount"], 15_000);
        let cancels = app.sandbox.book().iter().filter(|line| line.kind == BookKind::Cancel).count();
        assert_eq!((cancels, app.provider_totals()), (1, (29_000, 15_000)));
        assert_eq!(app.story().await.last().map(String::as_str), Some("payment.refunded"));
    }
}

#[tokio::test]
async fn a_refund_that_the_provider_refuses_gives_nothing_back_and_promises_nothing() {
    let app = subscribed().await;
    let decline = FaultKind::Decline { code: "NOT_CANCELABLE_PAYMENT".to_owned() };
    app.sandbox.add_fault(Fault::new(decline).on(Operation::Cancel));
    let answer = refunds(&app, 101).await;
    assert_eq!(answer.problem(409, "REFUND_REFUSED")["providerCode"], "NOT_CANCELABLE_PAYMENT");
    let detail = app.owner().get("/api/payments/101").await;
    assert_eq!(
        (&detail.data()["status"], &detail.data()["refunds"][0]["status"]),
        (&json!("SUCCESS"), &json!("FAILED"))
    );
    assert_eq!(app.current().await["status"], "ACTIVE");
    assert_eq!(refunds(&app, 101).await.data()["status"], "REFUNDED");
}

#[tokio::test]
async fn a_refund_while_the_provider_is_down_is_made_when_it_is_back() {
    let app = subscribed().await;
    let reason = json!({"reason": "고객 요청"});
    let answer = app.cut_off(&app.owner()).post("/api/payments/101/refund", reason).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.pass(TimeDelta::minutes(1));
    app.sweep().await;
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    assert_eq!(app.current().await["endReason"], "REFUNDED");
}

#[tokio::test]
async fn a_full_refund_while_a_renewal_is_open_is_not_followed_by_that_renewal() {
    let app = subscribed().await;
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Charge));
    app.it_is("2026-03-01T10:00");
    assert_eq!(app.sweep().await.unknown, 1);
    assert_eq!(refunds(&app, 101).await.data()["status"], "REFUNDED");
    // Nobody knows yet whether the renewal arrived; until then the access is not taken away.
    assert_eq!(app.current().await["status"], "NON_RENEWING");
    app.time_passes_until("2026-04-02T00:00").await;
    assert_eq!(app.current().await["plan"], "FREE");
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    assert_eq!(app.each_payments("status").await, ["REFUNDED", "FAILED"]);
}

#[tokio::test]
async fn a_key_that_was_used_for_another_refund_is_refused_even_after_its_answer_was_forgotten() {
    let app = TestApp::start().await;
    let payment = app.subscribed().await["paymentId"].clone();
    let owner = app.owner().with_header("idempotency-key", "refund-1");
    let path = format!("/api/payments/{payment}/partial-refund");
    owner.patch(&path, json!({"amount": 10_000, "reason": "고객 요청"})).await.data();
    app.time_passes_until("2026-02-12T00:00").await;
    let other = owner.patch(&path, json!({"amount": 15_000, "reason": "고객 요청"})).await;
    other.problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.provider_totals(), (29_000, 10_000));
}

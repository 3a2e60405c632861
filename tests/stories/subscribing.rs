//! Registering a card and starting a subscription.

use serde_json::json;
use testkit::{Card, TestApp};

#[tokio::test]
async fn a_salon_registers_a_card_is_charged_and_subscribed() {
    let app = TestApp::start().await;
    let started = app.subscribed().await;
    assert_eq!(started["cardCompany"], "삼성카드");
    assert_eq!(started["plan"], "BASIC");
    assert_eq!(started["monthlyAmount"], 29_000);
    // It is the first of February in Korea, though still January in UTC.
    assert_eq!(started["nextPaymentDate"], "2026-03-01");
    assert_eq!(started["message"], "정기결제가 등록되었습니다.");
    assert_eq!(started["paymentId"], 101);
    assert_eq!(app.provider_totals(), (29_000, 0));

    let current = app.owner().get("/api/subscriptions/current").await;
    assert_eq!(current.data()["status"], "ACTIVE");
    assert_eq!(current.data()["paymentMethod"]["billingKey"], started["billingKey"]);
    assert_eq!(app.events(&app.owner()).await, ["payment.succeeded", "subscription.started"]);
}

#[tokio::test]
async fn a_declined_card_is_told_why_and_leaves_nothing_behind() {
    let app = TestApp::start().await;
    let answer = app
        .owner()
        .post("/api/payments/billing-key", app.registration("BASIC", Card::InsufficientFunds))
        .await;
    let problem = answer.problem(402, "CARD_DECLINED");
    assert_eq!(problem["declineClass"], "RETRY_LATER");
    let current = app.owner().get("/api/subscriptions/current").await;
    assert_eq!(current.data()["plan"], "FREE");
    assert_eq!(current.data()["paymentMethod"], json!(null));
    assert_eq!(app.charges(), 0);
}

//! The shop is written to about its subscription, once for each thing that happened.

use chrono::TimeDelta;
use sandbox::Parcel;
use serde_json::{Value, json};
use testkit::{Card, TestApp};

use super::received;

const OWNER: &str = "owner@misohair.com";

/// Events are reacted to and what is due is sent, as the worker does every second.
async fn a_moment_passes(app: &TestApp) {
    app.app.messaging.react_to_all().await.expect("events are reacted to");
    app.app.messaging.sweep().await.expect("messages are sent");
}

fn about(app: &TestApp, words: &str) -> Vec<Parcel> {
    let says = |mail: &Parcel| mail.subject.as_ref().is_some_and(|subject| subject.contains(words));
    received(app, OWNER).into_iter().filter(says).collect()
}

#[tokio::test]
async fn a_payment_is_written_about_with_amount_next_date_and_receipt() {
    let app = TestApp::start().await;
    app.subscribed().await;
    a_moment_passes(&app).await;
    a_moment_passes(&app).await;
    let mails = about(&app, "결제가 완료되었습니다");
    assert_eq!(mails.len(), 1);
    for said in ["29,000원", "미소헤어", "다음 결제일: 2026년 3월 1일", "영수증 보기: http"]
    {
        assert!(mails[0].text.contains(said), "{said}\n{}", mails[0].text);
    }
    let html = mails[0].html.as_ref().expect("HTML as well");
    assert!(html.contains("29,000원") && html.contains("<a href="));
    assert_eq!(mails[0].extra["Auto-Submitted"], "auto-generated");
    assert_eq!(mails[0].from, "billing@dangol.example");
}

#[tokio::test]
async fn a_subscription_is_written_about_from_its_renewal_to_its_end() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.time_passes_until("2026-02-26T09:59").await;
    assert_eq!(about(&app, "갱신됩니다").len(), 0);
    app.time_passes_until("2026-02-26T10:01").await;
    let renewing = about(&app, "2026년 3월 1일에 구독이 갱신됩니다");
    assert_eq!(renewing.len(), 1);
    assert!(renewing[0].text.contains("29,000원") && renewing[0].text.contains("베이직"));
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-02T12:00").await;
    let failed = about(&app, "결제에 실패했습니다");
    assert_eq!(failed.len(), 1);
    for said in [
        "2026년 3월 4일에 다시 결제를 시도합니다",
        "결제 카드 변경: http://127.0.0.1:3000/subscription/payment-method",
    ] {
        assert!(failed[0].text.contains(said), "{said}\n{}", failed[0].text);
    }
    app.time_passes_until("2026-03-09T12:00").await;
    assert_eq!(about(&app, "무료 요금제로 변경되었습니다").len(), 1);
}

#[tokio::test]
async fn a_cancellation_is_confirmed() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    a_moment_passes(&app).await;
    let mails = about(&app, "해지되었습니다");
    assert_eq!(mails.len(), 1);
    assert!(mails[0].text.contains("2026년 2월 28일까지"), "{}", mails[0].text);
}

#[tokio::test]
async fn the_shop_says_where_it_wants_to_be_written_to() {
    let app = TestApp::start().await;
    let owner = app.owner();
    assert_eq!(owner.get("/api/billing-contact").await.data()["email"], OWNER);
    let moved = owner.put("/api/billing-contact", json!({"email": " Money@MisoHair.com "})).await;
    assert_eq!(moved.data()["email"], "money@misohair.com");
    owner.put("/api/billing-contact", json!({"email": "nowhere"})).await.invalid("email", "INVALID");
    app.subscribed().await;
    a_moment_passes(&app).await;
    assert_eq!(received(&app, OWNER).len(), 0);
    assert_eq!(received(&app, "money@misohair.com").len(), 1);
    owner.put("/api/billing-contact", json!({"email": null})).await.data();
    assert_eq!(owner.get("/api/billing-contact").await.data()["email"], Value::Null);
    owner.post("/api/subscriptions/cancel", json!({})).await.data();
    a_moment_passes(&app).await;
    assert_eq!(app.sandbox.inbox().len(), 1, "nobody is written to any more");
}

#[tokio::test]
async fn what_happened_too_long_ago_is_not_written_about() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.app.messaging.react_to_all().await.expect("events are reacted to");
    // Nothing was sent for a week.
    app.pass(TimeDelta::days(7));
    a_moment_passes(&app).await;
    assert_eq!(super::fates(&app).await, ["EXCLUDED TOO_LATE"]);
}

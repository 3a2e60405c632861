//! Receipts.

use serde_json::json;
use testkit::TestApp;

use super::refunds;

#[tokio::test]
async fn the_receipt_is_the_providers() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    let receipt = app.owner().get("/api/payments/101/receipt").await;
    let url = receipt.data()["receiptUrl"].clone();
    assert!(url.as_str().is_some_and(|url| url.starts_with("https://dashboard")), "{url}");
    assert_eq!(
        receipt.data(),
        &json!({
            "receiptUrl": url, "paymentId": 101, "amount": 29_000, "paidAt": "2026-02-14T10:00:00+09:00",
            // The provider leaves three of the last four digits readable.
            "cardInfo": "삼성카드 000*",
        })
    );
}

#[tokio::test]
async fn after_refunds_the_receipt_shows_them() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    refunds(&app, 101, 4_000).await.data();
    app.it_is("2026-02-15T10:00");
    refunds(&app, 101, 5_000).await.data();
    let receipt = app.owner().get("/api/payments/101/receipt").await;
    assert_eq!(receipt.data()["remainingAmount"], 20_000);
    let refunds = receipt.data()["refunds"].as_array().expect("a list");
    for (refund, (amount, day)) in refunds.iter().zip([(4_000, "2026-02-14T"), (5_000, "2026-02-15T")]) {
        assert_eq!((&refund["amount"], &refund["reason"]), (&json!(amount), &json!("부분 환불 요청")));
        assert!(refund["refundedAt"].as_str().is_some_and(|at| at.starts_with(day)), "{refund}");
    }
    assert_eq!(refunds.len(), 2);
    let page = app.owner().get("/api/payments/101/receipt/page").await;
    let text = page.body.as_str().expect("a page");
    for shown in ["환불 내역", "-4,000원", "-5,000원", "2026-02-15 10:00:00", "환불 후 결제 금액", "20,000원"]
    {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
}

#[tokio::test]
async fn every_payment_has_a_page_of_ours_that_prints() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    let page = app.owner().get("/api/payments/101/receipt/page").await;
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    let text = page.body.as_str().expect("a page");
    for shown in [
        "영수증",
        "101",
        "베이직",
        "2026-02-14 10:00:00",
        "2026-02-14 ~ 2026-03-13",
        "26,364원",
        "2,636원",
        "29,000원",
        "카드",
        "삼성카드 000*",
        "주식회사 단골",
        "111-11-11119",
        "세금계산서가 아닙니다",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains("환불"));
}

#[tokio::test]
async fn where_the_provider_has_none_the_receipt_is_ours() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.sql("update billing.payment set receipt_url = null").await;
    let receipt = app.owner().get("/api/payments/101/receipt").await;
    assert_eq!(receipt.data()["receiptUrl"], "/api/payments/101/receipt/page");
}

#[tokio::test]
async fn nobodys_words_become_markup() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let refund = json!({"amount": 1_000, "reason": "<script>alert('x')</script>"});
    app.owner().patch("/api/payments/101/partial-refund", refund).await.data();
    let page = app.owner().get("/api/payments/101/receipt/page").await;
    assert!(!page.body.as_str().expect("a page").contains("<script"));
}

#[tokio::test]
async fn what_was_not_paid_has_no_receipt() {
    let app = TestApp::start().await;
    app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await.data();
    for path in ["/api/payments/101/receipt", "/api/payments/101/receipt/page"] {
        app.owner().get(path).await.problem(409, "NOT_PAID");
    }
}

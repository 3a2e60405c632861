//! What an operator decides about tax invoices.

use axum::http::Method;
use serde_json::json;
use testkit::TestApp;

use super::{asks, gets, misohair, popbill, statuses};

async fn subscribed_with(flags: &[&str]) -> TestApp {
    let app = TestApp::start_with(flags).await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    app
}

#[tokio::test]
async fn an_operator_may_refuse_tax_invoices_beside_card_slips() {
    let app = subscribed_with(&["--tax-invoice-card-slip=REFUSE"]).await;
    asks(&app, 101).await.problem(409, "CARD_SLIP_ALREADY_ISSUED");
    assert_eq!((app.sandbox.tax_invoices().len(), statuses(&app, 101).await.len()), (0, 0));
}

#[tokio::test]
async fn or_allow_them_without_a_word() {
    let app = subscribed_with(&["--tax-invoice-card-slip=ALLOW"]).await;
    let answer = asks(&app, 101).await;
    assert_eq!(answer.data()["status"], "ISSUED");
    assert!(answer.body.get("warnings").is_none(), "{}", answer.body);
}

#[tokio::test]
async fn a_business_number_with_a_typing_error_is_refused_where_it_is_checked() {
    let app = subscribed_with(&["--business-number-check=CHECKSUM"]).await;
    let answer = asks(&app, 101).await;
    let problem = answer.problem(422, "VALIDATION_FAILED");
    assert_eq!(
        (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
        (&json!("businessNumber"), &json!("INVALID_BUSINESS_NUMBER"))
    );
    let mut right = misohair();
    right["businessNumber"] = json!("1234567891");
    app.owner().post("/api/payments/101/tax-invoice", right).await.data();
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_field_by_field_and_not_repeated() {
    let app = subscribed_with(&[]).await;
    for (field, value, code) in [
        ("businessNumber", "123-45-6789", "INVALID_BUSINESS_NUMBER"),
        ("businessNumber", "12345-67890", "INVALID_BUSINESS_NUMBER"),
        ("companyName", " ", "INVALID_LENGTH"),
        ("companyName", "미소\n헤어", "INVALID_TEXT"),
        ("ownerName", &"김".repeat(31), "INVALID_LENGTH"),
        ("email", "tax-at-misohair", "INVALID_EMAIL"),
    ] {
        let mut body = misohair();
        body[field] = json!(value);
        let answer = app.owner().post("/api/payments/101/tax-invoice", body).await;
        let error = answer.problem(422, "VALIDATION_FAILED")["errors"][0].clone();
        assert_eq!((&error["field"], &error["code"]), (&json!(field), &json!(code)), "{value}");
        assert!(value.len() < 4 || !answer.body.to_string().contains(value), "{}", answer.body);
    }
    assert_eq!(app.count("billing.tax_invoice").await, 0);
}

#[tokio::test]
async fn while_our_account_is_not_in_order_it_waits_for_an_operator() {
    let app = subscribed_with(&[]).await;
    let seller = "1111111119";
    popbill(&app, Method::PUT, "members", json!({"corpNum": seller, "certificate": "INVALID"})).await;
    let answer = asks(&app, 101).await;
    assert_eq!((answer.status.as_u16(), &answer.data()["status"]), (202, &json!("PROCESSING")));
    app.time_passes_until("2026-02-14T20:00").await;
    assert_eq!(statuses(&app, 101).await, ["PROCESSING"]);
    popbill(&app, Method::PUT, "members", json!({"corpNum": seller, "certificate": "VALID"})).await;
    app.time_passes_until("2026-02-15T10:00").await;
    assert_eq!(statuses(&app, 101).await, ["ISSUED"]);
}

#[tokio::test]
async fn where_nobody_files_them_none_are_issued_and_payments_go_on() {
    let mut app = TestApp::start().await;
    app.restarts(|app| app.billing.tax_invoicing = None);
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    asks(&app, 101).await.problem(409, "TAX_INVOICES_NOT_OFFERED");
    app.owner().get("/api/payments/101/receipt").await.data();
    app.sweep().await;
}

#[tokio::test]
async fn invoices_written_before_are_kept_when_nobody_files_them_any_more() {
    let mut app = subscribed_with(&[]).await;
    let number = gets(&app, 101).await;
    app.restarts(|app| app.billing.tax_invoicing = None);
    let page = app.owner().get(&format!("/api/payments/tax-invoice/{number}/download")).await;
    assert_eq!(page.status, 200);
}

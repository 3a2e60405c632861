//! Numbers are per Korean day and have no gaps.

use axum::http::Method;
use futures::future::join_all;
use serde_json::json;
use testkit::{Card, TestApp};

use super::{asks, gets, misohair, popbill};

#[tokio::test]
async fn twenty_at_once_get_twenty_numbers_without_a_gap() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    let mut payments = Vec::new();
    for business in 1..=20 {
        let registration = app.registration("BASIC", Card::Good);
        let started = app.owner_of(business).post("/api/payments/billing-key", registration).await;
        payments.push((business, started.data()["paymentId"].clone()));
    }
    let asked = payments.iter().map(|(business, payment)| {
        let owner = app.owner_of(*business);
        async move { owner.post(&format!("/api/payments/{payment}/tax-invoice"), misohair()).await }
    });
    let mut numbers: Vec<String> = join_all(asked)
        .await
        .iter()
        .map(|answer| answer.data()["invoiceId"].as_str().expect("a number").to_owned())
        .collect();
    numbers.sort();
    let expected: Vec<String> = (1..=20).map(|count| format!("INV-20260214-{count:03}")).collect();
    assert_eq!(numbers, expected);
}

#[tokio::test]
async fn a_day_begins_in_korea() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T23:59");
    app.subscribed().await;
    let other = app.owner_of(2);
    let registration = app.registration("BASIC", Card::Good);
    let started = other.post("/api/payments/billing-key", registration).await;
    assert_eq!(gets(&app, 101).await, "INV-20260214-001");
    app.it_is("2026-02-15T00:00");
    let path = format!("/api/payments/{}/tax-invoice", started.data()["paymentId"]);
    assert_eq!(other.post(&path, misohair()).await.data()["invoiceId"], "INV-20260215-001");
}

#[tokio::test]
async fn a_refused_invoice_keeps_its_number_and_says_so() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    popbill(&app, Method::PATCH, "switches", json!({"anyBuyerNumber": false})).await;
    let answer = asks(&app, 101).await;
    let problem = answer.problem(409, "TAX_INVOICE_REFUSED");
    assert_eq!(
        (&problem["invoiceId"], &problem["providerCode"]),
        (&json!("INV-20260214-001"), &json!("-11001021"))
    );
    let refused = app.owner().get("/api/payments/tax-invoice/INV-20260214-001").await.data().clone();
    assert_eq!((&refused["status"], &refused["downloadUrl"]), (&json!("REFUSED"), &json!(null)));
    assert!(refused["refusalMessage"].is_string());
    assert_eq!(app.story().await.last().map(String::as_str), Some("tax_invoice.refused"));
    // With the right number it goes through, as the next one of the day.
    let mut right = misohair();
    right["businessNumber"] = json!("123-45-67891");
    let answer = app.owner().post("/api/payments/101/tax-invoice", right).await;
    assert_eq!(answer.data()["invoiceId"], "INV-20260214-002");
}

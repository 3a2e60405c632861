//! The tax service says no.

use axum::http::Method;
use serde_json::json;
use testkit::TestApp;

use super::{downloads, gets, invoices, popbill, refunds, statuses};

async fn rejected() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.it_is("2026-02-27T10:00");
    app.subscribed().await;
    let number = gets(&app, 101).await;
    popbill(&app, Method::POST, "reject", json!({"mgtKey": number, "code": "SYN004"})).await;
    (app, number)
}

#[tokio::test]
async fn a_rejected_invoice_is_void_and_another_one_takes_its_place() {
    let (app, number) = rejected().await;
    app.time_passes_until("2026-03-02T16:00").await;
    let invoice = invoices(&app, 101).await[0].clone();
    assert_eq!((&invoice["status"], &invoice["taxServiceCode"]), (&json!("REJECTED"), &json!("SYN004")));
    assert_eq!(app.story().await.last().map(String::as_str), Some("tax_invoice.rejected"));
    downloads(&app, &number, "").await.problem(409, "TAX_INVOICE_NOT_ISSUED");
    // Even after the 10th: it is dated as the one in whose place it stands.
    app.time_passes_until("2026-03-12T10:00").await;
    gets(&app, 101).await;
    app.time_passes_until("2026-03-13T16:00").await;
    assert_eq!(statuses(&app, 101).await, ["REJECTED", "ACCEPTED"]);
    assert_eq!(invoices(&app, 101).await[1]["writeDate"], "2026-02-27");
}

#[tokio::test]
async fn what_waited_to_modify_it_is_dropped_and_the_next_one_is_about_the_rest() {
    let (app, _) = rejected().await;
    refunds(&app, 101, 9_000).await.data();
    app.time_passes_until("2026-03-02T16:00").await;
    assert_eq!(statuses(&app, 101).await, ["REJECTED", "REFUSED"]);
    gets(&app, 101).await;
    let filed = app.sandbox.tax_invoices();
    let last = filed.last().expect("the second one");
    assert_eq!((filed.len(), last.supply.get() + last.tax.get()), (2, 20_000));
}

//! A refund issues the modified invoice (수정세금계산서).

use sandbox::{Fault, FaultKind, Operation, Provider};
use serde_json::{Value, json};
use testkit::TestApp;

use super::{downloads, gets, invoices, refunds, statuses};

/// Paid on Saturday, 14 February, and accepted on Monday.
async fn accepted() -> (TestApp, String) {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    let number = gets(&app, 101).await;
    app.time_passes_until("2026-02-16T16:00").await;
    assert_eq!(statuses(&app, 101).await, ["ACCEPTED"]);
    (app, number)
}

async fn refunds_all(app: &TestApp) -> Value {
    app.owner().post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await.data().clone()
}

/// What all documents of a payment say together, as the tax service has them: supply and VAT.
fn filed(app: &TestApp) -> (i64, i64) {
    let invoices = app.sandbox.tax_invoices();
    invoices.iter().fold((0, 0), |(supply, vat), it| (supply + it.supply.get(), vat + it.tax.get()))
}

#[tokio::test]
async fn a_part_given_back_changes_the_amount() {
    let (app, number) = accepted().await;
    app.it_is("2026-02-20T10:00");
    let refund = refunds(&app, 101, 15_000).await.data()["refundId"].clone();
    app.sweep().await;
    let modified = invoices(&app, 101).await[1].clone();
    assert_eq!((&modified["status"], &modified["invoiceId"]), (&json!("ISSUED"), &json!("INV-20260220-001")));
    assert_eq!(
        modified["modification"],
        json!({"originalInvoiceId": number, "refundId": refund, "reasonCode": 2, "reason": "공급가액 변동"})
    );
    assert_eq!(modified["writeDate"], "2026-02-20", "the day of the refund");
    let sum = modified["supplyAmount"].as_i64().unwrap() + modified["vatAmount"].as_i64().unwrap();
    assert_eq!(sum, -15_000);
    assert_eq!(app.story().await.last().map(String::as_str), Some("tax_invoice.modified"));

    let page = downloads(&app, "INV-20260220-001", "").await;
    for shown in
        ["수정전자세금계산서", "공급가액 변동", "당초 세금계산서 작성일자: 2026-02-14", "-15,000", "미소헤어"]
    {
        assert!(page.body.as_str().unwrap().contains(shown), "{shown}");
    }
    app.time_passes_until("2026-02-23T16:00").await;
    assert_eq!(statuses(&app, 101).await, ["ACCEPTED", "ACCEPTED"]);
}

#[tokio::test]
async fn all_of_it_given_back_undoes_the_contract() {
    let (app, _) = accepted().await;
    refunds_all(&app).await;
    app.sweep().await;
    let modified = &invoices(&app, 101).await[1];
    assert_eq!(modified["modification"]["reasonCode"], 4);
    assert_eq!(modified["status"], "ISSUED");
    assert_eq!(filed(&app), (0, 0));
}

#[tokio::test]
async fn refunds_in_parts_leave_what_is_left_to_the_won() {
    let (app, _) = accepted().await;
    for (part, left) in [(3_333, 25_667), (7_777, 17_890), (1, 17_889)] {
        refunds(&app, 101, part).await.data();
        app.sweep().await;
        let (supply, vat) = filed(&app);
        assert_eq!(supply + vat, left);
        assert_eq!(vat, (left * 2 + 11) / 22, "the VAT of what is left");
    }
    refunds_all(&app).await;
    app.sweep().await;
    assert_eq!(filed(&app), (0, 0));
    let reasons: Vec<_> = invoices(&app, 101).await[1..]
        .iter()
        .map(|invoice| invoice["modification"]["reasonCode"].as_i64().unwrap())
        .collect();
    assert_eq!(reasons, [2, 2, 2, 2], "the last one took back a part of the original");
}

#[tokio::test]
async fn before_the_tax_service_has_the_original_the_modified_one_waits() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    let original = gets(&app, 101).await;
    refunds(&app, 101, 9_000).await.data();
    app.sweep().await;
    assert_eq!(statuses(&app, 101).await, ["ISSUED", "WAITING"]);
    let modified = invoices(&app, 101).await[1]["invoiceId"].as_str().unwrap().to_owned();
    assert_eq!((original.as_str(), modified.as_str()), ("INV-20260214-001", "INV-20260214-002"));
    downloads(&app, &modified, "").await.problem(409, "TAX_INVOICE_NOT_ISSUED");
    app.time_passes_until("2026-02-16T16:00").await;
    assert_eq!(statuses(&app, 101).await, ["ACCEPTED", "ISSUED"]);
    assert_eq!(filed(&app).0 + filed(&app).1, 20_000);
}

#[tokio::test]
async fn a_cancel_at_the_providers_console_is_modified_as_well() {
    let (app, _) = accepted().await;
    let key = app.provider_key(101).await;
    app.cancels_at_the_console(&key, Some(4_000)).await;
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
    assert_eq!(statuses(&app, 101).await, ["ACCEPTED", "ISSUED"]);
    assert_eq!(filed(&app).0 + filed(&app).1, 25_000);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_found_again() {
    let (app, _) = accepted().await;
    refunds(&app, 101, 9_000).await.data();
    let fault = |kind, operation| {
        app.sandbox.add_fault(Fault { provider: Some(Provider::Popbill), ..Fault::new(kind).on(operation) });
    };
    // Looked up before it is asked for, asked for, and looked up after.
    fault(FaultKind::DropResponse, Operation::Issue);
    app.sweep().await;
    app.time_passes_until("2026-02-16T17:00").await;
    assert_eq!(statuses(&app, 101).await, ["ACCEPTED", "ISSUED"]);
    assert_eq!(app.sandbox.tax_invoices().len(), 2);
    assert_eq!(filed(&app).0 + filed(&app).1, 20_000);
}

#[tokio::test]
async fn a_payment_without_a_tax_invoice_has_nothing_to_modify() {
    let app = TestApp::start().await;
    app.subscribed().await;
    refunds(&app, 101, 9_000).await.data();
    app.sweep().await;
    assert_eq!((statuses(&app, 101).await.len(), app.sandbox.tax_invoices().len()), (0, 0));
}

//! Asking for a tax invoice, and getting it.

use sandbox::{Fault, FaultKind, Operation, Provider};
use serde_json::json;
use testkit::TestApp;

use super::{asks, downloads, gets, invoices, misohair, refunds, statuses};

async fn subscribed_on_valentines_day() -> TestApp {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T10:00");
    app.subscribed().await;
    app
}

#[tokio::test]
async fn the_request_of_the_specification_gets_its_answer() {
    let app = subscribed_on_valentines_day().await;
    let answer = asks(&app, 101).await;
    assert_eq!(
        answer.data(),
        &json!({
            "invoiceId": "INV-20260214-001", "status": "ISSUED",
            "downloadUrl": "/api/payments/tax-invoice/INV-20260214-001/download",
        })
    );
    // The demo shop pays by card: issued all the same, and it is said.
    assert_eq!(answer.body["warnings"][0]["code"], "CARD_SLIP_ALREADY_ISSUED", "{}", answer.body);
    assert_eq!(answer.status, 200);
    let filed = &app.sandbox.tax_invoices()[0];
    assert_eq!((filed.mgt_key.as_str(), filed.state_code), ("INV-20260214-001", 300));
    assert_eq!((filed.supply.get(), filed.tax.get()), (26_364, 2_636), "29,000 to the won");
    assert_eq!((filed.buyer_corp_num.as_str(), filed.buyer_name.as_str()), ("1234567890", "미소헤어"));
    assert_eq!(app.story().await.last().map(String::as_str), Some("tax_invoice.issued"));
}

#[tokio::test]
async fn it_goes_to_the_tax_service_on_the_next_business_day() {
    let app = subscribed_on_valentines_day().await;
    let number = gets(&app, 101).await;
    // The 14th was a Saturday.
    app.time_passes_until("2026-02-16T15:10").await;
    assert_eq!(statuses(&app, 101).await, ["ISSUED"]);
    app.time_passes_until("2026-02-16T15:16").await;
    assert_eq!(statuses(&app, 101).await, ["SENT"]);
    app.time_passes_until("2026-02-16T16:00").await;
    let invoice = app.owner().get(&format!("/api/payments/tax-invoice/{number}")).await.data().clone();
    assert_eq!((&invoice["status"], &invoice["taxServiceCode"]), (&json!("ACCEPTED"), &json!("SUC001")));
    assert_eq!(invoice["sentAt"], "2026-02-16T15:10:00+09:00");
    assert_eq!(invoice["answeredAt"], "2026-02-16T15:30:00+09:00");
    assert_eq!(invoice["confirmationNumber"].as_str().map(str::len), Some(24));
    assert_eq!(app.story().await[2..], ["tax_invoice.issued", "tax_invoice.accepted"]);
    assert_eq!(invoices(&app, 101).await, [invoice]);
}

#[tokio::test]
async fn the_download_is_the_official_form_and_an_xml_of_it() {
    let app = subscribed_on_valentines_day().await;
    let number = gets(&app, 101).await;
    let page = downloads(&app, &number, "").await;
    assert_eq!(page.content_type, "text/html; charset=utf-8");
    let text = page.body.as_str().expect("a page");
    for shown in [
        "전자세금계산서",
        "공급자",
        "111-11-11119",
        "주식회사 단골",
        "공급받는자",
        "123-45-67890",
        "미소헤어",
        "김미소",
        "작성일자",
        "2026-02-14",
        "26,364",
        "2,636",
        "29,000",
        "단골 베이직 (월간)",
        "2026-02-14 ~ 2026-03-13",
        "국세청 승인번호",
        "영수",
        "신용카드매출전표",
    ] {
        assert!(text.contains(shown), "{shown}\n{text}");
    }
    assert!(!text.contains("tax@misohair.com"), "an address is not printed");
    let xml = downloads(&app, &number, "?format=xml").await;
    assert_eq!(xml.content_type, "application/xml; charset=utf-8");
    let by_accept = app
        .owner()
        .with_header("accept", "application/xml")
        .get(&format!("/api/payments/tax-invoice/{number}/download"))
        .await;
    assert_eq!(by_accept, xml);
    assert!(xml.body.as_str().expect("text").contains("<DocumentKey>INV-20260214-001</DocumentKey>"));
}

#[tokio::test]
async fn only_the_payments_business_sees_its_papers() {
    let app = subscribed_on_valentines_day().await;
    let number = gets(&app, 101).await;
    let invoice = format!("/api/payments/tax-invoice/{number}");
    let paths = [
        "/api/payments/101/receipt".to_owned(),
        "/api/payments/101/receipt/page".to_owned(),
        format!("{invoice}/download"),
        invoice,
    ];
    for path in paths {
        app.owner().get(&path).await;
        app.owner_of(2).get(&path).await.problem(404, "NOT_FOUND");
    }
    app.owner_of(2).post("/api/payments/101/tax-invoice", misohair()).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_payment_has_one_tax_invoice() {
    let app = subscribed_on_valentines_day().await;
    let number = gets(&app, 101).await;
    let answer = asks(&app, 101).await;
    assert_eq!(answer.problem(409, "TAX_INVOICE_EXISTS")["invoiceId"], number);
    let all = futures::future::join_all((0..5).map(|_| asks(&app, 101))).await;
    assert!(all.iter().all(|answer| answer.status == 409));
    assert_eq!(app.sandbox.tax_invoices().len(), 1);
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_invoice() {
    let app = subscribed_on_valentines_day().await;
    let owner = app.owner().with_header("idempotency-key", "the-request");
    let first = owner.post("/api/payments/101/tax-invoice", misohair()).await;
    let again = owner.post("/api/payments/101/tax-invoice", misohair()).await;
    assert!(again.replayed);
    assert_eq!(again.data(), first.data());
    // Also where the process died before it answered.
    app.sql("update platform.idempotency_key set status = null, content_type = null, body = null, answered_at = null").await;
    app.pass(chrono::TimeDelta::minutes(5));
    let again = owner.post("/api/payments/101/tax-invoice", misohair()).await;
    assert!(!again.replayed);
    assert_eq!(again.data(), first.data());
    assert_eq!(app.sandbox.tax_invoices().len(), 1);
}

#[tokio::test]
async fn what_is_not_paid_or_went_back_has_no_tax_invoice() {
    let app = subscribed_on_valentines_day().await;
    app.owner().post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await.data();
    asks(&app, 101).await.problem(409, "NOTHING_TO_INVOICE");
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    assert_eq!(order.status, 200, "{}", order.body);
    asks(&app, 102).await.problem(409, "NOT_PAID");
    asks(&app, 999).await.problem(404, "NOT_FOUND");
    assert_eq!(app.count("billing.tax_invoice").await, 0);
}

#[tokio::test]
async fn after_a_refund_the_invoice_is_about_the_rest() {
    let app = subscribed_on_valentines_day().await;
    refunds(&app, 101, 9_000).await.data();
    gets(&app, 101).await;
    let filed = &app.sandbox.tax_invoices()[0];
    assert_eq!(filed.supply.get() + filed.tax.get(), 20_000);
}

#[tokio::test]
async fn it_is_dated_on_the_day_of_the_payment_and_asked_for_until_the_tenth() {
    let app = subscribed_on_valentines_day().await;
    app.it_is("2026-03-10T23:59");
    let number = gets(&app, 101).await;
    assert_eq!(number, "INV-20260310-001", "numbered on the day it was written down");
    assert_eq!(invoices(&app, 101).await[0]["writeDate"], "2026-02-14", "and dated when it was paid");

    let app = subscribed_on_valentines_day().await;
    app.it_is("2026-03-11T00:00");
    asks(&app, 101).await.problem(409, "TAX_INVOICE_TOO_LATE");
    assert_eq!(app.count("billing.tax_invoice_count").await, 0, "and takes no number");
}

#[tokio::test]
async fn a_years_invoices_are_all_accepted() {
    let app = subscribed_on_valentines_day().await;
    for month in 0..12 {
        let payment = 101 + month;
        gets(&app, payment).await;
        let (year, month) = (2026 + (month + 2) / 12, (month + 2) % 12 + 1);
        app.time_passes_until(&format!("{year}-{month:02}-14T12:00")).await;
    }
    for payment in 101..113 {
        assert_eq!(statuses(&app, payment).await, ["ACCEPTED"], "{payment}");
    }
    let accepted = app.sandbox.tax_invoices().iter().filter(|invoice| invoice.state_code == 304).count();
    assert_eq!(accepted, 12);
}

fn breaks(app: &TestApp, fault: FaultKind, operation: Operation) {
    let fault = Fault { provider: Some(Provider::Popbill), ..Fault::new(fault).on(operation) };
    app.sandbox.add_fault(fault);
}

#[tokio::test]
async fn an_answer_that_got_lost_is_found_again_and_nothing_is_issued_twice() {
    for fault in [FaultKind::DropResponse, FaultKind::Truncated, FaultKind::Refuse] {
        let app = subscribed_on_valentines_day().await;
        // The adapter looks the key up at once: that is lost as well.
        breaks(&app, fault.clone(), Operation::Issue);
        breaks(&app, FaultKind::Refuse, Operation::Lookup);
        let answer = asks(&app, 101).await;
        assert_eq!(answer.status, 202, "{fault:?} {}", answer.body);
        assert_eq!(answer.data()["status"], "PROCESSING");
        let number = answer.data()["invoiceId"].as_str().expect("a number").to_owned();
        downloads(&app, &number, "").await.problem(409, "TAX_INVOICE_NOT_ISSUED");
        asks(&app, 101).await.problem(409, "TAX_INVOICE_EXISTS");
        app.sandbox.clear_faults();
        app.time_passes_until("2026-02-14T10:30").await;
        assert_eq!(statuses(&app, 101).await, ["ISSUED"], "{fault:?}");
        assert_eq!(app.sandbox.tax_invoices().len(), 1, "{fault:?}");
        assert_eq!(app.story().await[2..], ["tax_invoice.issued"]);
    }
}

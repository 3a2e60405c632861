//! A shop that paid from an account asks for its cash receipt (현금영수증) afterwards, and refunds take it back.

use futures::future::join_all;
use sandbox::{BookKind, CashReceiptType, Fault, FaultKind, Operation, Provider, TossSwitches};
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

use super::{asks, cash_receipts::pays_from_an_account, refunds};

const PATH: &str = "/api/payments/101/cash-receipt";

/// The request of the specification, word for word.
fn of_a_person() -> Value {
    json!({"type": "INCOME_DEDUCTION", "identityNumber": "010-1234-5678"})
}

pub(super) async fn wants_one(app: &TestApp) -> Answer {
    app.owner().post(PATH, of_a_person()).await
}

pub(super) async fn cash_receipt(app: &TestApp) -> Value {
    app.owner().get(PATH).await.data().clone()
}

/// What the provider's book says of cash receipts, won: issued, and taken back in parts.
pub(super) fn receipts_in_the_book(app: &TestApp) -> (Vec<i64>, Vec<i64>) {
    let book = app.sandbox.book();
    let of = |kind| book.iter().filter(|line| line.kind == kind).map(|line| line.amount.get()).collect();
    (of(BookKind::CashReceipt), of(BookKind::CashReceiptCancel))
}

/// Paid from an account on 14 February, and the receipt is with the tax service.
async fn issued() -> TestApp {
    let app = pays_from_an_account(None).await;
    wants_one(&app).await.data();
    app.time_passes_until("2026-02-15T11:00").await;
    assert_eq!(cash_receipt(&app).await["status"], "ISSUED");
    app
}

#[tokio::test]
async fn who_paid_from_an_account_gets_a_cash_receipt_on_request() {
    let app = pays_from_an_account(None).await;
    let answer = wants_one(&app).await;
    assert_eq!(answer.status, 202, "the tax service has not answered");
    let asked = answer.data().clone();
    assert_eq!(
        (&asked["status"], &asked["type"], &asked["amount"], &asked["canceledAmount"]),
        (&json!("PROCESSING"), &json!("INCOME_DEDUCTION"), &json!(29_000), &json!(0))
    );
    let number = asked["issueNumber"].as_str().expect("a number").to_owned();
    assert!(asked["url"].as_str().is_some_and(|url| url.starts_with("https://")), "{asked}");
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![]));

    app.time_passes_until("2026-02-15T11:00").await;
    let issued = cash_receipt(&app).await;
    assert_eq!((&issued["status"], &issued["issueNumber"]), (&json!("ISSUED"), &json!(number)));
    assert!(issued["issuedAt"].as_str().is_some_and(|at| at.starts_with("2026-02-15T10:00")), "{issued}");
    assert_eq!(app.story().await.last().map(String::as_str), Some("cash_receipt.issued"));

    let payment = app.owner().get("/api/payments/101").await.data().clone();
    assert_eq!(payment["cashReceipt"]["issueNumber"], number.as_str());
    let receipt = app.owner().get("/api/payments/101/receipt").await.data().clone();
    assert_eq!(receipt["cashReceipt"], payment["cashReceipt"]);
    let page = app.owner().get("/api/payments/101/receipt/page").await;
    assert!(page.body.as_str().expect("a page").contains(&format!("소득공제 {number}")));
}

#[tokio::test]
async fn whose_it_is_nobody_keeps_once_the_provider_knows() {
    let app = pays_from_an_account(None).await;
    app.sandbox
        .add_fault(sandbox::Fault::new(sandbox::FaultKind::Refuse).on(sandbox::Operation::IssueCashReceipt));
    wants_one(&app).await.data();
    assert_eq!(
        app.count("billing.cash_receipt where identity_number like '%5678%'").await,
        0,
        "it is sealed"
    );
    assert_eq!(app.count("billing.cash_receipt where identity_number is not null").await, 1, "it is needed");
    app.time_passes_until("2026-02-14T10:10").await;
    assert_eq!(cash_receipt(&app).await["status"], "PROCESSING");
    assert_eq!(app.count("billing.cash_receipt where identity_number is not null").await, 0);
}

#[tokio::test]
async fn a_business_asks_for_its_expenses() {
    let app = pays_from_an_account(None).await;
    let business = json!({"type": "EXPENSE_PROOF", "identityNumber": "123-45-67890"});
    let answer = app.owner().post(PATH, business).await;
    assert_eq!(answer.data()["type"], "EXPENSE_PROOF");
}

#[tokio::test]
async fn a_number_that_does_not_fit_the_kind_is_refused() {
    let app = pays_from_an_account(None).await;
    for (kind, number, code) in [
        ("INCOME_DEDUCTION", "123-45-67890", "INVALID_IDENTITY_NUMBER"),
        ("INCOME_DEDUCTION", "", "INVALID_IDENTITY_NUMBER"),
        ("EXPENSE_PROOF", "010-1234-5678", "INVALID_IDENTITY_NUMBER"),
        ("INCOME_DEDUCTION", "900101-1234567", "RESIDENT_NUMBER_REFUSED"),
        ("EXPENSE_PROOF", "9001011234567", "RESIDENT_NUMBER_REFUSED"),
    ] {
        let answer = app.owner().post(PATH, json!({"type": kind, "identityNumber": number})).await;
        let problem = answer.problem(422, "VALIDATION_FAILED");
        assert_eq!(
            (&problem["errors"][0]["field"], &problem["errors"][0]["code"]),
            (&json!("identityNumber"), &json!(code))
        );
    }
    let card = json!({"type": "INCOME_DEDUCTION", "identityNumber": "4111-1111-1111-1111"});
    app.owner().post(PATH, card).await.problem(400, "RAW_CARD_NUMBER_REFUSED");
    assert_eq!(app.count("billing.cash_receipt").await, 0);
}

#[tokio::test]
async fn who_paid_by_card_has_a_card_slip() {
    let app = TestApp::start().await;
    app.subscribed().await;
    wants_one(&app).await.problem(409, "CARD_SLIP_ALREADY_ISSUED");
    app.owner().get(PATH).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_has_not_paid_has_nothing_to_show() {
    let app = TestApp::start().await;
    app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await.data();
    wants_one(&app).await.problem(409, "NOT_PAID");
}

#[tokio::test]
async fn a_telephone_bill_and_a_gift_certificate_bring_their_own() {
    let app = pays_from_an_account(None).await;
    for paid_with in ["'MOBILE'", "'VOUCHER'", "null"] {
        app.sql(&format!("update billing.payment set paid_with = {paid_with}")).await;
        wants_one(&app).await.problem(409, "CASH_RECEIPT_NOT_CALLED_FOR");
    }
}

#[tokio::test]
async fn a_payment_has_one() {
    let app = pays_from_an_account(None).await;
    wants_one(&app).await.data();
    wants_one(&app).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
    app.time_passes_until("2026-02-15T11:00").await;
    wants_one(&app).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
    assert_eq!(receipts_in_the_book(&app).0, [29_000]);

    let app = pays_from_an_account(Some(CashReceiptType::IncomeDeduction)).await;
    wants_one(&app).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
    assert_eq!(receipts_in_the_book(&app).0, [0; 0], "the one that came along is enough");
}

#[tokio::test]
async fn beside_a_tax_invoice_there_is_none_and_the_other_way_round() {
    let app = pays_from_an_account(None).await;
    asks(&app, 101).await.data();
    let answer = wants_one(&app).await;
    assert_eq!(answer.problem(409, "TAX_INVOICE_EXISTS")["invoiceId"], "INV-20260214-001");

    let app = pays_from_an_account(None).await;
    wants_one(&app).await.data();
    asks(&app, 101).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
}

#[tokio::test]
async fn of_many_requests_for_either_paper_at_once_one_is_granted() {
    for _ in 0..4 {
        let app = pays_from_an_account(None).await;
        let requests = (0..8).map(|number| {
            let app = &app;
            async move { if number % 2 == 0 { wants_one(app).await } else { asks(app, 101).await } }
        });
        let answers = join_all(requests).await;
        let granted = answers.iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(granted, 1, "{answers:?}");
        let papers = receipts_in_the_book(&app).0.len() + app.sandbox.tax_invoices().len();
        assert_eq!(papers, 1);
    }
}

#[tokio::test]
async fn the_same_request_again_gets_the_stored_answer() {
    let app = pays_from_an_account(None).await;
    let owner = app.owner().with_header("idempotency-key", "the-receipt");
    let first = owner.post(PATH, of_a_person()).await;
    let again = owner.post(PATH, of_a_person()).await;
    assert!(again.replayed && again.body == first.body, "{}", again.body);
    assert_eq!(receipts_in_the_book(&app).0, [29_000]);
}

#[tokio::test]
async fn what_the_tax_service_refuses_may_be_asked_for_again() {
    let app = pays_from_an_account(None).await;
    app.sandbox.set_toss_switches(TossSwitches { tax_service_refuses: true, ..TossSwitches::default() });
    assert_eq!(wants_one(&app).await.data()["status"], "PROCESSING");
    app.time_passes_until("2026-02-15T11:00").await;
    let refused = cash_receipt(&app).await;
    assert_eq!(refused["status"], "REFUSED");
    assert!(refused["refusalMessage"].as_str().is_some_and(|text| text.contains("국세청")), "{refused}");
    assert_eq!(app.story().await.last().map(String::as_str), Some("cash_receipt.refused"));
    let payment = app.owner().get("/api/payments/101").await.data().clone();
    assert_eq!(payment["cashReceipt"], json!(null));

    app.sandbox.set_toss_switches(TossSwitches::default());
    assert_eq!(wants_one(&app).await.data()["status"], "PROCESSING");
    app.time_passes_until("2026-02-16T12:00").await;
    assert_eq!(cash_receipt(&app).await["status"], "ISSUED");
}

#[tokio::test]
async fn what_the_provider_refuses_at_once_is_told_at_once() {
    let app = pays_from_an_account(None).await;
    let decline = sandbox::FaultKind::Decline { code: "INVALID_CASH_RECEIPT_INFO".to_owned() };
    app.sandbox.add_fault(sandbox::Fault::new(decline).on(sandbox::Operation::IssueCashReceipt));
    let answer = wants_one(&app).await;
    assert_eq!(answer.problem(409, "CASH_RECEIPT_REFUSED")["providerCode"], "INVALID_CASH_RECEIPT_INFO");
    assert_eq!(cash_receipt(&app).await["status"], "REFUSED");
    wants_one(&app).await.data();
}

/// The sandboxes of these take money from cards alone, so how it was paid is changed afterwards.
#[tokio::test]
async fn other_providers_issue_them_as_well_as_they_can() {
    for provider in [Provider::PortOne, Provider::Bootpay] {
        let app = TestApp::start().await;
        app.subscribes_at(provider).await;
        app.sql("update billing.payment set paid_with = 'TRANSFER'").await;
        let answer = wants_one(&app).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.data()["status"]),
            (200, &json!("ISSUED")),
            "{provider:?}"
        );
        refunds(&app, 101, 9_000).await.data();
        app.sweep().await;
        assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![29_000]), "{provider:?}");
        assert_eq!(cash_receipt(&app).await["status"], "CANCELED", "{provider:?}");
        let again = wants_one(&app).await;
        if provider == Provider::PortOne {
            assert_eq!(again.data()["amount"], 20_000, "the rest");
        } else {
            again.problem(409, "NO_CASH_RECEIPT_FOR_THE_REST");
        }
    }
    let app = TestApp::start().await;
    app.subscribes_at(Provider::Kcp).await;
    app.sql("update billing.payment set paid_with = 'TRANSFER'").await;
    wants_one(&app).await.problem(409, "CASH_RECEIPTS_NOT_OFFERED");
}

#[tokio::test]
async fn a_provider_that_issues_none_says_so() {
    let app = pays_from_an_account(None).await;
    app.provider.declares(|mut it| {
        it.cash_receipts = None;
        it
    });
    wants_one(&app).await.problem(409, "CASH_RECEIPTS_NOT_OFFERED");
}

#[tokio::test]
async fn what_the_provider_would_not_take_back_is_for_a_person() {
    let app = issued().await;
    let decline = FaultKind::Decline { code: "NOT_CANCELABLE_AMOUNT".to_owned() };
    app.sandbox.add_fault(Fault::new(decline).on(Operation::CancelCashReceipt));
    app.owner().post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await.data();
    app.sweep().await;
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![]));
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("RECEIPT_NOT_TAKEN_BACK"), &json!(101)));
    assert_eq!((&case["ourAmount"], &case["orderId"]), (&json!(29_000), &Value::Null));
    app.decides(&case, "REFUND").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "WRITE_OFF").await.data();
}

#[tokio::test]
async fn a_whole_refund_takes_it_back() {
    let app = issued().await;
    app.owner().post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await.data();
    app.sweep().await;
    let canceled = cash_receipt(&app).await;
    assert_eq!((&canceled["status"], &canceled["canceledAmount"]), (&json!("CANCELED"), &json!(29_000)));
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![29_000]));
    assert_eq!(app.story().await.last().map(String::as_str), Some("cash_receipt.canceled"));
    wants_one(&app).await.problem(409, "FULLY_REFUNDED");
    app.books_are_right().await;
}

#[tokio::test]
async fn a_part_given_back_takes_that_part_back() {
    let app = issued().await;
    for (part, taken_back) in [(9_000, vec![9_000]), (5_000, vec![9_000, 5_000])] {
        refunds(&app, 101, part).await.data();
        app.sweep().await;
        assert_eq!(receipts_in_the_book(&app), (vec![29_000], taken_back));
    }
    let receipt = cash_receipt(&app).await;
    assert_eq!((&receipt["status"], &receipt["canceledAmount"]), (&json!("ISSUED"), &json!(14_000)));
    app.owner().post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await.data();
    app.sweep().await;
    assert_eq!(cash_receipt(&app).await["status"], "CANCELED");
    assert_eq!(receipts_in_the_book(&app).1, [9_000, 5_000, 15_000]);
}

#[tokio::test]
async fn two_parts_at_once_are_taken_back_one_after_the_other() {
    let app = issued().await;
    for answer in join_all([refunds(&app, 101, 4_000), refunds(&app, 101, 6_000)]).await {
        answer.data();
    }
    app.sweep().await;
    app.sweep().await;
    let (_, mut taken_back) = receipts_in_the_book(&app);
    taken_back.sort_unstable();
    assert_eq!(taken_back, [4_000, 6_000]);
}

#[tokio::test]
async fn what_is_given_back_before_the_tax_service_answers_waits_for_it() {
    let app = pays_from_an_account(None).await;
    wants_one(&app).await.data();
    refunds(&app, 101, 9_000).await.data();
    app.sweep().await;
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![]));
    app.time_passes_until("2026-02-15T11:00").await;
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![9_000]));
}

#[tokio::test]
async fn of_what_the_tax_service_refuses_nothing_is_taken_back() {
    let app = pays_from_an_account(None).await;
    app.sandbox.set_toss_switches(TossSwitches { tax_service_refuses: true, ..TossSwitches::default() });
    wants_one(&app).await.data();
    refunds(&app, 101, 9_000).await.data();
    app.time_passes_until("2026-02-16T12:00").await;
    assert_eq!(cash_receipt(&app).await["status"], "REFUSED");
    assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![]));
    assert_eq!(app.count("billing.cash_receipt_cancel where status = 'VOID'").await, 1);
    // The next one is about the rest.
    assert_eq!(wants_one(&app).await.data()["amount"], 20_000);
}

#[tokio::test]
async fn where_only_all_of_it_can_be_taken_back_the_shop_asks_for_the_rest_anew() {
    let app = issued().await;
    app.provider.declares(|mut it| {
        it.cash_receipts.as_mut().expect("they are offered").cancels_parts = false;
        it
    });
    refunds(&app, 101, 9_000).await.data();
    app.sweep().await;
    assert_eq!(cash_receipt(&app).await["status"], "CANCELED");
    assert_eq!(wants_one(&app).await.data()["amount"], 20_000);
    app.time_passes_until("2026-02-16T12:00").await;
    assert_eq!(cash_receipt(&app).await["status"], "ISSUED");
    assert_eq!(receipts_in_the_book(&app), (vec![29_000, 20_000], vec![29_000]));
}

#[tokio::test]
async fn the_one_that_came_along_with_the_payment_is_the_providers_to_adjust() {
    let app = pays_from_an_account(Some(CashReceiptType::ExpenseProof)).await;
    refunds(&app, 101, 9_000).await.data();
    app.sweep().await;
    assert_eq!(app.count("billing.cash_receipt_cancel").await, 0);
}

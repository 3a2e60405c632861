//! Answers about cash receipts get lost, and no payment gets two.

use sandbox::{Fault, FaultKind, Moment, Operation};
use serde_json::json;
use testkit::TestApp;

use super::{
    cash_receipts::pays_from_an_account,
    receipts_on_request::{cash_receipt, receipts_in_the_book, wants_one},
    refunds,
};

const LEAVING_DOUBT: [FaultKind; 6] = [
    FaultKind::DropResponse,
    FaultKind::Refuse,
    FaultKind::Error500(Moment::BeforeProcessing),
    FaultKind::Error500(Moment::AfterProcessing),
    FaultKind::Truncated,
    FaultKind::RateLimited,
];

#[tokio::test]
async fn a_lost_answer_is_no_answer_and_the_receipt_is_issued_once() {
    for fault in LEAVING_DOUBT {
        let app = pays_from_an_account(None).await;
        app.sandbox.add_fault(Fault::new(fault.clone()).on(Operation::IssueCashReceipt));
        let answer = wants_one(&app).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.data()["status"]),
            (202, &json!("REQUESTED")),
            "{fault:?}"
        );
        wants_one(&app).await.problem(409, "CASH_RECEIPT_ALREADY_ISSUED");
        app.time_passes_until("2026-02-15T11:00").await;
        assert_eq!(cash_receipt(&app).await["status"], "ISSUED", "{fault:?}");
        assert_eq!(receipts_in_the_book(&app).0, [29_000], "{fault:?}");
    }
}

#[tokio::test]
async fn what_is_taken_back_in_an_answer_that_got_lost_is_taken_back_once() {
    for fault in LEAVING_DOUBT {
        let app = pays_from_an_account(None).await;
        wants_one(&app).await.data();
        app.time_passes_until("2026-02-15T10:30").await;
        app.sandbox.add_fault(Fault::new(fault.clone()).on(Operation::CancelCashReceipt));
        refunds(&app, 101, 9_000).await.data();
        app.time_passes_until("2026-02-15T11:00").await;
        assert_eq!(receipts_in_the_book(&app), (vec![29_000], vec![9_000]), "{fault:?}");
        assert_eq!(cash_receipt(&app).await["canceledAmount"], 9_000, "{fault:?}");
    }
}

/// The provider lost the first answer, and cannot be asked for sixteen days: it has forgotten the key.
async fn sixteen_days_after(first: FaultKind) -> TestApp {
    let app = pays_from_an_account(None).await;
    app.sandbox.add_fault(Fault::new(first).on(Operation::IssueCashReceipt));
    let silence = Fault::new(FaultKind::Error500(Moment::BeforeProcessing)).until_cleared();
    app.sandbox.add_fault(silence.on(Operation::LookupCashReceipt));
    assert_eq!(wants_one(&app).await.data()["status"], "REQUESTED");
    app.time_passes_until("2026-03-02T11:00").await;
    assert_eq!(cash_receipt(&app).await["status"], "REQUESTED", "nobody knows");
    assert_eq!(app.violations().await, [("stuck_cash_receipt".to_owned(), 1)]);
    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-02T23:00").await;
    app
}

#[tokio::test]
async fn once_the_provider_forgot_the_key_the_list_tells() {
    let app = sixteen_days_after(FaultKind::DropResponse).await;
    assert_eq!(cash_receipt(&app).await["status"], "ISSUED");
    assert_eq!(receipts_in_the_book(&app).0, [29_000]);
    assert_eq!(app.violations().await, []);
}

#[tokio::test]
async fn what_never_arrived_in_all_that_time_is_asked_for_anew() {
    let app = sixteen_days_after(FaultKind::Refuse).await;
    let refused = cash_receipt(&app).await;
    assert_eq!(refused["status"], "REFUSED");
    assert_eq!(receipts_in_the_book(&app).0, [0; 0]);
    wants_one(&app).await.data();
    assert_eq!(receipts_in_the_book(&app).0, [29_000]);
}

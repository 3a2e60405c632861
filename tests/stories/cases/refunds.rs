//! Refunds that nothing tells about, and money that went back without us.

use kernel::Krw;
use serde_json::{Value, json};
use testkit::{Approval, Cancellation, Capabilities, Lookup, Outcome, TestApp};

use super::{hears_of, subscribed};

async fn refunds_part(app: &TestApp, amount: i64) -> testkit::Answer {
    let part = json!({"amount": amount, "reason": "부분 환불 요청"});
    app.owner().patch("/api/payments/101/partial-refund", part).await
}

async fn detail(app: &TestApp) -> Value {
    app.owner().get("/api/payments/101").await.data().clone()
}

/// A refund of 9,000 won got no answer, and for a day nothing could be asked about it; its case.
async fn with_an_unknown_refund(is_made: bool) -> (TestApp, Value) {
    let app = subscribed().await;
    app.provider.declares(|as_it_is| Capabilities { lists_transactions: false, ..as_it_is });
    app.provider.on_cancel(move |real, cancel| async move {
        if is_made {
            real.cancel(&cancel).await;
        }
        Outcome::Unknown("the answer was lost".to_owned())
    });
    app.provider.on_find(async |_, _| Lookup::Unknown("out of order".to_owned()));
    assert_eq!(refunds_part(&app, 9_000).await.status, 202);
    app.time_passes_until("2026-02-02T08:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0], "not within a day");
    app.time_passes_until("2026-02-03T00:00").await;
    let case = app.the_case().await;
    (app, case)
}

#[tokio::test]
async fn a_refund_that_is_unknown_for_a_day_is_a_case() {
    let (app, case) = with_an_unknown_refund(true).await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("REFUND_UNKNOWN"), &json!(101)));
    assert_eq!(case["refundId"], detail(&app).await["refunds"][0]["refundId"]);
    assert_eq!(case["ourAmount"], 9_000);
    assert_eq!(case["possibleResolutions"], json!(["ADOPT", "WRITE_OFF"]));
    app.time_passes_until("2026-02-06T00:00").await;
    assert_eq!(app.the_case().await, case);
    app.decides(&case, "REFUND").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
}

#[tokio::test]
async fn what_the_machine_finds_out_later_resolves_the_case() {
    let (app, _) = with_an_unknown_refund(true).await;
    app.provider.is_itself_again();
    app.time_passes_until("2026-02-03T12:00").await;
    assert_eq!(detail(&app).await["refunds"][0]["status"], "SUCCESS");
    let resolved = app.the_case().await;
    assert_eq!((&resolved["status"], &resolved["resolution"]), (&json!("RESOLVED"), &json!("ADOPT")));
    assert_eq!(resolved["resolvedBy"], "the machine");
    let transaction = app.sandbox.book()[1].transaction_key.clone().expect("a cancel has a name");
    assert!(
        resolved["resolutionNote"].as_str().is_some_and(|note| note.contains(&transaction)),
        "{resolved}"
    );
    app.books_are_right().await;
}

#[tokio::test]
async fn adopted_as_the_operator_saw_it_the_money_went_back() {
    let (app, case) = with_an_unknown_refund(true).await;
    app.decides(&case, "ADOPT").await.data();
    let payment = detail(&app).await;
    assert_eq!((&payment["status"], &payment["refundedAmount"]), (&json!("PARTIAL_REFUNDED"), &json!(9_000)));
    app.books_are_right().await;
    // Once the provider answers again, it is still the same refund.
    app.provider.is_itself_again();
    hears_of(&app, &case["orderId"], "whtrans_cancel").await;
    assert_eq!(detail(&app).await, payment);
    assert_eq!(app.cases().await.len(), 1);
}

#[tokio::test]
async fn adopted_while_the_provider_answers_it_is_the_cancel_that_the_provider_shows() {
    let (app, case) = with_an_unknown_refund(true).await;
    app.provider.is_itself_again();
    app.decides(&case, "ADOPT").await.data();
    let transaction = app.sandbox.book()[1].transaction_key.clone().expect("a cancel has a name");
    let known = app.count(&format!("billing.refund where transaction_key = '{transaction}'")).await;
    assert_eq!(known, 1);
    app.books_are_right().await;
}

#[tokio::test]
async fn what_the_provider_does_not_show_is_not_adopted() {
    let (app, case) = with_an_unknown_refund(false).await;
    app.provider.is_itself_again();
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    assert_eq!(detail(&app).await["refundedAmount"], 0);
    app.decides(&case, "WRITE_OFF").await.data();
    assert_eq!(detail(&app).await["refunds"][0]["status"], "FAILED");
}

#[tokio::test]
async fn what_the_provider_shows_is_not_written_off() {
    let (app, case) = with_an_unknown_refund(true).await;
    app.provider.is_itself_again();
    app.decides(&case, "WRITE_OFF").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    assert_eq!(app.the_case().await["status"], "OPEN");
}

#[tokio::test]
async fn written_off_it_failed_and_can_be_asked_for_again() {
    let (app, case) = with_an_unknown_refund(false).await;
    app.decides(&case, "WRITE_OFF").await.data();
    let payment = detail(&app).await;
    assert_eq!((&payment["status"], &payment["refunds"][0]["status"]), (&json!("SUCCESS"), &json!("FAILED")));
    app.provider.is_itself_again();
    assert_eq!(refunds_part(&app, 9_000).await.data()["remainingAmount"], 20_000);
    assert_eq!(app.provider_totals(), (29_000, 9_000));
    app.books_are_right().await;
}

#[tokio::test]
async fn another_amount_than_was_asked_for_went_back() {
    let app = subscribed().await;
    app.provider.on_cancel(async |real, mut cancel| {
        cancel.amount = Krw::won(4_000);
        real.cancel(&cancel).await
    });
    assert_eq!(refunds_part(&app, 9_000).await.status, 202);
    let case = app.the_case().await;
    assert_eq!(case["kind"], "REFUND_UNKNOWN");
    app.provider.is_itself_again();
    app.decides(&case, "ADOPT").await.data();
    let payment = detail(&app).await;
    assert_eq!(payment["refundedAmount"], 4_000, "what went back, and not what was asked for: {payment}");
    app.books_are_right().await;
}

/// The provider tells only what is left of a payment.
fn lists_no_cancels(app: &TestApp) {
    app.provider.declares(|as_it_is| Capabilities {
        lists_cancels: false,
        lists_transactions: false,
        ..as_it_is
    });
    app.provider.on_find(async |real, payment_key: String| match real.find(&payment_key).await {
        Lookup::Approved(theirs) => {
            Lookup::Approved(Approval { cancellations: Vec::<Cancellation>::new(), ..theirs })
        }
        other => other,
    });
}

#[tokio::test]
async fn what_none_of_our_refunds_explains_is_a_case_for_each_amount() {
    let app = subscribed().await;
    lists_no_cancels(&app);
    let payment = app.approved()[0].clone();
    app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
    for delivery in ["whtrans_1", "whtrans_2"] {
        hears_of(&app, &json!(payment.order_id), delivery).await;
    }
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("UNKNOWN_CANCEL"), &json!(101)));
    assert_eq!(detail(&app).await["refundedAmount"], 0);
    app.decides(&case, "ADOPT").await.data();
    assert_eq!(detail(&app).await["refundedAmount"], 9_000);
    app.books_are_right().await;

    app.cancels_at_the_console(&payment.payment_key, Some(5_000)).await;
    hears_of(&app, &json!(payment.order_id), "whtrans_3").await;
    let second = app.cases().await[1].clone();
    app.decides(&second, "ADOPT").await.data();
    assert_eq!(detail(&app).await["refundedAmount"], 14_000);
    app.books_are_right().await;
}

#[tokio::test]
async fn adopted_again_after_a_crash_it_is_one_refund() {
    let app = subscribed().await;
    lists_no_cancels(&app);
    let payment = app.approved()[0].clone();
    app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
    hears_of(&app, &json!(payment.order_id), "whtrans_1").await;
    let case = app.the_case().await;
    app.decides(&case, "ADOPT").await.data();
    super::forgets_the_decision(&app).await;
    app.decides(&case, "ADOPT").await.data();
    assert_eq!(detail(&app).await["refundedAmount"], 9_000);
    app.books_are_right().await;
}

#[tokio::test]
async fn written_off_the_books_stay_as_they_are() {
    let app = subscribed().await;
    lists_no_cancels(&app);
    let payment = app.approved()[0].clone();
    app.cancels_at_the_console(&payment.payment_key, Some(9_000)).await;
    hears_of(&app, &json!(payment.order_id), "whtrans_1").await;
    app.decides(&app.the_case().await, "WRITE_OFF").await.data();
    assert_eq!(detail(&app).await["refundedAmount"], 0);
    hears_of(&app, &json!(payment.order_id), "whtrans_2").await;
    assert_eq!(app.cases().await.len(), 1, "it is not asked about again");
}

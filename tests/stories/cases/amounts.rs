//! The provider charged another amount than it was asked for.

use kernel::Krw;
use serde_json::{Value, json};
use testkit::{Card, Charge, TestApp};

use super::subscribed;

/// The provider takes a tenth of what it is asked for.
fn charges_too_little(app: &TestApp) {
    app.provider.on_charge(async |real, charge: Charge| {
        real.charge(&Charge { amount: Krw::won(charge.amount.get() / 10), ..charge }).await
    });
}

/// The renewal of 1 March took 2,900 won instead of 29,000; its case.
async fn with_another_amount() -> (TestApp, Value) {
    let app = subscribed().await;
    charges_too_little(&app);
    app.time_passes_until("2026-03-01T12:00").await;
    let case = app.the_case().await;
    app.provider.is_itself_again();
    (app, case)
}

#[tokio::test]
async fn another_amount_is_one_case_however_often_it_is_found() {
    let (app, case) = with_another_amount().await;
    assert_eq!(case["kind"], "AMOUNT_DIFFERS");
    assert_eq!((&case["ourAmount"], &case["theirAmount"]), (&json!(29_000), &json!(2_900)));
    assert_eq!(case["possibleResolutions"], json!(["REFUND"]));
    app.time_passes_until("2026-03-04T12:00").await;
    assert_eq!(app.the_case().await, case);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"], "nothing is asked for again");
    for resolution in ["ADOPT", "WRITE_OFF"] {
        app.decides(&case, resolution).await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    }
}

#[tokio::test]
async fn given_back_the_attempt_failed_and_the_renewal_is_made_anew() {
    let (app, case) = with_another_amount().await;
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    assert_eq!(app.payments().await[1]["failure"]["providerCode"], "GIVEN_BACK");
    assert_eq!(app.given_back(&case["orderId"]), [2_900]);
    app.time_passes_until("2026-03-01T14:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    app.books_are_right().await;
    // And the day's lists agree, since the case explains its order.
    app.time_passes_until("2026-03-02T06:00").await;
    assert_eq!(app.comparison("2026-03-01").await["status"], "MATCHED");
}

#[tokio::test]
async fn given_back_a_first_charge_leaves_the_shop_free_to_pay_again() {
    let app = TestApp::start().await;
    charges_too_little(&app);
    let registration = app.registration("BASIC", Card::Good);
    let answer = app.owner().post("/api/payments/billing-key", registration).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.provider.is_itself_again();
    let case = app.the_case().await;
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    assert_eq!(app.current().await["plan"], "FREE");
    assert_eq!(app.subscribed().await["status"], "ACTIVE");
    assert_eq!(app.provider_totals(), (2_900 + 29_000, 2_900));
    app.books_are_right().await;
}

#[tokio::test]
async fn what_went_back_at_the_console_is_settled_and_the_case_can_be_closed() {
    let (app, case) = with_another_amount().await;
    app.cancels_at_the_console(case["paymentKey"].as_str().expect("a key"), None).await;
    app.time_passes_until("2026-03-02T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [2_900]);
    app.books_are_right().await;
}

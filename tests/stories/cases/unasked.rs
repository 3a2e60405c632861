//! The provider holds a charge that we never asked for.

use serde_json::{Value, json};
use testkit::TestApp;

use super::hears_of;

/// Somebody charged 5,000 won with the shop's keys, and the provider tells us; its case.
async fn with_an_unknown_charge(app: &TestApp) -> Value {
    app.charges_at_the_console("console-order-1", 5_000).await;
    hears_of(app, &json!("console-order-1"), "whtrans_stray").await;
    assert_eq!(app.cases().await, [] as [Value; 0], "the order may be one that is just being made");
    app.time_passes_until("2026-02-01T23:00").await;
    app.the_case().await
}

#[tokio::test]
async fn a_charge_that_we_never_asked_for_is_a_case_once_the_provider_shows_it() {
    let app = TestApp::start().await;
    let case = with_an_unknown_charge(&app).await;
    assert_eq!((&case["kind"], &case["businessId"]), (&json!("UNKNOWN_CHARGE"), &Value::Null));
    assert_eq!((&case["ourAmount"], &case["theirAmount"]), (&Value::Null, &json!(5_000)));
    assert_eq!(case["orderId"], "console-order-1");
    assert_eq!(case["possibleResolutions"], json!(["REFUND", "WRITE_OFF"]));
    // The daily reconciliation finds the same.
    app.time_passes_until("2026-02-02T06:00").await;
    assert_eq!(app.the_case().await, case);
}

#[tokio::test]
async fn a_forged_webhook_about_nobodys_order_becomes_nothing() {
    let app = TestApp::start().await;
    hears_of(&app, &json!("dg00000000000000000000000000000000"), "whtrans_forged").await;
    app.time_passes_until("2026-02-03T00:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0]);
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "it is put aside");
}

#[tokio::test]
async fn it_goes_back_or_stays_but_pays_nothing() {
    for (resolution, given_back) in [("REFUND", vec![5_000]), ("WRITE_OFF", vec![])] {
        let app = TestApp::start().await;
        let case = with_an_unknown_charge(&app).await;
        app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
        app.decides(&case, resolution).await.data();
        assert_eq!(app.given_back(&case["orderId"]), given_back);
        assert_eq!(app.payments().await, [] as [Value; 0]);
        assert_eq!(app.violations().await, []);
    }
}

#[tokio::test]
async fn no_other_payment_is_given_back_in_its_place() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let ours = app.approved()[0].payment_key.clone();
    let case = with_an_unknown_charge(&app).await;
    let answer = app.decides_naming(&case, "REFUND", &ours).await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], "NOT_THIS_PAYMENT");
    assert_eq!(app.provider_totals(), (34_000, 0));
    assert_eq!(app.the_case().await["status"], "OPEN");
}

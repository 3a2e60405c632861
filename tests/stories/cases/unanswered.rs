//! A webhook comes, and the provider says nothing about it.

use serde_json::{Value, json};
use testkit::{Capabilities, ListFailed, Lookup, TestApp};

use super::{hears_of, subscribed, takes_it_and_says_no};

/// From now on the provider says nothing about any payment.
fn is_silent(app: &TestApp) {
    app.provider.on_find_by_order(async |_, _| Lookup::Unknown("out of order".to_owned()));
    app.provider.on_find(async |_, _| Lookup::Unknown("out of order".to_owned()));
}

fn has_no_list(app: &TestApp) {
    app.provider.declares(|as_it_is| Capabilities { lists_transactions: false, ..as_it_is });
}

/// The renewal of 1 March was taken, called declined, and is heard of while the provider is silent.
async fn with_unheard_news() -> TestApp {
    let app = subscribed().await;
    takes_it_and_says_no(&app);
    app.time_passes_until("2026-03-01T10:00").await;
    app.provider.is_itself_again();
    is_silent(&app);
    has_no_list(&app);
    hears_of(&app, &app.payments().await[1]["orderId"], "whtrans_late").await;
    app
}

#[tokio::test]
async fn it_is_asked_again_for_days_until_it_answers() {
    let app = with_unheard_news().await;
    app.time_passes_until("2026-03-03T10:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0]);
    app.provider.is_itself_again();
    has_no_list(&app);
    app.time_passes_until("2026-03-03T12:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["theirAmount"]), (&json!("LATE_APPROVAL"), &json!(29_000)));
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0);
}

#[tokio::test]
async fn after_three_days_a_person_has_to_ask_where_nothing_else_would_tell() {
    let app = with_unheard_news().await;
    app.time_passes_until("2026-03-04T09:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0]);
    app.time_passes_until("2026-03-04T12:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("LATE_APPROVAL"), &json!(102)));
    assert!(case["evidence"].as_str().is_some_and(|text| text.contains("PAYMENT_STATUS_CHANGED")), "{case}");
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0);
}

/// As at KCP, which can be asked about what the webhook names and about nothing else.
#[tokio::test]
async fn a_charge_of_nobody_is_a_case_as_well_and_can_go_back_once_the_provider_answers() {
    let app = TestApp::start().await;
    let payment_key = app.charges_at_the_console("console-order-1", 5_000).await;
    app.provider.declares(|as_it_is| Capabilities {
        lists_transactions: false,
        finds_by_order: false,
        ..as_it_is
    });
    is_silent(&app);
    let data = json!({"orderId": "console-order-1", "paymentKey": payment_key, "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook("whtrans_stray", &body).await.status, 200);
    app.time_passes_until("2026-02-05T00:00").await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentKey"]), (&json!("UNKNOWN_CHARGE"), &json!(payment_key)));
    app.decides(&case, "REFUND").await.problem(503, "PROVIDER_UNAVAILABLE");
    app.provider.is_itself_again();
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [5_000]);
}

#[tokio::test]
async fn what_the_daily_list_will_tell_is_no_case() {
    let app = with_unheard_news().await;
    app.provider.declares(|as_it_is| as_it_is);
    app.provider.on_transactions(async |_, _| Err(ListFailed("out of order".to_owned())));
    app.time_passes_until("2026-03-06T00:00").await;
    assert_eq!(app.cases().await, [] as [Value; 0]);
    assert_eq!(app.count("billing.webhook where due_at is not null").await, 0, "it is put aside");
}

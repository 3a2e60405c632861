//! The clock that QA moves, and work that was delayed.

use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Answer, Card, TestApp};

async fn moves_the_clock(app: &TestApp, to: Value) -> Answer {
    app.anonymous().post("/api/dev/clock", to).await
}

fn starts_with(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|value| value.starts_with(text))
}

#[tokio::test]
async fn a_moved_clock_says_what_happened_on_the_way() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let clock = app.anonymous().get("/api/dev/clock").await;
    assert!(starts_with(&clock.data()["now"], "2026-02-01T08:30:"), "{}", clock.body);

    let moved = moves_the_clock(&app, json!({"advance": "P1M"})).await;
    assert!(starts_with(&moved.data()["now"], "2026-03-01T08:3"), "{}", moved.body);
    assert_eq!(moved.data()["billing"]["due"], 0, "a calendar month later it is not ten o'clock yet");
    let moved = moves_the_clock(&app, json!({"advance": "PT2H"})).await;
    assert_eq!(moved.data()["billing"], json!({"due": 1, "succeeded": 1, "failed": 0, "unknown": 0}));
    assert_eq!(moved.data()["stops"], 1);
    let moved = moves_the_clock(&app, json!({"advance": "P31D"})).await;
    assert!(starts_with(&moved.data()["now"], "2026-04-01T10:3"), "{}", moved.body);
    assert_eq!(moved.data()["billing"]["succeeded"], 1);
    let moved = moves_the_clock(&app, json!({"now": "2026-06-14T10:00:00+09:00"})).await;
    assert!(starts_with(&moved.data()["now"], "2026-06-14T10:00:0"), "{}", moved.body);
    assert_eq!(moved.data()["billing"]["succeeded"], 2);
    assert_eq!(app.charges(), 5);
}

#[tokio::test]
async fn a_time_without_an_offset_is_korean() {
    let app = TestApp::start().await;
    let moved = moves_the_clock(&app, json!({"now": "2026-03-14T10:00:00"})).await;
    assert!(starts_with(&moved.data()["now"], "2026-03-14T10:00:0"), "{}", moved.body);
}

#[tokio::test]
async fn moving_the_clock_back_undoes_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    moves_the_clock(&app, json!({"advance": "P31D"})).await.data();
    moves_the_clock(&app, json!({"now": "2026-02-01T09:00:00"})).await.data();
    assert_eq!(app.charges(), 2);
    moves_the_clock(&app, json!({"advance": "P31D"})).await.data();
    assert_eq!(app.charges(), 2, "what was charged is not charged again");
}

#[tokio::test]
async fn a_clock_is_not_moved_by_nonsense() {
    let app = TestApp::start().await;
    for nonsense in [
        json!({}),
        json!({"advance": "P1D", "now": "2026-03-14T10:00:00+09:00"}),
        json!({"advance": ""}),
        json!({"advance": "31 days"}),
        json!({"advance": "P"}),
        json!({"advance": "-P1D"}),
        json!({"advance": "P30Y"}),
        json!({"advance": "P1000000000D"}),
        json!({"advance": 31}),
        json!({"now": "tomorrow"}),
        json!({"now": "2099-01-01T00:00:00+09:00"}),
        json!({"by": "P1D"}),
    ] {
        let answer = moves_the_clock(&app, nonsense.clone()).await;
        assert_eq!(answer.status, 422, "{nonsense} {}", answer.body);
        answer.problem(422, "VALIDATION_FAILED");
    }
    let clock = app.anonymous().get("/api/dev/clock").await;
    assert!(starts_with(&clock.data()["now"], "2026-02-01T08:30:"), "{}", clock.body);
}

#[tokio::test]
async fn a_paused_worker_delays_a_renewal_and_loses_nothing() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.it_is("2026-03-20T16:00");
    assert_eq!(app.current().await["status"], "ACTIVE", "the delay is ours, not the salon's");
    assert_eq!(app.sweep().await.succeeded, 1);
    let current = app.current().await;
    assert_eq!(current["currentPeriod"], json!({"from": "2026-03-01", "until": "2026-04-01"}));
    app.time_passes_until("2026-04-01T10:00").await;
    assert_eq!(app.charges(), 3);
}

#[tokio::test]
async fn months_that_were_missed_are_charged_once_each_and_in_order() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.it_is("2026-05-10T16:00");
    while app.sweep().await.due > 0 {}
    let days =
        app.payments().await.iter().map(|payment| payment["period"]["from"].clone()).collect::<Vec<_>>();
    assert_eq!(days, ["2026-02-01", "2026-03-01", "2026-04-01", "2026-05-01"]);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-06-01");
    assert_eq!(app.provider_totals(), (4 * 29_000, 0));
}

#[tokio::test]
async fn a_lost_queue_loses_no_webhook() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.cancels_at_the_console(&app.approved()[0].payment_key, None).await;
    app.deliver(&app.sandbox.webhooks()).await;
    app.sql("delete from graphile_worker._private_jobs").await;
    app.sweep().await;
    assert_eq!(app.each_payments("status").await, ["REFUNDED"]);
}

#[tokio::test]
async fn a_key_that_waits_to_be_deleted_does_not_hold_the_year_up() {
    let app = TestApp::start().await;
    app.subscribed().await;
    // The renewal's answer is lost, and for two days the provider cannot be asked for it. Meanwhile
    // the card is replaced: the old key is deleted only once that charge is known.
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(Operation::Lookup).until_cleared());
    app.time_passes_until("2026-03-01T10:00").await;
    let replacement = json!({"authKey": app.auth_key(Card::Good), "customerKey": "user_1"});
    app.owner().put("/api/subscriptions/payment-method", replacement).await.data();
    let moved = app.time_passes_until("2026-03-03T10:00").await;
    assert!(moved.stops > 10, "asked again and again: {moved:?}");
    assert_eq!((app.charges(), app.deleted_keys()), (2, 0));

    app.sandbox.clear_faults();
    app.time_passes_until("2026-06-01T10:00").await;
    assert_eq!(app.deleted_keys(), 1);
    let on_time =
        app.payments().await.iter().all(|payment| {
            starts_with(&payment["paidAt"], payment["period"]["from"].as_str().expect("a day"))
        });
    assert!(on_time, "{:?}", app.payments().await);
    assert_eq!(app.charges(), 5);
}

//! Every day, the provider's list against our books, to the won.

mod differences;
mod lists;
mod missing;

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use testkit::{Card, TestApp};

async fn subscribed() -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app
}

async fn refunds_part(app: &TestApp, amount: i64) {
    let part = json!({"amount": amount, "reason": "부분 환불 요청"});
    app.owner().patch("/api/payments/101/partial-refund", part).await.data();
}

/// Notes for which days the provider's list is asked for.
fn notes_what_is_read(app: &TestApp) -> Arc<Mutex<Vec<String>>> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&read);
    app.provider.on_transactions(move |real, (day, after)| {
        notes.lock().expect("nobody panicked").push(day.to_string());
        async move { real.transactions(day, after.as_deref()).await }
    });
    read
}

async fn days_compared(app: &TestApp) -> Vec<Value> {
    app.compared().await.into_iter().map(|one| one["day"].clone()).collect()
}

#[tokio::test]
async fn a_quiet_day_matches_to_the_won() {
    let app = subscribed().await;
    refunds_part(&app, 9_000).await;
    app.owner_of(2).post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    let declined = app.registration("BASIC", Card::LimitExceeded);
    app.owner_of(3).post("/api/payments/billing-key", declined).await.problem(402, "CARD_DECLINED");
    app.time_passes_until("2026-02-02T06:00").await;
    let compared = app.comparison("2026-02-01").await;
    let both = json!({"charges": 2, "charged": 88_000, "cancels": 1, "canceled": 9_000});
    assert_eq!((&compared["theirs"], &compared["ours"]), (&both, &both));
    assert_eq!((&compared["status"], &compared["provider"]), (&json!("MATCHED"), &json!("TOSS")));
    assert_eq!((&compared["found"], &compared["unexplained"]), (&json!(0), &json!(0)));
    assert_eq!((&compared["failure"], &compared["nextAttemptAt"]), (&Value::Null, &Value::Null));
    assert!(
        compared["finishedAt"].as_str().is_some_and(|at| at.starts_with("2026-02-02T06:00")),
        "{compared}"
    );
    assert_eq!(app.cases().await, [] as [Value; 0]);
    assert_eq!(app.count("billing.reconciliation_line").await, 0, "the copy of the list is not kept");
}

#[tokio::test]
async fn yesterday_is_compared_at_six_once_and_never_again_by_itself() {
    let app = subscribed().await;
    app.sweep().await;
    let read = notes_what_is_read(&app);
    app.time_passes_until("2026-02-02T05:59").await;
    assert_eq!(app.comparison("2026-02-01").await, Value::Null);
    app.time_passes_until("2026-02-02T06:00").await;
    assert_eq!(app.comparison("2026-02-01").await["status"], "MATCHED");
    for time in ["2026-02-02T06:01", "2026-02-02T12:00", "2026-02-03T05:59", "2026-02-03T06:00"] {
        app.time_passes_until(time).await;
    }
    assert_eq!(*read.lock().expect("nobody panicked"), ["2026-02-01", "2026-02-02"]);
}

#[tokio::test]
async fn the_first_comparison_ever_is_of_yesterday() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    app.sweep().await;
    assert_eq!(days_compared(&app).await, ["2026-02-13"]);
}

#[tokio::test]
async fn after_a_pause_every_missed_day_is_compared() {
    let app = subscribed().await;
    app.sweep().await;
    app.it_is("2026-02-05T07:00");
    app.sweep().await;
    let days = ["2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03", "2026-02-04"];
    assert_eq!(days_compared(&app).await, days);
    assert_eq!(app.comparison("2026-02-01").await["theirs"]["charged"], 29_000);
}

#[tokio::test]
async fn a_day_compared_by_hand_before_it_is_over_is_compared_by_itself_as_well() {
    let app = subscribed().await;
    app.sweep().await;
    assert_eq!(app.compares("2026-02-01").await.data()["theirs"]["charges"], 1);
    refunds_part(&app, 9_000).await;
    app.time_passes_until("2026-02-02T06:00").await;
    let compared = app.comparison("2026-02-01").await;
    assert_eq!(compared["theirs"]["cancels"], 1, "{compared}");
    assert_eq!(compared["status"], "MATCHED");
}

#[tokio::test]
async fn a_day_compared_by_hand_leaves_no_gap_behind_it() {
    let app = subscribed().await;
    app.sweep().await;
    app.it_is("2026-02-04T12:00");
    app.compares("2026-02-03").await.data();
    app.compares("2026-01-10").await.data();
    app.sweep().await;
    let days = ["2026-01-10", "2026-01-31", "2026-02-01", "2026-02-02", "2026-02-03"];
    assert_eq!(days_compared(&app).await, days, "what was missed, and no day before the first");
}

#[tokio::test]
async fn what_cannot_be_compared_is_refused() {
    let app = TestApp::start().await;
    for (provider, day, code) in [
        ("TOSS", "2026-02-02", "INVALID_DAY"),
        ("TOSS", "9999-12-31", "INVALID_DAY"),
        ("TOSS", "1999-12-31", "INVALID_DAY"),
        ("NOVA", "2026-01-31", "UNKNOWN_PROVIDER"),
    ] {
        let wanted = json!({"provider": provider, "day": day});
        let answer = app.platform_admin().post("/api/admin/reconciliations", wanted).await;
        assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], code, "{provider} {day}");
    }
    app.provider.declares(|as_it_is| testkit::Capabilities { lists_transactions: false, ..as_it_is });
    let answer = app.compares("2026-01-31").await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], "NO_TRANSACTION_LIST");
    app.sweep().await;
    assert_eq!(app.compared().await, [] as [Value; 0]);
    let wanted = json!({"provider": "TOSS", "day": "2026-01-31"});
    app.owner().post("/api/admin/reconciliations", wanted).await.problem(403, "PERMISSION_REQUIRED");
    app.owner().get("/api/admin/reconciliations").await.problem(403, "PERMISSION_REQUIRED");
}

#[tokio::test]
async fn comparisons_come_in_pages_newest_first_and_are_filtered() {
    let app = subscribed().await;
    app.sweep().await;
    app.charges_at_the_console("console-order-1", 5_000).await;
    app.it_is("2026-02-05T07:00");
    app.sweep().await;
    let admin = app.platform_admin();
    let days = async |query: &str| -> (Vec<Value>, Value) {
        let page = admin.get(&format!("/api/admin/reconciliations?{query}")).await;
        let list = page.data().as_array().expect("a list").iter();
        (list.map(|one| one["day"].clone()).collect(), page.body["page"]["nextCursor"].clone())
    };
    let (first, cursor) = days("limit=3&provider=TOSS").await;
    assert_eq!(first, ["2026-02-04", "2026-02-03", "2026-02-02"]);
    let (second, end) =
        days(&format!("limit=3&provider=TOSS&cursor={}", cursor.as_str().expect("a cursor"))).await;
    assert_eq!((second, end), (vec![json!("2026-02-01"), json!("2026-01-31")], Value::Null));
    assert_eq!(days("status=DIFFERENT&provider=toss").await.0, ["2026-02-01"]);
    assert_eq!(days("provider=TOSS").await.0.len(), 5);
    assert_eq!(days("status=FAILED").await.0, [] as [Value; 0]);
}

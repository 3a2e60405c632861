//! Who is served when, by whom, and what nobody sees of it.

use std::{sync::Arc, time::Duration};

use axum::http::Method;
use chrono::TimeDelta;
use exports::Storage;
use serde_json::json;
use testkit::TestApp;
use tokio::{sync::Semaphore, task::JoinHandle, time::timeout};

use super::{
    asked, downloaded, feeds, how_is, january, rows, shop,
    storages::{MANY, has_many_reservations},
    stores::Disturbed,
    subscribes, visit, visited, work,
};

/// A shop whose files nobody stores before the gate is opened.
async fn gated(workers: usize) -> (TestApp, Arc<Disturbed>) {
    let store = Disturbed::gated();
    let storage = Storage::of(store.clone());
    let mut app = shop().await;
    app.restarts(|app| {
        app.exports.storage = storage;
        app.exports.workers = Arc::new(Semaphore::new(workers));
    });
    (app, store)
}

/// Workers begin, and go on in the background.
fn workers_begin(app: &TestApp) -> JoinHandle<()> {
    let exports = app.app.exports.clone();
    tokio::spawn(async move { exports.sweep().await.expect("the sweep succeeds") })
}

async fn until(app: &TestApp, what: &str, found: &[&str]) {
    let patience = async {
        while app.texts(what).await != found {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let waited = timeout(Duration::from_mins(1), patience).await;
    assert!(waited.is_ok(), "never {found:?}: {:?}", app.texts(what).await);
}

const RUNNING: &str =
    "select business_id || ' ' || number from exports.export where running order by business_id, number";

#[tokio::test]
async fn so_many_of_a_shop_are_made_at_once_and_the_rest_wait_their_turn() {
    let (app, store) = gated(8).await;
    subscribes(&app, 3, "PRO").await;
    let mut paths = Vec::new();
    for _ in 0..4 {
        paths.push(asked(&app, january("STAFFS")).await);
    }
    app.owner_of(3).post("/api/businesses/3/exports", january("STAFFS")).await.data();
    let working = workers_begin(&app);
    until(&app, RUNNING, &["2 1", "2 2", "3 1"]).await;
    // A second process does not begin more.
    let another = workers_begin(&app);
    another.await.expect("it finds nothing to do");
    assert_eq!(app.texts(RUNNING).await, ["2 1", "2 2", "3 1"]);
    let waiting = how_is(&app, &paths[3]).await;
    assert_eq!((&waiting["status"], &waiting["progress"]), (&json!("PROCESSING"), &json!(0)));
    store.open_the_gate();
    working.await.expect("all of it");
    for path in paths {
        assert_eq!(how_is(&app, &path).await["status"], "COMPLETED");
    }
}

#[tokio::test]
async fn a_shop_that_asks_for_much_does_not_keep_others_waiting() {
    let (app, store) = gated(1).await;
    store.open_the_gate();
    subscribes(&app, 3, "PRO").await;
    for _ in 0..3 {
        asked(&app, january("STAFFS")).await;
    }
    app.owner_of(3).post("/api/businesses/3/exports", january("STAFFS")).await.data();
    work(&app).await;
    let order =
        app.texts("select business_id || ' ' || number from exports.export order by finished_at").await;
    assert_eq!(order, ["2 1", "3 1", "2 2", "2 3"]);
}

#[tokio::test]
async fn who_cancels_stops_what_is_being_made() {
    let (app, store) = gated(2).await;
    let path = asked(&app, january("RESERVATIONS")).await;
    let working = workers_begin(&app);
    until(&app, RUNNING, &["2 1"]).await;
    assert_eq!(app.owner_of(2).send(Method::DELETE, &path, None).await.status, 204);
    // Although the storage never answers.
    timeout(Duration::from_secs(30), working).await.expect("it stops soon").expect("no panic");
    assert_eq!((store.objects().await, app.count("exports.file").await), (0, 0));
    let trail = app.owner_of(2).get("/api/businesses/2/audit").await;
    assert_eq!(trail.data()[0]["action"], "export.cancelled");
}

/// The one who works has given no sign of life for as long as anybody waits, so to speak: its lease is over. If it gives one
/// before another looks, it has given none again.
async fn takes_over(app: &TestApp) -> JoinHandle<()> {
    loop {
        app.sql("update exports.export set due_at = due_at - interval '1 hour'").await;
        let mut other = workers_begin(app);
        tokio::select! {
            () = until(app, "select attempt::text from exports.export", &["2"]) => return other,
            found_nothing = &mut other => found_nothing.expect("no panic"),
        }
    }
}

#[tokio::test]
async fn a_worker_that_was_taken_for_dead_has_made_nothing_that_anybody_sees() {
    let (app, store) = gated(2).await;
    let path = asked(&app, january("RESERVATIONS")).await;
    let slow = workers_begin(&app);
    until(&app, RUNNING, &["2 1"]).await;
    let other = takes_over(&app).await;
    store.open_the_gate();
    slow.await.expect("no panic");
    other.await.expect("no panic");
    let export = how_is(&app, &path).await;
    assert_eq!((&export["status"], &export["rowCount"]), (&json!("COMPLETED"), &json!(3)));
    assert_eq!(rows(&downloaded(&app, &path).await.bytes).len(), 4);
    assert_eq!(app.count("platform.event where kind = 'export.completed'").await, 1);
    app.pass(TimeDelta::minutes(1));
    work(&app).await;
    assert_eq!(app.texts("select attempt::text from exports.file").await, ["2"]);
    assert_eq!(store.objects().await, 1, "what the slow one had written is gone");
}

#[tokio::test]
async fn a_file_shows_one_moment_however_long_it_takes() {
    let (app, store) = gated(2).await;
    has_many_reservations(&app).await;
    let path = asked(&app, january("RESERVATIONS")).await;
    let working = workers_begin(&app);
    // Counted, and begun; the storage takes nothing yet, so most of it is still to be read.
    until(
        &app,
        "select (rows_written > 0 and rows_written < rows_expected)::text from exports.export",
        &["true"],
    )
    .await;
    let progress = how_is(&app, &path).await["progress"].as_i64().expect("percent");
    assert!((0..100).contains(&progress), "{progress}");
    app.sql("update booking.reservation set price = 1, status = 'CANCELLED' where business_id = 2").await;
    app.sql("update booking.customer set name = 'somebody else' where business_id = 2").await;
    visited(
        &app,
        json!([visit("later", "2026-01-31T23:59:30", Some("c1"), Some("kim"), &[("cut", 5)], "COMPLETED")]),
    )
    .await;
    feeds(
        &app,
        "services",
        json!([{"externalId": "cut", "name": "renamed", "category": "컷", "price": 1, "durationMinutes": 5}]),
    )
    .await;
    store.open_the_gate();
    working.await.expect("no panic");
    let rows = rows(&downloaded(&app, &path).await.bytes);
    assert_eq!(rows.len(), usize::try_from(MANY).expect("a length") + 4);
    let sum: i64 = rows[1..].iter().map(|row| row[10].parse::<i64>().expect("won")).sum();
    assert_eq!(sum, MANY * 20_000 + 100_000 + 15_000 + 18_000);
    assert!(rows.iter().all(|row| row[5] != "somebody else" && row[8] != "renamed" && row[1] != "later"));
    assert_eq!(how_is(&app, &path).await["rowCount"], json!(MANY + 3));
}

//! A shop takes its data away.

mod audit;
mod downloading;
mod files;
mod making;
mod plans;
mod storages;
mod stores;
mod turns;

use axum::http::Method;
use serde_json::{Value, json};
use testkit::{Answer, Card, Download, TestApp};

/// Business 2 is a shop on PRO, with a menu, a team, customers, and three reservations in January.
async fn shop() -> TestApp {
    shop_with(&[]).await
}

async fn shop_with(flags: &[&str]) -> TestApp {
    let app = TestApp::start_with(flags).await;
    subscribes(&app, 2, "PRO").await;
    let service = |id: &str, name: &str, minutes: i64| json!({"externalId": id, "name": name, "category": "컷", "price": 20_000, "durationMinutes": minutes});
    feeds(&app, "services", json!([service("cut", "커트", 30), service("perm", "펌", 120)])).await;
    feeds(
        &app,
        "staffs",
        json!([{"externalId": "kim", "name": "김실장"}, {"externalId": "lee", "name": "이실장"}]),
    )
    .await;
    feeds(
        &app,
        "customers",
        json!([
            {"externalId": "c1", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com",
             "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["단골", "VIP"], "marketingConsent": true,
             "createdAt": "2025-11-03T11:00:00"},
            {"externalId": "c2", "name": "박서준", "phone": "02-312-3456", "createdAt": "2026-01-05T09:30:00"},
        ]),
    )
    .await;
    visited(
        &app,
        json!([
            visit(
                "r1",
                "2026-01-10T14:00:00",
                Some("c1"),
                Some("kim"),
                &[("cut", 20_000), ("perm", 80_000)],
                "COMPLETED"
            ),
            visit("r2", "2026-01-31T23:59:00", Some("c2"), Some("lee"), &[("cut", 15_000)], "NO_SHOW"),
            visit("r3", "2026-01-20T10:30:00", None, None, &[("cut", 18_000)], "CANCELLED"),
        ]),
    )
    .await;
    app
}

fn visit(
    id: &str,
    at: &str,
    customer: Option<&str>,
    staff: Option<&str>,
    services: &[(&str, i64)],
    status: &str,
) -> Value {
    let services: Vec<_> =
        services.iter().map(|(id, price)| json!({"serviceExternalId": id, "price": price})).collect();
    json!({
        "externalId": id, "customerExternalId": customer, "staffExternalId": staff, "services": services,
        "startAt": at, "status": status, "createdAt": "2026-01-02T09:00:00",
    })
}

async fn subscribes(app: &TestApp, business: i64, plan: &str) {
    let registration = app.registration(plan, Card::Good);
    app.owner_of(business).post("/api/payments/billing-key", registration).await.data();
}

/// The reservation system feeds business 2; everything goes in.
async fn feeds(app: &TestApp, what: &str, rows: Value) {
    let answer = app.owner_of(2).put(&format!("/api/businesses/2/{what}/bulk"), rows).await;
    assert_eq!(answer.data()["failed"], 0, "{}", answer.body);
}

async fn visited(app: &TestApp, visits: Value) {
    feeds(app, "reservations", visits).await;
}

async fn asks(app: &TestApp, wanted: Value) -> Answer {
    app.owner_of(2).post("/api/businesses/2/exports", wanted).await
}

/// Asks for an export, and answers with its path.
async fn asked(app: &TestApp, wanted: Value) -> String {
    let answer = asks(app, wanted).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    format!("/api/businesses/2/exports/{}", answer.data()["exportId"].as_str().expect("an id"))
}

/// Workers do what there is to do.
async fn work(app: &TestApp) {
    app.app.exports.sweep().await.expect("the sweep succeeds");
}

async fn made(app: &TestApp, wanted: Value) -> String {
    let path = asked(app, wanted).await;
    work(app).await;
    assert_eq!(how_is(app, &path).await["status"], "COMPLETED");
    path
}

async fn how_is(app: &TestApp, path: &str) -> Value {
    app.owner_of(2).get(path).await.data().clone()
}

async fn downloaded(app: &TestApp, path: &str) -> Download {
    let file = app.owner_of(2).download(Method::GET, &format!("{path}/download")).await;
    assert_eq!(file.status, 200, "{}", String::from_utf8_lossy(&file.bytes));
    file
}

/// January, as a CSV.
fn january(kind: &str) -> Value {
    json!({"type": kind, "format": "CSV", "startDate": "2026-01-01", "endDate": "2026-01-31"})
}

/// The rows of a CSV file, its titles first.
fn rows(file: &[u8]) -> Vec<Vec<String>> {
    let text = std::str::from_utf8(file).expect("UTF-8").strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("a record"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

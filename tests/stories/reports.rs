//! What a shop sees of what it earned.

mod against_the_plain_query;
mod customers;
mod revenue;
mod services;
mod versions;

use serde_json::{Value, json};
use testkit::{Answer, TestApp};

/// A visit, as the reservation system feeds it: when (Korean time), who, by whom, what for how much, and
/// what became of it.
struct Visit<'a> {
    id: &'a str,
    at: &'a str,
    customer: Option<&'a str>,
    staff: Option<&'a str>,
    services: &'a [(&'a str, i64)],
    status: &'a str,
}

/// A completed visit of a customer to one member of staff for a cut.
const CUT: Visit<'static> = Visit {
    id: "r1",
    at: "2026-01-10T14:00:00",
    customer: Some("c1"),
    staff: Some("kim"),
    services: &[("cut", 20_000)],
    status: "COMPLETED",
};

impl Visit<'_> {
    fn body(&self) -> Value {
        let services = self.services.iter();
        let services: Vec<_> =
            services.map(|(id, price)| json!({"serviceExternalId": id, "price": price})).collect();
        json!({
            "externalId": self.id, "customerExternalId": self.customer, "staffExternalId": self.staff,
            "services": services, "startAt": self.at, "status": self.status,
        })
    }
}

/// Business 2 is a shop with two services, two members of staff and three customers, and no visits.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    let service = |id: &str, name: &str, category: &str, minutes: i64| json!({"externalId": id, "name": name, "category": category, "price": 20_000, "durationMinutes": minutes});
    feeds(&app, "services", json!([service("cut", "커트", "커트", 30), service("perm", "펌", "펌", 120)]))
        .await;
    feeds(
        &app,
        "staffs",
        json!([{"externalId": "kim", "name": "김실장"}, {"externalId": "lee", "name": "이실장"}]),
    )
    .await;
    let customers: Vec<_> =
        ["c1", "c2", "c3"].map(|id| json!({"externalId": id, "name": format!("손님 {id}")})).into();
    feeds(&app, "customers", json!(customers)).await;
    app
}

/// The reservation system feeds business 2; everything goes in.
async fn feeds(app: &TestApp, what: &str, rows: Value) {
    let answer = app.owner_of(2).put(&format!("/api/businesses/2/{what}/bulk"), rows).await;
    assert_eq!(answer.data()["failed"], 0, "{}", answer.body);
}

async fn visited(app: &TestApp, visits: &[Visit<'_>]) {
    feeds(app, "reservations", visits.iter().map(Visit::body).collect()).await;
}

async fn asks(app: &TestApp, report: &str) -> Answer {
    app.owner_of(2).get(&format!("/api/businesses/2/reports/{report}")).await
}

async fn report(app: &TestApp, report: &str) -> Value {
    asks(app, report).await.data().clone()
}

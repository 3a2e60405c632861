//! A shop's customers by what is true of them.

mod against_plain_rust;
mod choosing;
mod hostile;
mod looking;

use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

const SEGMENTS: &str = "/api/businesses/2/segments";

/// Business 2 is a shop with two services, two members of staff and CRM in its plan.
async fn shop() -> TestApp {
    let app = TestApp::start().await;
    app.owner_of(2).post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    let service = |id: &str, name: &str| json!({"externalId": id, "name": name, "price": 20_000, "durationMinutes": 30});
    feeds(&app, "services", json!([service("cut", "커트"), service("perm", "펌")])).await;
    let staff = json!([{"externalId": "kim", "name": "김실장"}, {"externalId": "lee", "name": "이실장"}]);
    feeds(&app, "staffs", staff).await;
    app
}

/// The reservation system feeds business 2; everything goes in.
async fn feeds(app: &TestApp, what: &str, rows: Value) {
    let answer = app.owner_of(2).put(&format!("/api/businesses/2/{what}/bulk"), rows).await;
    assert_eq!(answer.data()["failed"], 0, "{}", answer.body);
}

/// A completed cut, by its customer and day.
fn visit(id: &str, customer: &str, day: &str) -> Value {
    reservation(id, customer, day, "COMPLETED")
}

fn reservation(id: &str, customer: &str, day: &str, status: &str) -> Value {
    json!({
        "externalId": id, "customerExternalId": customer, "staffExternalId": "kim",
        "services": [{"serviceExternalId": "cut", "price": 30_000}],
        "startAt": format!("{day}T14:00:00"), "status": status,
    })
}

/// A campaign by text to whoever these conditions are true of, sent; its id.
async fn told(app: &TestApp, conditions: Value) -> i64 {
    let owner = app.owner_of(2);
    let segment = owner.post(SEGMENTS, json!({"name": "보낼 고객", "conditions": conditions})).await;
    let campaign = json!({
        "name": "봄맞이", "segmentId": segment.data()["segmentId"], "channel": "SMS", "templateType": "REVISIT",
        "message": "다시 뵙고 싶어요. {{link}}", "link": "https://misohair.example/spring", "scheduledAt": null,
    });
    let made = owner.post("/api/businesses/2/campaigns", campaign).await;
    app.app.crm.sweep().await.expect("recipients are written down");
    app.app.messaging.sweep().await.expect("messages are sent");
    made.data()["campaignId"].as_i64().expect("an id")
}

async fn previews(owner: &Actor, conditions: Value) -> Answer {
    owner.post(&format!("{SEGMENTS}/preview"), json!({"conditions": conditions})).await
}

/// The names of everybody in a new segment of these conditions, page by page; its count agrees.
async fn chosen(app: &TestApp, conditions: &Value) -> Vec<String> {
    let owner = app.owner_of(2);
    let segment = owner.post(SEGMENTS, json!({"name": "시험", "conditions": conditions})).await;
    let path = format!("{SEGMENTS}/{}/customers?limit=50", segment.data()["segmentId"]);
    let (mut names, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = owner.get(&format!("{path}{cursor}")).await;
        let members = page.data().as_array().expect("a list").iter();
        names.extend(members.map(|member| member["name"].as_str().expect("a name").to_owned()));
        match page.body["page"]["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(segment.data()["customerCount"], names.len(), "{conditions}");
    names.sort();
    names
}

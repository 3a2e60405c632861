//! What people are told: stored first, then on every screen, with nothing missed and nothing twice.

mod between_servers;
mod connecting;
mod crowd;
mod events;
mod lists;
mod reminders;
mod told;

use serde_json::{Value, json};
use testkit::{Actor, TestApp};

const RESERVATIONS: &str = "/api/businesses/1/reservations";

/// A reservation in the salon of the demo that the shop confirms at once, for somebody who can sign in as `C-1001`.
fn cut_at(start_at: &str) -> Value {
    json!({
        "customerId": 1, "staffId": 1, "services": [{"serviceId": 1}], "startAt": start_at, "status": "CONFIRMED",
    })
}

/// Somebody reserves; answers with the reservation's id.
async fn reserves(owner: &Actor, reservation: Value) -> i64 {
    let made = owner.post(RESERVATIONS, reservation).await;
    made.data()["reservationId"].as_i64().expect("an id")
}

/// The platform tells everybody something.
async fn notice(app: &TestApp, title: &str) {
    let notice = json!({"title": title, "message": "3월 15일(일) 02:00부터 30분간 점검이 있습니다."});
    let answer = app.platform_admin().post("/api/admin/notices", notice).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// What somebody was told, newest first.
async fn told(actor: &Actor) -> Vec<Value> {
    let list = actor.get("/api/notifications?limit=100").await;
    list.data().as_array().expect("a list").clone()
}

/// One member of each.
async fn each_told(actor: &Actor, member: &str) -> Vec<String> {
    told(actor).await.iter().map(|told| told[member].as_str().unwrap_or("null").to_owned()).collect()
}

async fn unread(actor: &Actor) -> i64 {
    let answer = actor.get("/api/notifications/unread-count").await;
    answer.data()["unreadCount"].as_i64().expect("a count")
}

/// Everything that happened is reacted to.
async fn all_is_told(app: &TestApp) {
    app.app.notifications.react_to_all().await.expect("events are reacted to");
}

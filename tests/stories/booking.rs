//! Customers, staff, services and reservations: fed by another system, kept by hand, read by everybody.

mod customers;
mod feeding;
mod hostile_feeds;
mod importing;
mod inventing;
mod lists;
mod menu;
mod real_salon;
mod reservations;
mod reviews;

use axum::http::Method;
use serde_json::{Value, json};
use testkit::{Actor, Answer, TestApp};

/// Business 2 has a menu, a customer and somebody who works there.
async fn salon() -> TestApp {
    let app = TestApp::start().await;
    let owner = app.owner_of(2);
    let services = json!([
        {"externalId": "CUT", "name": "여성 컷", "category": "컷", "price": 30_000, "durationMinutes": 60},
        {"externalId": "PERM", "name": "디지털 펌", "category": "펌", "price": 120_000, "durationMinutes": 150},
    ]);
    feeds(&owner, "services", services).await.data();
    feeds(
        &owner,
        "staffs",
        json!([{"externalId": "LEE", "name": "이지은"}, {"externalId": "PARK", "name": "박서준"}]),
    )
    .await
    .data();
    feeds(&owner, "customers", json!([customer("KIM", "김민서"), customer("CHOI", "최우식")])).await.data();
    app
}

async fn feeds(actor: &Actor, what: &str, rows: Value) -> Answer {
    actor.put(&format!("/api/businesses/2/{what}/bulk"), rows).await
}

/// A row a line.
async fn feeds_lines(actor: &Actor, what: &str, lines: Vec<u8>) -> Answer {
    let actor = actor.clone().with_header("content-type", "application/x-ndjson");
    actor.send(Method::PUT, &format!("/api/businesses/2/{what}/bulk"), Some(lines)).await
}

fn customer(external_id: &str, name: &str) -> Value {
    json!({"externalId": external_id, "name": name})
}

/// A cut with 이지은 for 김민서.
fn reservation(external_id: &str) -> Value {
    json!({
        "externalId": external_id, "customerExternalId": "KIM", "staffExternalId": "LEE",
        "services": [{"serviceExternalId": "CUT", "price": 28_000}],
        "startAt": "2026-02-14T10:00:00+09:00", "status": "CONFIRMED",
    })
}

/// The same with one member otherwise.
fn but(row: &Value, member: &str, value: Value) -> Value {
    let mut row = row.clone();
    row[member] = value;
    row
}

/// What became of the rows: created, updated, unchanged, superseded, failed.
#[track_caller]
fn outcome(answer: &Answer) -> [u64; 5] {
    let data = answer.data();
    let counts = ["created", "updated", "unchanged", "superseded", "failed"]
        .map(|what| data[what].as_u64().expect("a number"));
    assert_eq!(data["received"], counts.iter().sum::<u64>(), "{data}");
    counts
}

/// The id in the `data` of an answer.
#[track_caller]
fn id(answer: &Answer, member: &str) -> i64 {
    answer.data()[member].as_i64().expect("an id")
}

/// Where and why rows were refused.
fn refused(answer: &Answer) -> Vec<(u64, String, String)> {
    let errors = answer.data()["errors"].as_array().expect("a list").iter();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    errors
        .map(|error| (error["row"].as_u64().expect("a number"), text(&error["field"]), text(&error["code"])))
        .collect()
}

/// The rows of `reservation_service` repeat what `reservation` says, and add up to its price.
async fn the_two_agree(app: &TestApp) {
    let disagreeing = app
        .count(
            "booking.reservation r
             left join lateral (
                 select count(*) as lines, min(line) as first, max(line) as last, sum(s.price) as price,
                        bool_and(s.visit_on = r.visit_on and s.status = r.status
                                 and s.staff_id is not distinct from r.staff_id
                                 and s.hour = extract(hour from r.start_at at time zone 'Asia/Seoul')) as agree
                 from booking.reservation_service s
                 where s.business_id = r.business_id and s.reservation_id = r.reservation_id) s on true
             where s.lines = 0 or s.first <> 1 or s.last <> s.lines or s.price <> r.price or not s.agree",
        )
        .await;
    assert_eq!(disagreeing, 0, "reservations and their services disagree");
    the_summaries_agree(app).await;
}

/// Each customer who was not erased has one row of `customer_summary`, which says what a look at everything says.
async fn the_summaries_agree(app: &TestApp) {
    let disagreeing = app
        .count(
            "booking.customer_summary s
             full join booking.customer c using (business_id, customer_id)
             left join lateral (
                 select count(*) filter (where status = 'COMPLETED') as visits,
                        coalesce(sum(price) filter (where status = 'COMPLETED'), 0) as spent,
                        count(*) filter (where status = 'NO_SHOW') as no_shows,
                        min(visit_on) filter (where status = 'COMPLETED') as first,
                        max(visit_on) filter (where status = 'COMPLETED') as last,
                        max(start_at) filter (where status in ('PENDING', 'CONFIRMED')) as planned_until,
                        array(select distinct staff_id from booking.reservation r
                              where r.business_id = c.business_id and r.customer_id = c.customer_id
                                and status = 'COMPLETED' and staff_id is not null order by 1) as staff,
                        array(select distinct service_id from booking.reservation r
                              join booking.reservation_service l using (business_id, reservation_id)
                              where r.business_id = c.business_id and r.customer_id = c.customer_id
                                and l.status = 'COMPLETED' order by 1) as services
                 from booking.reservation r where r.business_id = c.business_id and r.customer_id = c.customer_id
             ) v on true
             where (c.deleted_at is null) is distinct from (s.customer_id is not null)
                or c.deleted_at is null and (
                    (s.visit_count, s.total_spent, s.no_show_count) <> (v.visits, v.spent, v.no_shows)
                    or (s.first_visit_on, s.last_visit_on, s.planned_until)
                       is distinct from (v.first, v.last, v.planned_until)
                    or s.staff_ids <> v.staff or s.service_ids <> v.services
                    or (s.has_phone, s.has_email, s.marketing_consent, s.tags)
                       <> (c.phone is not null, c.email is not null, c.marketing_consent, c.tags)
                    or (s.birthday, s.gender, s.birthday_day) is distinct from
                       (c.birthday, c.gender, (extract(month from c.birthday) * 100 + extract(day from c.birthday))::int))",
        )
        .await;
    assert_eq!(disagreeing, 0, "customers and their summaries disagree");
}

/// The kinds of everything that business 2 has told, oldest first.
async fn told(app: &TestApp) -> Vec<String> {
    app.texts("select kind from platform.event where business_id = 2 order by event_id").await
}

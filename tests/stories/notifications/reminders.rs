//! Customers are reminded of tomorrow's visit.

use serde_json::json;
use testkit::{Actor, TestApp};

use super::{RESERVATIONS, cut_at, each_told, reserves};

async fn reminders(actor: &Actor) -> usize {
    let kinds = each_told(actor, "notificationType").await;
    kinds.iter().filter(|kind| *kind == "RESERVATION_REMINDER").count()
}

/// Nobody has reserved anything yet.
async fn empty_salon() -> TestApp {
    let app = TestApp::start().await;
    app.sql("update booking.reservation set status = 'COMPLETED' where business_id = 1").await;
    app
}

#[tokio::test]
async fn a_customer_is_reminded_the_evening_before_once() {
    let app = empty_salon().await;
    let kim = app.customer(1, "C-1001");
    let id = reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    app.time_passes_until("2026-02-13T17:59").await;
    assert_eq!(reminders(&kim).await, 0);
    app.time_passes_until("2026-02-13T18:00").await;
    assert_eq!(each_told(&kim, "message").await[0], "미소헤어 2월 14일(토) 10:00 여성 컷 예약이 내일입니다.");
    assert_eq!(each_told(&kim, "link").await[0], format!("/my/reservations/{id}"));
    // Another worker, and the same one after a restart, look once more.
    app.sql("delete from notifications.reminder_day").await;
    app.app.notifications.sweep().await.expect("a sweep");
    app.time_passes_until("2026-02-20T00:00").await;
    assert_eq!(reminders(&kim).await, 1);
    assert_eq!(reminders(&app.customer(1, "C-1002")).await, 0);
    assert_eq!(reminders(&app.owner()).await, 0, "the shop has its calendar");
}

#[tokio::test]
async fn nobody_is_reminded_of_what_was_cancelled_or_made_the_same_day() {
    let app = empty_salon().await;
    let (owner, kim) = (app.owner(), app.customer(1, "C-1001"));
    let cancelled = reserves(&owner, cut_at("2026-02-14T10:00")).await;
    owner.patch(&format!("{RESERVATIONS}/{cancelled}"), json!({"status": "CANCELLED"})).await.data();
    app.time_passes_until("2026-02-13T09:00").await;
    reserves(&owner, cut_at("2026-02-14T15:00")).await;
    app.time_passes_until("2026-02-15T00:00").await;
    assert_eq!(reminders(&kim).await, 0);
}

#[tokio::test]
async fn a_visit_that_moves_is_reminded_of_when_it_is() {
    let app = empty_salon().await;
    let (owner, kim) = (app.owner(), app.customer(1, "C-1001"));
    let id = reserves(&owner, cut_at("2026-02-14T10:00")).await;
    let moves = async |start_at: &str| {
        owner.patch(&format!("{RESERVATIONS}/{id}"), json!({"startAt": start_at})).await.data();
    };
    moves("2026-02-20T11:00").await;
    app.time_passes_until("2026-02-14T12:00").await;
    assert_eq!(reminders(&kim).await, 0, "not on its first day");
    app.time_passes_until("2026-02-19T19:00").await;
    assert_eq!(reminders(&kim).await, 1);
    moves("2026-02-25T11:00").await;
    app.time_passes_until("2026-02-26T00:00").await;
    assert_eq!(reminders(&kim).await, 2, "and once more for another day");
}

#[tokio::test]
async fn what_comes_to_be_tomorrow_late_in_the_evening_is_reminded_of_as_well() {
    let app = empty_salon().await;
    let (owner, kim) = (app.owner(), app.customer(1, "C-1001"));
    let moves = reserves(&owner, cut_at("2026-02-20T11:00")).await;
    let mut asked = cut_at("2026-02-14T10:00");
    asked["status"] = json!("PENDING");
    let confirmed = reserves(&owner, asked).await;
    app.time_passes_until("2026-02-13T19:00").await;
    assert_eq!(reminders(&kim).await, 0, "nobody said yes");
    for (n, (id, change)) in
        [(moves, json!({"startAt": "2026-02-14T15:00"})), (confirmed, json!({"status": "CONFIRMED"}))]
            .into_iter()
            .enumerate()
    {
        owner.patch(&format!("{RESERVATIONS}/{id}"), change).await.data();
        // Once, however often it is looked.
        for _ in 0..2 {
            app.app.notifications.sweep().await.expect("a sweep");
            super::all_is_told(&app).await;
            assert_eq!(reminders(&kim).await, n + 1);
        }
    }
}

#[tokio::test]
async fn a_worker_that_comes_late_still_reminds_and_never_after_midnight() {
    let app = empty_salon().await;
    let kim = app.customer(1, "C-1001");
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    reserves(&app.owner(), cut_at("2026-02-16T10:00")).await;
    app.it_is("2026-02-13T23:50");
    app.app.notifications.sweep().await.expect("a sweep");
    super::all_is_told(&app).await;
    assert_eq!(reminders(&kim).await, 1);
    app.it_is("2026-02-16T00:10");
    app.app.notifications.sweep().await.expect("a sweep");
    super::all_is_told(&app).await;
    assert_eq!(reminders(&kim).await, 1, "today is not tomorrow");
}

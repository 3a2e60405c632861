//! A provider that does not answer is left alone for a while.

use chrono::TimeDelta;
use sandbox::Provider::{PortOne, Toss};
use serde_json::Value;
use testkit::{Card, TestApp};

use super::{ENOUGH, asked, breaker, each, toss_goes_down, with_a_backup};

/// Longer than a breaker stays open, and than a renewal that found it open waits.
const A_MINUTE: TimeDelta = TimeDelta::seconds(65);

#[tokio::test]
async fn twenty_lost_answers_open_the_breaker_and_operators_see_it() {
    let app = TestApp::start().await;
    let before = app.provider_view(Toss).await;
    assert_eq!(before["isDefault"], true);
    assert_eq!(
        (&before["breaker"]["state"], &before["breaker"]["openedAt"]),
        (&"CLOSED".into(), &Value::Null)
    );
    toss_goes_down(&app).await;
    let toss = app.provider_view(Toss).await;
    assert_eq!(toss["breaker"]["state"], "OPEN");
    assert!(toss["breaker"]["waitsUntil"].is_string() && toss["breaker"]["openedAt"].is_string(), "{toss}");
    assert_eq!(toss["figures"]["open"], ENOUGH);
    assert_eq!(toss["capabilities"]["findsByOrder"], true);
    let portone = app.provider_view(PortOne).await;
    assert_eq!((&portone["breaker"]["state"], &portone["isConfigured"]), (&"CLOSED".into(), &true.into()));
    app.owner().get("/api/admin/providers").await.problem(403, "PERMISSION_REQUIRED");
}

#[tokio::test]
async fn renewals_wait_while_the_breaker_is_open_and_the_answer_to_one_charge_closes_it() {
    let app = TestApp::start().await;
    app.subscribes_at(Toss).await;
    app.it_is("2026-03-01T10:00");
    toss_goes_down(&app).await;
    assert_eq!(app.sweep().await.due, 0);
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS")]));
    assert_eq!(app.current().await["status"], "ACTIVE", "waiting is not held against the salon");

    app.sandbox.clear_faults();
    app.pass(A_MINUTE);
    assert_eq!(app.sweep().await.succeeded, 1);
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS"), ("TOSS", "SUCCESS")]));
    let closed = breaker(&app).await;
    assert_eq!((&closed["state"], &closed["waitsUntil"]), (&"CLOSED".into(), &Value::Null));
    assert!(closed["openedAt"].is_string());
    app.books_are_right().await;
}

#[tokio::test]
async fn a_renewal_with_a_backup_does_not_wait() {
    let app = with_a_backup().await;
    app.it_is("2026-03-01T10:00");
    toss_goes_down(&app).await;
    assert_eq!(app.sweep().await.succeeded, 1);
    assert_eq!(asked(&app).await, each(&[("TOSS", "SUCCESS"), ("PORTONE", "SUCCESS")]));
}

#[tokio::test]
async fn after_the_pause_one_charge_goes_to_find_out_and_the_others_wait() {
    let app = TestApp::start().await;
    for business in [1, 2, 3] {
        let registration = app.registration_at(Toss, Card::Good).await;
        app.owner_of(business).post("/api/payments/billing-key", registration).await.data();
    }
    app.it_is("2026-03-01T10:00");
    toss_goes_down(&app).await;
    let first_opened = breaker(&app).await["openedAt"].clone();
    app.sweep().await;
    app.pass(A_MINUTE);
    let report = app.sweep().await;
    assert_eq!((report.due, report.unknown), (1, 1));
    assert_eq!(app.count("billing.payment where reason = 'RENEWAL'").await, 1);
    let again = breaker(&app).await;
    assert_eq!(again["state"], "OPEN");
    assert_ne!(again["openedAt"], first_opened);

    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(breaker(&app).await["state"], "CLOSED");
    assert_eq!(app.count("billing.payment where reason = 'RENEWAL' and status = 'SUCCESS'").await, 3);
    let expected = usize::try_from(3 + ENOUGH + 3).expect("small");
    assert_eq!(app.charges(), expected, "each first charge and each renewal once");
    app.books_are_right().await;
}

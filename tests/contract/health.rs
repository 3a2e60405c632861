//! What monitoring asks.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::BusinessId;
use messaging::{Channel, Content, NewMessage, Purpose, Recipient, Speaker, Text};
use platform::SystemTx;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::json;
use testkit::{Card, Screen, TestApp};

use crate::problem::must_be_problem;

#[tokio::test]
async fn a_process_that_runs_is_alive_and_ready() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    assert_eq!(anybody.get("/health/live").await.data(), &json!({"status": "UP"}));
    let ready = anybody.get("/health/ready").await;
    assert_eq!(ready.data(), &json!({"status": "UP", "database": "UP", "queueAgeSeconds": 0.0}));
}

#[tokio::test]
async fn without_a_database_a_process_is_alive_but_not_ready() {
    let app = TestApp::start().await;
    app.db().close().await;
    let anybody = app.anonymous();
    assert_eq!(anybody.get("/health/live").await.status, 200);
    let ready = anybody.get("/health/ready").await;
    must_be_problem(&ready, "ready");
    assert_eq!(ready.problem(503, "NOT_READY")["database"], "DOWN");
    // Everything else fails as a problem, too, and says nothing of the database.
    for (actor, path) in
        [(app.owner(), "/api/payments"), (anybody.clone(), "/api/plans"), (anybody, "/metrics")]
    {
        let answer = actor.get(path).await;
        must_be_problem(&answer, path);
        answer.problem(500, "INTERNAL_ERROR");
    }
}

#[tokio::test]
async fn a_queue_that_nobody_works_on_is_not_ready() {
    let app = TestApp::start().await;
    app.webhook("whtrans_1", r#"{"eventType": "PAYMENT_STATUS_CHANGED", "data": {"orderId": "dg_1234"}}"#)
        .await;
    assert_eq!(app.anonymous().get("/health/ready").await.status, 200, "a job may wait a while");
    // The queue runs on the database's time, which no test can move.
    app.sql("update graphile_worker._private_jobs set run_at = now() - interval '6 minutes'").await;
    let ready = app.anonymous().get("/health/ready").await;
    let problem = ready.problem(503, "NOT_READY");
    assert_eq!(problem["database"], "UP");
    assert!(problem["queueAgeSeconds"].as_f64().is_some_and(|age| age > 300.0), "{problem}");
}

/// The value of a series; the labels as Prometheus writes them.
async fn figure(app: &TestApp, series: &str) -> Option<f64> {
    let answer = app.anonymous().get("/metrics").await;
    assert!(answer.content_type.starts_with("text/plain"), "{}", answer.content_type);
    let text = answer.body.as_str().expect("text");
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[tokio::test]
async fn the_figures_that_the_operations_manual_names_are_there() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let declined = app.registration("BASIC", Card::LimitExceeded);
    app.owner_of(2).post("/api/payments/billing-key", declined).await.problem(402, "CARD_DECLINED");
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let lost = app.registration("BASIC", Card::Good);
    assert_eq!(app.owner_of(3).post("/api/payments/billing-key", lost).await.status, 202);
    app.pass(TimeDelta::seconds(5));
    app.owner().get("/api/payments/101").await.data();
    assert_eq!(app.violations().await, []);
    app.sql("update billing.subscription set plan_code = 'PRO' where business_id = 1").await;
    app.owner().post("/api/businesses/1/exports", json!({"type": "STAFFS", "format": "CSV"})).await.data();
    app.app.exports.sweep().await.expect("the export is made");
    // A mail about the payment goes out, and an advertisement to nobody who agreed does not.
    let advertisement = NewMessage {
        business: BusinessId(1),
        dedup_key: "spring".to_owned(),
        batch: None,
        spoken_by: Speaker::Business,
        purpose: Purpose::Advertising,
        channel: Channel::Sms,
        recipient: Recipient::Contact("01012345678".into()),
        content: Content::Text(Text::new("봄맞이 할인")),
        not_before: None,
        not_after: None,
    };
    let mut tx = SystemTx::begin(app.db()).await.expect("a transaction");
    app.app.messaging.enqueue(&mut tx, &[advertisement]).await.expect("it is written down");
    tx.commit().await.expect("a commit");
    app.app.messaging.react_to_all().await.expect("mails are written");
    app.app.messaging.sweep().await.expect("messages are sent");
    // A campaign finds nobody who agreed, and whoever wrote it follows its link.
    let segment =
        app.owner().post("/api/businesses/1/segments", json!({"name": "모두", "conditions": []})).await;
    let campaign = json!({
        "name": "봄맞이", "segmentId": segment.data()["segmentId"], "channel": "SMS", "message": "{{link}}",
        "link": "https://misohair.example",
    });
    app.owner().post("/api/businesses/1/campaigns", campaign).await.data();
    app.app.crm.sweep().await.expect("the campaign is over");
    for code in app.texts("select sample_code from crm.campaign").await {
        assert_eq!(app.anonymous().get(&format!("/l/{code}")).await.status, 302);
    }
    // Somebody is told something, and the server stops.
    let mut screen = Screen::open(app.listens().await, &app.owner(), "?lastId=0").await;
    screen.connected().await;
    let notice = json!({"title": "시스템 점검 안내", "message": "02:00부터 30분간 점검이 있습니다."});
    app.platform_admin().post("/api/admin/notices", notice).await.data();
    while screen.notification().await["notificationType"] != "SYSTEM" {}
    app.app.notifications.hub.drain(Duration::from_secs(10)).await;
    screen.closed().await;

    // Other tests of this process count as well.
    for series in [
        r#"dangol_charges_total{provider="TOSS",outcome="approved"}"#,
        r#"dangol_charges_total{provider="TOSS",outcome="declined"}"#,
        r#"dangol_charges_total{provider="TOSS",outcome="unknown"}"#,
        r#"dangol_exports_total{type="STAFFS",format="CSV",outcome="made"}"#,
        r#"dangol_http_requests_total{method="GET",route="/api/payments/{paymentId}",status="200"}"#,
        r#"dangol_messages_total{channel="EMAIL",provider="SMTP",outcome="SENT"}"#,
        r#"dangol_messages_excluded_total{reason="NO_CONSENT"}"#,
        r#"dangol_notification_partings_total{reason="RESTARTING"}"#,
        r#"dangol_http_request_seconds_count{method="POST",route="/api/payments/billing-key"}"#,
    ] {
        assert!(figure(&app, series).await.is_some_and(|count| count >= 1.0), "{series}");
    }
    let all = app.anonymous().get("/metrics").await.body;
    let all = all.as_str().expect("text");
    // The manual and the process name the same series.
    let manual = include_str!("../../docs/operations.md");
    let named: Vec<&str> = manual
        .split(|c: char| !c.is_ascii_lowercase() && c != '_')
        .filter(|word| word.starts_with("dangol_"))
        .collect();
    assert!(named.len() >= 10, "{named:?}");
    for series in named {
        assert!(all.contains(&format!("# TYPE {series} ")), "{series} is not there:\n{all}");
    }
}

#[tokio::test]
async fn what_is_open_is_counted_when_it_is_asked_for() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let lost = app.registration("BASIC", Card::Good);
    assert_eq!(app.owner().post("/api/payments/billing-key", lost).await.status, 202);
    app.pass(TimeDelta::seconds(30));
    // The gauges are the process's, and the other tests' applications share it: ask until it is ours.
    for _ in 0..50 {
        let all = app.anonymous().get("/metrics").await.body;
        let all = all.as_str().expect("text").to_owned();
        let value = |name: &str| {
            all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok())
        };
        let age = value("dangol_oldest_open_attempt_seconds");
        if value("dangol_open_attempts") == Some(1.0) && age.is_some_and(|age| (30.0..600.0).contains(&age)) {
            return;
        }
    }
    panic!("the open attempt is not counted");
}

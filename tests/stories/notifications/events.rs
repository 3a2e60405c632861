//! Reacting to events: exactly once each, in the order in which their transactions were begun.

use kernel::{BusinessId, Clock};
use platform::{
    SystemTx,
    events::{self, Event},
};
use serde::Serialize;
use serde_json::json;
use testkit::TestApp;

use super::{all_is_told, each_told, notice, told};

/// A notice as it is published.
#[derive(Serialize)]
struct Published {
    title: String,
    message: &'static str,
}

impl Event for Published {
    fn kind(&self) -> &'static str {
        "notice.published"
    }
}

fn published(title: &str) -> Published {
    Published { title: title.to_owned(), message: "안내" }
}

/// A transaction that has written an event and goes on.
async fn begun(app: &TestApp, title: &str) -> SystemTx {
    let mut tx = SystemTx::begin(app.db()).await.expect("a transaction");
    let event = published(title);
    events::publish(&mut tx, BusinessId(0), app.clock.now(), &event).await.expect("an event");
    tx
}

#[tokio::test]
async fn an_event_that_commits_late_is_not_passed_over() {
    let app = TestApp::start().await;
    let first = begun(&app, "처음").await;
    notice(&app, "나중").await;
    app.app.notifications.react().await.expect("events are reacted to");
    assert_eq!(told(&app.owner()).await.len(), 0, "what was begun before may still come");
    first.commit().await.expect("a commit");
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "title").await, ["나중", "처음"], "newest first");
}

#[tokio::test]
async fn an_event_that_was_taken_back_never_happened() {
    let app = TestApp::start().await;
    let first = begun(&app, "없던 일").await;
    notice(&app, "공지").await;
    first.rollback().await.expect("a rollback");
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "title").await, ["공지"]);
}

#[tokio::test]
async fn many_who_react_at_once_react_once() {
    let app = TestApp::start().await;
    for n in 0..50 {
        notice(&app, &format!("공지 {n}")).await;
    }
    let reacting = (0..6).map(|_| app.app.notifications.react());
    for reacted in futures::future::join_all(reacting).await {
        reacted.expect("events are reacted to");
    }
    all_is_told(&app).await;
    let expected: Vec<_> = (0..50).rev().map(|n| format!("공지 {n}")).collect();
    assert_eq!(each_told(&app.owner(), "title").await, expected);
}

#[tokio::test]
async fn an_event_that_nobody_can_read_holds_up_nothing() {
    let app = TestApp::start().await;
    notice(&app, "앞").await;
    for data in [json!({}), json!({"title": 1}), json!(null), json!([])] {
        app.sql(&format!(
            "insert into platform.event (business_id, kind, occurred_at, data)
             values (0, 'notice.published', now(), '{data}')"
        ))
        .await;
    }
    // These can be read, and cannot be written down.
    let long = "가".repeat(300);
    for data in [json!({"title": long, "message": "안내"}), json!({"title": "", "message": ""})] {
        app.sql(&format!(
            "insert into platform.event (business_id, kind, occurred_at, data)
             values (0, 'notice.published', now(), '{data}')"
        ))
        .await;
        notice(&app, "뒤").await;
    }
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "title").await, ["뒤", "뒤", "앞"]);
}

#[tokio::test]
async fn those_that_cannot_be_dealt_with_are_found_among_many() {
    let app = TestApp::start().await;
    app.sql(
        "insert into platform.event (business_id, kind, occurred_at, data)
         select 0, 'notice.published', now(), jsonb_build_object(
             'title', case when n % 700 in (0, 1) then repeat('가', 300) else n::text end, 'message', '안내')
         from generate_series(1, 2000) n",
    )
    .await;
    all_is_told(&app).await;
    let expected: Vec<_> = (1..=2_000).filter(|n| n % 700 > 1).map(|n| n.to_string()).collect();
    let told = "select title from notifications.notification order by notification_id";
    assert_eq!(app.texts(told).await, expected);
}

#[tokio::test]
async fn what_happened_before_anybody_listened_is_not_told() {
    let app = TestApp::start().await;
    notice(&app, "옛날").await;
    // Whatever was still going on anywhere on the server when somebody began to listen counts as later.
    let is_past = "platform.event where xid < pg_snapshot_xmin(pg_current_snapshot())";
    while app.count(is_past).await == 0 {}
    // As an installation to which notifications come with a new version.
    app.sql("delete from platform.event_consumer").await;
    app.sql("insert into platform.event_consumer (name) values ('notifications')").await;
    notice(&app, "이제").await;
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "title").await, ["이제"]);
}

//! The list, the count, and what was read.

use platform::Role;
use serde_json::{Value, json};
use testkit::TestApp;

use super::{all_is_told, cut_at, each_told, notice, reserves, told, unread};

#[tokio::test]
async fn a_list_is_read_page_by_page_newest_first() {
    let app = TestApp::start().await;
    for n in 1..=5 {
        notice(&app, &format!("공지 {n}")).await;
    }
    all_is_told(&app).await;
    let owner = app.owner();
    let mut titles = Vec::new();
    let mut path = "/api/notifications?limit=2".to_owned();
    loop {
        let page = owner.get(&path).await;
        titles.extend(page.data().as_array().expect("a list").iter().map(|told| told["title"].clone()));
        let Some(cursor) = page.body["page"]["nextCursor"].as_str() else { break };
        path = format!("/api/notifications?limit=2&cursor={cursor}");
    }
    assert_eq!(titles, ["공지 5", "공지 4", "공지 3", "공지 2", "공지 1"]);
}

#[tokio::test]
async fn what_one_person_reads_is_read_by_that_person() {
    let app = TestApp::start().await;
    let (owner, manager) = (app.owner(), app.member(1, Role::Manager));
    notice(&app, "공지 1").await;
    reserves(&owner, cut_at("2026-02-14T10:00")).await;
    notice(&app, "공지 2").await;
    all_is_told(&app).await;
    let ids: Vec<i64> = told(&owner).await.iter().map(|told| told["id"].as_i64().expect("an id")).collect();
    assert_eq!(unread(&owner).await, 3);

    let read = |id: i64| format!("/api/notifications/{id}/read");
    for left in [2, 2] {
        let answer = owner.post(&read(ids[1]), json!(null)).await;
        assert_eq!(answer.data(), &json!({"unreadCount": left}), "twice is once");
    }
    assert_eq!((unread(&owner).await, unread(&manager).await), (2, 3));
    let unread_only = owner.get("/api/notifications?unread=true").await;
    let shown: Vec<&Value> =
        unread_only.data().as_array().expect("a list").iter().map(|told| &told["title"]).collect();
    assert_eq!(shown, ["공지 2", "공지 1"]);
    let listed: Vec<Value> = told(&owner).await.iter().map(|told| told["read"].clone()).collect();
    assert_eq!(listed, [json!(false), json!(true), json!(false)]);

    // The newest came after the screen was drawn.
    let up_to = format!("/api/notifications/read-all?lastId={}", ids[1]);
    assert_eq!(owner.post(&up_to, json!(null)).await.data(), &json!({"unreadCount": 1}));
    assert_eq!(
        owner.post("/api/notifications/read-all", json!(null)).await.data(),
        &json!({"unreadCount": 0})
    );
    notice(&app, "공지 3").await;
    all_is_told(&app).await;
    assert_eq!(unread(&owner).await, 1, "what comes later is new");
    assert_eq!(unread(&manager).await, 4);
}

#[tokio::test]
async fn what_is_yet_to_come_cannot_be_read() {
    let app = TestApp::start().await;
    let owner = app.owner();
    owner.post("/api/notifications/read-all?lastId=9223372036854775807", json!(null)).await.data();
    notice(&app, "공지").await;
    all_is_told(&app).await;
    assert_eq!(unread(&owner).await, 1);
}

#[tokio::test]
async fn what_others_were_told_does_not_exist() {
    let app = TestApp::start().await;
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    all_is_told(&app).await;
    for owner in [app.owner(), app.customer(1, "C-1001")] {
        assert_eq!(told(&owner).await.len(), 1);
    }
    let id = told(&app.owner()).await[0]["id"].as_i64().expect("an id");
    let path = format!("/api/notifications/{id}/read");
    for stranger in [
        app.owner_of(2),
        app.member(1, Role::Staff),
        app.customer(1, "C-1001"),
        app.customer(2, "C-1001"),
        app.platform_admin(),
    ] {
        stranger.post(&path, json!(null)).await.problem(404, "NOT_FOUND");
    }
    let nobodys = app.owner_of(2).post("/api/notifications/999999/read", json!(null)).await;
    nobodys.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_owns_several_shops_hears_of_all_of_them() {
    let app = TestApp::start().await;
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    notice(&app, "공지").await;
    all_is_told(&app).await;
    let of_both = app.owner_of_all(&[1, 2]);
    assert_eq!(each_told(&of_both, "notificationType").await, ["SYSTEM", "RESERVATION_NEW"]);
    assert_eq!(unread(&of_both).await, 2);
    of_both.post("/api/notifications/read-all", json!(null)).await.data();
    assert_eq!(unread(&of_both).await, 0);
}

#[tokio::test]
async fn what_somebody_turns_off_is_not_shown() {
    let app = TestApp::start().await;
    let owner = app.owner();
    let all = owner.get("/api/notifications/preferences").await;
    let all = all.data()["preferences"].as_array().expect("a list");
    assert_eq!(all.len(), 36);
    assert!(all.iter().all(|preference| preference["enabled"] == true));

    let off = json!({"preferences": [
        {"notificationType": "RESERVATION_NEW", "channel": "IN_APP", "enabled": false},
        {"notificationType": "PAYMENT_FAILED", "channel": "SMS", "enabled": false},
    ]});
    let said = owner.put("/api/notifications/preferences", off).await;
    let off: Vec<_> = said.data()["preferences"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|preference| preference["enabled"] == false)
        .map(|preference| (preference["notificationType"].clone(), preference["channel"].clone()))
        .collect();
    assert_eq!(off, [(json!("RESERVATION_NEW"), json!("IN_APP")), (json!("PAYMENT_FAILED"), json!("SMS"))]);

    reserves(&owner, cut_at("2026-02-14T10:00")).await;
    notice(&app, "공지").await;
    all_is_told(&app).await;
    assert_eq!(each_told(&owner, "notificationType").await, ["SYSTEM"]);
    assert_eq!(unread(&owner).await, 1);
    let on = json!({"preferences": [{"notificationType": "RESERVATION_NEW", "channel": "IN_APP", "enabled": true}]});
    owner.put("/api/notifications/preferences", on).await.data();
    assert_eq!(unread(&owner).await, 2, "it was told all the same");
}

#[tokio::test]
async fn a_preference_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    let owner = app.owner();
    let say = async |preferences: Value| {
        owner.put("/api/notifications/preferences", json!({"preferences": preferences})).await
    };
    let silenced = json!([{"notificationType": "SYSTEM", "channel": "IN_APP", "enabled": false}]);
    say(silenced).await.invalid("preferences[0]", "ALWAYS_ON");
    let one = json!({"notificationType": "REVIEW_NEW", "channel": "SMS", "enabled": true});
    say(json!([one, one])).await.invalid("preferences[1]", "DUPLICATE");
    say(json!(vec![one; 37])).await.invalid("preferences", "TOO_MANY");
    say(json!([{"notificationType": "GOSSIP", "channel": "SMS", "enabled": true}]))
        .await
        .problem(422, "VALIDATION_FAILED");
}

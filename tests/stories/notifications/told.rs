//! Who is told what, in which words.

use axum::http::Method;
use platform::Role;
use serde_json::json;
use testkit::{Card, TestApp};

use super::{RESERVATIONS, all_is_told, cut_at, each_told, notice, reserves, told};

#[tokio::test]
async fn a_new_reservation_is_told_to_the_shop_and_to_nobody_else() {
    let app = TestApp::start().await;
    let id = reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    all_is_told(&app).await;
    for admin in [app.owner(), app.member(1, Role::Manager)] {
        let told = told(&admin).await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["notificationType"], "RESERVATION_NEW");
        assert_eq!(told[0]["title"], "새 예약");
        assert_eq!(told[0]["message"], "김민서님이 2월 14일(토) 10:00 여성 컷 예약을 했습니다.");
        assert_eq!(told[0]["link"], format!("/reservations/{id}"));
        assert_eq!(told[0]["businessId"], 1);
        assert_eq!(told[0]["read"], false);
        assert!(told[0]["createdAt"].as_str().expect("a time").starts_with("2026-02-01T08:30"));
    }
    for other in [
        app.owner_of(2),
        app.member(1, Role::Staff),
        app.customer(1, "C-1002"),
        app.customer(2, "C-1001"),
        app.platform_admin(),
    ] {
        assert_eq!(told(&other).await, [] as [serde_json::Value; 0]);
    }
}

#[tokio::test]
async fn a_customer_is_told_of_the_yes_and_both_of_the_no() {
    let app = TestApp::start().await;
    let (owner, kim) = (app.owner(), app.customer(1, "C-1001"));
    let mut asked = cut_at("2026-02-14T10:00");
    asked["status"] = json!("PENDING");
    let id = reserves(&owner, asked).await;
    all_is_told(&app).await;
    assert_eq!(told(&kim).await.len(), 0, "nobody said yes yet");
    for status in ["CONFIRMED", "CANCELLED"] {
        let one = format!("{RESERVATIONS}/{id}");
        owner.patch(&one, json!({"status": status})).await.data();
        all_is_told(&app).await;
    }
    let kinds = each_told(&kim, "notificationType").await;
    assert_eq!(kinds, ["RESERVATION_CANCEL", "RESERVATION_CONFIRM"]);
    assert_eq!(
        each_told(&kim, "message").await,
        [
            "미소헤어 2월 14일(토) 10:00 여성 컷 예약이 취소되었습니다.",
            "미소헤어 2월 14일(토) 10:00 여성 컷 예약이 확정되었습니다.",
        ]
    );
    assert_eq!(each_told(&kim, "link").await, vec![format!("/my/reservations/{id}"); 2]);
    assert_eq!(each_told(&owner, "notificationType").await, ["RESERVATION_CANCEL", "RESERVATION_NEW"]);
}

#[tokio::test]
async fn a_shop_that_confirms_at_once_tells_both_at_once() {
    let app = TestApp::start().await;
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    all_is_told(&app).await;
    assert_eq!(each_told(&app.customer(1, "C-1001"), "notificationType").await, ["RESERVATION_CONFIRM"]);
}

#[tokio::test]
async fn history_that_is_loaded_rings_at_nobodys() {
    let app = TestApp::start().await;
    let row = |n: usize, start_at: &str, created_at: Option<&str>| {
        json!({
            "externalId": format!("H-{n}"), "customerExternalId": "C-1001", "services": [
                {"serviceExternalId": "CUT-F", "price": 30_000}],
            "startAt": start_at, "status": "CONFIRMED", "createdAt": created_at,
        })
    };
    let past = (0..2_000).map(|n| row(n, "2025-03-14T10:00", None));
    let made_long_ago = (2_000..2_500).map(|n| row(n, "2026-03-14T10:00", Some("2026-01-10T10:00")));
    let rows: Vec<_> = past.chain(made_long_ago).collect();
    let fed = app.owner().put("/api/businesses/1/reservations/bulk", json!(rows)).await;
    assert_eq!(fed.data()["created"], 2_500);
    all_is_told(&app).await;
    assert_eq!(app.count("notifications.notification").await, 0);
    assert_eq!(
        app.count("platform.event where kind = 'reservation.created'").await,
        2_500,
        "they were heard of"
    );
}

#[tokio::test]
async fn many_at_once_are_told_to_the_shop_in_one_sentence() {
    let app = TestApp::start().await;
    // More than are dealt with at once.
    let rows: Vec<_> = (0..2_500)
        .map(|n| {
            json!({
                "externalId": format!("N-{n}"), "customerExternalId": "C-1001", "services": [
                    {"serviceExternalId": "CUT-F", "price": 30_000}],
                "startAt": "2026-03-14T10:00", "status": "CONFIRMED",
            })
        })
        .collect();
    app.owner().put("/api/businesses/1/reservations/bulk", json!(rows)).await.data();
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "message").await, ["2500건의 예약이 들어왔습니다."]);
    assert_eq!(each_told(&app.owner(), "link").await, ["/reservations"]);
    let customers = "notifications.notification where audience = 'CUSTOMER' and type = 'RESERVATION_CONFIRM'";
    assert_eq!(app.count(customers).await, 2_500, "each customer hears of their own");
}

#[tokio::test]
async fn a_review_is_told_to_the_shop() {
    let app = TestApp::start().await;
    let review = json!({"reservationId": 2, "rating": 5, "content": "또 올게요!"});
    app.owner().post("/api/businesses/1/reviews", review).await.data();
    all_is_told(&app).await;
    let told = told(&app.owner()).await;
    assert_eq!(told[0]["notificationType"], "REVIEW_NEW");
    assert!(
        told[0]["message"].as_str().expect("text").ends_with("님이 별점 5점의 후기를 남겼습니다."),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_shop_is_told_what_becomes_of_its_payments() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(each_told(&app.owner(), "notificationType").await, ["PAYMENT_FAILED", "PAYMENT_SUCCESS"]);
    let messages = each_told(&app.owner(), "message").await;
    assert_eq!(messages[1], "29,000원 결제되었습니다. 다음 결제일은 3월 1일(일)입니다.");
    assert!(messages[0].starts_with("29,000원 결제에 실패했습니다."), "{messages:?}");
    assert!(messages[0].ends_with("3월 4일(수)에 다시 시도합니다."), "{messages:?}");
    assert_eq!(each_told(&app.owner(), "link").await, ["/payments/102", "/payments/101"]);
}

#[tokio::test]
async fn a_shop_is_told_three_days_before_its_plan_ends() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-02-26T09:59").await;
    assert_eq!(each_told(&app.owner(), "notificationType").await, ["PAYMENT_SUCCESS"]);
    app.time_passes_until("2026-02-26T10:00").await;
    let told = told(&app.owner()).await;
    assert_eq!(told[0]["notificationType"], "SUBSCRIPTION_EXPIRING");
    assert_eq!(told[0]["message"], "베이직 구독이 3월 1일(일)에 종료됩니다.");
    app.time_passes_until("2026-03-02T10:00").await;
    let kinds = each_told(&app.owner(), "notificationType").await;
    assert_eq!(kinds, ["SUBSCRIPTION_EXPIRING", "PAYMENT_SUCCESS"], "told once");
}

#[tokio::test]
async fn who_cancels_in_the_last_days_knows_it_already() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.time_passes_until("2026-02-27T12:00").await;
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-03-02T10:00").await;
    assert_eq!(each_told(&app.owner(), "notificationType").await, ["PAYMENT_SUCCESS"]);
}

#[tokio::test]
async fn a_notice_is_told_to_everybody() {
    let app = TestApp::start().await;
    notice(&app, "시스템 점검 안내").await;
    all_is_told(&app).await;
    for somebody in [
        app.owner(),
        app.owner_of(2),
        app.member(1, Role::Staff),
        app.customer(1, "C-1001"),
        app.customer(1, "somebody-who-never-came"),
        app.platform_admin(),
        app.owner_of(999_999),
    ] {
        let told = told(&somebody).await;
        assert_eq!(told.len(), 1);
        assert_eq!(told[0]["notificationType"], "SYSTEM");
        assert_eq!(told[0]["title"], "시스템 점검 안내");
        assert_eq!(told[0]["businessId"], json!(null));
    }
}

#[tokio::test]
async fn a_notice_with_the_same_key_is_told_once() {
    let app = TestApp::start().await;
    let operator = app.platform_admin().with_header("idempotency-key", "notice-1");
    let notice = json!({"title": "점검", "message": "곧 점검이 있습니다.", "link": "/notices/1"});
    let first = operator.post("/api/admin/notices", notice.clone()).await;
    assert_eq!(first.status, 201);
    let again = operator.post("/api/admin/notices", notice).await;
    assert!(again.replayed);
    assert_eq!(again.body, first.body);
    assert_eq!(
        app.count("platform.event where data ->> 'publishedBy' like 'user_%'").await,
        1,
        "by somebody"
    );
    all_is_told(&app).await;
    assert_eq!(each_told(&app.owner(), "link").await, ["/notices/1"]);
}

#[tokio::test]
async fn a_notice_that_leads_to_a_script_is_refused() {
    let app = TestApp::start().await;
    let operator = app.platform_admin();
    for link in ["javascript:alert(1)", "//evil.example", "http://plain.example", "notices"] {
        let notice = json!({"title": "점검", "message": "점검", "link": link});
        operator.post("/api/admin/notices", notice).await.invalid("link", "INVALID_LINK");
    }
    let nothing = json!({"title": " ", "message": "점검"});
    operator.post("/api/admin/notices", nothing).await.invalid("title", "REQUIRED");
}

#[tokio::test]
async fn what_was_told_about_somebody_is_forgotten_with_them() {
    let app = TestApp::start().await;
    reserves(&app.owner(), cut_at("2026-02-14T10:00")).await;
    all_is_told(&app).await;
    assert_eq!(app.count("notifications.notification where message like '%김민서%'").await, 1);
    let kim = app.customer(1, "C-1001");
    let off = json!({"preferences": [{"notificationType": "RESERVATION_CANCEL", "channel": "SMS", "enabled": false}]});
    kim.put("/api/notifications/preferences", off).await.data();
    let id = told(&kim).await[0]["id"].clone();
    kim.post(&format!("/api/notifications/{id}/read"), json!(null)).await.data();
    assert_eq!(app.count("notifications.read_one").await, 1);
    kim.post("/api/notifications/read-all", json!(null)).await.data();
    let one = "/api/businesses/1/customers/1";
    assert_eq!(app.owner().send(Method::DELETE, one, None).await.status, 204);
    all_is_told(&app).await;
    for kept in ["notification", "preference", "read_mark", "read_one"] {
        assert_eq!(app.count(&format!("notifications.{kept}")).await, 0, "{kept}");
    }
}

#[tokio::test]
async fn what_is_older_than_ninety_days_is_forgotten() {
    let app = TestApp::start().await;
    notice(&app, "오래된 공지").await;
    all_is_told(&app).await;
    app.time_passes_until("2026-05-02T08:29").await;
    assert_eq!(told(&app.owner()).await.len(), 1);
    app.time_passes_until("2026-05-02T08:31").await;
    assert_eq!(told(&app.owner()).await.len(), 0);
}

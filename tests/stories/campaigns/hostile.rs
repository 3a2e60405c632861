//! What somebody gets wrong, or wants to.

use serde_json::{Value, json};
use testkit::Answer;

use super::{but, shop};

#[track_caller]
fn must_name(answer: &Answer, field: &str, code: &str) {
    answer.problem(422, "VALIDATION_FAILED");
    let errors = answer.body["errors"].as_array().expect("a list");
    assert!(errors.iter().any(|error| error["field"] == field && error["code"] == code), "{}", answer.body);
}

#[tokio::test]
async fn every_mistake_is_named() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let good = shop.body("안녕하세요");
    let link = |link: &str| but(&but(&good, "message", json!("{{link}}")), "link", json!(link));
    for (body, field, code) in [
        (but(&good, "name", json!(" ")), "name", "REQUIRED"),
        (but(&good, "message", json!("  ")), "message", "REQUIRED"),
        (but(&good, "message", json!("가".repeat(2_001))), "message", "TOO_LONG"),
        (but(&good, "message", json!("가".repeat(1_000))), "message", "TOO_LONG"),
        (but(&good, "message", json!("{{customername}}님")), "message", "UNKNOWN_VARIABLE"),
        (but(&good, "message", json!("{{}}")), "message", "UNKNOWN_VARIABLE"),
        (but(&good, "message", json!("새봄 🎉")), "message", "UNSENDABLE_CHARACTER"),
        (but(&good, "message", json!("a\u{7}b")), "message", "CONTROL_CHARACTER"),
        (but(&good, "message", json!("{{couponCode}}")), "couponId", "REQUIRED"),
        (but(&good, "couponId", json!(999_999)), "couponId", "UNKNOWN_COUPON"),
        (but(&good, "segmentId", json!(999_999)), "segmentId", "UNKNOWN_SEGMENT"),
        (but(&good, "message", json!("{{link}}")), "link", "REQUIRED"),
        (but(&good, "link", json!("https://misohair.example")), "message", "LINK_NOT_USED"),
        (link("javascript:alert(1)"), "link", "INVALID_LINK"),
        (link("http://misohair.example"), "link", "INVALID_LINK"),
        (link("https://misohair.example@evil.example"), "link", "INVALID_LINK"),
        (but(&good, "subject", json!("제목")), "subject", "NOT_ALLOWED"),
        (but(&good, "channel", json!("EMAIL")), "subject", "REQUIRED"),
        (but(&good, "scheduledAt", json!("2026-02-13T10:00")), "scheduledAt", "IN_THE_PAST"),
        (but(&good, "scheduledAt", json!("2028-02-13T10:00")), "scheduledAt", "TOO_FAR"),
    ] {
        must_name(&shop.creates(body).await, field, code);
    }
    for (member, value) in [("channel", json!("FAX")), ("surprise", json!(1)), ("segmentId", json!("one"))] {
        let answer = shop.creates(but(&good, member, value)).await;
        assert!(answer.status.is_client_error(), "{member}: {}", answer.body);
    }
    assert_eq!(shop.app.count("crm.campaign where business_id = 2").await, 0);
    // Only the page that is linked to may say so; the message itself is what it is.
    let megabyte = shop.creates(but(&good, "message", json!("가".repeat(400_000)))).await;
    assert_eq!(megabyte.status, 413, "{}", megabyte.body);
}

#[tokio::test]
async fn a_name_with_braces_in_it_is_a_name() {
    let shop = shop().await;
    shop.has_customers(&["{{couponCode}}"]).await;
    shop.campaign(shop.body("{{customerName}}님")).await;
    shop.sends().await;
    assert!(shop.received(0)[0].text.contains("\n{{couponCode}}님\n"));
}

#[tokio::test]
async fn a_name_that_no_text_can_carry_leaves_out_that_customer_alone() {
    let shop = shop().await;
    shop.has_customers(&["김🎉", "최우식"]).await;
    let path = shop.campaign(shop.body("{{customerName}}님")).await;
    shop.sends().await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (0, 1));
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["excluded"], &stands["status"]), (&json!({"CHARSET": 1}), &json!("COMPLETED")));
}

#[tokio::test]
async fn what_is_another_shops_is_nobodys() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(shop.body("안녕하세요")).await;
    let id = path.rsplit('/').next().expect("an id");
    let theirs = |what: &str| format!("/api/businesses/1/campaigns/{id}{what}");
    let other = shop.app.owner();
    other.get(&theirs("")).await.problem(404, "NOT_FOUND");
    other.get(&theirs("/recipients")).await.problem(404, "NOT_FOUND");
    for what in ["/pause", "/resume", "/cancel"] {
        other.post(&theirs(what), json!({})).await.problem(404, "NOT_FOUND");
    }
    other.get(&path).await.problem(404, "NOT_FOUND");
    // Nor can their segment or coupon be used.
    let segments = other.get("/api/businesses/1/segments").await;
    let segment = segments.data()[0]["id"].clone();
    must_name(
        &shop.creates(but(&shop.body("안녕"), "segmentId", segment)).await,
        "segmentId",
        "UNKNOWN_SEGMENT",
    );
    let coupon: Value = other.get("/api/businesses/1/coupons").await.data()[0]["couponId"].clone();
    must_name(&shop.creates(but(&shop.body("안녕"), "couponId", coupon)).await, "couponId", "UNKNOWN_COUPON");
}

#[tokio::test]
async fn it_is_seen_beforehand_what_it_comes_to() {
    let shop = shop().await;
    let ids = shop.has_customers(&["김민서", "최우식"]).await;
    shop.agrees(ids[1], "WITHDRAWN").await;
    let previewed =
        shop.owner.post(&format!("{}/preview", super::CAMPAIGNS), shop.body("{{customerName}}님")).await;
    let data = previewed.data();
    assert_eq!((&data["recipientCount"], &data["excluded"]), (&json!(2), &json!({"REFUSED": 1})));
    assert_eq!((&data["customerName"], &data["kind"]), (&json!("김민서"), &json!("SMS")));
    assert!(
        data["text"].as_str().is_some_and(|text| text.contains("김민서님") && text.starts_with("(광고)"))
    );
    assert_eq!(data["mostBytes"], 90);
    assert_eq!(shop.app.count("crm.campaign where business_id = 2").await, 0);
}

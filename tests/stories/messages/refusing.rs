//! Who refuses gets no more, however they say so.

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::TestApp;

use super::{
    advertising::{CUSTOMER, EMAIL, PHONE, advert, adverts, agrees, branded, mailed, says_about},
    fates, received, says, sends, text,
};

/// Where the link in the last mail leads.
fn way_out(app: &TestApp) -> String {
    let mails = received(app, EMAIL);
    let header = mails.last().expect("a mail").extra["List-Unsubscribe"].clone();
    let url = header.as_str().expect("a header").trim_matches(['<', '>']).to_owned();
    url.split_once("/o/").map(|(_, code)| format!("/o/{code}")).expect("an opt-out link")
}

#[tokio::test]
async fn one_click_refuses_and_looking_does_not() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["EMAIL"]), json!(["MARKETING"])).await;
    says(&app, &[mailed("a")]).await;
    sends(&app).await;
    let path = way_out(&app);
    let page = app.anonymous().get(&path).await;
    assert_eq!((page.status.as_u16(), page.content_type.as_str()), (200, "text/html; charset=utf-8"));
    assert!(
        page.body
            .as_str()
            .is_some_and(|html| html.contains("미소헤어") && html.contains("<form method=\"post\">"))
    );
    says(&app, &[mailed("b")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, EMAIL), 2, "looking changes nothing");
    let one_click = || async {
        app.anonymous()
            .with_header("content-type", "application/x-www-form-urlencoded")
            .send(axum::http::Method::POST, &path, Some(b"List-Unsubscribe=One-Click".to_vec()))
            .await
    };
    for _ in 0..2 {
        assert_eq!(one_click().await.status, 200);
    }
    says(&app, &[mailed("c")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, EMAIL), 2);
    let consents = app.owner().get(&format!("/api/businesses/1/customers/{CUSTOMER}/consents")).await;
    assert_eq!(consents.data()[0]["act"], "WITHDRAWN");
    assert_eq!(consents.data()[0]["method"], "ONE_CLICK");
    assert_eq!(consents.data().as_array().map(Vec::len), Some(2), "said once, written once");
    app.anonymous().get("/o/Ab3dE6gH9kLm").await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn who_calls_the_080_line_gets_none_whoever_they_are() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS", "KAKAO"]), json!(["MARKETING"])).await;
    calls_to_refuse(&app, "080-000-0000").await;
    says(&app, &[advert("a"), branded("b")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 0);
    let fate = app
        .texts("select concat_ws(' ', status, reason) from messaging.delivery where purpose = 'ADVERTISING'")
        .await;
    assert_eq!(fate, ["EXCLUDED REFUSED", "EXCLUDED REFUSED"]);
    // Information still arrives.
    says(&app, &[text("booked", PHONE, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    assert!(
        fates(&app).await.last().is_some_and(|fate| fate.starts_with("FAILED BLOCKED")),
        "the sandbox's carrier stops all"
    );
}

#[tokio::test]
async fn an_old_form_takes_nothing_back_that_was_said_since() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    says_about(&app, "WITHDRAWN", json!(["SMS"]), json!(["MARKETING"])).await;
    let path = format!("/api/businesses/1/customers/{CUSTOMER}/consents");
    let said = json!({
        "act": "GIVEN", "channels": ["SMS"], "purposes": ["MARKETING"], "method": "PAPER", "wording": "v1",
        "actedAt": "2026-02-13T12:00",
    });
    assert_eq!(app.owner().post(&path, said.clone()).await.status, 204);
    says(&app, &[advert("a")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 0);
    app.pass(TimeDelta::minutes(1));
    let mut since = said;
    since["actedAt"] = json!("2026-02-14T12:01");
    assert_eq!(app.owner().post(&path, since).await.status, 204);
    says(&app, &[advert("b")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 1, "what was said since counts");
}

#[tokio::test]
async fn who_refused_everybody_and_then_agrees_to_one_gets_what_that_one_says() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    calls_to_refuse(&app, "080-000-0000").await;
    let standing = format!("/api/businesses/1/customers/{CUSTOMER}/consent");
    let refused = app.owner().get(&standing).await;
    assert_eq!(
        (&refused.data()[0]["holds"], &refused.data()[0]["act"]),
        (&json!(false), &json!("WITHDRAWN"))
    );
    assert_ne!(refused.data()[0]["refusedAt"], Value::Null);
    app.pass(TimeDelta::minutes(1));
    // The list is read again, with what it said before.
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    app.pass(TimeDelta::minutes(6));
    sends(&app).await;
    let standing = app.owner().get(&standing).await;
    assert_eq!((&standing.data()[0]["holds"], &standing.data()[0]["act"]), (&json!(true), &json!("GIVEN")));
}

/// She calls, and the carrier's list is read.
async fn calls_to_refuse(app: &TestApp, line: &str) {
    let url = format!("{}/_sandbox/solapi/refusals", app.sandbox.base_url());
    let call = json!({"from": PHONE, "refusalNumber": line});
    reqwest::Client::new().post(url).json(&call).send().await.expect("the line answers");
    app.pass(TimeDelta::minutes(6));
    sends(app).await;
}

#[tokio::test]
async fn who_refuses_by_phone_is_told_once() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS", "KAKAO"]), json!(["MARKETING", "MARKETING_NIGHT"])).await;
    calls_to_refuse(&app, "0800000000").await;
    let told =
        app.texts("select dedup_key from messaging.message where dedup_key like 'consent:withdrawn:%'").await;
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn a_line_of_a_shops_own_is_about_that_shop_once_an_operator_approved_it() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    // Somebody claims a line that is not theirs: calls to it are about nobody until an operator has looked.
    let own = json!({"refusalNumber": "080-123-4567"});
    let wanted = app.owner_of(2).put("/api/businesses/2/message-sender", own).await;
    assert_eq!(wanted.data()["approvedAt"], Value::Null);
    calls_to_refuse(&app, "080-123-4567").await;
    assert_eq!(app.count("messaging.refusal").await, 0);
    let platforms = json!({"refusalNumber": "0800000000"});
    app.owner_of(2)
        .put("/api/businesses/2/message-sender", platforms)
        .await
        .invalid("refusalNumber", "THE_PLATFORMS");
    let operator = app.platform_admin();
    let other = json!({"businessId": 2, "refusalNumber": "0801234568"});
    operator.post("/api/admin/message-senders/approve", other).await.problem(409, "SENDER_CHANGED");
    let seen = json!({"businessId": 2, "refusalNumber": "0801234567"});
    operator.post("/api/admin/message-senders/approve", seen).await.data();
    calls_to_refuse(&app, "080-123-4567").await;
    let of = app.texts("select distinct business_id::text from messaging.refusal").await;
    assert_eq!(of, ["2"]);
    // While a change waits for its approval people still have the old line in hand.
    app.sql("delete from messaging.refusal").await;
    let other = json!({"refusalNumber": "080-123-9999"});
    app.owner_of(2).put("/api/businesses/2/message-sender", other).await.data();
    calls_to_refuse(&app, "080-123-4567").await;
    let of = app.texts("select distinct business_id::text from messaging.refusal").await;
    assert_eq!(of, ["2"]);
    let own = json!({"refusalNumber": "080-123-4567"});
    app.owner_of(2).put("/api/businesses/2/message-sender", own).await.data();
    let seen = json!({"businessId": 2, "refusalNumber": "0801234567"});
    operator.post("/api/admin/message-senders/approve", seen).await.data();
    // One line is one shop's.
    let own = json!({"refusalNumber": "080-123-4567"});
    app.owner().put("/api/businesses/1/message-sender", own).await.data();
    let seen = json!({"businessId": 1, "refusalNumber": "0801234567"});
    operator.post("/api/admin/message-senders/approve", seen).await.problem(409, "SENDER_TAKEN");
}

#[tokio::test]
async fn who_refuses_by_the_link_is_meant_whatever_they_are_reached_at_by_now() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["EMAIL"]), json!(["MARKETING"])).await;
    says(&app, &[mailed("a")]).await;
    sends(&app).await;
    let path = way_out(&app);
    let moved = json!({"email": "kim.moved@misohair.com"});
    app.owner().patch(&format!("/api/businesses/1/customers/{CUSTOMER}"), moved).await.data();
    assert_eq!(app.anonymous().send(axum::http::Method::POST, &path, None).await.status, 200);
    says(&app, &[mailed("b")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, "kim.moved@misohair.com"), 0);
}

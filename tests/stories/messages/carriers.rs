//! The same, whoever carries it.

use std::net::SocketAddr;

use chrono::TimeDelta;
use messaging::{AlimTalk, Channel, Content, NewMessage};
use sandbox::{Fate, Fault, FaultKind, Operation, ParcelKind, Provider};
use serde_json::{Value, json};
use testkit::{Actor, TestApp};
use tokio::net::TcpListener;

use super::{fates, received, says, sends, text};

const KIM: &str = "01012345678";

/// The API listens on a port of its own until the test ends.
async fn listens(app: &TestApp) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = app.app.clone().router(None);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Asks until it is so.
async fn patiently(what: &str, is_so: impl AsyncFn() -> bool) {
    for _ in 0..3_000 {
        if is_so().await {
            return;
        }
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it is still not so that {what}");
}

#[tokio::test]
async fn nhn_cloud_carries_texts_and_looks_up_what_got_lost() {
    let app = TestApp::start_with(&["--text-carrier=NHN"]).await;
    let lost = Fault::new(FaultKind::DropResponse).on(Operation::Send);
    app.sandbox.add_fault(Fault { provider: Some(Provider::Nhn), ..lost });
    says(&app, &[text("a", KIM, "예약이 확정되었습니다."), text("b", KIM, &"예약 안내입니다. ".repeat(12))])
        .await;
    sends(&app).await;
    app.pass(TimeDelta::seconds(30));
    sends(&app).await;
    app.pass(TimeDelta::minutes(1));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["DELIVERED SMS", "DELIVERED LMS"]);
    let carried = received(&app, KIM);
    assert_eq!(carried.len(), 2);
    assert!(carried.iter().all(|parcel| parcel.provider == Provider::Nhn));
}

#[tokio::test]
async fn a_webhook_brings_the_news_before_anybody_would_have_asked() {
    for (carrier, flags) in [("solapi", &[][..]), ("nhn", &["--text-carrier=NHN"][..])] {
        let app = TestApp::start_with(flags).await;
        let address = listens(&app).await;
        says(&app, &[text("a", KIM, "예약이 확정되었습니다.")]).await;
        sends(&app).await;
        assert_eq!(fates(&app).await, ["SENT"]);
        let url = Some(format!("http://{address}/api/webhooks/{carrier}"));
        match carrier {
            "nhn" => app.sandbox.set_nhn_webhook_url(url),
            _ => app.sandbox.set_solapi_webhook_url(url),
        }
        patiently("the carrier's news made it due", async || {
            sends(&app).await;
            fates(&app).await == ["DELIVERED SMS"]
        })
        .await;
    }
}

#[tokio::test]
async fn what_a_webhook_claims_is_not_believed() {
    let app = TestApp::start().await;
    let never = "010-0000-0007";
    says(&app, &[text("a", never, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    let id = app.texts("select provider_id from messaging.delivery").await.remove(0);
    let anybody: Actor = app.anonymous();
    let claim = json!([{"messageId": id, "statusCode": "4000", "status": "COMPLETE"}]);
    assert_eq!(anybody.post("/api/webhooks/solapi", claim).await.status, 200);
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT"]);
    anybody
        .post("/api/webhooks/nhn", json!({"event": "UNSUBSCRIBE", "hooks": []}))
        .await
        .problem(401, "BAD_SIGNATURE");
}

#[tokio::test]
async fn where_there_is_no_kakao_an_alim_talk_arrives_as_a_text_and_it_is_told() {
    for flags in [&[][..], &["--text-carrier=NHN"][..]] {
        let app = TestApp::start_with(flags).await;
        app.sandbox.set_fate(KIM, Fate::NoKakao).expect("she has no Kakao");
        let talk = |key: &str, to: &str| NewMessage {
            channel: Channel::Kakao,
            content: Content::AlimTalk(AlimTalk {
                template_code: "BOOKED".to_owned(),
                variables: [("고객명".to_owned(), "김민서".to_owned())].into(),
                text: "김민서님, 예약이 확정되었습니다.".to_owned(),
                falls_back: true,
            }),
            ..text(key, to, "")
        };
        says(&app, &[talk("a", KIM), talk("b", "01098765432")]).await;
        sends(&app).await;
        app.pass(TimeDelta::seconds(30));
        sends(&app).await;
        assert_eq!(fates(&app).await, ["DELIVERED SMS", "DELIVERED ALIMTALK"], "{flags:?}");
        let kinds: Vec<_> = received(&app, KIM).iter().map(|parcel| parcel.kind).collect();
        assert_eq!(kinds, [ParcelKind::AlimTalk, ParcelKind::Sms]);
    }
}

#[tokio::test]
async fn the_shop_sees_what_became_of_what_it_said() {
    let app = TestApp::start().await;
    says(&app, &[text("a", KIM, "예약이 확정되었습니다."), text("b", "010-0000-0002", "안녕하세요")]).await;
    sends(&app).await;
    app.pass(TimeDelta::seconds(11));
    sends(&app).await;
    let owner = app.owner();
    let failed = owner.get("/api/businesses/1/messages?status=FAILED").await;
    let failed = &failed.data()[0];
    assert_eq!((&failed["reason"], &failed["recipient"]), (&json!("BAD_NUMBER"), &json!("010-****-0002")));
    let one = owner
        .get(&format!("/api/businesses/1/messages/{}", failed["messageId"].as_str().expect("an id")))
        .await;
    assert_eq!(one.data()["text"], "안녕하세요");
    let all = owner.get("/api/businesses/1/messages").await;
    assert_eq!(all.data().as_array().map(Vec::len), Some(2));
    let event = app.texts("select data->>'reason' from platform.event where kind = 'message.failed'").await;
    assert_eq!(event, ["BAD_NUMBER"]);
    // After half a year nobody can say any more whom it went to.
    app.pass(TimeDelta::days(184));
    sends(&app).await;
    let old = owner.get("/api/businesses/1/messages").await;
    assert_eq!((&old.data()[0]["recipient"], &old.data()[0]["text"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_template_is_looked_at_before_anybody_gets_it() {
    let app = TestApp::start().await;
    let owner = app.owner();
    let preview = |body: Value| {
        let owner = owner.clone();
        async move { owner.post("/api/businesses/1/message-templates/preview", body).await }
    };
    let advert = |body: &str| json!({"channel": "SMS", "purpose": "ADVERTISING", "body": body});
    let shown = preview(advert("{{customerName}}님, 다시 뵙고 싶어요.")).await;
    let shown = shown.data();
    assert_eq!(shown["text"], "(광고)미소헤어\n김민서님, 다시 뵙고 싶어요.\n무료수신거부 0800000000");
    assert_eq!(
        (&shown["kind"], &shown["bytes"], &shown["mostBytes"]),
        (&json!("SMS"), &json!(66), &json!(90))
    );
    assert_eq!(shown["variables"], json!(["customerName"]));
    let emoji = preview(advert("봄이에요🌸")).await;
    assert_eq!((&emoji.data()["reason"], &emoji.data()["unsendable"]), (&json!("CHARSET"), &json!(["🌸"])));
    preview(advert("{{customerPhone}}님")).await.invalid("body", "UNKNOWN_VARIABLE");

    let path = "/api/businesses/1/message-templates";
    let template =
        json!({"name": "재방문", "channel": "KAKAO", "purpose": "INFORMATION", "body": "{{customerName}}님"});
    owner.post(path, template.clone()).await.invalid("kakaoCode", "REQUIRED");
    let mut approved = template.clone();
    approved["kakaoCode"] = json!("KA01TP");
    let added = owner.post(path, approved.clone()).await;
    assert_eq!(added.status, 201);
    let one = format!("{path}/{}", added.data()["templateId"]);
    owner.post(path, approved.clone()).await.problem(409, "TEMPLATE_EXISTS");
    // AlimTalk is no way to advertise.
    approved["purpose"] = json!("ADVERTISING");
    owner.put(&one, approved).await.invalid("kakaoCode", "NOT_ALLOWED");
    app.owner_of(2).get(&one).await.problem(404, "NOT_FOUND");
    assert_eq!(owner.send(axum::http::Method::DELETE, &one, None).await.status, 204);
    owner.get(&one).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_shop_with_numbers_of_its_own_writes_from_them() {
    let app = TestApp::start().await;
    let owner = app.owner();
    let path = "/api/businesses/1/message-sender";
    assert_eq!(owner.get(path).await.data()["phone"], Value::Null);
    owner.put(path, json!({"refusalNumber": "070-123-4567"})).await.invalid("refusalNumber", "INVALID");
    let own = json!({"phone": "02-312-3456", "refusalNumber": "080-123-4567"});
    assert_eq!(owner.put(path, own).await.data()["phone"], "023123456");
    says(&app, &[text("a", KIM, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    assert_eq!(received(&app, KIM)[0].from, "0200000000", "nobody has looked whose that number is");
    let operator = app.platform_admin();
    let waiting = operator.get("/api/admin/message-senders").await;
    assert_eq!(waiting.data()[0]["phone"], "023123456");
    let seen = json!({"businessId": 1, "phone": "023123456", "refusalNumber": "0801234567"});
    operator.post("/api/admin/message-senders/approve", seen).await.data();
    assert_eq!(operator.get("/api/admin/message-senders").await.data(), &json!([]));
    says(&app, &[text("b", KIM, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    assert_eq!(received(&app, KIM)[1].from, "023123456");
    // Another number waits for an approval again.
    owner.put(path, json!({"phone": "02-777-7777"})).await.data();
    says(&app, &[text("c", KIM, "예약이 확정되었습니다.")]).await;
    sends(&app).await;
    assert_eq!(received(&app, KIM)[2].from, "0200000000");
}

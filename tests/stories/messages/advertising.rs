//! Advertising: only to who agreed, at a lawful hour, with the way out in it.

use chrono::TimeDelta;
use messaging::{
    Brand, Channel, Content, Enqueueing, Exclusion, FailureClass, Mail, NewMessage, Purpose, Recipient, Text,
};
use sandbox::{Fate, Fault, FaultKind, Moment, Operation, ParcelKind};
use serde_json::{Value, json};
use testkit::TestApp;

use super::{fates, forgets_what_was_said, received, says, sends, text};

/// The first customer of the demo's salon, as booking knows her.
pub(super) const CUSTOMER: i64 = 1;
pub(super) const PHONE: &str = "01012345678";
pub(super) const EMAIL: &str = "minseo@misohair.com";

pub(super) fn advert(key: &str) -> NewMessage {
    NewMessage {
        recipient: Recipient::Customer(CUSTOMER),
        purpose: Purpose::Advertising,
        content: Content::Text(Text::new("봄맞이 펌 20% 할인")),
        batch: Some("campaign:1".to_owned()),
        ..text(key, "", "")
    }
}

pub(super) fn mailed(key: &str) -> NewMessage {
    let content = Mail {
        subject: "봄 소식".to_owned(),
        text: "봄맞이 펌 20% 할인".to_owned(),
        html: "<p>봄맞이 펌 20% 할인</p>".to_owned(),
        unsubscribe_url: None,
    };
    NewMessage { channel: Channel::Email, content: Content::Mail(content), ..advert(key) }
}

pub(super) fn branded(key: &str) -> NewMessage {
    let said = "봄맞이 펌 20% 할인".to_owned();
    let content = Brand { text: said.clone(), buttons: Vec::new(), fallback: Some(Text::new(said)) };
    NewMessage { channel: Channel::Kakao, content: Content::Brand(content), ..advert(key) }
}

/// The customer agreed on paper; she was told so, which these tests do not count.
pub(super) async fn agrees(app: &TestApp, channels: Value, purposes: Value) {
    says_about(app, "GIVEN", channels, purposes).await;
    sends(app).await;
    forgets_what_was_said(app).await;
}

pub(super) async fn says_about(app: &TestApp, act: &str, channels: Value, purposes: Value) {
    let said =
        json!({"act": act, "channels": channels, "purposes": purposes, "method": "PAPER", "wording": "v1"});
    let path = format!("/api/businesses/1/customers/{CUSTOMER}/consents");
    assert_eq!(app.owner().post(&path, said).await.status, 204);
}

pub(super) fn adverts(app: &TestApp, to: &str) -> usize {
    let is_advert = |text: &str| text.contains("20% 할인");
    received(app, to).iter().filter(|parcel| is_advert(&parcel.text)).count()
}

#[tokio::test]
async fn nobody_who_did_not_agree_gets_any() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    says(&app, &[advert("a"), mailed("b"), branded("c")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["EXCLUDED NO_CONSENT"; 3]);
    assert_eq!(app.sandbox.inbox().len(), 0);
    // The flag of an imported list is no consent.
    assert!(app.count("booking.customer where marketing_consent").await > 0);
}

#[tokio::test]
async fn who_agreed_gets_it_with_label_sender_and_the_way_out() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS", "EMAIL"]), json!(["MARKETING"])).await;
    says(&app, &[advert("a"), mailed("b")]).await;
    sends(&app).await;
    let texts = received(&app, PHONE);
    let text = texts.last().expect("a text");
    assert_eq!(text.text, "(광고)미소헤어\n봄맞이 펌 20% 할인\n무료수신거부 0800000000");
    let mails = received(&app, EMAIL);
    let mail = mails.last().expect("a mail");
    assert_eq!(mail.subject.as_deref(), Some("(광고) 봄 소식"));
    assert_eq!(mail.extra["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    assert_eq!(mail.from, "news@dangol.example");
    assert!(mail.text.contains("미소헤어 (0200000000)"), "{}", mail.text);
}

#[tokio::test]
async fn at_night_it_waits_for_the_morning() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T20:49");
    agrees(&app, json!(["SMS", "KAKAO"]), json!(["MARKETING"])).await;
    app.it_is("2026-02-14T20:50");
    says(&app, &[advert("a"), branded("b")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["QUEUED", "QUEUED"]);
    app.time_passes_until("2026-02-15T07:59").await;
    assert_eq!(adverts(&app, PHONE), 0);
    app.time_passes_until("2026-02-15T08:00").await;
    assert_eq!(adverts(&app, PHONE), 2);
}

#[tokio::test]
async fn who_agreed_to_the_night_gets_texts_at_night() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T20:00");
    agrees(&app, json!(["SMS", "KAKAO"]), json!(["MARKETING", "MARKETING_NIGHT"])).await;
    app.it_is("2026-02-14T23:00");
    says(&app, &[advert("a"), branded("b")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT", "QUEUED"]);
}

#[tokio::test]
async fn a_withdrawal_holds_at_once_also_for_what_waits() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T20:49");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    app.it_is("2026-02-14T21:00");
    says(&app, &[advert("a")]).await;
    sends(&app).await;
    says_about(&app, "WITHDRAWN", json!(["SMS"]), json!(["MARKETING"])).await;
    app.time_passes_until("2026-02-15T12:00").await;
    assert_eq!(adverts(&app, PHONE), 0);
    let told = received(&app, PHONE);
    assert!(told.last().expect("she is told").text.contains("광고성 정보 수신 거부"), "{told:?}");
    let fate = app
        .texts("select concat_ws(' ', status, reason) from messaging.delivery where purpose = 'ADVERTISING'")
        .await;
    assert_eq!(fate, ["EXCLUDED REFUSED"]);
}

#[tokio::test]
async fn three_a_week_are_enough() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    let five: Vec<_> = (0..5).map(|n| advert(&format!("a{n}"))).collect();
    says(&app, &five).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 3);
    app.pass(TimeDelta::days(8));
    says(&app, &[advert("later")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 4);
    assert_eq!(app.count("messaging.delivery where reason = 'FREQUENCY_CAP'").await, 2);
}

#[tokio::test]
async fn three_that_were_refused_together_and_go_in_parts_are_still_three() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    let refused = FaultKind::Decline { code: "ValidationError".to_owned() };
    app.sandbox.add_fault(Fault::new(refused).on(Operation::Send));
    says(&app, &(0..3).map(|n| advert(&format!("a{n}"))).collect::<Vec<_>>()).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 3);
}

#[tokio::test]
async fn a_consent_of_nearly_two_years_is_asked_about_and_goes_on() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    app.it_is("2028-02-13T12:00");
    sends(&app).await;
    let asked = received(&app, PHONE);
    let asked = &asked.last().expect("she is asked").text;
    for said in ["[미소헤어]", "2026년 2월 14일에 문자 광고성 정보 수신에 동의", "철회"]
    {
        assert!(asked.contains(said), "{said}\n{asked}");
    }
    app.pass(TimeDelta::seconds(11));
    sends(&app).await;
    sends(&app).await;
    app.it_is("2028-03-01T12:00");
    says(&app, &[advert("a")]).await;
    sends(&app).await;
    assert_eq!(adverts(&app, PHONE), 1);
    let standing = app.owner().get(&format!("/api/businesses/1/customers/{CUSTOMER}/consent")).await;
    assert_eq!(standing.data()[0]["act"], "RECONFIRMED");
    assert_eq!(standing.data()[0]["goodUntil"], "2030-02-13T00:00:00+09:00");
}

#[tokio::test]
async fn who_cannot_be_asked_after_two_years_gets_no_more() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    app.sandbox.set_fate(PHONE, Fate::PhoneOff).expect("her phone is off");
    app.it_is("2028-02-01T12:00");
    sends(&app).await;
    app.pass(TimeDelta::seconds(11));
    sends(&app).await;
    app.it_is("2028-02-14T12:00");
    says(&app, &[advert("a")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["FAILED UNREACHABLE", "EXCLUDED CONSENT_EXPIRED"]);
}

#[tokio::test]
async fn where_kakao_cannot_deliver_a_lawful_text_arrives() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["KAKAO", "SMS"]), json!(["MARKETING"])).await;
    app.sandbox.set_fate(PHONE, Fate::NoKakao).expect("she has no Kakao");
    says(&app, &[branded("a")]).await;
    sends(&app).await;
    app.pass(TimeDelta::seconds(11));
    sends(&app).await;
    assert_eq!(fates(&app).await, ["DELIVERED SMS"]);
    let arrived = received(&app, PHONE);
    let text = arrived.iter().find(|parcel| parcel.replaces.is_some()).expect("a text in its place");
    assert_eq!(text.kind, ParcelKind::Sms);
    assert!(text.text.starts_with("(광고)미소헤어\n") && text.text.ends_with("무료수신거부 0800000000"));
}

#[tokio::test]
async fn who_agreed_to_kakao_alone_gets_no_text_in_its_place() {
    for flags in [&[][..], &["--text-carrier=NHN"][..]] {
        let app = TestApp::start_with(flags).await;
        app.it_is("2026-02-14T12:00");
        agrees(&app, json!(["KAKAO"]), json!(["MARKETING"])).await;
        app.sandbox.set_fate(PHONE, Fate::NoKakao).expect("she has no Kakao");
        says(&app, &[branded("a")]).await;
        sends(&app).await;
        app.pass(TimeDelta::minutes(11));
        sends(&app).await;
        assert_eq!(fates(&app).await, ["FAILED NO_SUCH_USER"], "{flags:?}");
        let arrived = received(&app, PHONE);
        assert!(arrived.iter().all(|parcel| parcel.replaces.is_none()), "{arrived:?}");
    }
}

#[tokio::test]
async fn a_brand_message_says_where_it_is_refused_and_is_advertising_whatever_it_is_called() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["KAKAO"]), json!(["MARKETING"])).await;
    let enqueued = says(&app, &[NewMessage { purpose: Purpose::Information, ..branded("a") }]).await;
    assert_eq!(enqueued[0].fate, Enqueueing::Failed(FailureClass::OurBug));
    says(&app, &[branded("b")]).await;
    sends(&app).await;
    let arrived = received(&app, PHONE);
    assert!(arrived.last().expect("it arrives").text.ends_with("무료수신거부 0800000000"), "{arrived:?}");
}

#[tokio::test]
async fn who_was_erased_gets_nothing_and_is_forgotten() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS", "EMAIL"]), json!(["MARKETING"])).await;
    says(&app, &[mailed("a")]).await;
    sends(&app).await;
    says(&app, &[advert("b"), NewMessage { purpose: Purpose::Information, ..advert("c") }]).await;
    let customer = format!("/api/businesses/1/customers/{CUSTOMER}");
    app.owner().send(axum::http::Method::DELETE, &customer, None).await;
    // Judged by what booking says, before anybody heard of it.
    sends(&app).await;
    assert_eq!(fates(&app).await, ["SENT", "EXCLUDED CONTACT_GONE", "EXCLUDED CONTACT_GONE"]);
    assert_eq!(app.count("messaging.message where recipient is not null or content is not null").await, 1);
    app.app.messaging.react_to_all().await.expect("events are reacted to");
    assert_eq!(app.count("messaging.message where recipient is not null or content is not null").await, 0);
    let enqueued = says(&app, &[advert("d")]).await;
    assert_eq!(enqueued[0].fate, Enqueueing::Excluded(Exclusion::ContactGone));
}

#[tokio::test]
async fn who_is_erased_while_a_lost_text_is_looked_for_is_not_sent_it_again() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    agrees(&app, json!(["SMS"]), json!(["MARKETING"])).await;
    let lost = FaultKind::Html502(Moment::BeforeProcessing);
    app.sandbox.add_fault(Fault::new(lost).on(Operation::Send));
    says(&app, &[advert("a")]).await;
    sends(&app).await;
    assert_eq!(fates(&app).await, ["UNKNOWN"]);
    let customer = format!("/api/businesses/1/customers/{CUSTOMER}");
    app.owner().send(axum::http::Method::DELETE, &customer, None).await;
    app.app.messaging.react_to_all().await.expect("events are reacted to");
    // Otherwise it would prove to have never arrived, and be sent again. Nobody can be asked by whom it was for any more.
    for minutes in [25, 4] {
        app.pass(TimeDelta::minutes(minutes));
        sends(&app).await;
    }
    assert_eq!(fates(&app).await, ["UNKNOWN"]);
    assert_eq!(app.count("messaging.delivery where status = 'UNKNOWN' and due_at is null").await, 1);
    assert_eq!(adverts(&app, PHONE), 0);
}

#[tokio::test]
async fn whoever_writes_an_advertisement_gets_a_sample_of_it() {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T22:00");
    let own = "01099998888";
    let sample = |n: u32| NewMessage {
        purpose: Purpose::Sample,
        recipient: Recipient::Contact(own.into()),
        ..advert(&format!("sample-{n}"))
    };
    says(&app, &(0..5).map(sample).collect::<Vec<_>>()).await;
    sends(&app).await;
    let samples = received(&app, own);
    assert_eq!(samples.len(), 5, "it is nobody's consent and no cap's business");
    assert_eq!(samples[0].text, "(광고)미소헤어\n봄맞이 펌 20% 할인\n무료수신거부 0800000000");
}

#[tokio::test]
async fn an_import_is_no_consent_unless_somebody_says_where_the_proof_is() {
    let app = TestApp::start().await;
    let path = format!("/api/businesses/1/customers/{CUSTOMER}/consents");
    let mut said = json!({
        "act": "GIVEN", "channels": ["SMS"], "purposes": ["MARKETING"], "method": "IMPORT", "wording": "v1",
    });
    app.owner().post(&path, said.clone()).await.invalid("evidence", "REQUIRED");
    said["evidence"] = json!("동의서 보관함 3");
    assert_eq!(app.owner().post(&path, said.clone()).await.status, 204);
    said["method"] = json!("ONE_CLICK");
    app.owner().post(&path, said).await.invalid("method", "NOT_ALLOWED");
    app.owner_of(2).get(&path).await.problem(404, "NOT_FOUND");
}

//! Pausing, going on, calling off, and changing one's mind before it begins.

use serde_json::json;

use super::{but, shop};
use crate::messages::forgets_what_was_said;

#[tokio::test]
async fn a_paused_campaign_sends_nothing_until_it_goes_on() {
    let shop = shop().await;
    shop.has_customers(&["가", "나"]).await;
    shop.app.it_is("2026-02-14T20:55");
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.owner.post(&format!("{path}/pause"), json!({})).await.problem(409, "CAMPAIGN_STATUS_CONFLICT");
    shop.sends().await;
    let paused = shop.owner.post(&format!("{path}/pause"), json!({})).await;
    assert_eq!(paused.data()["status"], "PAUSED");
    shop.app.time_passes_until("2026-02-15T12:00").await;
    assert_eq!(shop.received(0).len() + shop.received(1).len(), 0);
    let resumed = shop.owner.post(&format!("{path}/resume"), json!({})).await;
    assert_eq!(resumed.data()["status"], "SENDING");
    shop.owner.post(&format!("{path}/resume"), json!({})).await.problem(409, "CAMPAIGN_STATUS_CONFLICT");
    shop.sends().await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (1, 1));
    assert_eq!(shop.stands(&path).await["status"], "COMPLETED");
    shop.owner.post(&format!("{path}/cancel"), json!({})).await.problem(409, "CAMPAIGN_STATUS_CONFLICT");
}

#[tokio::test]
async fn what_is_called_off_is_not_sent() {
    let shop = shop().await;
    shop.has_customers(&["가", "나"]).await;
    shop.app.it_is("2026-02-14T20:55");
    let begun = shop.campaign(shop.body("새봄 할인")).await;
    let scheduled =
        shop.campaign(but(&shop.body("새봄 할인"), "scheduledAt", json!("2026-02-16T10:00"))).await;
    shop.sends().await;
    for path in [&begun, &scheduled] {
        let cancelled = shop.owner.post(&format!("{path}/cancel"), json!({})).await;
        assert_eq!(cancelled.data()["status"], "CANCELLED", "{}", cancelled.body);
        assert_eq!(cancelled.data()["completedAt"], json!(null));
    }
    shop.app.time_passes_until("2026-02-17T12:00").await;
    assert_eq!(shop.received(0).len() + shop.received(1).len(), 0);
    assert_eq!(shop.stands(&begun).await["excluded"], json!({"CANCELLED": 2}));
    let done = shop
        .app
        .texts("select action from platform.audit where action like 'campaign.%' order by audit_id")
        .await;
    assert_eq!(done, ["campaign.created", "campaign.created", "campaign.cancelled", "campaign.cancelled"]);
}

#[tokio::test]
async fn a_draft_changes_until_it_is_good() {
    let shop = shop().await;
    shop.has_customers(&["김민서"]).await;
    let path = shop.campaign(but(&shop.body("새봄"), "draft", json!(true))).await;
    shop.sends().await;
    assert_eq!(shop.stands(&path).await["status"], "DRAFT");
    let changed =
        shop.owner.patch(&path, json!({"message": "{{customerName}}님, 새봄", "name": "새봄"})).await;
    assert_eq!((&changed.data()["name"], &changed.data()["status"]), (&json!("새봄"), &json!("DRAFT")));
    let scheduled = shop.owner.post(&format!("{path}/schedule"), json!({})).await;
    assert_eq!(scheduled.data()["status"], "SCHEDULED", "{}", scheduled.body);
    shop.sends().await;
    assert!(shop.received(0)[0].text.contains("김민서님, 새봄"));
    shop.owner.patch(&path, json!({"name": "늦봄"})).await.problem(409, "CAMPAIGN_HAS_BEGUN");
}

#[tokio::test]
async fn the_segment_is_asked_as_it_was_when_the_campaign_was_written() {
    let shop = shop().await;
    shop.has_customers(&["가", "나"]).await;
    let path = shop.campaign(but(&shop.body("새봄 할인"), "scheduledAt", json!("2026-02-16T10:00"))).await;
    let segment = format!("/api/businesses/2/segments/{}", shop.segment);
    let nobody = json!({"conditions": [{"field": "visitCount", "operator": "AT_LEAST", "value": 100}]});
    shop.owner.patch(&segment, nobody).await.data();
    assert_eq!(shop.owner.send(axum::http::Method::DELETE, &segment, None).await.status, 204);
    shop.app.time_passes_until("2026-02-16T10:00").await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (1, 1));
    assert_eq!(shop.stands(&path).await["segmentName"], "모두");
}

#[tokio::test]
async fn the_same_request_with_the_same_key_is_one_campaign() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let owner = shop.app.owner_of(2).with_header("idempotency-key", "once");
    let first = owner.post(super::CAMPAIGNS, shop.body("새봄 할인")).await;
    let again = owner.post(super::CAMPAIGNS, shop.body("새봄 할인")).await;
    assert!(again.replayed && !first.replayed, "{}", again.body);
    assert_eq!(again.body, first.body);
    owner.post(super::CAMPAIGNS, shop.body("다른 말")).await.problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.app.count("crm.campaign where business_id = 2").await, 1);
    // The answer was never written down: the process died behind the campaign.
    shop.app.sql("delete from platform.idempotency_key where key = 'once'").await;
    let after = owner.post(super::CAMPAIGNS, shop.body("새봄 할인")).await;
    assert_eq!(after.data()["campaignId"], first.data()["campaignId"]);
    shop.app.sql("delete from platform.idempotency_key where key = 'once'").await;
    owner.post(super::CAMPAIGNS, shop.body("다른 말")).await.problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.app.count("crm.campaign where business_id = 2").await, 1);
    // Another year, another campaign.
    shop.app.it_is("2026-02-22T12:00");
    shop.app.sql("delete from platform.idempotency_key where key = 'once'").await;
    let another = owner.post(super::CAMPAIGNS, shop.body("또 다른 말")).await;
    assert_ne!(another.data()["campaignId"], first.data()["campaignId"]);
    // Who may not send campaigns hears nothing of the stored answer.
    let staff = shop.app.member(2, platform::Role::Staff).with_header("idempotency-key", "once");
    staff.post(super::CAMPAIGNS, shop.body("새봄 할인")).await.problem(403, "PERMISSION_REQUIRED");
}

#[tokio::test]
async fn whoever_writes_it_gets_a_sample() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let body =
        but(&shop.body("{{customerName}}님 {{link}}"), "link", json!("https://misohair.example/spring"));
    let path = shop.campaign(but(&body, "draft", json!(true))).await;
    let to = |number: &str| json!({"to": number});
    let sampled = shop.owner.post(&format!("{path}/test"), to("010-9876-5432")).await;
    assert_eq!(sampled.status, 204, "{}", sampled.body);
    shop.owner.post(&format!("{path}/test"), to("02-312-3456")).await.problem(422, "VALIDATION_FAILED");
    shop.sends().await;
    let inbox = shop.app.sandbox.inbox();
    let sample = inbox.iter().find(|parcel| parcel.to == "01098765432").expect("a sample");
    assert!(sample.text.starts_with("(광고)") && sample.text.contains("/l/"), "{}", sample.text);
    assert_eq!(shop.stands(&path).await["stats"]["totalSent"], 0);
    for _ in 0..19 {
        shop.owner.post(&format!("{path}/test"), to("010-9876-5432")).await;
    }
    shop.owner.post(&format!("{path}/test"), to("010-9876-5432")).await.problem(409, "TOO_MANY_SAMPLES");
}

#[tokio::test]
async fn a_sample_is_no_way_around_a_refusal() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    let path = format!("{}/test", shop.campaign(but(&shop.body("새봄"), "draft", json!(true))).await);
    let samples =
        async |customer: usize| shop.owner.post(&path, json!({"to": super::number(customer)})).await;
    assert_eq!(samples(0).await.status, 204, "she agreed, and it is noon");
    shop.agrees(ids[0], "WITHDRAWN").await;
    samples(0).await.invalid("to", "REFUSED");
    shop.owner.post(super::CUSTOMERS, json!({"name": "다", "phone": super::number(2)})).await.data();
    samples(2).await.invalid("to", "NO_CONSENT");
    // Somebody who is no customer any more, and called the line at which everybody refuses everything.
    let customer = format!("{}/{}", super::CUSTOMERS, ids[0]);
    assert_eq!(shop.owner.send(axum::http::Method::DELETE, &customer, None).await.status, 204);
    samples(0).await.invalid("to", "REFUSED");
    shop.app.sql("update messaging.refusal set business_id = 0").await;
    forgets_what_was_said(&shop.app).await;
    assert_eq!(samples(0).await.status, 204, "what everybody is refused no shop is told");
    shop.sends().await;
    let kept = shop.app.texts("select reason from messaging.delivery where purpose = 'SAMPLE'").await;
    assert_eq!(kept, ["REFUSED"]);
}

#[tokio::test]
async fn a_kakao_sample_becomes_a_text_only_where_texts_are_agreed_to() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    let refuses = json!({"act": "WITHDRAWN", "channels": ["SMS"], "purposes": ["MARKETING"], "method": "PAPER", "wording": "v1"});
    shop.owner.post(&format!("{}/{}/consents", super::CUSTOMERS, ids[0]), refuses).await;
    let kakao = but(&but(&shop.body("새봄"), "channel", json!("KAKAO")), "draft", json!(true));
    let path = format!("{}/test", shop.campaign(kakao).await);
    for customer in 0..2 {
        shop.app.sandbox.set_fate(&super::number(customer), sandbox::Fate::NoKakao).expect("a number");
        assert_eq!(shop.owner.post(&path, json!({"to": super::number(customer)})).await.status, 204);
    }
    shop.sends().await;
    shop.app.time_passes_until("2026-02-14T18:00").await;
    let texts = |customer: usize| {
        shop.received(customer).iter().filter(|parcel| parcel.kind != sandbox::ParcelKind::Brand).count()
    };
    assert_eq!((texts(0), texts(1)), (0, 1));
}

#[tokio::test]
async fn at_night_a_sample_goes_to_whoever_writes_it_and_to_no_customer() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = format!("{}/test", shop.campaign(but(&shop.body("새봄"), "draft", json!(true))).await);
    shop.app.it_is("2026-02-14T23:00");
    shop.owner.post(&path, json!({"to": super::number(0)})).await.invalid("to", "NOT_AT_NIGHT");
    assert_eq!(shop.owner.post(&path, json!({"to": "010-9876-5432"})).await.status, 204);
    shop.sends().await;
    assert!(shop.app.sandbox.inbox().iter().any(|parcel| parcel.to == "01098765432"));
}

#[tokio::test]
async fn a_sample_that_is_asked_for_twice_under_one_key_is_one() {
    let shop = shop().await;
    let path = format!("{}/test", shop.campaign(but(&shop.body("새봄"), "draft", json!(true))).await);
    let owner = shop.app.owner_of(2).with_header("idempotency-key", "sample");
    for _ in 0..2 {
        assert_eq!(owner.post(&path, json!({"to": "010-9876-5432"})).await.status, 204);
        shop.app.sql("delete from platform.idempotency_key where key = 'sample'").await;
    }
    assert_eq!(shop.app.count("messaging.message where purpose = 'SAMPLE'").await, 1);
}

#[tokio::test]
async fn a_draft_whose_time_has_passed_waits_for_another() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let body =
        but(&but(&shop.body("설 인사"), "draft", json!(true)), "scheduledAt", json!("2026-02-16T10:00"));
    let path = shop.campaign(body).await;
    shop.app.time_passes_until("2026-02-17T10:00").await;
    shop.owner.post(&format!("{path}/schedule"), json!({})).await.invalid("scheduledAt", "IN_THE_PAST");
    shop.owner.patch(&path, json!({"scheduledAt": null})).await.data();
    shop.owner.post(&format!("{path}/schedule"), json!({})).await.data();
    shop.sends().await;
    assert_eq!(shop.received(0).len(), 1);
}

#[tokio::test]
async fn paused_in_the_middle_of_writing_down_it_goes_on_where_it_was() {
    let shop = shop().await;
    let path = shop.has_a_crowd_and_a_campaign(2_203).await;
    // Two pages of three.
    for _ in 0..2 {
        assert!(shop.app.app.crm.write_next(1).await.expect("a page"));
    }
    shop.owner.post(&format!("{path}/pause"), json!({})).await.data();
    shop.sends().await;
    assert_eq!(shop.stands(&path).await["recipientCount"], 2_000);
    assert_eq!(shop.app.sandbox.inbox().len(), 0, "what is held is not sent");
    shop.owner.post(&format!("{path}/resume"), json!({})).await.data();
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["stats"]["totalSent"]), (&json!("COMPLETED"), &json!(2_203)));
    assert_eq!(shop.app.sandbox.inbox().len(), 2_203);
}

#[tokio::test]
async fn who_refuses_by_telephone_or_by_the_link_while_it_waits_gets_none() {
    let shop = shop().await;
    shop.has_customers(&["가", "나", "다"]).await;
    let mail = but(&but(&shop.body("새봄"), "channel", json!("EMAIL")), "subject", json!("새봄"));
    shop.campaign(mail.clone()).await;
    shop.sends().await;
    let way_out = shop.received(1)[0].extra["List-Unsubscribe"].clone();
    let way_out = way_out.as_str().and_then(|url| url.split_once("/o/")).expect("a link").1;
    let way_out = format!("/o/{}", way_out.trim_end_matches('>'));
    shop.app.it_is("2026-02-14T20:55");
    let texts = shop.campaign(shop.body("새봄 할인")).await;
    let mails = shop.campaign(mail).await;
    shop.sends().await;
    assert_eq!(shop.stands(&texts).await["stats"]["waiting"], 3, "it is night");

    let line = format!("{}/_sandbox/solapi/refusals", shop.app.sandbox.base_url());
    let call = json!({"from": super::number(0), "refusalNumber": "080-000-0000"});
    reqwest::Client::new().post(line).json(&call).send().await.expect("the line answers");
    let one_click = shop
        .app
        .anonymous()
        .with_header("content-type", "application/x-www-form-urlencoded")
        .send(axum::http::Method::POST, &way_out, Some(b"List-Unsubscribe=One-Click".to_vec()))
        .await;
    assert_eq!(one_click.status, 200, "{}", one_click.body);

    shop.app.time_passes_until("2026-02-15T08:00").await;
    for path in [&texts, &mails] {
        let stands = shop.stands(path).await;
        assert_eq!(stands["excluded"], json!({"REFUSED": 1}), "{stands}");
        assert_eq!((&stands["status"], &stands["stats"]["totalSent"]), (&json!("COMPLETED"), &json!(2)));
    }
}

#[tokio::test]
async fn of_two_requests_under_one_key_the_second_hears_of_the_first() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    shop.campaign(shop.body("새봄 할인")).await;
    // The first was taken for dead, and has written its campaign down without having committed it.
    let superuser = shop.app.superuser().await;
    let mut first = superuser.begin().await.expect("a transaction");
    sqlx::query("update crm.campaign set idempotency_key = 'once'")
        .execute(&mut *first)
        .await
        .expect("a key");
    let owner = shop.app.owner_of(2).with_header("idempotency-key", "once");
    let second = owner.post(super::CAMPAIGNS, shop.body("새봄 할인"));
    let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let commits_meanwhile = async {
        while shop.app.count(waiting).await < 1 {}
        first.commit().await.expect("the first is done");
    };
    let (second, ()) = tokio::join!(second, commits_meanwhile);
    second.problem(409, "IDEMPOTENCY_KEY_IN_USE");
    assert_eq!(shop.app.count("crm.campaign where business_id = 2").await, 1);
}

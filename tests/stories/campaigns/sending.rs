//! Who gets it, once, when it may be sent.

use serde_json::json;

use super::{but, shop};
use crate::messages::forgets_what_was_said;

#[tokio::test]
async fn a_campaign_reaches_everybody_in_its_segment_once() {
    let shop = shop().await;
    shop.has_customers(&["김민서", "최우식"]).await;
    let created = shop.creates(shop.body("{{customerName}}님, {{businessName}}입니다.")).await;
    assert_eq!(created.status, 201, "{}", created.body);
    let data = created.data();
    assert_eq!((&data["status"], &data["recipientCount"]), (&json!("SCHEDULED"), &json!(2)));
    let path = format!("{}/{}", super::CAMPAIGNS, data["campaignId"]);
    for _ in 0..3 {
        shop.sends().await;
    }
    let name = shop.stands(&path).await["name"].clone();
    assert_eq!(name, "봄맞이");
    for (customer, called) in ["김민서", "최우식"].iter().enumerate() {
        let received = shop.received(customer);
        assert_eq!(received.len(), 1, "{received:?}");
        assert!(received[0].text.contains(&format!("\n{called}님, ")), "{}", received[0].text);
        assert!(received[0].text.ends_with("무료수신거부 0800000000"), "{}", received[0].text);
    }
    let stands = shop.stands(&path).await;
    assert_eq!(stands["status"], "COMPLETED");
    assert_eq!(stands["stats"]["totalSent"], 2);
    assert_eq!(stands["excluded"], json!({}));
    let told =
        shop.app.texts("select data::text from platform.event where kind = 'campaign.completed'").await;
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn who_did_not_agree_is_left_out_and_counted() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다", "라"]).await;
    shop.agrees(ids[1], "WITHDRAWN").await;
    shop.owner.post(super::CUSTOMERS, json!({"name": "마"})).await.data();
    shop.owner.post(super::CUSTOMERS, json!({"name": "바", "phone": "010-3999-9999"})).await.data();
    forgets_what_was_said(&shop.app).await;
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!(stands["excluded"], json!({"REFUSED": 1, "NO_CONTACT": 1, "NO_CONSENT": 1}));
    assert_eq!((&stands["recipientCount"], &stands["stats"]["totalSent"]), (&json!(6), &json!(3)));
    let left_out = shop.owner.get(&format!("{path}/recipients?fate=EXCLUDED")).await;
    let reasons: Vec<_> =
        left_out.data().as_array().expect("a list").iter().map(|one| one["reason"].clone()).collect();
    assert_eq!(reasons, ["NO_CONSENT", "NO_CONTACT", "REFUSED"]);
    assert_eq!(
        shop.owner.get(&format!("{path}/recipients?limit=4")).await.data().as_array().map(Vec::len),
        Some(4)
    );
}

#[tokio::test]
async fn at_its_time_and_not_before() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(but(&shop.body("새봄 할인"), "scheduledAt", json!("2026-02-16T10:00"))).await;
    shop.app.time_passes_until("2026-02-16T09:59").await;
    assert_eq!(shop.stands(&path).await["status"], "SCHEDULED");
    // Who comes until then is in the segment, and who is changed later is not asked again.
    let late = shop.owner.post(super::CUSTOMERS, json!({"name": "나", "phone": super::number(1)})).await;
    shop.agrees(late.data()["customerId"].as_i64().expect("an id"), "GIVEN").await;
    shop.app.time_passes_until("2026-02-16T10:00").await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (1, 1));
    shop.owner.post(super::CUSTOMERS, json!({"name": "다", "phone": super::number(2)})).await.data();
    shop.app.time_passes_until("2026-02-17T12:00").await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["recipientCount"]), (&json!("COMPLETED"), &json!(2)));
    assert!(stands["sentAt"].as_str().is_some_and(|at| at.starts_with("2026-02-16T10:00:00")), "{stands}");
}

#[tokio::test]
async fn at_night_it_waits_for_the_morning_and_who_refused_meanwhile_gets_none() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.app.it_is("2026-02-14T20:55");
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["stats"]["waiting"]), (&json!("SENDING"), &json!(2)));
    shop.agrees(ids[0], "WITHDRAWN").await;
    shop.app.time_passes_until("2026-02-15T08:00").await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (0, 1));
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["excluded"]), (&json!("COMPLETED"), &json!({"REFUSED": 1})));
}

#[tokio::test]
async fn a_large_segment_is_written_down_to_its_end_once_by_however_many_workers() {
    let shop = shop().await;
    let path = shop.has_a_crowd_and_a_campaign(1_203).await;
    let workers = (0..3).map(|_| shop.app.app.crm.sweep());
    for swept in futures::future::join_all(workers).await {
        swept.expect("recipients are written down");
    }
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["stats"]["totalSent"]), (&json!("COMPLETED"), &json!(1_203)));
    let adverts = shop.app.sandbox.inbox().iter().filter(|parcel| parcel.text.starts_with("(광고)")).count();
    assert_eq!(adverts, 1_203);
}

#[tokio::test]
async fn a_mail_and_a_kakao_message_are_campaigns_too() {
    let shop = shop().await;
    shop.has_customers(&["김민서"]).await;
    let mail = but(
        &but(&shop.body("{{customerName}}님"), "channel", json!("EMAIL")),
        "subject",
        json!("{{customerName}}님께"),
    );
    let mail = shop.campaign(mail).await;
    let kakao = shop.campaign(but(&shop.body("{{customerName}}님"), "channel", json!("KAKAO"))).await;
    shop.sends().await;
    let received = shop.received(0);
    assert_eq!(received.len(), 2, "{received:?}");
    assert!(received.iter().any(|parcel| parcel.subject.as_deref() == Some("(광고) 김민서님께")));
    for path in [&mail, &kakao] {
        assert_eq!(shop.stands(path).await["status"], "COMPLETED");
    }
    // Of a mail nobody tells more than that its server took it.
    assert_eq!(shop.stands(&mail).await["stats"]["delivered"], 1);
    let delivered = shop.owner.get(&format!("{mail}/recipients?fate=DELIVERED")).await;
    assert_eq!(delivered.data()[0]["fate"], "DELIVERED", "{}", delivered.body);
}

#[tokio::test]
async fn a_plan_without_crm_sends_none() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(but(&shop.body("새봄 할인"), "scheduledAt", json!("2026-03-20T10:00"))).await;
    shop.owner.post("/api/subscriptions/cancel", json!({})).await.data();
    shop.app.time_passes_until("2026-03-20T10:00").await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["failure"]), (&json!("FAILED"), &json!("PLAN_LACKS_CRM")));
    assert_eq!(shop.received(0).len(), 0);
    shop.creates(shop.body("새봄 할인")).await.problem(403, "PLAN_UPGRADE_REQUIRED");
}

#[tokio::test]
async fn nobody_is_written_to_too_often() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    for time in 1..=3 {
        shop.campaign(shop.body(&format!("{time}번째 소식"))).await;
        shop.sends().await;
    }
    let fourth = shop.campaign(shop.body("네 번째 소식")).await;
    shop.sends().await;
    assert_eq!(shop.received(0).len(), 3);
    assert_eq!(shop.stands(&fourth).await["excluded"], json!({"FREQUENCY_CAP": 1}));
}

#[tokio::test]
async fn who_never_came_is_told_of_no_last_visit() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(shop.body("{{lastVisitDate}}에 다녀가셨죠?")).await;
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["excluded"], &stands["status"]), (&json!({"NO_VALUE": 1}), &json!("COMPLETED")));
}

#[tokio::test]
async fn who_is_written_down_twice_gets_it_once() {
    let shop = shop().await;
    let ids = shop.has_customers(&["김민서", "최우식"]).await;
    let twin = json!({"name": "김 민서", "phone": super::number(0)});
    let twin = shop.owner.post(super::CUSTOMERS, twin).await.data()["customerId"].as_i64().expect("an id");
    shop.agrees(twin, "GIVEN").await;
    shop.sends().await;
    forgets_what_was_said(&shop.app).await;
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    assert_eq!((shop.received(0).len(), shop.received(1).len()), (1, 1), "{ids:?} {twin}");
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["excluded"]), (&json!("COMPLETED"), &json!({"SAME_CONTACT": 1})));
}

#[tokio::test]
async fn a_customer_hears_three_a_week_at_most_by_whichever_channel() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let mail = but(&but(&shop.body("새봄"), "channel", json!("EMAIL")), "subject", json!("새봄"));
    for body in [shop.body("새봄"), mail.clone(), but(&shop.body("새봄"), "channel", json!("KAKAO"))] {
        shop.campaign(body).await;
        shop.sends().await;
    }
    let path = shop.campaign(mail).await;
    shop.sends().await;
    assert_eq!(shop.stands(&path).await["excluded"], json!({"FREQUENCY_CAP": 1}));
    assert_eq!(shop.received(0).len(), 3);
}

#[tokio::test]
async fn a_text_that_nobody_looks_for_any_more_does_not_hold_the_campaign_up() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.app.app.crm.sweep().await.expect("recipients are written down");
    // Its answer was lost, and its carrier is none of ours any more.
    shop.app
        .sql(
            "update messaging.delivery set status = 'UNKNOWN', provider = 'NHN', asked_at = now(), due_at = null
             where batch is not null",
        )
        .await;
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["stats"]["pending"]), (&json!("COMPLETED"), &json!(1)));
}

#[tokio::test]
async fn a_campaign_whose_segment_nobody_understands_any_more_fails_and_says_so() {
    let shop = shop().await;
    shop.has_customers(&["가"]).await;
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.app.sql(r#"update crm.campaign set conditions = '[{"field": "shoeSize"}]'"#).await;
    shop.sends().await;
    let stands = shop.stands(&path).await;
    assert_eq!((&stands["status"], &stands["failure"]), (&json!("FAILED"), &json!("SEGMENT_UNREADABLE")));
    assert_eq!(shop.received(0).len(), 0);
}

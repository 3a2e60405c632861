//! Who may look at whom, and what is written down about it.

use platform::Role;
use serde_json::{Value, json};

use super::{SEGMENTS, feeds, previews, shop, visit};

#[tokio::test]
async fn who_looks_at_customers_is_written_down() {
    let app = shop().await;
    let person = json!({"externalId": "c1", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com"});
    feeds(&app, "customers", json!([person])).await;
    feeds(&app, "reservations", json!([visit("r1", "c1", "2026-01-20")])).await;
    let owner = app.owner_of(2);
    let everybody =
        owner.post(SEGMENTS, json!({"name": "모두", "conditions": []})).await.data()["segmentId"].clone();
    let path = format!("{SEGMENTS}/{everybody}/customers");

    let seen = owner.get(&path).await;
    let expected = json!([{
        "customerId": seen.data()[0]["customerId"], "name": "김민서", "phone": "010-1234-5678",
        "email": "minseo@misohair.com", "lastVisitDate": "2026-01-20", "visitCount": 1, "totalSpent": 30_000,
    }]);
    assert_eq!(seen.data(), &expected);
    // An operator of the platform may look, and needs to call nobody.
    let masked = app.platform_admin().get(&path).await;
    assert_eq!(
        (&masked.data()[0]["phone"], &masked.data()[0]["email"]),
        (&json!("010-****-5678"), &json!("m***@misohair.com"))
    );
    app.member(2, Role::Staff).get(&path).await.problem(403, "PERMISSION_REQUIRED");

    let trail = app
        .texts("select concat_ws(' ', role, action, data) from platform.audit where business_id = 2 order by audit_id")
        .await;
    let looked = |role: &str, in_full: bool| {
        format!(
            r#"{role} segment.customers_viewed {{"customers": 1, "segmentId": {everybody}, "contactsInFull": {in_full}}}"#
        )
    };
    assert_eq!(trail, [looked("OWNER", true), looked("ADMIN", false)]);
}

#[tokio::test]
async fn without_crm_in_the_plan_one_sees_what_there_is_and_makes_nothing() {
    let app = shop().await;
    let owner = app.owner_of(2);
    let segment =
        owner.post(SEGMENTS, json!({"name": "모두", "conditions": []})).await.data()["segmentId"].clone();
    app.sql("update billing.subscription set plan_code = 'BASIC' where business_id = 2").await;
    let path = format!("{SEGMENTS}/{segment}");
    assert_eq!(owner.get(SEGMENTS).await.data().as_array().map(Vec::len), Some(6));
    owner.get(&path).await.data();
    owner.get(&format!("{SEGMENTS}/fields")).await.data();
    let refused = owner.post(SEGMENTS, json!({"name": "모두", "conditions": []})).await;
    let refused = refused.problem(403, "PLAN_UPGRADE_REQUIRED");
    assert_eq!((&refused["feature"], &refused["requiredPlan"]), (&json!("CRM"), &json!("PRO")));
    assert_eq!(refused["detail"], "고객 관리와 쿠폰은 프로 요금제부터 사용할 수 있습니다.");
    previews(&owner, json!([])).await.problem(403, "PLAN_UPGRADE_REQUIRED");
    owner.patch(&path, json!({"name": "다시"})).await.problem(403, "PLAN_UPGRADE_REQUIRED");
    owner.get(&format!("{path}/customers")).await.problem(403, "PLAN_UPGRADE_REQUIRED");
    owner.send(axum::http::Method::DELETE, &path, None).await;
    owner.get(&path).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn the_customers_come_page_by_page_and_each_once() {
    let app = shop().await;
    let rows: Vec<Value> =
        (0..25).map(|n| json!({"externalId": format!("c{n}"), "name": format!("손님 {n:02}")})).collect();
    feeds(&app, "customers", json!(rows)).await;
    let names = super::chosen(&app, &json!([])).await;
    assert_eq!(names, (0..25).map(|n| format!("손님 {n:02}")).collect::<Vec<_>>());
}

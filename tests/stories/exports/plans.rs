//! Which plan, and which role.

use kernel::BusinessId;
use platform::{Role, TenantTx};
use serde_json::json;
use testkit::TestApp;

use super::{asked, january, made, shop, subscribes};

#[tokio::test]
async fn a_plan_without_exports_is_told_which_plan_has_them() {
    let app = TestApp::start().await;
    let wanted = january("RESERVATIONS");
    let owner = app.owner_of(2);
    let asks = || owner.post("/api/businesses/2/exports", wanted.clone());
    let told = asks().await;
    let problem = told.problem(403, "PLAN_UPGRADE_REQUIRED");
    assert_eq!(problem["detail"], "데이터 내보내기는 프로 요금제부터 사용할 수 있습니다.");
    assert_eq!((&problem["requiredPlan"], &problem["requiredPlanName"]), (&json!("PRO"), &json!("프로")));
    subscribes(&app, 2, "BASIC").await;
    asks().await.problem(403, "PLAN_UPGRADE_REQUIRED");
    assert_eq!(app.count("exports.export").await, 0);
}

#[tokio::test]
async fn what_was_made_can_be_had_although_the_plan_is_over() {
    let app = shop().await;
    let path = made(&app, january("STAFFS")).await;
    app.sql("update billing.subscription set status = 'SUSPENDED', due_at = null").await;
    app.owner_of(2)
        .post("/api/businesses/2/exports", january("STAFFS"))
        .await
        .problem(403, "PLAN_UPGRADE_REQUIRED");
    assert_eq!(app.owner_of(2).get(&format!("{path}/download")).await.status, 200);
}

#[tokio::test]
async fn the_features_that_are_published_are_those_of_subscriptions_that_grant_access() {
    let app = TestApp::start().await;
    subscribes(&app, 2, "PRO").await;
    for status in billing::SubscriptionStatus::ALL {
        let ended = if status.as_str() == "ENDED" { "now()" } else { "null" };
        let reason = if status.as_str() == "ENDED" { "'CANCELED'" } else { "null" };
        app.sql(&format!(
            "update billing.subscription set status = '{}', due_at = null, ended_at = {ended}, end_reason = {reason}",
            status.as_str()
        ))
        .await;
        // As another context reads it: whoever announces nothing sees nothing.
        let mut tx = TenantTx::begin(app.db(), BusinessId(2)).await.expect("a transaction");
        let features: Vec<String> = sqlx::query_scalar("select feature from billing_read.feature order by 1")
            .fetch_all(&mut *tx)
            .await
            .expect("the features");
        let expected: &[&str] = if status.grants_access() { &["CRM", "EXPORTS"] } else { &[] };
        assert_eq!(features, expected, "{status:?}");
    }
}

#[tokio::test]
async fn exports_are_for_owners_and_managers_and_of_other_businesses_nothing_is_told() {
    let app = shop().await;
    let path = asked(&app, january("RESERVATIONS")).await;
    app.member(2, Role::Manager).get(&path).await.data();
    app.member(2, Role::Staff).get(&path).await.problem(403, "PERMISSION_REQUIRED");
    let theirs = path.replace("/businesses/2", "/businesses/1");
    for path in [path.as_str(), &theirs, "/api/businesses/1/exports/exp_20260201_002"] {
        app.owner_of(1).get(path).await.problem(404, "NOT_FOUND");
        app.owner_of(1).get(&format!("{path}/download")).await.problem(404, "NOT_FOUND");
        app.owner_of(1).send(axum::http::Method::DELETE, path, None).await.problem(404, "NOT_FOUND");
    }
    assert_eq!(app.owner_of(1).get("/api/businesses/1/exports").await.data(), &json!([]));
}

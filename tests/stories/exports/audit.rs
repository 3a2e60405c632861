//! Who took what.

use axum::http::Method;
use platform::Role;
use serde_json::{Value, json};
use testkit::TestApp;

use super::{downloaded, january, made, shop};

async fn trail(app: &TestApp) -> Vec<Value> {
    let answer = app.owner_of(2).get("/api/businesses/2/audit").await;
    answer.data().as_array().expect("a list").clone()
}

#[tokio::test]
async fn every_export_and_every_download_is_in_the_audit_trail() {
    let app = shop().await;
    let path = made(&app, january("RESERVATIONS")).await;
    let manager = app.member(2, Role::Manager).with_header("x-forwarded-for", "10.0.0.1, 203.0.113.7");
    let download = format!("{path}/download");
    manager.clone().with_header("range", "bytes=0-9").download(Method::GET, &download).await;
    manager.download(Method::HEAD, &download).await;
    downloaded(&app, &path).await;
    app.owner_of(2).send(Method::DELETE, &path, None).await;
    let trail = trail(&app).await;
    let told: Vec<_> = trail.iter().map(|entry| (entry["action"].clone(), entry["role"].clone())).collect();
    assert_eq!(
        told,
        [
            ("export.removed", "OWNER"),
            ("export.downloaded", "OWNER"),
            ("export.downloaded", "MANAGER"),
            ("export.requested", "OWNER"),
        ]
        .map(|(action, role)| (json!(action), json!(role)))
    );
    assert_eq!(trail[2]["origin"], "203.0.113.7");
    assert_eq!(trail[2]["data"]["bytes"], json!([0, 10]));
    assert_eq!(trail[3]["data"]["rows"], 3);
    assert_eq!(
        (&trail[3]["data"]["type"], &trail[3]["data"]["contactsInFull"]),
        (&json!("RESERVATIONS"), &json!(true))
    );
    assert!(trail[0]["data"].get("bytes").is_none() && trail[1]["origin"].is_null());
}

#[tokio::test]
async fn the_trail_is_the_owners_to_read_and_nobodys_to_change() {
    let app = shop().await;
    made(&app, january("STAFFS")).await;
    let path = "/api/businesses/2/audit";
    app.member(2, Role::Manager).get(path).await.problem(403, "PERMISSION_REQUIRED");
    app.owner_of(1).get(path).await.problem(404, "NOT_FOUND");
    app.platform_admin().get(path).await.data();
    let page = app.owner_of(2).get(&format!("{path}?limit=1")).await;
    assert_eq!(page.body["page"]["nextCursor"], Value::Null);
    for statement in
        ["update platform.audit set role = 'ADMIN'", "delete from platform.audit", "truncate platform.audit"]
    {
        let superuser = app.superuser().await;
        let refused =
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&superuser).await.expect_err("refused");
        assert!(refused.to_string().contains("the audit trail is not changed"), "{refused}");
        superuser.close().await;
    }
}

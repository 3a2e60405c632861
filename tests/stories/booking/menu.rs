//! What a shop offers, and who does it.

use axum::http::Method;
use serde_json::{Value, json};
use testkit::Actor;

use super::{feeds, id, outcome, salon};

async fn names(actor: &Actor, path: &str) -> Vec<String> {
    let page = actor.get(&format!("/api/businesses/2/{path}")).await;
    let entries = page.data().as_array().expect("a list").iter();
    entries.map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_service_is_added_changed_and_withdrawn() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let dry = json!({"name": "드라이", "category": "스타일링", "price": 20_000, "durationMinutes": 30});
    let added = owner.post("/api/businesses/2/services", dry).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let one = format!("/api/businesses/2/services/{}", id(&added, "serviceId"));
    let changed = owner.patch(&one, json!({"price": 0, "category": null})).await;
    assert_eq!(
        *changed.data(),
        json!({
            "serviceId": id(&added, "serviceId"), "externalId": null, "name": "드라이", "category": null, "price": 0,
            "durationMinutes": 30, "active": true,
        })
    );
    assert_eq!(owner.send(Method::DELETE, &one, None).await.status, 204);
    assert_eq!(owner.get(&one).await.data()["active"], false);
    assert_eq!(names(&owner, "services?active=true").await, ["디지털 펌", "여성 컷"]);
    assert_eq!(names(&owner, "services?active=false").await, ["드라이"]);
    assert_eq!(names(&owner, "services?name=%EB%94%94").await, ["디지털 펌"]);
    // Withdrawn, it can be changed, and offered again.
    assert_eq!(owner.patch(&one, json!({"price": 1})).await.data()["active"], false);
    assert_eq!(owner.patch(&one, json!({"active": true})).await.data()["price"], 1);
    for (member, value, code) in [
        ("price", json!(-1), "INVALID_PRICE"),
        ("durationMinutes", json!(0), "INVALID_DURATION"),
        ("name", json!("a\nb"), "CONTROL_CHARACTER"),
        ("price", Value::Null, "INVALID"),
    ] {
        owner.patch(&one, json!({member: value})).await.invalid(member, code);
    }
    owner.get("/api/businesses/2/services/999999").await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn somebody_is_hired_leaves_and_comes_back() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let added = owner.post("/api/businesses/2/staffs", json!({"name": "정유미"})).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let one = format!("/api/businesses/2/staffs/{}", id(&added, "staffId"));
    assert_eq!(owner.patch(&one, json!({"name": "정유미 실장"})).await.data()["name"], "정유미 실장");
    assert_eq!(owner.send(Method::DELETE, &one, None).await.status, 204);
    assert_eq!(names(&owner, "staffs?active=true").await, ["박서준", "이지은"]);
    assert_eq!(names(&owner, "staffs?active=false").await, ["정유미 실장"]);
    assert_eq!(owner.patch(&one, json!({"active": true})).await.data()["active"], true);

    // Who is fed again works there again.
    let listed = owner.get("/api/businesses/2/staffs?name=%EC%9D%B4").await;
    let fed = format!("/api/businesses/2/staffs/{}", listed.data()[0]["staffId"]);
    assert_eq!(owner.send(Method::DELETE, &fed, None).await.status, 204);
    let rows = json!([{"externalId": "LEE", "name": "이지은"}]);
    assert_eq!(outcome(&feeds(&owner, "staffs", rows).await), [0, 1, 0, 0, 0]);
    assert_eq!(owner.get(&fed).await.data()["active"], true);
}

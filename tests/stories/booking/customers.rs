//! Customers by hand.

use axum::http::Method;
use platform::Role;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

use super::{but, customer, feeds, id, outcome, reservation, salon, told};

const CUSTOMERS: &str = "/api/businesses/2/customers";

fn minseo() -> Value {
    json!({
        "name": "김민서", "phone": "010-1234-5678", "email": "Minseo@MisoHair.com", "birthday": "1994-05-08",
        "gender": "FEMALE", "tags": ["단골"], "memo": "암모니아 알레르기\n조용히", "marketingConsent": true,
    })
}

/// The names on a page of the list.
async fn found(actor: &Actor, query: &str) -> Vec<String> {
    let page = actor.get(&format!("{CUSTOMERS}?{query}")).await;
    let page = page.data().as_array().expect("a list").iter();
    page.map(|customer| customer["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_customer_is_kept_as_the_shop_wrote_them_down() {
    let app = TestApp::start().await;
    let owner = app.owner_of(2);
    let added = owner.post(CUSTOMERS, minseo()).await;
    assert_eq!(added.status, 201, "{}", added.body);
    let expected = json!({
        "customerId": added.data()["customerId"], "externalId": null, "name": "김민서", "phone": "010-1234-5678",
        "email": "minseo@misohair.com", "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["단골"],
        "memo": "암모니아 알레르기\n조용히", "marketingConsent": true, "createdAt": added.data()["createdAt"],
    });
    assert_eq!(*added.data(), expected);
    let one = format!("{CUSTOMERS}/{}", id(&added, "customerId"));
    assert_eq!(*owner.get(&one).await.data(), expected);
    assert_eq!(told(&app).await, ["customer.created"]);

    // What is not said stays, and null takes away.
    let change = json!({"phone": null, "tags": ["염색", "단골"], "memo": "예약 전 전화"});
    let changed = owner.patch(&one, change).await;
    let expected = but(&but(&expected, "phone", json!(null)), "tags", json!(["염색", "단골"]));
    assert_eq!(*changed.data(), but(&expected, "memo", json!("예약 전 전화")));
    owner.patch(&one, json!({"memo": null, "birthday": null, "gender": null, "email": null})).await.data();
    let bare = owner.get(&one).await;
    for member in ["memo", "birthday", "gender", "email", "phone"] {
        assert_eq!(bare.data()[member], Value::Null, "{member}");
    }
    owner.patch(&one, json!({"name": " "})).await.invalid("name", "REQUIRED");
    owner.patch(&one, json!({"memo": "가".repeat(2_001)})).await.invalid("memo", "TOO_LONG");
    owner.post(CUSTOMERS, but(&minseo(), "phone", json!("010"))).await.invalid("phone", "INVALID_PHONE");
}

#[tokio::test]
async fn who_need_not_call_a_customer_sees_no_number() {
    let app = TestApp::start().await;
    let added = app.owner_of(2).post(CUSTOMERS, minseo()).await;
    let one = format!("{CUSTOMERS}/{}", id(&added, "customerId"));
    for (actor, phone, email) in [
        (app.member(2, Role::Manager), "010-1234-5678", "minseo@misohair.com"),
        (app.member(2, Role::Staff), "010-****-5678", "m***@misohair.com"),
        (app.platform_admin(), "010-****-5678", "m***@misohair.com"),
    ] {
        for shown in [actor.get(&one).await.data(), &actor.get(CUSTOMERS).await.data()[0]] {
            assert_eq!((&shown["phone"], &shown["email"]), (&json!(phone), &json!(email)));
        }
    }
    // Who sees a mask can change the rest without losing what is behind it.
    let staff = app.member(2, Role::Staff);
    assert_eq!(staff.patch(&one, json!({"tags": []})).await.data()["phone"], "010-****-5678");
    assert_eq!(app.owner_of(2).get(&one).await.data()["phone"], "010-1234-5678");
}

#[tokio::test]
async fn customers_are_found_by_what_the_shop_knows_of_them() {
    let app = salon().await;
    let owner = app.owner_of(2);
    owner.post(CUSTOMERS, minseo()).await.data();
    assert_eq!(found(&owner, "").await, ["김민서", "최우식", "김민서"]);
    assert_eq!(found(&owner, "q=%EA%B9%80").await, ["김민서", "김민서"]);
    assert_eq!(found(&owner, "q=%25").await, [""; 0]);
    for phone in ["010-1234-5678", "01012345678", "%2B82%2010%201234%205678"] {
        assert_eq!(found(&owner, &format!("phone={phone}")).await, ["김민서"], "{phone}");
    }
    assert_eq!(found(&owner, "phone=010-1234-5679").await, [""; 0]);
    assert_eq!(found(&owner, "email=MINSEO@misohair.com").await, ["김민서"]);
    assert_eq!(found(&owner, "tag=%EB%8B%A8%EA%B3%A8").await, ["김민서"]);
    assert_eq!(found(&owner, "tag=%EB%8B%A8").await, [""; 0]);
    let first = owner.get(&format!("{CUSTOMERS}?limit=2")).await;
    let cursor = first.body["page"]["nextCursor"].as_str().expect("a cursor");
    assert_eq!(found(&owner, &format!("limit=2&cursor={cursor}")).await, ["김민서"]);
    for query in ["phone=me", "email=me", "q=", "tag=%00", "limit=0"] {
        owner.get(&format!("{CUSTOMERS}?{query}")).await.problem(400, "INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn an_erased_customer_is_forgotten_but_the_visits_stay() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let person = json!({
        "externalId": "KIM", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com",
        "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["VIP"], "marketingConsent": true,
    });
    feeds(&owner, "customers", json!([person])).await.data();
    feeds(&owner, "reservations", json!([reservation("R1")])).await.data();
    let listed = owner.get(&format!("{CUSTOMERS}?phone=01012345678")).await;
    let one = format!("{CUSTOMERS}/{}", listed.data()[0]["customerId"]);
    owner.patch(&one, json!({"memo": "비밀"})).await.data();

    assert_eq!(owner.send(Method::DELETE, &one, None).await.status, 204);
    owner.get(&one).await.problem(404, "NOT_FOUND");
    owner.patch(&one, json!({"name": "김민서"})).await.problem(404, "NOT_FOUND");
    owner.send(Method::DELETE, &one, None).await.problem(404, "NOT_FOUND");
    assert_eq!(found(&owner, "").await, ["최우식"]);
    let row = app.texts("select customer::text from booking.customer where deleted_at is not null").await;
    for secret in ["김민서", "1994", "FEMALE", "VIP"] {
        assert!(!row[0].contains(secret), "{}", row[0]);
    }
    let visit = owner.get("/api/businesses/2/reservations").await;
    assert_eq!(visit.data()[0]["customer"]["name"], "삭제된 고객");

    // The next feed does not bring them back, while their visits go on being fed.
    let again = feeds(&owner, "customers", json!([person, customer("NEW", "박보검")])).await;
    assert_eq!(outcome(&again), [1, 0, 0, 0, 1]);
    assert_eq!(again.data()["errors"][0]["code"], "ERASED");
    let more = json!([reservation("R1"), reservation("R2")]);
    assert_eq!(outcome(&feeds(&owner, "reservations", more).await), [1, 0, 1, 0, 0]);
    assert_eq!(found(&owner, "phone=010-1234-5678").await, [""; 0]);
    super::the_two_agree(&app).await;
}

#[tokio::test]
async fn the_customers_of_another_shop_do_not_exist() {
    let app = TestApp::start().await;
    let theirs = id(&app.owner_of(2).post(CUSTOMERS, minseo()).await, "customerId");
    let stranger = app.owner_of(3);
    for path in [format!("{CUSTOMERS}/{theirs}"), format!("/api/businesses/3/customers/{theirs}")] {
        stranger.get(&path).await.problem(404, "NOT_FOUND");
        stranger.patch(&path, json!({"name": "나"})).await.problem(404, "NOT_FOUND");
        stranger.send(Method::DELETE, &path, None).await.problem(404, "NOT_FOUND");
    }
    assert_eq!(stranger.get("/api/businesses/3/customers?phone=010-1234-5678").await.data(), &json!([]));
}

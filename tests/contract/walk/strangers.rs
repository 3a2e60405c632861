//! What belongs to another business does not exist.

use platform::Role;
use serde_json::{Map, Value, json};
use testkit::{Answer, Card, TestApp};

use crate::{
    document::{Form, Operation, operation, operations},
    problem::must_be_refused,
    tables,
};

/// Ids of things that exist and belong to somebody else, and some of the same kind that nobody has.
struct Ids {
    theirs: Map<String, Value>,
    nobodys: Map<String, Value>,
}

/// Business 1 subscribed, paid, and owes for March; business 3 ordered, and the payer paid in the window.
async fn others_things(app: &TestApp) -> Ids {
    let subscription = app.subscribed().await["subscriptionId"].clone();
    app.card_becomes(Card::InsufficientFunds);
    let buyer = operation("requestTaxInvoice").example().expect("an example");
    let invoice = app.owner().post("/api/payments/101/tax-invoice", buyer).await.data()["invoiceId"].clone();
    app.time_passes_until("2026-03-01T12:00").await;
    app.card_becomes(Card::Good);
    let order = json!({"plan": "BASIC"});
    let order = app.owner_of(3).post("/api/payments/toss/order", order).await.data()["orderId"].clone();
    let told = app.owner().get("/api/notifications?limit=1").await.data()[0]["id"].clone();
    let paid = app.pays_in_the_window(order.as_str().expect("an id"), 29_000, Card::Good);
    Ids {
        theirs: object(&json!({
            "paymentId": 101, "subscriptionId": subscription, "orderId": order, "paymentKey": paid,
            "invoiceId": invoice, "notificationId": told,
        })),
        nobodys: object(&json!({
            "paymentId": 999_999, "subscriptionId": "sub_0199f6b2c0de7a52a0f1d2c3b4a59687",
            "orderId": "dg_00000000000000000000000000000000", "paymentKey": paid,
            "invoiceId": "INV-20991231-001", "notificationId": 999_999,
        })),
    }
}

fn object(value: &Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

/// The members of a body that say which thing is meant.
fn named_things(form: &Form) -> Vec<&String> {
    form.members.keys().filter(|member| member.ends_with("Id")).collect()
}

/// The requests in which an operation may name a thing: the URL and body with each kind of id.
fn requests(operation: &Operation, ids: &Map<String, Value>) -> Vec<(String, Option<Value>)> {
    let id_of =
        |name: &str| ids.get(name).unwrap_or_else(|| panic!("{} wants a {name}", operation.id)).clone();
    let mut url = operation.path.replace("{provider}", "toss");
    if url.contains("{paymentId}") {
        url = url.replace("{paymentId}", &id_of("paymentId").to_string());
    }
    url = url.replace("{notificationId}", &id_of("notificationId").to_string());
    if url.contains("{invoiceId}") {
        url = url.replace("{invoiceId}", id_of("invoiceId").as_str().expect("a number"));
    }
    assert!(!url.contains('{'), "{} has a parameter that this test does not know", operation.id);
    let Some(form) = operation.form() else { return vec![(url, operation.example())] };
    let things = named_things(&form);
    if things.is_empty() {
        return vec![(url, Some(Value::Object(form.example)))];
    }
    let naming = |thing: &str| {
        let mut body = form.example.clone();
        body.retain(|member, _| !things.contains(&member));
        body.insert(thing.to_owned(), id_of(thing));
        if body.contains_key("paymentKey") {
            body.insert("paymentKey".to_owned(), id_of("paymentKey"));
        }
        (url.clone(), Some(Value::Object(body)))
    };
    things.iter().map(|thing| naming(thing)).collect()
}

#[tokio::test]
async fn a_stranger_cannot_tell_that_anything_exists() {
    let app = TestApp::start().await;
    let ids = others_things(&app).await;
    let (before, book) = (tables::all_about(&app, &[1, 3]).await, app.sandbox.book());
    let mut asked = 0;
    for operation in operations().iter().filter(|operation| concerns_a_business(operation)) {
        if operation.is_in_a_business() {
            continue;
        }
        let names_something = operation.path.contains("{paymentId}")
            || operation.path.contains("{invoiceId}")
            || operation.path.contains("{notificationId}")
            || operation.form().is_some_and(|form| !named_things(&form).is_empty());
        if !names_something {
            continue;
        }
        for (theirs, nobodys) in
            requests(operation, &ids.theirs).into_iter().zip(requests(operation, &ids.nobodys))
        {
            asked += 1;
            let answer = asks(&app, operation, &theirs).await;
            must_be_refused(&answer, &format!("{} {theirs:?}", operation.id));
            operation.must_document(&answer);
            // Here the client makes the id. One that is taken has to be refused, but it looks as
            // if it were the client's own; ours cannot be guessed.
            if operation.id == "confirmAndSubscribe" {
                answer.problem(409, "ORDER_MISMATCH");
                continue;
            }
            answer.problem(404, "NOT_FOUND");
            let unknown = asks(&app, operation, &nobodys).await;
            assert_eq!(without_trace(&answer), without_trace(&unknown), "{} tells", operation.id);
        }
    }
    assert!(asked >= 7, "only {asked} operations name a thing");
    assert_eq!(tables::all_about(&app, &[1, 3]).await, before, "something of theirs was changed");
    assert_eq!(app.sandbox.book(), book, "the provider was asked for something");
}

#[tokio::test]
async fn a_business_that_one_is_no_member_of_is_as_one_that_does_not_exist() {
    let app = TestApp::start().await;
    let before = tables::all_about(&app, &[1]).await;
    let in_a_business: Vec<_> = operations().into_iter().filter(Operation::is_in_a_business).collect();
    assert!(in_a_business.len() >= 4);
    for operation in in_a_business {
        let theirs = (operation.url(), operation.example());
        let nobodys = (theirs.0.replace("/businesses/1", "/businesses/999999"), theirs.1.clone());
        let answer = asks(&app, &operation, &theirs).await;
        answer.problem(404, "NOT_FOUND");
        operation.must_document(&answer);
        assert_eq!(without_trace(&answer), without_trace(&asks(&app, &operation, &nobodys).await));
    }
    assert_eq!(tables::all_about(&app, &[1]).await, before, "something of theirs was changed");
}

/// What operators alone may ask is refused to every owner alike.
fn concerns_a_business(operation: &Operation) -> bool {
    operation.wants_bearer() && !operation.is_for_operators()
}

async fn asks(app: &TestApp, operation: &Operation, (url, body): &(String, Option<Value>)) -> Answer {
    let body = body.as_ref().map(|body| body.to_string().into_bytes());
    app.owner_of(2).send(operation.method.clone(), url, body).await
}

fn without_trace(answer: &Answer) -> Answer {
    let mut answer = answer.clone();
    answer.body["traceId"] = Value::Null;
    answer
}

#[tokio::test]
async fn lists_and_overviews_show_ones_own_things_only() {
    let app = TestApp::start().await;
    let subscription = app.subscribed().await["subscriptionId"].clone();
    for operation in operations() {
        let reads_ones_own = concerns_a_business(&operation)
            && operation.method == "GET"
            && !operation.path.contains('{')
            && !operation.is_a_connection();
        if !reads_ones_own {
            continue;
        }
        let answer = app.owner_of(2).get(&operation.path).await;
        assert_eq!(answer.status, 200, "{}", operation.id);
        let shown = answer.body.to_string();
        for secret in [subscription.as_str().expect("an id"), "미소헤어", "101", "삼성카드"] {
            assert!(!shown.contains(secret), "{} shows {secret}: {shown}", operation.id);
        }
    }
}

#[tokio::test]
async fn being_staff_there_and_owner_here_opens_neither() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let principal = platform::Principal {
        subject: "user_9".to_owned(),
        memberships: vec![
            platform::Membership { business_id: kernel::BusinessId(1), role: Role::Staff },
            platform::Membership { business_id: kernel::BusinessId(2), role: Role::Owner },
        ],
        is_platform_admin: false,
    };
    let token = format!("Bearer {}", app.app.identity.dev_token(&principal));
    let actor = app.anonymous().with_header("authorization", token);
    actor.get("/api/payments/101").await.problem(404, "NOT_FOUND");
    actor
        .with_header("x-business-id", "1")
        .get("/api/payments/101")
        .await
        .problem(403, "PERMISSION_REQUIRED");
}

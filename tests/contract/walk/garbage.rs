//! Garbage in a body is refused, breaks nothing and changes nothing.

use axum::http::Method;
use serde_json::{Map, Value, json};
use testkit::{Actor, Answer, TestApp};

use super::{harmless, hostile, who_may};
use crate::{
    document::{Operation, is_nullable, operations},
    problem::{must_be_problem, must_be_refused},
};

/// What is well-formed here is stored and answered, whatever it says: it has a test of its own.
const TAKES_ANY_OBJECT: [&str; 4] =
    ["receiveWebhook", "receiveMerchantWebhook", "receiveNhnWebhook", "receiveSolapiWebhook"];

fn operations_with_a_body() -> Vec<Operation> {
    let with_body: Vec<_> = operations().into_iter().filter(|operation| operation.body().is_some()).collect();
    assert!(with_body.len() >= 12);
    with_body
}

fn operations_with_a_form() -> Vec<(Operation, Map<String, Value>)> {
    let forms = operations_with_a_body()
        .into_iter()
        .filter(|operation| !TAKES_ANY_OBJECT.contains(&operation.id.as_str()) && !operation.takes_rows());
    let forms = forms.map(|operation| {
        let form = operation.form().unwrap_or_else(|| panic!("{} takes something else", operation.id));
        (operation, form.members)
    });
    forms.collect()
}

/// The owner of business 2 has nothing and names things of nobody, and so does an operator.
async fn sends(actor: &Actor, operation: &Operation, body: Vec<u8>) -> Answer {
    actor.send(operation.method.clone(), &operation.url(), Some(body)).await
}

async fn nothing_happened(app: &TestApp) {
    assert_eq!(app.charges(), 0);
    assert_eq!(app.count("billing.subscription where status <> 'ENDED'").await, 0);
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = TestApp::start().await;
    for operation in operations_with_a_body() {
        let actor = who_may(&app, &operation, 2);
        for (what, body) in hostile::bodies() {
            let asked = format!("{} with {what}", operation.id);
            let answer = sends(&actor, &operation, body.clone()).await;
            if operation.takes_rows() && what == "a list" {
                assert_eq!(answer.data()["received"], 0, "{asked}");
                continue;
            }
            // Solapi sends lists, and one about nothing is no news.
            if operation.id == "receiveSolapiWebhook" && what == "a list" {
                assert_eq!(answer.status, 200, "{asked}");
                continue;
            }
            must_be_refused(&answer, &asked);
            operation.must_document(&answer);
            let refusals = match operation.id.as_str() {
                // The contract that the example names is nobody's, and that comes first.
                "receiveMerchantWebhook" => [404, 404],
                // So does the signature.
                "receiveNhnWebhook" => [401, 401],
                _ => [400, 422],
            };
            assert!(refusals.contains(&answer.status.as_u16()), "{asked}: {}", answer.body);
            // The layer that remembers answers reads the body first, and must not stumble either.
            let with_key = actor.clone().with_header("idempotency-key", asked.replace(' ', "-"));
            assert_eq!(sends(&with_key, &operation, body).await.status, answer.status, "{asked}");
        }
    }
    nothing_happened(&app).await;
}

#[tokio::test]
async fn a_list_of_the_members_is_not_an_object() {
    let app = TestApp::start().await;
    for (operation, members) in operations_with_a_form() {
        let example = operation.form().expect("a form").example;
        let list: Vec<_> =
            members.keys().map(|member| example.get(member).cloned().unwrap_or_default()).collect();
        let actor = who_may(&app, &operation, 2);
        let answer = sends(&actor, &operation, json!(list).to_string().into_bytes()).await;
        must_be_refused(&answer, &operation.id);
        answer.problem(422, "VALIDATION_FAILED");
    }
    nothing_happened(&app).await;
}

#[tokio::test]
async fn a_member_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    for (operation, members) in operations_with_a_form() {
        let actor = who_may(&app, &operation, 2);
        let body = harmless(&operation.form().expect("a form").example);
        for (member, schema) in &members {
            let mut values = hostile::values();
            // People may be called anything, a service may be free, and a notice may say what it likes.
            if !operation.is_in_a_business() && !operation.takes_prose() {
                values.extend(hostile::TEXTS.iter().map(|text| json!(text).to_string()));
                values.extend(hostile::NUMBERS.iter().map(ToString::to_string));
            }
            if !is_nullable(schema) {
                values.push("null".to_owned());
            }
            // Sent twice, it is not clear which is meant.
            values.push(format!("1, {}: 2", json!(member)));
            for value in values {
                // A list may be empty, and what is so or not may be so.
                let is = |kind: &str| schema["type"] == kind || schema["type"][0] == kind;
                if is("array") && value == "[]" || is("boolean") && value == "true" {
                    continue;
                }
                let shown: String = value.chars().take(40).collect();
                let asked = format!("{} with {member}: {shown}", operation.id);
                let answer = sends(&actor, &operation, hostile::with_member(&body, member, &value)).await;
                must_be_refused(&answer, &asked);
                operation.must_document(&answer);
            }
        }
    }
    nothing_happened(&app).await;
}

#[tokio::test]
async fn an_unknown_member_is_refused_and_not_ignored() {
    let app = TestApp::start().await;
    for (operation, _) in operations_with_a_form() {
        let body = harmless(&operation.form().expect("a form").example);
        for (member, value) in [("amonut", "1"), ("__proto__", "{}"), ("reason\\u0000", "1"), ("가", "null")]
        {
            let mut body = hostile::with_member(&body, "removed", "1");
            let text = String::from_utf8(body).expect("text");
            body = text.replace("\"removed\": 1", &format!("\"{member}\": {value}")).into_bytes();
            let answer = sends(&who_may(&app, &operation, 2), &operation, body).await;
            must_be_refused(&answer, &format!("{} with {member}", operation.id));
            answer.problem(422, "VALIDATION_FAILED");
        }
        let endless = format!(r#"{{"{}": 1}}"#, "가".repeat(10_000)).into_bytes();
        must_be_refused(&sends(&who_may(&app, &operation, 2), &operation, endless).await, &operation.id);
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let app = TestApp::start().await;
    let large = format!(r#"{{"reason": "{}"}}"#, "x".repeat(1024 * 1024)).into_bytes();
    // Rows may be more, and have a test of their own; what carriers tell of ten thousand messages is more as well.
    let is_meant = |operation: &Operation| {
        !operation.takes_rows()
            && !["receiveSolapiWebhook", "receiveNhnWebhook"].contains(&operation.id.as_str())
    };
    for operation in operations_with_a_body().into_iter().filter(is_meant) {
        let actor = who_may(&app, &operation, 2);
        for actor in [actor.clone(), actor.with_header("idempotency-key", "large")] {
            let answer = sends(&actor, &operation, large.clone()).await;
            must_be_problem(&answer, &operation.id);
            answer.problem(413, "BODY_TOO_LARGE");
            operation.must_document(&answer);
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_called_json_is_not_read() {
    let app = TestApp::start().await;
    for (operation, _) in operations_with_a_form() {
        let body = Value::Object(operation.form().expect("a form").example).to_string().into_bytes();
        for content_type in
            ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"]
        {
            let actor = who_may(&app, &operation, 2).with_header("content-type", content_type);
            let answer = sends(&actor, &operation, body.clone()).await;
            must_be_problem(&answer, &operation.id);
            answer.problem(415, "JSON_REQUIRED");
            operation.must_document(&answer);
        }
        let body =
            Value::Object(harmless(&operation.form().expect("a form").example)).to_string().into_bytes();
        let actor =
            who_may(&app, &operation, 2).with_header("content-type", "Application/JSON; charset=utf-8");
        assert_ne!(sends(&actor, &operation, body).await.status, 415, "{}", operation.id);
    }
}

#[tokio::test]
async fn a_webhook_that_makes_no_sense_is_refused_or_put_aside() {
    let app = TestApp::start().await;
    let anybody = app.anonymous();
    for provider in ["nobody", "%00", "%ff", "toss2", "TOSS%20"] {
        let path = format!("/api/webhooks/{provider}");
        let answer = anybody.post(&path, json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": {}})).await;
        must_be_refused(&answer, &path);
        answer.problem(404, "NOT_FOUND");
    }
    let webhook =
        json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": {"orderId": "dg_none", "status": "DONE"}});
    let members = webhook.as_object().expect("an object");
    let mut values = hostile::values();
    values.extend(hostile::TEXTS.iter().map(|text| json!(text).to_string()));
    for kind in ["PAYMENT_STATUS_CHANGED", "BILLING_DELETED", "DEPOSIT_CALLBACK"] {
        for value in &values {
            let mut members = members.clone();
            members["eventType"] = json!(kind);
            for (member, value) in [
                ("eventType", value.clone()),
                ("data", value.clone()),
                ("data", format!(r#"{{"orderId": {value}, "billingKey": {value}}}"#)),
                ("orderId", format!(r#"{value}, "status": "DONE""#)),
            ] {
                let body = hostile::with_member(&members, member, &value);
                let answer = anybody.send(Method::POST, "/api/webhooks/toss", Some(body)).await;
                let shown: String = value.chars().take(60).collect();
                if answer.status != 200 {
                    must_be_refused(&answer, &shown);
                    answer.problem(400, "MALFORMED_WEBHOOK");
                }
            }
        }
    }
    app.sweep().await;
    nothing_happened(&app).await;
}

#[tokio::test]
async fn what_people_write_comes_back_as_they_wrote_it() {
    let app = TestApp::start().await;
    app.subscribed().await;
    for (refunds, reason) in
        [(1, "\u{202e}שלום\u{202c} مرحبا"), (2, "👩‍👩‍👧‍👦💳 \\u0000 '--; drop table"), (3, "<b>가</b>\t\n각")]
    {
        let body = json!({"amount": 1_000, "reason": reason});
        app.owner().patch("/api/payments/101/partial-refund", body).await.data();
        let detail = app.owner().get("/api/payments/101").await;
        assert_eq!(detail.data()["refunds"].as_array().map(Vec::len), Some(refunds));
        assert_eq!(detail.data()["refunds"][refunds - 1]["reason"], reason.trim());
    }
    let reason = "\u{202e}👋\u{202c}";
    app.owner().post("/api/subscriptions/cancel", json!({"reason": reason})).await.data();
    assert_eq!(app.current().await["cancelReason"], reason);
}

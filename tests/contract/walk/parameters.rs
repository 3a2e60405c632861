//! Garbage in a path, a query or a header is refused and breaks nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use testkit::TestApp;

use super::{calls, hostile, who_may};
use crate::{
    document::{Operation, operation, operations, text},
    problem::must_be_refused,
};

/// Text as it is written in a URL.
fn encoded(text: &str) -> String {
    let bytes: Vec<_> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

fn hostile_numbers() -> Vec<String> {
    let mut all: Vec<String> =
        ["-1", "0", "1.5", "1e2", "0x10", "+-1", "NaN", "９", "99999999999999999999", "-9223372036854775809"]
            .map(encoded)
            .to_vec();
    all.extend(hostile::TEXTS.map(encoded));
    all
}

/// Values that a query parameter of this schema cannot have.
fn nonsense_for(operation: &Operation, schema: &Value) -> Vec<String> {
    let schema = operation.resolved(schema);
    let alternatives = schema["oneOf"].as_array().into_iter().flatten();
    if let Some(meant) = alternatives.into_iter().find(|schema| schema["type"] != "null") {
        return nonsense_for(operation, meant);
    }
    let is = |kind: &str| schema["type"] == kind || schema["type"][0] == kind;
    if is("integer") {
        let mut numbers = hostile_numbers();
        if schema["minimum"] == 0 {
            numbers.retain(|number| *number != encoded("0"));
        }
        if let Some(most) = schema["maximum"].as_i64() {
            numbers.push((most + 1).to_string());
        }
        return numbers;
    }
    let mut texts: Vec<String> = hostile::TEXTS.map(encoded).to_vec();
    texts.extend(["%ff", "%C3%28"].map(str::to_owned));
    texts.push("x".repeat(4_000));
    if schema["format"] == "date" {
        texts.extend(
            ["2026-13-01", "2026-02-30", "20260201", "2026-02-01T00:00:00", "-0001-01-01", "+12026-01-01"]
                .map(encoded),
        );
        texts.extend(
            ["-262143-01-01", "+262142-12-31", "-4713-01-01", "+294277-01-01", "0000-01-01"].map(encoded),
        );
    }
    texts
}

/// Names and the like, of which any text may be the beginning.
const FREE_TEXT: [&str; 3] = ["name", "q", "tag"];

#[tokio::test]
async fn a_query_parameter_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let mut asked = 0;
    for operation in operations() {
        for parameter in operation.parameters("query") {
            let name = text(&parameter["name"]);
            let mut urls: Vec<_> = nonsense_for(&operation, &parameter["schema"])
                .into_iter()
                .map(|value| format!("{}?{name}={value}", operation.url()))
                .collect();
            // Said twice, it is not clear which is meant.
            urls.push(format!("{}?{name}=1&{name}=2", operation.url()));
            for url in urls {
                asked += 1;
                let body = operation.example().map(|example| example.to_string().into_bytes());
                let actor = who_may(&app, &operation, 1);
                let answer = actor.send(operation.method.clone(), &url, body).await;
                if answer.status == 200 && FREE_TEXT.contains(&name.as_str()) {
                    assert_eq!(answer.data(), &json!([]), "{url}");
                    continue;
                }
                must_be_refused(&answer, &url);
                assert_eq!(answer.status, 400, "{url}: {}", answer.body);
                operation.must_document(&answer);
            }
        }
    }
    assert!(asked > 100, "only {asked} were asked");
}

#[tokio::test]
async fn every_day_that_a_calendar_has_may_be_asked_for() {
    let app = TestApp::start().await;
    app.subscribed().await;
    for (query, found) in [
        ("startDate=0001-01-01&endDate=9999-12-31", 1),
        ("startDate=2026-02-01&endDate=2026-02-01", 1),
        ("endDate=2026-01-31", 0),
        ("startDate=1988-05-08&endDate=1988-10-09", 0),
        ("limit=1&status=SUCCESS", 1),
        ("limit=100&status=FAILED", 0),
    ] {
        let answer = app.owner().get(&format!("/api/payments?{query}")).await;
        assert_eq!(answer.data().as_array().map(Vec::len), Some(found), "{query}");
    }
}

#[tokio::test]
async fn a_cursor_of_another_list_or_page_is_at_worst_an_empty_page() {
    let app = TestApp::start().await;
    app.subscribed().await;
    // -1, 0 and the largest number there is, as cursors.
    for cursor in ["LTE", "MA", "OTIyMzM3MjAzNjg1NDc3NTgwNw"] {
        for path in ["/api/payments", "/api/subscriptions/current/events"] {
            app.owner().get(&format!("{path}?cursor={cursor}")).await.data();
        }
    }
}

/// Base64 without padding, as cursors are written.
fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

#[tokio::test]
async fn a_forged_cursor_is_refused_or_an_empty_page() {
    let app = TestApp::start().await;
    let admin = app.platform_admin();
    let platform = "0".repeat(32);
    for key in [
        "2026-02-01",
        "2026-02-01 TOSS",
        "2026-02-01 TOSS ma_1",
        "2026-02-01 TO\0SS 00000000000000000000000000000000",
        "-262143-01-01 TOSS 00000000000000000000000000000000",
        "+262142-12-31 TOSS 00000000000000000000000000000000",
        "0000-01-01 TOSS 00000000000000000000000000000000",
        "2026-02-30 TOSS 00000000000000000000000000000000",
    ] {
        let url = format!("/api/admin/reconciliations?cursor={}", cursor(key));
        admin.get(&url).await.problem(400, "INVALID_CURSOR");
    }
    for key in ["0001-01-01 TOSS", "9999-12-31 NOVA"] {
        let key = cursor(&format!("{key} {platform}"));
        admin.get(&format!("/api/admin/reconciliations?cursor={key}")).await.data();
    }
    for key in ["", "101", "case_", "sub_0199f6b2c0de7a52a0f1d2c3b4a59687", "case_\0"] {
        admin.get(&format!("/api/admin/cases?cursor={}", cursor(key))).await.problem(400, "INVALID_CURSOR");
    }
}

#[tokio::test]
async fn a_path_parameter_that_makes_no_sense_does_not_exist() {
    let app = TestApp::start().await;
    app.subscribed().await;
    for operation in operations() {
        for parameter in operation.parameters("path") {
            let name = format!("{{{}}}", text(&parameter["name"]));
            let mut values = hostile_numbers();
            values.extend(["%ff", "%00", "%2e%2e", "101%2Frefund", "101%00"].map(str::to_owned));
            values.push("9".repeat(4_000));
            for value in values.iter().filter(|value| !value.is_empty()) {
                let url = operation.url_with(&operation.path.replace(&name, value));
                let body = operation.example().map(|example| example.to_string().into_bytes());
                let actor = who_may(&app, &operation, 1);
                let answer = actor.send(operation.method.clone(), &url, body).await;
                must_be_refused(&answer, &url);
                let is_of_ours =
                    name == "{paymentId}" || operation.is_in_a_business() || operation.is_about_the_caller();
                let expected: &[u16] = if is_of_ours { &[404] } else { &[404, 422] };
                assert!(expected.contains(&answer.status.as_u16()), "{url}: {}", answer.body);
            }
        }
    }
    assert_eq!(app.provider_totals(), (29_000, 0));
}

#[tokio::test]
async fn a_business_that_is_no_number_is_refused() {
    let app = TestApp::start().await;
    for operation in operations().iter().filter(|operation| operation.takes_header("X-Business-Id")) {
        for business in ["", "one", "1.5", "0x1", "1,2", "1 2", "99999999999999999999", "' or 1=1", "-"] {
            let actor = app.owner().with_header("x-business-id", business);
            let answer = calls(&actor, operation).await;
            must_be_refused(&answer, &format!("{} for business {business:?}", operation.id));
            answer.problem(400, "INVALID_PARAMETER");
            operation.must_document(&answer);
        }
        for nobodys in ["0", "-1", "999999", "9223372036854775807"] {
            let actor = app.owner().with_header("x-business-id", nobodys);
            calls(&actor, operation).await.problem(403, "PERMISSION_REQUIRED");
        }
    }
    assert_eq!(app.sandbox.book(), []);
}

#[tokio::test]
async fn who_owns_several_businesses_says_which() {
    let app = TestApp::start().await;
    for operation in operations().iter().filter(|operation| operation.takes_header("X-Business-Id")) {
        let answer = calls(&app.owner_of_all(&[1, 2]), operation).await;
        must_be_refused(&answer, &operation.id);
        answer.problem(400, "BUSINESS_REQUIRED");
        operation.must_document(&answer);
    }
}

#[tokio::test]
async fn an_idempotency_key_that_makes_no_sense_is_refused() {
    let app = TestApp::start().await;
    let retry = operation("retryPayment");
    for operation in operations().iter().filter(|operation| operation.takes_header("Idempotency-Key")) {
        for key in [String::new(), " ".to_owned(), "k".repeat(256)] {
            let answer = calls(&app.owner().with_header("idempotency-key", key), operation).await;
            must_be_refused(&answer, &operation.id);
            answer.problem(400, "INVALID_IDEMPOTENCY_KEY");
            operation.must_document(&answer);
        }
    }
    assert!(retry.takes_header("Idempotency-Key"));
    assert_eq!(app.sandbox.book(), []);
}

//! Feeds that mean harm, or are broken.

use serde_json::{Value, json};
use testkit::TestApp;

use super::{but, customer, feeds, feeds_lines, outcome, refused, reservation, salon};

/// Nothing of a refused call was done.
async fn nothing_went_in(app: &TestApp) {
    assert_eq!(app.count("booking.reservation where business_id = 2").await, 0);
    assert_eq!(app.count("booking.customer where business_id = 2").await, 2);
}

#[tokio::test]
async fn a_body_without_end_is_refused_before_it_is_read() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let good = reservation("R1").to_string();
    let endless_line = format!("{good}\n{{\"externalId\": \"{}", "가".repeat(30_000));
    feeds_lines(&owner, "reservations", endless_line.into_bytes()).await.problem(413, "LINE_TOO_LONG");
    let long = 33 * 1024 * 1024;
    let mut blank_lines = format!("{good}\n").into_bytes();
    blank_lines.resize(long, b'\n');
    feeds_lines(&owner, "reservations", blank_lines).await.problem(413, "BODY_TOO_LARGE");
    let mut list = format!("[{good},").into_bytes();
    list.resize(long, b' ');
    let path = "/api/businesses/2/reservations/bulk";
    owner.send(axum::http::Method::PUT, path, Some(list)).await.problem(413, "BODY_TOO_LARGE");
    nothing_went_in(&app).await;
}

#[tokio::test]
async fn ten_thousand_and_one_rows_are_refused() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let rows: Vec<_> = (0..=10_000).map(|n| reservation(&format!("R{n}"))).collect();
    let lines: Vec<_> = rows.iter().map(Value::to_string).collect();
    feeds(&owner, "reservations", Value::from(rows)).await.problem(422, "TOO_MANY_ROWS");
    feeds_lines(&owner, "reservations", lines.join("\n").into_bytes()).await.problem(422, "TOO_MANY_ROWS");
    nothing_went_in(&app).await;
}

#[tokio::test]
async fn what_is_no_list_of_rows_is_refused() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let path = "/api/businesses/2/reservations/bulk";
    let put = |body: &'static [u8]| owner.send(axum::http::Method::PUT, path, Some(body.to_vec()));
    for body in [&b""[..], b"[", b"[{}", b"[{},]", b"[] []", b"\xff\xfe[\0]\0", b"externalId,status"] {
        put(body).await.problem(400, "MALFORMED_JSON");
    }
    for body in [&b"{}"[..], b"null", b"\"[]\"", b"1"] {
        put(body).await.problem(422, "VALIDATION_FAILED");
    }
    let form = owner.clone().with_header("content-type", "text/csv");
    form.send(axum::http::Method::PUT, path, Some(b"[]".to_vec())).await.problem(415, "JSON_REQUIRED");
    owner.put(&format!("{path}?announce=perhaps"), json!([])).await.problem(400, "INVALID_PARAMETER");
    assert_eq!(outcome(&feeds(&owner, "reservations", json!([])).await), [0; 5]);
    assert_eq!(outcome(&feeds_lines(&owner, "reservations", Vec::new()).await), [0; 5]);
    nothing_went_in(&app).await;
}

#[tokio::test]
async fn values_that_nobody_means_are_refused_with_their_row() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let good = reservation("R1");
    let line = |price: Value| json!([{"serviceExternalId": "CUT", "price": price}]);
    for (member, value, field, code) in [
        ("startAt", json!("9999-12-31T10:00:00+09:00"), "startAt", "DATE_OUT_OF_RANGE"),
        ("startAt", json!("1999-12-31T23:59:59+09:00"), "startAt", "DATE_OUT_OF_RANGE"),
        ("startAt", json!("+262142-12-31T23:59:59Z"), "startAt", "INVALID_TIME"),
        ("startAt", json!("내일"), "startAt", "INVALID_TIME"),
        ("startAt", json!(1_771_000_000), "startAt", "INVALID"),
        ("createdAt", json!("9999-12-31"), "createdAt", "DATE_OUT_OF_RANGE"),
        ("services", line(json!(-1)), "services[0].price", "INVALID_PRICE"),
        ("services", line(json!(1_000_000_001)), "services[0].price", "INVALID_PRICE"),
        ("services", line(json!(28_000.5)), "services[0].price", "INVALID"),
        ("services", line(json!(1e300)), "services[0].price", "INVALID"),
        ("services", Value::from(vec![line(json!(1))[0].clone(); 51]), "services", "TOO_MANY"),
        ("externalId", json!(""), "externalId", "REQUIRED"),
        ("externalId", json!("R\u{0}"), "", "NUL_CHARACTER"),
        ("externalId", json!("x".repeat(101)), "externalId", "TOO_LONG"),
        ("customerExternalId", json!("a\nb"), "customerExternalId", "CONTROL_CHARACTER"),
    ] {
        let answer = feeds(&owner, "reservations", json!([but(&good, member, value.clone())])).await;
        assert_eq!(outcome(&answer), [0, 0, 0, 0, 1], "{member}: {value}");
        assert_eq!(refused(&answer), [(1, field.to_owned(), code.to_owned())], "{member}: {value}");
    }
    let person = customer("NEW", "새 고객");
    for (member, value, field, code) in [
        ("name", json!("가".repeat(10_000)), "name", "TOO_LONG"),
        ("name", json!(" \u{200b}"), "name", "REQUIRED"),
        ("name", json!("\u{1b}[31m"), "name", "CONTROL_CHARACTER"),
        ("phone", json!("010-0000-0000"), "phone", "INVALID_PHONE"),
        ("email", json!("minseo@"), "email", "INVALID_EMAIL"),
        ("birthday", json!("9999-12-31"), "birthday", "DATE_OUT_OF_RANGE"),
        ("birthday", json!("1994-02-30"), "birthday", "INVALID_DATE"),
        ("gender", json!("여"), "gender", "INVALID"),
        ("tags", json!("가, 나"), "tags", "INVALID"),
        ("tags", json!(["a\u{1f}b"]), "tags", "CONTROL_CHARACTER"),
        ("tags", json!((0..21).map(|n| n.to_string()).collect::<Vec<_>>()), "tags", "TOO_MANY"),
    ] {
        let answer = feeds(&owner, "customers", json!([but(&person, member, value.clone())])).await;
        assert_eq!(refused(&answer), [(1, field.to_owned(), code.to_owned())], "{member}: {value}");
        // What was sent is not repeated: it may be somebody's number.
        let sent = value.as_str().unwrap_or("010");
        assert!(!answer.data()["errors"].to_string().contains(sent), "{}", answer.body);
    }
    nothing_went_in(&app).await;
}

#[tokio::test]
async fn what_people_are_called_comes_in_as_it_is_written() {
    let app = salon().await;
    let names = [
        "=cmd|' /C calc'!A0",
        "\u{202e}שלום\u{202c}",
        "👩‍👩‍👧‍👦 지우",
        "'; drop table booking.customer; --",
        "가나다라마바사".repeat(14).as_str(),
    ]
    .map(str::to_owned);
    let rows: Vec<_> = names.iter().zip(0..).map(|(name, n)| customer(&format!("N{n}"), name)).collect();
    let answer = feeds(&app.owner_of(2), "customers", Value::from(rows)).await;
    assert_eq!(outcome(&answer), [5, 0, 0, 0, 0]);
    let stored =
        app.texts("select name from booking.customer where external_id like 'N%' order by external_id").await;
    assert_eq!(stored, names);
}

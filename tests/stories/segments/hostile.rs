//! Conditions that make no sense, and whoever tries more than that.

use axum::http::Method;
use serde_json::{Value, json};

use super::{SEGMENTS, feeds, previews, shop};

#[tokio::test]
async fn a_segment_of_another_shop_does_not_exist() {
    let app = shop().await;
    let theirs =
        app.owner_of(2).post(SEGMENTS, json!({"name": "모두", "conditions": []})).await.data()["segmentId"]
            .clone();
    app.subscribes("PRO", "MONTHLY").await;
    let stranger = app.owner();
    for path in [format!("{SEGMENTS}/{theirs}"), format!("/api/businesses/1/segments/{theirs}")] {
        stranger.get(&path).await.problem(404, "NOT_FOUND");
        stranger.get(&format!("{path}/customers")).await.problem(404, "NOT_FOUND");
        stranger.patch(&path, json!({"name": "내 것"})).await.problem(404, "NOT_FOUND");
        stranger.send(Method::DELETE, &path, None).await.problem(404, "NOT_FOUND");
    }
    // Nor do its services.
    let service = app.owner_of(2).get("/api/businesses/2/services").await.data()[0]["serviceId"].clone();
    let condition = json!([{"field": "service", "operator": "HAS_ANY", "value": [service]}]);
    let asked = stranger.post("/api/businesses/1/segments/preview", json!({"conditions": condition})).await;
    asked.invalid("conditions[0].value[0]", "UNKNOWN_SERVICE");
    previews(&app.owner_of(2), condition).await.data();
    // Nor do its campaigns.
    let campaign = super::told(&app, json!([])).await;
    for field in ["receivedCampaign", "clickedCampaign"] {
        let condition = json!([{"not": {"field": field, "operator": "HAS_NONE", "value": [campaign]}}]);
        let asked = json!({"conditions": condition});
        let asked = stranger.post("/api/businesses/1/segments/preview", asked).await;
        asked.invalid("conditions[0].not.value[0]", "UNKNOWN_CAMPAIGN");
        previews(&app.owner_of(2), condition).await.data();
    }
}

#[tokio::test]
async fn whatever_is_wrong_is_named_by_its_path() {
    let app = shop().await;
    let owner = app.owner_of(2);
    for (conditions, path, code) in [
        (
            json!([{"field": "shoeSize", "operator": "AT_LEAST", "value": 1}]),
            "conditions[0].field",
            "UNKNOWN_FIELD",
        ),
        (
            json!([{"field": "visitCount", "operator": "LIKE", "value": 1}]),
            "conditions[0].operator",
            "UNKNOWN_OPERATOR",
        ),
        (
            json!([{"any": [{"field": "gender", "operator": "IS", "value": "여성"}]}]),
            "conditions[0].any[0].value",
            "UNKNOWN_VALUE",
        ),
        (
            json!([{"not": {"all": [{"field": "age", "operator": "AT_LEAST"}]}}]),
            "conditions[0].not.all[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "staff", "operator": "HAS_ALL", "value": [999_999]}]),
            "conditions[0].value[0]",
            "UNKNOWN_STAFF",
        ),
        (
            json!([{"field": "service", "operator": "HAS_ALL", "value": [i64::MAX]}]),
            "conditions[0].value[0]",
            "UNKNOWN_SERVICE",
        ),
        (
            json!([{"field": "receivedCampaign", "operator": "HAS_NONE", "value": [999_999]}]),
            "conditions[0].value[0]",
            "UNKNOWN_CAMPAIGN",
        ),
        (
            json!([{"field": "clickedCampaign", "operator": "HAS_ALL", "value": []}]),
            "conditions[0].value",
            "INVALID_LIST",
        ),
        (
            json!([{"field": "visitCount", "operator": "AT_LEAST", "value": i64::MAX}]),
            "conditions[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "visitCount", "operator": "AT_LEAST", "value": -1}]),
            "conditions[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "totalSpent", "operator": "AT_LEAST", "value": 1e300}]),
            "conditions[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "totalSpent", "operator": "AT_LEAST", "value": "NaN"}]),
            "conditions[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": "9999-12-31"}]),
            "conditions[0].value",
            "DATE_OUT_OF_RANGE",
        ),
        (
            json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": "2026-02-30"}]),
            "conditions[0].value",
            "INVALID_DATE",
        ),
        (
            json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": {"daysAgo": u64::MAX}}]),
            "conditions[0].value",
            "INVALID_DATE",
        ),
        (
            json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": {"yearsAgo": 1}}]),
            "conditions[0].value",
            "INVALID_DATE",
        ),
        (
            json!([{"field": "birthday", "operator": "IN_NEXT_DAYS", "value": 367}]),
            "conditions[0].value",
            "INVALID_NUMBER",
        ),
        (
            json!([{"field": "tag", "operator": "HAS_ANY", "value": "단골"}]),
            "conditions[0].value",
            "INVALID_LIST",
        ),
        (
            json!([{"field": "tag", "operator": "HAS_ANY", "value": ["가".repeat(31)]}]),
            "conditions[0].value[0]",
            "INVALID_TAG",
        ),
        (
            json!([{"field": "visitCount", "operator": "AT_LEAST", "value": 1, "or": true}]),
            "conditions[0].or",
            "UNKNOWN_MEMBER",
        ),
    ] {
        previews(&owner, conditions.clone()).await.invalid(path, code);
        owner.post(SEGMENTS, json!({"name": "시험", "conditions": conditions})).await.invalid(path, code);
    }
    let both = owner.post(SEGMENTS, json!({"name": " ", "conditions": [1]})).await;
    assert_eq!(both.problem(422, "VALIDATION_FAILED")["errors"].as_array().map(Vec::len), Some(2));
    assert_eq!(app.count("crm.segment where business_id = 2").await, 0);
}

#[tokio::test]
async fn conditions_without_end_are_refused() {
    let app = shop().await;
    let owner = app.owner_of(2);
    let sends = async |body: String| {
        owner.send(Method::POST, &format!("{SEGMENTS}/preview"), Some(body.into_bytes())).await
    };
    let deep = format!("{}1{}", r#"{"not":"#.repeat(10_000), "}".repeat(10_000));
    sends(format!(r#"{{"conditions": [{deep}]}}"#)).await.problem(400, "MALFORMED_JSON");
    let six = (0..6).fold(
        json!({"field": "visitCount", "operator": "AT_LEAST", "value": 1}),
        |inside, _| json!({"not": inside}),
    );
    previews(&owner, json!([six])).await.invalid("conditions[0].not.not.not.not.not", "TOO_DEEP");
    let one = json!({"field": "visitCount", "operator": "AT_LEAST", "value": 1});
    previews(&owner, json!(vec![one.clone(); 51])).await.invalid("conditions", "TOO_MANY");
    let megabyte = json!([{"any": vec![one.clone(); 18_500]}]);
    assert!(megabyte.to_string().len() > 1_000_000);
    previews(&owner, megabyte).await.invalid("conditions[0].any", "TOO_MANY");
    let more: Value = json!([{"any": vec![one; 20_000]}]);
    previews(&owner, more).await.problem(413, "BODY_TOO_LARGE");
    for number in ["NaN", "Infinity", "1e400", "-1e400", "0x10", "01"] {
        let body = format!(
            r#"{{"conditions": [{{"field": "totalSpent", "operator": "AT_LEAST", "value": {number}}}]}}"#
        );
        sends(body).await.problem(400, "MALFORMED_JSON");
    }
}

#[tokio::test]
async fn what_looks_like_sql_is_a_tag_like_any_other() {
    let app = shop().await;
    let owner = app.owner_of(2);
    let hostile = ["' or '1'='1", "'); drop table x; --", "$1", "{a,b}", "\\", "\"", "%", "{\"daysAgo\": 1}"];
    for (number, tag) in hostile.iter().enumerate() {
        let row =
            json!({"externalId": format!("c{number}"), "name": format!("손님 {number}"), "tags": [tag]});
        feeds(&app, "customers", json!([row])).await;
    }
    for (number, tag) in hostile.iter().enumerate() {
        let found = previews(&owner, json!([{"field": "tag", "operator": "HAS_ANY", "value": [tag]}])).await;
        assert_eq!(found.data()["customerCount"], 1, "{tag}");
        assert_eq!(found.data()["sample"][0]["name"], format!("손님 {number}"));
        owner.post(SEGMENTS, json!({"name": tag, "conditions": []})).await.data();
    }
    assert_eq!(app.count("crm.segment where business_id = 2").await, 8);
}

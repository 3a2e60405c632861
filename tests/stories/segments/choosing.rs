//! Segments are made, counted, changed and deleted.

use axum::http::Method;
use serde_json::{Value, json};

use super::{SEGMENTS, chosen, feeds, previews, reservation, shop, told, visit};

/// Four customers: one came lately, one long ago and comes again, one long ago, one never.
async fn four_customers() -> testkit::TestApp {
    let app = shop().await;
    let customers = [
        json!({"externalId": "new", "name": "김민서", "birthday": "1994-02-11", "gender": "FEMALE", "phone": "010-1234-5678"}),
        json!({"externalId": "back", "name": "최우식", "tags": ["단골"]}),
        json!({"externalId": "lost", "name": "정수빈", "email": "subin@misohair.com"}),
        json!({"externalId": "never", "name": "강하늘", "birthday": "2000-02-29"}),
    ];
    feeds(&app, "customers", json!(customers)).await;
    let visits = [
        visit("r1", "new", "2026-01-20"),
        visit("r2", "back", "2025-10-31"),
        reservation("r3", "back", "2026-02-14", "CONFIRMED"),
        visit("r4", "lost", "2025-11-01"),
        visit("r5", "lost", "2025-03-01"),
    ];
    feeds(&app, "reservations", json!(visits)).await;
    app
}

#[tokio::test]
async fn a_segment_is_made_and_counted() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let conditions = json!([{"field": "lastVisitDate", "operator": "BEFORE", "value": "2025-11-14"}]);
    let made = owner.post(SEGMENTS, json!({"name": "다시 모실 고객", "conditions": conditions})).await;
    assert_eq!(made.status, 201);
    assert_eq!((&made.data()["name"], &made.data()["customerCount"]), (&json!("다시 모실 고객"), &json!(2)));
    assert!(made.data()["countedAt"].as_str().expect("a time").starts_with("2026-02-01T08:30"));
}

#[tokio::test]
async fn a_segment_stays_true_tomorrow() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let conditions =
        json!([{"field": "lastVisitDate", "operator": "ON_OR_BEFORE", "value": {"daysAgo": 92}}]);
    let made = owner.post(SEGMENTS, json!({"name": "92일", "conditions": conditions})).await;
    assert_eq!(made.data()["customerCount"], 2);
    let one = format!("{SEGMENTS}/{}", made.data()["segmentId"]);
    assert_eq!(owner.get(&one).await.data()["customerCount"], 2);
    // Eighty days later it is true of whoever came on 20 January as well.
    app.clock.advance(chrono::TimeDelta::days(80));
    let later = owner.get(&one).await;
    assert_eq!(later.data()["customerCount"], 3);
    assert_eq!(later.data()["conditions"], conditions);
    // And a visit that is fed counts in the same moment.
    feeds(&app, "reservations", json!([visit("r9", "lost", "2026-04-20")])).await;
    assert_eq!(owner.get(&one).await.data()["customerCount"], 2);
}

#[tokio::test]
async fn every_shop_begins_with_five_segments() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let listed = owner.get(SEGMENTS).await;
    let entries = listed.data().as_array().expect("a list");
    let shown: Vec<_> =
        entries.iter().rev().map(|entry| (entry["name"].clone(), entry["customerCount"].clone())).collect();
    assert_eq!(
        shown,
        [
            // Whoever comes in two weeks needs no reminder.
            ("3개월 이상 미방문", 1),
            ("VIP 고객", 0),
            ("생일 이번 달", 2),
            ("신규 고객", 1),
            ("노쇼 주의", 0),
        ]
        .map(|(name, count)| (json!(name), json!(count)))
    );
    assert!(entries.iter().all(|entry| entry["createdAt"].is_string() && entry["countedAt"].is_string()));

    // They are the shop's: what is deleted does not come back, and what is changed stays so.
    let vip = &entries[3]["id"];
    let changed = json!({"name": "큰손", "conditions": [{"field": "totalSpent", "operator": "AT_LEAST", "value": 60_000}]});
    assert_eq!(owner.patch(&format!("{SEGMENTS}/{vip}"), changed).await.data()["customerCount"], 1);
    let no_shows = &entries[0]["id"];
    assert_eq!(owner.send(Method::DELETE, &format!("{SEGMENTS}/{no_shows}"), None).await.status, 204);
    let again = owner.get(SEGMENTS).await;
    let names: Vec<_> = again.data().as_array().expect("a list").iter().map(|entry| &entry["name"]).collect();
    assert_eq!(names, ["신규 고객", "생일 이번 달", "큰손", "3개월 이상 미방문"]);
    owner.get(&format!("{SEGMENTS}/{no_shows}")).await.problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_list_counts_as_each_segment_does() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let some: [Value; 4] = [
        json!([]),
        json!([{"field": "lastVisitDate", "operator": "IS_NOT_SET"}]),
        json!([{"not": {"field": "lastVisitDate", "operator": "BEFORE", "value": {"daysAgo": 30}}}]),
        json!([{"field": "tag", "operator": "HAS_NONE", "value": ["단골"]}, {"field": "channel", "operator": "HAS_ANY", "value": ["SMS", "EMAIL"]}]),
    ];
    for conditions in &some {
        owner.post(SEGMENTS, json!({"name": "시험", "conditions": conditions})).await.data();
    }
    let listed = owner.get(&format!("{SEGMENTS}?limit=4")).await;
    let counts: Vec<_> =
        listed.data().as_array().expect("a list").iter().map(|entry| &entry["customerCount"]).collect();
    // Made before the list was asked for, so the ready-made ones are newer.
    assert_eq!(counts.len(), 4);
    let cursor = listed.body["page"]["nextCursor"].as_str().expect("more");
    let rest = owner.get(&format!("{SEGMENTS}?limit=10&cursor={cursor}")).await;
    let rest = rest.data().as_array().expect("a list");
    let counts: Vec<_> = rest.iter().skip(1).map(|entry| &entry["customerCount"]).collect();
    // Nobody knows when somebody who never came was there last: it is not before anything.
    assert_eq!(counts, [2, 2, 1, 4]);
    for entry in rest {
        let one = owner.get(&format!("{SEGMENTS}/{}", entry["id"])).await;
        assert_eq!(one.data()["customerCount"], entry["customerCount"]);
    }
}

#[tokio::test]
async fn a_preview_shows_a_few_and_stores_nothing() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let came = json!([{"field": "visitCount", "operator": "AT_LEAST", "value": 1}]);
    let preview = previews(&owner, came).await;
    assert_eq!(preview.data()["customerCount"], 3);
    let sample = preview.data()["sample"].as_array().expect("a list");
    assert_eq!(sample.len(), 3);
    assert_eq!(sample[2]["name"], "김민서");
    // Also to whoever may see the whole number: a preview is no list to be taken away.
    assert_eq!(sample[2]["phone"], "010-****-5678");
    assert_eq!(sample[0]["totalSpent"], 60_000);
    assert_eq!(
        previews(&owner, json!([{"field": "age", "operator": "AT_LEAST", "value": 120}])).await.data(),
        &json!({"customerCount": 0, "sample": []})
    );
    assert_eq!(app.count("crm.segment where business_id = 2").await, 0);
}

#[tokio::test]
async fn a_page_that_builds_conditions_finds_all_it_needs() {
    let app = four_customers().await;
    let owner = app.owner_of(2);
    let without_campaigns = owner.get(&format!("{SEGMENTS}/fields")).await;
    for field in without_campaigns.data().as_array().expect("a list") {
        previews(&owner, json!([field["example"]])).await.data();
    }
    let campaigns = [told(&app, json!([])).await, told(&app, json!([])).await];
    let answer = owner.get(&format!("{SEGMENTS}/fields")).await;
    let fields = answer.data().as_array().expect("a list");
    assert_eq!(fields.len(), 20);
    for field in fields {
        previews(&owner, json!([field["example"]])).await.data();
        // Each operator takes a value of its kind.
        for operator in field["operators"].as_array().expect("a list") {
            let option = &field["options"][0]["value"];
            let value = match operator["valueKind"].as_str().expect("a kind") {
                "DATE" => json!("2026-01-01"),
                "DATE_RANGE" => json!(["2026-01-01", {"daysAgo": 0}]),
                "NUMBER" => field["maximum"].clone(),
                "NUMBER_RANGE" => json!([0, field["maximum"]]),
                "BOOLEAN" => json!(false),
                "OPTION" => option.clone(),
                "OPTIONS" => json!([option]),
                "TEXTS" => json!(["단골"]),
                "MONTH" => json!(12),
                "MONTHS" => json!([1, {"monthsAhead": 11}]),
                "NONE" => Value::Null,
                other => panic!("nobody knows what {other} is"),
            };
            let condition =
                json!({"field": field["field"], "operator": operator["operator"], "value": value});
            assert!(previews(&owner, json!([condition])).await.status.is_success(), "{condition}");
        }
    }
    let options = |name: &str| {
        let field = fields.iter().find(|field| field["field"] == name).expect("the field");
        field["options"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|option| option["label"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(options("service"), ["커트", "펌"]);
    assert_eq!(options("staff"), ["김실장", "이실장"]);
    assert_eq!(options("tag"), ["단골"]);
    for field in ["receivedCampaign", "clickedCampaign"] {
        assert_eq!(options(field), ["봄맞이", "봄맞이"]);
        let field = fields.iter().find(|one| one["field"] == field).expect("the field");
        let ids: Vec<_> =
            field["options"].as_array().expect("a list").iter().map(|one| &one["value"]).collect();
        assert_eq!(ids, [campaigns[1], campaigns[0]], "the newest first");
    }
}

#[tokio::test]
async fn what_was_corrected_counts_as_it_stands() {
    let app = four_customers().await;
    let services = app.owner_of(2).get("/api/businesses/2/services").await;
    let id = |name: &str| {
        let all = services.data().as_array().expect("a list");
        all.iter().find(|service| service["name"] == name).expect("it is there")["serviceId"].clone()
    };
    let had = |name: &str| json!([{"field": "service", "operator": "HAS_ANY", "value": [id(name)]}]);
    assert_eq!(chosen(&app, &had("펌")).await, [""; 0]);
    // It was a perm, on another day, for somebody else.
    let mut corrected = visit("r1", "never", "2026-01-21");
    corrected["services"] = json!([{"serviceExternalId": "perm", "price": 120_000}]);
    feeds(&app, "reservations", json!([corrected])).await;
    assert_eq!(chosen(&app, &had("펌")).await, ["강하늘"]);
    assert_eq!(chosen(&app, &had("커트")).await, ["정수빈", "최우식"]);
    assert_eq!(
        chosen(&app, &json!([{"field": "visitCount", "operator": "EQUALS", "value": 0}])).await,
        ["김민서"]
    );
}

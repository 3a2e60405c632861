//! What every list has in common.

use axum::http::StatusCode;
use testkit::TestApp;

/// Each list with filters that find something in the demo's salon, and some that cannot be.
const LISTS: [(&str, &[&str], &[&str]); 5] = [
    (
        "customers",
        &["q=%EA%B9%80", "phone=010-1234-5678", "email=minseo@misohair.com", "tag=%EB%8B%A8%EA%B3%A8"],
        &["q=", "phone=112", "phone=%00", "email=minseo", "tag=%0A"],
    ),
    ("staffs", &["name=%EC%9D%B4", "active=true"], &["name=%00", "active=perhaps"]),
    ("services", &["name=%EC%97%AC%EC%84%B1", "active=true"], &["name=", "active=1"]),
    (
        "reservations",
        &["status=COMPLETED", "staffId=1", "customerId=1", "startDate=2026-01-01&endDate=2026-02-28"],
        &["status=DONE", "staffId=me", "customerId=1.5", "startDate=2026-02-30", "endDate=20260228"],
    ),
    ("reviews", &[], &["rating=6", "rating=five"]),
];

#[tokio::test]
async fn filters_find_what_they_say_and_bad_ones_are_refused_by_name() {
    let app = TestApp::start().await;
    let owner = app.owner_of(1);
    for (list, good, bad) in LISTS {
        let path = format!("/api/businesses/1/{list}");
        for filter in good {
            let found = owner.get(&format!("{path}?{filter}")).await;
            assert_ne!(found.data().as_array().map(Vec::len), Some(0), "{list}?{filter}");
        }
        for filter in bad.iter().chain(&["limit=0", "limit=101", "limit=many", "limit=99999999999999999999"])
        {
            let refused = owner.get(&format!("{path}?{filter}")).await;
            refused.problem(400, "INVALID_PARAMETER");
            let name = filter.split('=').next().expect("a name");
            let detail = refused.body["detail"].as_str().expect("text");
            assert!(detail.contains(name), "{list}?{filter}: {detail}");
        }
        for cursor in ["", "***", "MQ%3D%3D", "LTE", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5"] {
            let answer = owner.get(&format!("{path}?cursor={cursor}")).await;
            // Some say where a list of another kind goes on, which is somewhere.
            assert!(answer.status == StatusCode::OK || answer.body["code"] == "INVALID_CURSOR", "{cursor}");
        }
    }
}

#[tokio::test]
async fn page_by_page_a_list_is_complete_and_in_order() {
    let app = TestApp::start().await;
    let owner = app.owner_of(1);
    let review = serde_json::json!({"reservationId": 2, "rating": 5});
    owner.post("/api/businesses/1/reviews", review).await.data();
    for (list, id) in [
        ("customers", "customerId"),
        ("staffs", "staffId"),
        ("services", "serviceId"),
        ("reservations", "reservationId"),
        ("reviews", "reviewId"),
    ] {
        let mut pages = Vec::new();
        let mut next = Some(String::new());
        while let Some(cursor) = next.take() {
            let page = owner.get(&format!("/api/businesses/1/{list}?limit=3{cursor}")).await;
            let entries = page.data().as_array().expect("a list").clone();
            assert!(entries.len() <= 3);
            pages.extend(entries.iter().map(|entry| entry[id].as_i64().expect("an id")));
            next = page.body["page"]["nextCursor"].as_str().map(|cursor| format!("&cursor={cursor}"));
        }
        let whole = owner.get(&format!("/api/businesses/1/{list}?limit=100")).await;
        let whole = whole.data().as_array().expect("a list").iter().map(|entry| entry[id].as_i64());
        let whole: Vec<_> = whole.map(|id| id.expect("an id")).collect();
        assert!(!whole.is_empty(), "{list}");
        assert_eq!(pages[..whole.len()], whole, "{list}");
        let all = pages.len();
        pages.sort_unstable();
        pages.dedup();
        assert_eq!(pages.len(), all, "{list}: some came twice");
    }
}

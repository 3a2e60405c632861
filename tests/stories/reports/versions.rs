//! A report that was read before and has not changed since.

use axum::http::StatusCode;
use serde_json::json;
use testkit::{Answer, TestApp};

use super::{CUT, Visit, feeds, shop, visited};

const JANUARY: &str = "/api/businesses/2/reports/revenue?startDate=2026-01-01&endDate=2026-01-31";

async fn again(app: &TestApp, path: &str, tag: &str) -> Answer {
    app.owner_of(2).with_header("if-none-match", tag).get(path).await
}

#[tokio::test]
async fn an_unchanged_report_is_a_304_and_a_changed_one_is_sent_anew() {
    let app = shop().await;
    visited(&app, &[CUT]).await;
    let tag = app.owner_of(2).get(JANUARY).await.etag;
    assert!(tag.starts_with('"'), "{tag}");
    let unchanged = again(&app, JANUARY, &tag).await;
    assert_eq!((unchanged.status, unchanged.etag), (StatusCode::NOT_MODIFIED, tag.clone()));
    assert_eq!(unchanged.body, "");

    // Feeding the same again, another shop, what no report shows: nothing has changed.
    visited(&app, &[CUT]).await;
    feeds(&app, "customers", json!([{"externalId": "c9", "name": "새 손님"}])).await;
    assert_eq!(again(&app, JANUARY, &tag).await.status, StatusCode::NOT_MODIFIED);

    visited(&app, &[Visit { services: &[("cut", 25_000)], ..CUT }]).await;
    let changed = again(&app, JANUARY, &tag).await;
    assert_eq!(changed.data()["summary"]["totalRevenue"], 25_000);
    assert_ne!(changed.etag, tag);

    // A name is part of it.
    feeds(&app, "staffs", json!([{"externalId": "kim", "name": "김원장"}])).await;
    let renamed = again(&app, JANUARY, &changed.etag).await;
    assert_eq!(renamed.data()["byStaff"][0]["staffName"], "김원장");
}

#[tokio::test]
async fn a_version_is_of_one_question() {
    let app = shop().await;
    visited(&app, &[CUT]).await;
    let tag = app.owner_of(2).get(JANUARY).await.etag;
    for other in [
        "/api/businesses/2/reports/revenue?startDate=2026-01-01&endDate=2026-01-30",
        "/api/businesses/2/reports/revenue?startDate=2026-01-01&endDate=2026-01-31&period=DAILY",
        "/api/businesses/2/reports/revenue?startDate=2026-01-01&endDate=2026-01-31&compareTo=PREVIOUS",
        "/api/businesses/2/reports/losses?startDate=2026-01-01&endDate=2026-01-31",
    ] {
        assert_eq!(again(&app, other, &tag).await.status, StatusCode::OK, "{other}");
    }
    // "Today" is part of the question as well.
    let open = "/api/businesses/2/reports/revenue";
    let today = app.owner_of(2).get(open).await.etag;
    assert_eq!(again(&app, open, &today).await.status, StatusCode::NOT_MODIFIED);
    app.pass(chrono::TimeDelta::days(1));
    assert_eq!(again(&app, open, &today).await.status, StatusCode::OK);
}

//! Revenue: each definition by itself.

use platform::Role;
use serde_json::{Value, json};

use super::{CUT, Visit, asks, report, shop, visited};

#[tokio::test]
async fn revenue_is_what_completed_reservations_were_charged_on_the_korean_day_of_the_visit() {
    let app = shop().await;
    visited(
        &app,
        &[
            // Half past midnight in Korea is the day before in UTC.
            Visit {
                id: "r1",
                at: "2026-02-01T00:30:00",
                services: &[("cut", 20_000), ("perm", 80_000)],
                ..CUT
            },
            Visit { id: "r2", at: "2026-01-31T23:59:59", services: &[("cut", 5_000)], ..CUT },
            Visit { id: "r3", at: "2026-01-31T14:59:59Z", services: &[("cut", 7_000)], ..CUT },
            Visit { id: "r4", at: "2026-02-01T10:00:00", status: "CANCELLED", ..CUT },
            Visit { id: "r5", at: "2026-02-01T11:00:00", status: "NO_SHOW", ..CUT },
            Visit { id: "r6", at: "2026-02-01T12:00:00", status: "CONFIRMED", ..CUT },
            Visit { id: "r7", at: "2026-02-01T13:00:00", status: "PENDING", ..CUT },
        ],
    )
    .await;
    let day = report(&app, "revenue?period=DAILY&startDate=2026-01-31&endDate=2026-02-01").await;
    assert_eq!(
        day["breakdown"],
        json!([
            {"period": "2026-01-31", "revenue": 12_000, "reservations": 2, "completedRate": 100.0},
            {"period": "2026-02-01", "revenue": 100_000, "reservations": 5, "completedRate": 20.0},
        ])
    );
    assert_eq!(
        day["summary"],
        json!({"totalRevenue": 112_000, "totalReservations": 7, "averagePerReservation": 37_333, "growth": null})
    );
}

#[tokio::test]
async fn the_parts_are_named_shared_and_sorted() {
    let app = shop().await;
    visited(
        &app,
        &[
            // A Saturday.
            Visit { id: "r1", services: &[("cut", 20_000), ("perm", 80_000)], ..CUT },
            Visit {
                id: "r2",
                at: "2026-01-10T14:59:00",
                staff: Some("lee"),
                services: &[("cut", 50_000)],
                ..CUT
            },
            // A Monday.
            Visit { id: "r3", at: "2026-01-12T09:00:00", staff: None, services: &[("cut", 30_000)], ..CUT },
            Visit { id: "r4", at: "2026-01-12T20:00:00", status: "NO_SHOW", ..CUT },
        ],
    )
    .await;
    let month = report(&app, "revenue?startDate=2026-01-01&endDate=2026-01-31").await;
    assert_eq!(
        month["byService"],
        json!([
            {"serviceName": "커트", "revenue": 100_000, "count": 3, "share": 55.6},
            {"serviceName": "펌", "revenue": 80_000, "count": 1, "share": 44.4},
        ])
    );
    assert_eq!(
        month["byStaff"],
        json!([
            {"staffName": "김실장", "revenue": 100_000, "count": 1, "share": 55.5},
            {"staffName": "이실장", "revenue": 50_000, "count": 1, "share": 27.8},
            {"staffName": "미지정", "revenue": 30_000, "count": 1, "share": 16.7},
        ])
    );
    let weekdays = month["byDayOfWeek"].as_array().expect("a list");
    assert_eq!(weekdays.len(), 7);
    assert_eq!(weekdays[0], json!({"dayOfWeek": 1, "label": "월", "revenue": 30_000, "count": 1}));
    assert_eq!(weekdays[5], json!({"dayOfWeek": 6, "label": "토", "revenue": 150_000, "count": 2}));
    assert_eq!(weekdays[6], json!({"dayOfWeek": 7, "label": "일", "revenue": 0, "count": 0}));
    assert_eq!(month["peakHours"], json!([{"hour": 14, "count": 2}, {"hour": 9, "count": 1}]));
    assert_eq!(month["breakdown"][0]["period"], "2026-01");
}

#[tokio::test]
async fn growth_is_against_as_many_days_right_before() {
    let app = shop().await;
    visited(
        &app,
        &[
            Visit { id: "r1", at: "2026-01-05T10:00:00", services: &[("cut", 40_000)], ..CUT },
            Visit { id: "r2", at: "2026-01-12T10:00:00", services: &[("cut", 45_000)], ..CUT },
            Visit { id: "r3", at: "2025-01-12T10:00:00", services: &[("cut", 90_000)], ..CUT },
        ],
    )
    .await;
    let week = "revenue?period=WEEKLY&startDate=2026-01-08&endDate=2026-01-14";
    assert_eq!(report(&app, week).await["summary"]["growth"], 12.5);
    let before = report(&app, &format!("{week}&compareTo=PREVIOUS")).await["comparison"].clone();
    assert_eq!(
        before,
        json!({
            "startDate": "2026-01-01", "endDate": "2026-01-07", "totalRevenue": 40_000, "totalReservations": 1,
            "averagePerReservation": 40_000, "revenueChange": 12.5, "reservationsChange": 0.0,
        })
    );
    let last_year = report(&app, &format!("{week}&compareTo=LAST_YEAR")).await["comparison"].clone();
    assert_eq!((&last_year["startDate"], &last_year["revenueChange"]), (&json!("2025-01-08"), &json!(-50.0)));
    let labels = report(&app, week).await["breakdown"].clone();
    assert_eq!((&labels[0]["period"], &labels[1]["period"]), (&json!("2026-W02"), &json!("2026-W03")));
}

#[tokio::test]
async fn a_shop_without_visits_has_zeros_and_no_errors() {
    let app = shop().await;
    let empty = report(&app, "revenue?period=MONTHLY&startDate=2025-11-15&endDate=2026-01-02").await;
    assert_eq!(
        empty["summary"],
        json!({"totalRevenue": 0, "totalReservations": 0, "averagePerReservation": 0, "growth": null})
    );
    let periods: Vec<_> =
        empty["breakdown"].as_array().expect("a list").iter().map(|one| &one["period"]).collect();
    assert_eq!(periods, ["2025-11", "2025-12", "2026-01"]);
    for list in ["byService", "byStaff", "peakHours"] {
        assert_eq!(empty[list], json!([]), "{list}");
    }
    assert_eq!(report(&app, "revenue/services?startDate=2026-01-01&endDate=2026-01-31").await, json!([]));
    assert_eq!(report(&app, "retention?startDate=2026-01-01&endDate=2026-01-31").await, json!([]));
    assert_eq!(report(&app, "staff-utilisation?startDate=2026-01-01&endDate=2026-01-31").await, json!([]));
    assert_eq!(report(&app, "customers").await["returningRate"], Value::Null);
}

#[tokio::test]
async fn feeding_again_changes_nothing_and_a_corrected_price_changes_the_report() {
    let app = shop().await;
    let january = "revenue?startDate=2026-01-01&endDate=2026-01-31";
    visited(&app, &[CUT]).await;
    let once = report(&app, january).await;
    visited(&app, &[CUT]).await;
    assert_eq!(report(&app, january).await, once);
    visited(&app, &[Visit { services: &[("cut", 25_000)], ..CUT }]).await;
    assert_eq!(report(&app, january).await["summary"]["totalRevenue"], 25_000);
    visited(&app, &[Visit { at: "2026-02-01T10:00:00", ..CUT }]).await;
    assert_eq!(report(&app, january).await["summary"]["totalRevenue"], 0, "moved to another month");
}

#[tokio::test]
async fn without_days_it_is_this_month_up_to_today() {
    let app = shop().await;
    app.it_is("2026-02-14T10:00");
    visited(
        &app,
        &[Visit { at: "2026-02-14T23:00:00", ..CUT }, Visit { id: "r2", at: "2026-02-15T00:00:00", ..CUT }],
    )
    .await;
    let daily = report(&app, "revenue?period=DAILY").await;
    assert_eq!(daily["breakdown"].as_array().map(Vec::len), Some(14));
    assert_eq!(daily["summary"]["totalReservations"], 1);
    let whole = report(&app, "revenue?period=DAILY&endDate=2026-01-31").await;
    assert_eq!(whole["breakdown"].as_array().map(Vec::len), Some(31));
}

#[tokio::test]
async fn a_range_that_is_none_is_refused() {
    let app = shop().await;
    for query in [
        "startDate=2026-02-02&endDate=2026-02-01",
        "startDate=2020-01-01&endDate=2026-02-01",
        "startDate=1999-12-31&endDate=2000-01-01",
        "startDate=9999-12-31&endDate=9999-12-31",
        "endDate=1988-01-01",
    ] {
        for name in ["revenue", "revenue/services", "customers", "retention", "losses", "staff-utilisation"] {
            asks(&app, &format!("{name}?{query}")).await.problem(400, "INVALID_RANGE");
        }
    }
    asks(&app, "revenue?startDate=2021-02-01&endDate=2026-01-31").await.data();
}

#[tokio::test]
async fn reports_are_for_who_may_see_them_and_of_other_businesses_nothing_is_told() {
    let app = shop().await;
    let path = "/api/businesses/2/reports/revenue";
    app.member(2, Role::Manager).get(path).await.data();
    app.member(2, Role::Staff).get(path).await.problem(403, "PERMISSION_REQUIRED");
    app.owner_of(1).get(path).await.problem(404, "NOT_FOUND");
    app.owner_of(1).get("/api/businesses/999/reports/revenue").await.problem(404, "NOT_FOUND");
    app.owner_of(2).get("/api/businesses/two/reports/revenue").await.problem(404, "NOT_FOUND");
    app.owner_of_all(&[1, 2]).get(path).await.data();
}

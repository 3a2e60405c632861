//! Who came for the first time, and who came back.

use serde_json::json;

use super::{CUT, Visit, report, shop, visited};

#[tokio::test]
async fn a_customer_is_new_where_the_first_completed_visit_is() {
    let app = shop().await;
    visited(
        &app,
        &[
            Visit { id: "r1", at: "2025-12-31T10:00:00", customer: Some("c1"), ..CUT },
            Visit {
                id: "r2",
                at: "2026-01-10T10:00:00",
                customer: Some("c1"),
                services: &[("perm", 80_000)],
                ..CUT
            },
            // Did not come the first time, and so is new the second.
            Visit { id: "r3", at: "2025-12-30T10:00:00", customer: Some("c2"), status: "NO_SHOW", ..CUT },
            Visit { id: "r4", at: "2026-01-20T10:00:00", customer: Some("c2"), ..CUT },
            Visit {
                id: "r5",
                at: "2026-02-20T10:00:00",
                customer: Some("c2"),
                services: &[("cut", 25_000)],
                ..CUT
            },
            Visit {
                id: "r6",
                at: "2026-02-21T10:00:00",
                customer: None,
                services: &[("cut", 10_000)],
                ..CUT
            },
        ],
    )
    .await;
    let report = report(&app, "customers?startDate=2026-01-01&endDate=2026-02-28").await;
    assert_eq!(
        report,
        json!({
            "newCustomers": 1, "returningCustomers": 1, "newRevenue": 45_000, "returningRevenue": 80_000,
            "anonymousVisits": 1, "anonymousRevenue": 10_000, "returningRate": 50.0,
            "breakdown": [
                {"period": "2026-01", "newCustomers": 1, "newRevenue": 20_000, "returningRevenue": 80_000, "anonymousRevenue": 0},
                {"period": "2026-02", "newCustomers": 0, "newRevenue": 25_000, "returningRevenue": 0, "anonymousRevenue": 10_000},
            ],
        })
    );
}

#[tokio::test]
async fn cohorts_are_followed_to_the_end_of_the_range() {
    let app = shop().await;
    visited(
        &app,
        &[
            Visit { id: "r1", at: "2025-11-10T10:00:00", customer: Some("c1"), ..CUT },
            Visit { id: "r2", at: "2025-11-20T10:00:00", customer: Some("c2"), ..CUT },
            Visit { id: "r3", at: "2025-11-21T10:00:00", customer: Some("c2"), ..CUT },
            Visit { id: "r4", at: "2026-01-05T10:00:00", customer: Some("c1"), ..CUT },
            Visit { id: "r5", at: "2026-01-06T10:00:00", customer: Some("c3"), ..CUT },
            Visit { id: "r6", at: "2026-02-06T10:00:00", customer: Some("c3"), ..CUT },
        ],
    )
    .await;
    assert_eq!(
        report(&app, "retention?startDate=2025-11-15&endDate=2026-01-31").await,
        json!([
            {"cohort": "2025-11", "customers": 2, "retained": [
                {"monthsLater": 1, "customers": 0, "rate": 0.0}, {"monthsLater": 2, "customers": 1, "rate": 50.0},
            ]},
            {"cohort": "2026-01", "customers": 1, "retained": []},
        ])
    );
    let later = report(&app, "retention?startDate=2026-01-01&endDate=2026-02-28").await;
    assert_eq!(
        later,
        json!([{"cohort": "2026-01", "customers": 1, "retained": [{"monthsLater": 1, "customers": 1, "rate": 100.0}]}])
    );
}

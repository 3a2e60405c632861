//! Each service by itself, losses, and how busy staff was.

use serde_json::{Value, json};

use super::{CUT, Visit, feeds, report, shop, visited};

#[tokio::test]
async fn each_service_has_its_course() {
    let app = shop().await;
    visited(
        &app,
        &[
            Visit { id: "r1", services: &[("cut", 20_000), ("perm", 80_000)], ..CUT },
            Visit { id: "r2", at: "2026-01-11T10:00:00", services: &[("cut", 25_000)], ..CUT },
            Visit { id: "r3", at: "2026-01-11T11:00:00", status: "CANCELLED", ..CUT },
        ],
    )
    .await;
    let services = report(&app, "revenue/services?startDate=2026-01-09&endDate=2026-01-11").await;
    let perm = &services[0];
    assert_eq!(
        (&perm["serviceName"], &perm["categoryName"], &perm["totalRevenue"]),
        (&json!("펌"), &json!("펌"), &json!(80_000))
    );
    assert!(perm["serviceId"].is_i64());
    let cut = &services[1];
    assert_eq!((&cut["count"], &cut["averagePrice"]), (&json!(2), &json!(22_500)));
    assert_eq!(
        cut["trend"],
        json!([
            {"date": "2026-01-09", "revenue": 0, "count": 0},
            {"date": "2026-01-10", "revenue": 20_000, "count": 1},
            {"date": "2026-01-11", "revenue": 25_000, "count": 1},
        ])
    );
    let weekly = report(&app, "revenue/services?period=WEEKLY&startDate=2026-01-09&endDate=2026-01-12").await;
    assert_eq!(weekly[1]["trend"][0], json!({"date": "2026-01-09", "revenue": 45_000, "count": 2}));
}

#[tokio::test]
async fn what_is_renamed_or_given_up_keeps_its_history() {
    let app = shop().await;
    visited(&app, &[CUT]).await;
    let cut = json!({"externalId": "cut", "name": "디자인 커트", "category": "커트", "price": 22_000, "durationMinutes": 30});
    feeds(&app, "services", json!([cut])).await;
    let january = "revenue?startDate=2026-01-01&endDate=2026-01-31";
    assert_eq!(report(&app, january).await["byService"][0]["serviceName"], "디자인 커트");

    let delete = async |what: &str, name: &str| {
        let listed = app.owner_of(2).get(&format!("/api/businesses/2/{what}")).await;
        let id = match what {
            "services" => "serviceId",
            _ => "staffId",
        };
        let mut rows = listed.data().as_array().expect("a list").iter();
        let row = rows.find(|row| row["name"] == name).expect("it is listed");
        let path = format!("/api/businesses/2/{what}/{}", row[id]);
        let gone = app.owner_of(2).send(axum::http::Method::DELETE, &path, None).await;
        assert!(gone.status.is_success(), "{}", gone.body);
    };
    let before = report(&app, january).await;
    delete("services", "디자인 커트").await;
    delete("staffs", "김실장").await;
    assert_eq!(report(&app, january).await, before);
}

#[tokio::test]
async fn what_came_to_nothing_is_counted_at_the_agreed_price() {
    let app = shop().await;
    visited(
        &app,
        &[
            CUT,
            Visit { id: "r2", services: &[("cut", 20_000), ("perm", 80_000)], status: "CANCELLED", ..CUT },
            Visit { id: "r3", status: "NO_SHOW", ..CUT },
            Visit { id: "r4", at: "2026-02-01T10:00:00", status: "NO_SHOW", ..CUT },
        ],
    )
    .await;
    let losses = report(&app, "losses?startDate=2026-01-01&endDate=2026-02-28").await;
    assert_eq!(losses["cancelled"], json!({"reservations": 1, "amount": 100_000, "rate": 25.0}));
    assert_eq!(losses["noShow"], json!({"reservations": 2, "amount": 40_000, "rate": 50.0}));
    assert_eq!(
        losses["breakdown"][0],
        json!({"period": "2026-01", "cancelled": 1, "cancelledAmount": 100_000, "noShows": 1, "noShowAmount": 20_000})
    );
}

#[tokio::test]
async fn staff_is_busy_against_the_hours_that_the_shop_was_open() {
    let app = shop().await;
    visited(
        &app,
        &[
            // Open from 10:00 to 14:30: 270 minutes.
            Visit { id: "r1", at: "2026-01-10T10:00:00", services: &[("perm", 80_000)], ..CUT },
            Visit { id: "r2", at: "2026-01-10T14:00:00", staff: Some("lee"), ..CUT },
            // Open for a cut.
            Visit { id: "r3", at: "2026-01-11T14:00:00", ..CUT },
            Visit { id: "r4", at: "2026-01-11T20:00:00", status: "CANCELLED", ..CUT },
        ],
    )
    .await;
    let busy = report(&app, "staff-utilisation?startDate=2026-01-01&endDate=2026-01-31").await;
    let kim = &busy[0];
    assert_eq!((&kim["staffName"], &kim["workedDays"]), (&json!("김실장"), &json!(2)));
    assert_eq!((&kim["busyMinutes"], &kim["openMinutes"]), (&json!(150), &json!(300)));
    assert_eq!((&kim["utilisation"], &kim["revenue"]), (&json!(50.0), &json!(100_000)));
    assert_eq!((&busy[1]["staffName"], &busy[1]["utilisation"]), (&json!("이실장"), &json!(11.1)));
    assert_ne!(busy[1]["staffId"], Value::Null);
}

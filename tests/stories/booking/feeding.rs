//! Feeding many rows at a time.

use platform::Role;
use serde_json::{Value, json};

use super::{but, customer, feeds, feeds_lines, outcome, refused, reservation, salon, the_two_agree, told};

#[tokio::test]
async fn feeding_twice_changes_nothing() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let person = json!({
        "externalId": "KIM", "name": "김민서", "phone": "010-1234-5678", "email": "Minseo@MisoHair.com",
        "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["단골", "염색"], "marketingConsent": true,
    });
    let services =
        json!([{"externalId": "DRY", "name": "드라이", "category": null, "price": 0, "durationMinutes": 30}]);
    let two =
        json!([{"serviceExternalId": "PERM", "price": 110_000}, {"serviceExternalId": "CUT", "price": 0}]);
    let reservations = json!([reservation("R1"), but(&reservation("R2"), "services", two)]);
    for (what, rows) in [
        ("customers", json!([person])),
        ("services", services),
        ("staffs", json!([{"externalId": "JUNG", "name": "정유미"}])),
        ("reservations", reservations),
    ] {
        let first = outcome(&feeds(&owner, what, rows.clone()).await);
        let count = rows.as_array().map_or(0, Vec::len) as u64;
        assert_eq!(first[0] + first[1], count, "{what}");
        let revision = app.count("booking.revision where business_id = 2 and revision = 0").await;
        let before = (app.texts("select revision::text from booking.revision").await, told(&app).await);
        assert_eq!(outcome(&feeds(&owner, what, rows.clone()).await), [0, 0, count, 0, 0], "{what}");
        // The same number, written otherwise.
        if what == "customers" {
            let written = but(&rows[0], "phone", json!("+82 10 1234 5678"));
            assert_eq!(outcome(&feeds(&owner, what, json!([written])).await), [0, 0, 1, 0, 0]);
        }
        let after = (app.texts("select revision::text from booking.revision").await, told(&app).await);
        assert_eq!((before, revision), (after, 0), "{what}");
    }
    assert_eq!(app.count("booking.reservation_service where business_id = 2").await, 3);
    the_two_agree(&app).await;
}

#[tokio::test]
async fn what_the_feed_says_later_counts() {
    let app = salon().await;
    let owner = app.owner_of(2);
    feeds(&owner, "reservations", json!([reservation("R1"), reservation("R2")])).await.data();
    let moved = json!({
        "externalId": "R1", "staffExternalId": "PARK", "startAt": "2026-02-14T23:30:00", "status": "COMPLETED",
        "services": [{"serviceExternalId": "PERM", "price": 99_000}, {"serviceExternalId": "CUT", "price": 1_000}],
    });
    let answer = feeds(&owner, "reservations", json!([moved, reservation("R2")])).await;
    assert_eq!(outcome(&answer), [0, 1, 1, 0, 0]);
    let lines = "select line || ' ' || price || ' ' || visit_on || ' ' || hour || ' ' || status
                 from booking.reservation_service join booking.reservation using (business_id, reservation_id, visit_on, status)
                 where external_id = 'R1' order by line";
    let lines = lines.replace("' ' || price", "' ' || reservation_service.price");
    assert_eq!(
        app.texts(&lines).await,
        ["1 99000 2026-02-14 23 COMPLETED", "2 1000 2026-02-14 23 COMPLETED"]
    );
    the_two_agree(&app).await;

    // A row says all there is to say: what it leaves out is gone.
    let reachable = but(&customer("KIM", "김민서"), "phone", json!("010-1234-5678"));
    assert_eq!(outcome(&feeds(&owner, "customers", json!([reachable])).await), [0, 1, 0, 0, 0]);
    assert_eq!(app.count("booking.customer where business_id = 2 and phone is not null").await, 1);
    assert_eq!(
        outcome(&feeds(&owner, "customers", json!([customer("KIM", "김민지")])).await),
        [0, 1, 0, 0, 0]
    );
    assert_eq!(app.count("booking.customer where business_id = 2 and phone is not null").await, 0);
    assert_eq!(app.count("booking.customer where business_id = 2 and name = '김민지'").await, 1);

    let dearer = json!([{"externalId": "CUT", "name": "여성 컷", "category": "커트", "price": 33_000, "durationMinutes": 60}]);
    assert_eq!(outcome(&feeds(&owner, "services", dearer).await), [0, 1, 0, 0, 0]);
    let menu = "select service.name || ' ' || category.name || ' ' || price
                from booking.service join booking.service_category category using (business_id, category_id)
                where business_id = 2 order by 1";
    assert_eq!(app.texts(menu).await, ["디지털 펌 펌 120000", "여성 컷 커트 33000"]);
    let staff = json!([{"externalId": "LEE", "name": "이지은 원장"}]);
    assert_eq!(outcome(&feeds(&owner, "staffs", staff).await), [0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn one_bad_row_does_not_spoil_the_others() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let rows = json!([
        reservation("R1"),
        but(&reservation("R2"), "customerExternalId", json!("NOBODY")),
        but(
            &but(&reservation("R3"), "staffExternalId", json!("NOBODY")),
            "services",
            json!([{"serviceExternalId": "?", "price": 1}])
        ),
        but(&reservation("R4"), "services", json!([])),
        but(&reservation("R5"), "status", json!("DONE")),
        but(&reservation("R6"), "amonut", json!(1)),
        reservation("R7"),
        7,
    ]);
    let answer = feeds(&owner, "reservations", rows).await;
    assert_eq!(outcome(&answer), [2, 0, 0, 0, 6]);
    let told = |row: u64, field: &str, code: &str| (row, field.to_owned(), code.to_owned());
    assert_eq!(
        refused(&answer),
        [
            told(2, "customerExternalId", "UNKNOWN_CUSTOMER"),
            told(3, "staffExternalId", "UNKNOWN_STAFF"),
            told(3, "services[0].serviceExternalId", "UNKNOWN_SERVICE"),
            told(4, "services", "REQUIRED"),
            told(5, "status", "INVALID"),
            told(6, "amonut", "INVALID"),
            told(8, "", "INVALID"),
        ]
    );
    let errors = answer.data()["errors"].as_array().expect("a list");
    let named: Vec<_> = errors.iter().map(|error| &error["externalId"]).collect();
    assert_eq!(json!(named), json!(["R2", "R3", "R3", "R4", "R5", "R6", null]));
    assert!(errors.iter().all(|error| error["message"].as_str().is_some_and(|text| !text.is_ascii())));
    assert_eq!(
        app.texts("select external_id from booking.reservation where business_id = 2 order by 1").await,
        ["R1", "R7"]
    );
    // Put right, they go in.
    assert_eq!(outcome(&feeds(&owner, "reservations", json!([reservation("R2")])).await), [1, 0, 0, 0, 0]);
}

#[tokio::test]
async fn the_last_row_of_a_name_counts() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let rows = json!([
        but(&reservation("R1"), "status", json!("PENDING")),
        reservation("R2"),
        but(&reservation("R1"), "status", json!("CANCELLED")),
        // This one cannot be, and so the one before it counts.
        but(&reservation("R1"), "staffExternalId", json!("NOBODY")),
    ]);
    let answer = feeds(&owner, "reservations", rows).await;
    assert_eq!(outcome(&answer), [2, 0, 0, 1, 1]);
    let statuses =
        "select external_id || ' ' || status from booking.reservation where business_id = 2 order by 1";
    assert_eq!(app.texts(statuses).await, ["R1 CANCELLED", "R2 CONFIRMED"]);
    let rows = json!([customer("SON", "손예진"), customer("SON", "손흥민"), customer("KIM", "김민서")]);
    assert_eq!(outcome(&feeds(&owner, "customers", rows).await), [1, 0, 1, 1, 0]);
    assert_eq!(app.count("booking.customer where business_id = 2 and name = '손흥민'").await, 1);
}

#[tokio::test]
async fn others_hear_of_what_changed_unless_it_is_history() {
    let app = salon().await;
    let owner = app.owner_of(2);
    assert_eq!(told(&app).await, ["customer.created"; 2]);
    let history = json!([reservation("H1"), customer("OLD", "나문희")]);
    let path = |what: &str| format!("/api/businesses/2/{what}/bulk?announce=false");
    owner.put(&path("reservations"), json!([history[0]])).await.data();
    owner.put(&path("customers"), json!([history[1]])).await.data();
    assert_eq!(told(&app).await, ["customer.created"; 2]);

    feeds(&owner, "reservations", json!([but(&reservation("R1"), "status", json!("PENDING"))])).await.data();
    for status in ["CONFIRMED", "NO_SHOW", "COMPLETED", "CANCELLED"] {
        feeds(&owner, "reservations", json!([but(&reservation("R1"), "status", json!(status))])).await.data();
    }
    // Another time is no other status.
    let later =
        but(&but(&reservation("R1"), "status", json!("CANCELLED")), "startAt", json!("2026-02-15T10:00:00"));
    feeds(&owner, "reservations", json!([later])).await.data();
    assert_eq!(
        told(&app).await[2..],
        [
            "reservation.created",
            "reservation.confirmed",
            "reservation.no_show",
            "reservation.completed",
            "reservation.cancelled",
        ]
    );
    let data = app.texts("select data::text from platform.event where kind = 'reservation.confirmed'").await;
    let data: Value = serde_json::from_str(&data[0]).expect("JSON");
    assert_eq!(data["staff"]["name"], "이지은");
    assert_eq!(data["services"][0]["name"], "여성 컷");
    assert_eq!((&data["startAt"], &data["price"]), (&json!("2026-02-14T10:00:00+09:00"), &json!(28_000)));
    assert!(data["customerId"].is_number() && !data.to_string().contains("김민서"));
}

#[tokio::test]
async fn a_row_a_line_is_the_same_as_a_list_of_rows() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let lines = format!(
        "\u{feff}{}\r\n\n{}\n{{\"externalId\": \"R3\"\n{}",
        reservation("R1"),
        reservation("R2"),
        reservation("R4")
    );
    let answer = feeds_lines(&owner, "reservations", lines.into_bytes()).await;
    assert_eq!(outcome(&answer), [3, 0, 0, 0, 1]);
    // The line as an editor counts it.
    assert_eq!(refused(&answer), [(4, String::new(), "MALFORMED_JSON".to_owned())]);
    let rows = json!([reservation("R1"), reservation("R2"), reservation("R4")]);
    assert_eq!(outcome(&feeds(&owner, "reservations", rows).await), [0, 0, 3, 0, 0]);
}

#[tokio::test]
async fn ten_thousand_reservations_go_in_at_once() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let rows: Vec<_> = (0..10_000).map(|n| reservation(&format!("R{n}"))).collect();
    let first = feeds(&owner, "reservations", Value::from(rows.clone())).await;
    assert_eq!(outcome(&first), [10_000, 0, 0, 0, 0]);
    assert_eq!(outcome(&feeds(&owner, "reservations", Value::from(rows)).await), [0, 0, 10_000, 0, 0]);
    assert_eq!(app.count("platform.event where kind = 'reservation.created'").await, 10_000);
    the_two_agree(&app).await;
}

#[tokio::test]
async fn feeds_that_come_at_the_same_time_queue_up() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let rows: Vec<_> = (0..200).map(|n| reservation(&format!("R{n}"))).collect();
    let backwards: Vec<_> = rows.iter().rev().cloned().collect();
    let feeding = (0..6).map(|n| {
        let rows = if n % 2 == 0 { rows.clone() } else { backwards.clone() };
        feeds(&owner, "reservations", Value::from(rows))
    });
    let answers = futures::future::join_all(feeding).await;
    let created: u64 = answers.iter().map(|answer| outcome(answer)[0]).sum();
    let unchanged: u64 = answers.iter().map(|answer| outcome(answer)[2]).sum();
    assert_eq!((created, unchanged), (200, 1_000));
    the_two_agree(&app).await;
}

#[tokio::test]
async fn who_feeds_is_a_member_of_the_shop_or_an_operator_of_the_platform() {
    let app = salon().await;
    for actor in [app.member(2, Role::Manager), app.member(2, Role::Staff), app.platform_admin()] {
        let answer = feeds(&actor, "reservations", json!([reservation("R1")])).await;
        assert_eq!(outcome(&answer)[4], 0);
    }
    let rows = json!([reservation("R2")]);
    feeds(&app.member(2, Role::Customer), "reservations", rows.clone())
        .await
        .problem(403, "PERMISSION_REQUIRED");
    feeds(&app.owner_of(1), "reservations", rows.clone()).await.problem(404, "NOT_FOUND");
    feeds(&app.anonymous(), "reservations", rows.clone()).await.problem(401, "AUTHENTICATION_REQUIRED");
    for nobodys in ["999999", "0", "-1", "two", "99999999999999999999"] {
        let path = format!("/api/businesses/{nobodys}/reservations/bulk");
        app.owner_of(2).put(&path, rows.clone()).await.problem(404, "NOT_FOUND");
        app.platform_admin().put(&path, rows.clone()).await.problem(404, "NOT_FOUND");
    }
    // What one shop calls KIM is nobody for another.
    let answer = app.owner_of(3).put("/api/businesses/3/reservations/bulk", rows).await;
    assert_eq!(outcome(&answer), [0, 0, 0, 0, 1]);
}

#[tokio::test]
async fn who_somebody_is_cannot_be_read_from_the_tables() {
    let app = salon().await;
    let person = json!({
        "externalId": "KIM", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com",
    });
    feeds(&app.owner_of(2), "customers", json!([person])).await.data();
    let rows = app
        .texts("select customer::text from booking.customer where business_id = 2 and phone is not null")
        .await;
    assert_eq!(rows.len(), 1);
    for secret in ["12345678", "1234-5678", "minseo", "misohair"] {
        assert!(!rows[0].contains(secret), "{}", rows[0]);
    }
}

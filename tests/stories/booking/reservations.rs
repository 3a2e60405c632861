//! Reservations by hand.

use axum::http::Method;
use serde_json::{Value, json};
use testkit::{Actor, TestApp};

use super::{but, feeds, id, reservation, salon, the_two_agree, told};

const RESERVATIONS: &str = "/api/businesses/2/reservations";

/// The ids that a list shows, by name.
async fn ids(actor: &Actor, what: &str, member: &str) -> Vec<(String, i64)> {
    let page = actor.get(&format!("/api/businesses/2/{what}")).await;
    let entries = page.data().as_array().expect("a list").iter();
    let named = entries.map(|entry| {
        (entry["name"].as_str().expect("a name").to_owned(), entry[member].as_i64().expect("an id"))
    });
    named.collect()
}

/// Who and what there is in the salon.
struct Salon {
    app: TestApp,
    owner: Actor,
    kim: i64,
    lee: i64,
    park: i64,
    cut: i64,
    perm: i64,
}

async fn open_salon() -> Salon {
    let app = salon().await;
    let owner = app.owner_of(2);
    let mut all = ids(&owner, "customers", "customerId").await;
    all.extend(ids(&owner, "staffs", "staffId").await);
    all.extend(ids(&owner, "services", "serviceId").await);
    let of = |name: &str| all.iter().find(|(known, _)| known == name).expect("they are there").1;
    let (kim, lee, park) = (of("김민서"), of("이지은"), of("박서준"));
    let (cut, perm) = (of("여성 컷"), of("디지털 펌"));
    Salon { app, owner, kim, lee, park, cut, perm }
}

impl Salon {
    fn cut_with_lee(&self) -> Value {
        json!({
            "customerId": self.kim, "staffId": self.lee, "services": [{"serviceId": self.cut}],
            "startAt": "2026-02-14T10:00:00",
        })
    }
}

#[tokio::test]
async fn a_reservation_is_made_moved_and_kept() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    let made = owner.post(RESERVATIONS, salon.cut_with_lee()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let expected = json!({
        "reservationId": id(&made, "reservationId"), "externalId": null,
        "customer": {"customerId": salon.kim, "name": "김민서"}, "staff": {"staffId": salon.lee, "name": "이지은"},
        // The list price, since no other was named.
        "services": [{"serviceId": salon.cut, "name": "여성 컷", "price": 30_000, "durationMinutes": 60}],
        "startAt": "2026-02-14T10:00:00+09:00", "status": "PENDING", "price": 30_000,
        "createdAt": made.data()["createdAt"],
    });
    assert_eq!(*made.data(), expected);
    let one = format!("{RESERVATIONS}/{}", id(&made, "reservationId"));
    assert_eq!(*owner.get(&one).await.data(), expected);

    let change = json!({
        "staffId": salon.park, "startAt": "2026-02-15T01:30:00+09:00", "status": "CONFIRMED",
        "services": [{"serviceId": salon.perm, "price": 99_000}, {"serviceId": salon.cut, "price": 0}],
    });
    let changed = owner.patch(&one, change.clone()).await;
    assert_eq!(
        (&changed.data()["price"], &changed.data()["staff"]["name"]),
        (&json!(99_000), &json!("박서준"))
    );
    the_two_agree(&salon.app).await;
    // Said again, it changes nothing and nobody is told.
    assert_eq!(owner.patch(&one, change).await.data(), changed.data());
    owner.patch(&one, json!({})).await.data();
    let anybody = owner.patch(&one, json!({"customerId": null, "staffId": null})).await;
    assert_eq!((&anybody.data()["customer"], &anybody.data()["staff"]), (&Value::Null, &Value::Null));
    the_two_agree(&salon.app).await;
    owner.patch(&one, json!({"status": "COMPLETED"})).await.data();
    assert_eq!(
        told(&salon.app).await[2..],
        ["reservation.created", "reservation.confirmed", "reservation.completed"]
    );
}

#[tokio::test]
async fn a_service_takes_as_long_as_when_it_was_reserved() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    let made = owner.post(RESERVATIONS, salon.cut_with_lee()).await;
    let longer = json!({"durationMinutes": 90, "price": 40_000});
    owner.patch(&format!("/api/businesses/2/services/{}", salon.cut), longer).await.data();
    let one = format!("{RESERVATIONS}/{}", id(&made, "reservationId"));
    let both = json!({"services": [{"serviceId": salon.cut, "price": 30_000}, {"serviceId": salon.perm}]});
    let changed = owner.patch(&one, both).await;
    let durations = [0, 1].map(|line| &changed.data()["services"][line]["durationMinutes"]);
    assert_eq!(durations, [&json!(60), &json!(150)]);
    let made = owner.post(RESERVATIONS, salon.cut_with_lee()).await;
    assert_eq!(made.data()["services"][0]["durationMinutes"], 90);
}

#[tokio::test]
async fn what_is_over_cannot_be_undone_by_the_shop() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    let confirmed = but(&salon.cut_with_lee(), "status", json!("CONFIRMED"));
    for (moves, illegal) in [
        (vec!["COMPLETED"], "CANCELLED"),
        (vec!["CANCELLED"], "CONFIRMED"),
        (vec!["NO_SHOW"], "CANCELLED"),
        (vec!["NO_SHOW", "COMPLETED"], "NO_SHOW"),
        (vec![], "PENDING"),
    ] {
        let made = owner.post(RESERVATIONS, confirmed.clone()).await;
        let one = format!("{RESERVATIONS}/{}", id(&made, "reservationId"));
        for status in moves {
            assert_eq!(owner.patch(&one, json!({"status": status})).await.data()["status"], status);
        }
        // And nothing else of such a request is done.
        let both = json!({"status": illegal, "startAt": "2026-03-01T10:00:00"});
        owner.patch(&one, both).await.problem(409, "ILLEGAL_STATUS");
        assert_eq!(owner.get(&one).await.data()["startAt"], "2026-02-14T10:00:00+09:00");
    }
}

#[tokio::test]
async fn nobody_reserves_what_is_not_there() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    let good = salon.cut_with_lee();
    let theirs =
        salon.app.owner_of(3).post("/api/businesses/3/customers", json!({"name": "남의 고객"})).await;
    for (member, value, field, code) in [
        ("customerId", json!(999_999), "customerId", "UNKNOWN_CUSTOMER"),
        ("customerId", json!(id(&theirs, "customerId")), "customerId", "UNKNOWN_CUSTOMER"),
        ("staffId", json!(999_999), "staffId", "UNKNOWN_STAFF"),
        (
            "services",
            json!([{"serviceId": salon.cut}, {"serviceId": 999_999}]),
            "services[1].serviceId",
            "UNKNOWN_SERVICE",
        ),
        ("services", json!([]), "services", "REQUIRED"),
        ("services", json!([{"serviceId": salon.cut, "price": -1}]), "services[0].price", "INVALID_PRICE"),
        ("startAt", json!("9999-12-31T10:00:00"), "startAt", "DATE_OUT_OF_RANGE"),
    ] {
        owner.post(RESERVATIONS, but(&good, member, value.clone())).await.invalid(field, code);
    }
    // Who has left and what is withdrawn stays where it is, and is not named anew.
    let made = owner.post(RESERVATIONS, good.clone()).await;
    for path in [
        format!("staffs/{}", salon.lee),
        format!("services/{}", salon.cut),
        format!("customers/{}", salon.kim),
    ] {
        let path = format!("/api/businesses/2/{path}");
        assert_eq!(owner.send(Method::DELETE, &path, None).await.status, 204);
    }
    let errors = owner.post(RESERVATIONS, good.clone()).await;
    let errors = errors.problem(422, "VALIDATION_FAILED")["errors"].as_array().expect("a list").len();
    assert_eq!(errors, 3);
    let one = format!("{RESERVATIONS}/{}", id(&made, "reservationId"));
    let later = but(&good, "startAt", json!("2026-02-14T11:00:00"));
    assert_eq!(owner.patch(&one, later).await.data()["startAt"], "2026-02-14T11:00:00+09:00");
}

#[tokio::test]
async fn reservations_are_found_by_status_staff_customer_and_korean_days() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    for (start, staff, customer, status) in [
        ("2026-02-14T00:00:00", salon.lee, Some(salon.kim), "CONFIRMED"),
        ("2026-02-14T23:59:00", salon.park, None, "CONFIRMED"),
        ("2026-02-15T10:00:00", salon.lee, None, "COMPLETED"),
        ("2026-02-15T10:00:00", salon.park, Some(salon.kim), "CANCELLED"),
    ] {
        let body = json!({
            "customerId": customer, "staffId": staff, "services": [{"serviceId": salon.cut}], "startAt": start,
            "status": status,
        });
        owner.post(RESERVATIONS, body).await.data();
    }
    let first = owner.get(RESERVATIONS).await.data()[3]["reservationId"].as_i64().expect("an id");
    let found = async |query: &str| {
        let page = owner.get(&format!("{RESERVATIONS}?{query}")).await;
        let page = page.data().as_array().expect("a list").clone();
        page.iter().map(|entry| entry["reservationId"].as_i64().expect("an id") - first).collect::<Vec<_>>()
    };
    assert_eq!(found("").await, [3, 2, 1, 0]);
    assert_eq!(found("status=CONFIRMED").await, [1, 0]);
    assert_eq!(found(&format!("staffId={}", salon.lee)).await, [2, 0]);
    assert_eq!(found(&format!("customerId={}", salon.kim)).await, [3, 0]);
    assert_eq!(found("startDate=2026-02-14&endDate=2026-02-14").await, [1, 0]);
    assert_eq!(found(&format!("startDate=2026-02-15&staffId={}", salon.park)).await, [3]);
    assert_eq!(found("startDate=0001-01-01&endDate=9999-12-31").await, [3, 2, 1, 0]);
    // Page by page, also where two begin at the same time.
    let mut path = format!("{RESERVATIONS}?limit=1");
    let mut seen = Vec::new();
    loop {
        let page = owner.get(&path).await;
        seen.push(page.data()[0]["reservationId"].as_i64().expect("an id") - first);
        let Some(cursor) = page.body["page"]["nextCursor"].as_str() else { break };
        path = format!("{RESERVATIONS}?limit=1&cursor={cursor}");
    }
    assert_eq!(seen, [3, 2, 1, 0]);
    for query in
        ["status=DONE", "staffId=me", "startDate=2026-02-30", "startDate=2026-03-02&endDate=2026-03-01"]
    {
        owner.get(&format!("{RESERVATIONS}?{query}")).await.problem(400, "INVALID_PARAMETER");
    }
    // A place that no calendar has, as a cursor.
    for cursor in ["OTIyMzM3MjAzNjg1NDc3NTgwNyAx", "MQ", "***"] {
        owner.get(&format!("{RESERVATIONS}?cursor={cursor}")).await.problem(400, "INVALID_CURSOR");
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let roll = self.roll(of.len() as u64);
        &of[usize::try_from(roll).expect("an index")]
    }
}

#[tokio::test]
async fn whatever_is_done_a_reservation_and_its_services_agree() {
    let salon = open_salon().await;
    let owner = &salon.owner;
    let statuses = ["PENDING", "CONFIRMED", "COMPLETED", "CANCELLED", "NO_SHOW"];
    for seed in [1, 20_260_214] {
        let mut dice = Dice(seed);
        for _ in 0..40 {
            let start =
                format!("2026-02-{:02}T{:02}:{:02}:00", 1 + dice.roll(28), dice.roll(24), dice.roll(60));
            let status = *dice.pick(&statuses);
            let listed = owner.get(&format!("{RESERVATIONS}?limit=100")).await;
            let known: Vec<_> = listed
                .data()
                .as_array()
                .expect("a list")
                .iter()
                .map(|entry| entry["reservationId"].clone())
                .collect();
            let answer = match dice.roll(4) {
                0 => {
                    let rows: Vec<_> = (0..=dice.roll(4))
                        .map(|_| {
                            let row = reservation(&format!("R{}", dice.roll(8)));
                            let staff = dice.pick(&[json!("LEE"), json!("PARK"), Value::Null]).clone();
                            let lines: Vec<_> = (0..=dice.roll(3))
                                .map(|_| json!({"serviceExternalId": dice.pick(&["CUT", "PERM"]), "price": dice.roll(200_000)}))
                                .collect();
                            let customer = dice.pick(&[json!("KIM"), json!("CHOI"), Value::Null]).clone();
                            let row = but(&but(&row, "staffExternalId", staff), "services", json!(lines));
                            let row = but(&row, "customerExternalId", customer);
                            but(&but(&row, "startAt", json!(start)), "status", json!(status))
                        })
                        .collect();
                    feeds(owner, "reservations", Value::from(rows)).await
                }
                1 => {
                    let body =
                        but(&but(&salon.cut_with_lee(), "startAt", json!(start)), "status", json!(status));
                    owner.post(RESERVATIONS, body).await
                }
                _ if known.is_empty() => continue,
                2 => {
                    let change = json!({"startAt": start, "staffId": dice.pick(&[json!(salon.lee), json!(salon.park), Value::Null])});
                    owner.patch(&format!("{RESERVATIONS}/{}", dice.pick(&known)), change).await
                }
                _ => {
                    let services = json!([{"serviceId": salon.perm, "price": dice.roll(200_000)}]);
                    let change = json!({"status": status, "services": services});
                    owner.patch(&format!("{RESERVATIONS}/{}", dice.pick(&known)), change).await
                }
            };
            assert!(answer.status.is_success() || answer.status == 409, "{}", answer.body);
            the_two_agree(&salon.app).await;
        }
    }
    assert!(salon.app.count("booking.reservation where business_id = 2").await > 10);
}

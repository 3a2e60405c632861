//! How it was.

use serde_json::json;

use super::{but, feeds, id, reservation, salon, told};

const REVIEWS: &str = "/api/businesses/2/reviews";

#[tokio::test]
async fn who_was_there_says_once_how_it_was() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let visit = but(&reservation("R1"), "status", json!("COMPLETED"));
    feeds(&owner, "reservations", json!([visit, reservation("R2")])).await.data();
    let listed = owner.get("/api/businesses/2/reservations?status=COMPLETED").await;
    let visited = listed.data()[0]["reservationId"].clone();
    let review = json!({"reservationId": visited, "rating": 5, "content": "  또 올게요! 👍\n"});
    let written = owner.post(REVIEWS, review.clone()).await;
    assert_eq!(written.status, 201, "{}", written.body);
    assert_eq!(written.data()["content"], "또 올게요! 👍");
    assert_eq!(written.data()["customer"]["name"], "김민서");
    assert_eq!(written.data()["staff"]["name"], "이지은");
    owner.post(REVIEWS, review.clone()).await.problem(409, "REVIEW_EXISTS");
    assert_eq!(told(&app).await.iter().filter(|kind| *kind == "review.created").count(), 1);

    let listed = owner.get("/api/businesses/2/reservations?status=CONFIRMED").await;
    let coming = but(&review, "reservationId", listed.data()[0]["reservationId"].clone());
    owner.post(REVIEWS, coming).await.problem(409, "NOT_VISITED");
    let nowhere = but(&review, "reservationId", json!(999_999));
    owner.post(REVIEWS, nowhere).await.invalid("reservationId", "UNKNOWN_RESERVATION");
    for rating in [0, 6] {
        owner.post(REVIEWS, but(&review, "rating", json!(rating))).await.invalid("rating", "INVALID_RATING");
    }
    let long = but(&review, "content", json!("가".repeat(2_001)));
    owner.post(REVIEWS, long).await.invalid("content", "TOO_LONG");

    assert_eq!(owner.get(REVIEWS).await.data()[0]["reviewId"], id(&written, "reviewId"));
    assert_eq!(owner.get(&format!("{REVIEWS}?rating=5")).await.data().as_array().map(Vec::len), Some(1));
    assert_eq!(owner.get(&format!("{REVIEWS}?rating=4")).await.data(), &json!([]));
    assert_eq!(app.owner_of(3).get("/api/businesses/3/reviews").await.data(), &json!([]));
}

#[tokio::test]
async fn what_happens_in_the_shop_is_not_what_happens_to_its_subscription() {
    let app = salon().await;
    let owner = app.owner_of(2);
    let registration = app.registration("BASIC", testkit::Card::Good);
    owner.post("/api/payments/billing-key", registration).await.data();
    feeds(&owner, "reservations", json!([reservation("R1")])).await.data();
    assert_eq!(app.events(&owner).await, ["payment.succeeded", "subscription.started"]);
    assert!(told(&app).await.contains(&"reservation.created".to_owned()));
}

#[tokio::test]
async fn the_demos_salon_has_a_menu_customers_and_two_months_of_visits() {
    let app = testkit::TestApp::start().await;
    let owner = app.owner();
    let of = |what: &str| format!("/api/businesses/1/{what}");
    assert_eq!(owner.get(&of("staffs")).await.data().as_array().map(Vec::len), Some(3));
    assert_eq!(owner.get(&of("services/1")).await.data()["externalId"], "CUT-F");
    assert_eq!(owner.get(&of("customers/1")).await.data()["name"], "김민서");
    assert_eq!(owner.get(&of("reservations/1")).await.data()["status"], "CONFIRMED");
    assert_eq!(owner.get(&of("reservations/2")).await.data()["status"], "COMPLETED");
    for month in [
        "startDate=2025-12-17&endDate=2025-12-31",
        "startDate=2026-01-01&endDate=2026-01-31",
        "startDate=2026-02-01",
    ] {
        let visits = owner.get(&of(&format!("reservations?limit=100&{month}"))).await;
        assert!(visits.data().as_array().is_some_and(|visits| visits.len() > 30), "{month}");
    }
    super::the_two_agree(&app).await;
    // Loading it again leaves alone what the shop made of it.
    owner.patch(&of("staffs/1"), json!({"name": "이지은 원장"})).await.data();
    gateway::dev::load_demo(&app.app).await.expect("the demo data loads");
    assert_eq!(owner.get(&of("staffs/1")).await.data()["name"], "이지은 원장");
}

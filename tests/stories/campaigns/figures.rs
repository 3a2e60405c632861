//! What a campaign brought in.

use serde_json::{Value, json};

use super::{Shop, but, shop};

impl Shop {
    /// A customer reserves, now, for a time.
    pub(super) async fn reserves(&self, customer: i64, start: &str, status: &str) -> i64 {
        let service = json!({"name": "커트", "price": 20_000, "durationMinutes": 30});
        let services = self.owner.get("/api/businesses/2/services").await;
        let id = match services.data().as_array().and_then(|all| all.first()) {
            Some(known) => known["serviceId"].clone(),
            None => self.owner.post("/api/businesses/2/services", service).await.data()["serviceId"].clone(),
        };
        let reservation = json!({"customerId": customer, "services": [{"serviceId": id}], "startAt": start, "status": status});
        let made = self.owner.post("/api/businesses/2/reservations", reservation).await;
        made.data()["reservationId"].as_i64().expect("an id")
    }

    async fn converted(&self, path: &str) -> Value {
        self.stands(path).await["stats"]["converted"].clone()
    }
}

#[tokio::test]
async fn a_reservation_within_seven_days_is_its_success() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다", "라"]).await;
    let before = shop.reserves(ids[3], "2026-03-20T10:00", "CONFIRMED").await;
    shop.app.it_is("2026-02-14T13:00");
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    assert_eq!(shop.converted(&path).await, 0, "reservation {before} was there before");
    shop.app.time_passes_until("2026-02-16T12:00").await;
    shop.reserves(ids[0], "2026-03-10T10:00", "CONFIRMED").await;
    shop.reserves(ids[0], "2026-03-11T10:00", "CONFIRMED").await;
    assert_eq!(shop.converted(&path).await, 1, "a customer counts once");
    shop.reserves(ids[1], "2026-03-10T10:00", "CANCELLED").await;
    assert_eq!(shop.converted(&path).await, 1);
    shop.app.time_passes_until("2026-02-21T13:01").await;
    shop.reserves(ids[2], "2026-03-10T12:00", "CONFIRMED").await;
    assert_eq!(shop.converted(&path).await, 1, "a week is over");
}

#[tokio::test]
async fn a_visit_that_took_place_within_seven_days_is_its_success_too() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    let came = shop.reserves(ids[0], "2026-02-18T10:00", "CONFIRMED").await;
    let stayed_away = shop.reserves(ids[1], "2026-02-18T11:00", "CONFIRMED").await;
    shop.app.it_is("2026-02-14T13:00");
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    assert_eq!(shop.converted(&path).await, 0, "both had reserved before");
    shop.app.time_passes_until("2026-02-18T18:00").await;
    for (reservation, status) in [(came, "COMPLETED"), (stayed_away, "NO_SHOW")] {
        let change = json!({"status": status});
        shop.owner.patch(&format!("/api/businesses/2/reservations/{reservation}"), change).await.data();
    }
    assert_eq!(shop.converted(&path).await, 1);
}

#[tokio::test]
async fn the_last_campaign_before_a_reservation_gets_the_credit() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    let first = shop.campaign(shop.body("첫 소식")).await;
    shop.sends().await;
    shop.app.time_passes_until("2026-02-15T12:00").await;
    shop.reserves(ids[0], "2026-03-10T10:00", "CONFIRMED").await;
    let second = shop.campaign(but(&shop.body("둘째 소식"), "name", json!("둘째"))).await;
    shop.sends().await;
    shop.app.time_passes_until("2026-02-16T12:00").await;
    shop.reserves(ids[1], "2026-03-10T11:00", "CONFIRMED").await;
    assert_eq!((shop.converted(&first).await, shop.converted(&second).await), (json!(1), json!(1)));
}

#[tokio::test]
async fn the_figures_add_up_when_carriers_do_not_deliver() {
    let shop = shop().await;
    shop.has_customers(&["가", "나", "다"]).await;
    shop.app.sandbox.set_fate(&super::number(1), sandbox::Fate::NoSuchNumber).expect("a number");
    let path = shop.campaign(shop.body("새봄 할인")).await;
    shop.sends().await;
    shop.app.time_passes_until("2026-02-14T18:00").await;
    let stands = shop.stands(&path).await;
    let stats = &stats_of(&stands);
    assert_eq!((stats[0], stats[1], stats[2], stats[3]), (3, 2, 1, 0), "{stands}");
    assert_eq!(
        (&stands["stats"]["deliveryRate"], &stands["stats"]["openRate"]),
        (&json!(66.7), &json!(null))
    );
    let failed = shop.owner.get(&format!("{path}/recipients?fate=FAILED")).await;
    assert_eq!(failed.data()[0]["name"], "나");
}

fn stats_of(stands: &Value) -> [i64; 4] {
    ["totalSent", "delivered", "failed", "pending"]
        .map(|name| stands["stats"][name].as_i64().expect("a number"))
}

#[tokio::test]
async fn everybody_gets_a_coupon_of_their_own_as_long_as_there_are_any() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다"]).await;
    shop.agrees(ids[2], "WITHDRAWN").await;
    let coupon = json!({
        "name": "5천원", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-02-01", "validUntil": "2026-02-28", "totalLimit": 1,
    });
    let coupon = shop.owner.post("/api/businesses/2/coupons", coupon).await.data()["couponId"].clone();
    let body =
        but(&shop.body("{{couponName}} {{couponCode}} {{couponValidUntil}}까지"), "couponId", coupon.clone());
    let path = shop.campaign(body).await;
    shop.sends().await;
    // The one code goes to somebody who may be written to.
    assert_eq!(shop.stands(&path).await["excluded"], json!({"REFUSED": 1, "COUPON_UNAVAILABLE": 1}));
    let codes = shop.owner.get(&format!("/api/businesses/2/coupons/{coupon}/codes")).await;
    let code = codes.data()[0]["code"].as_str().expect("a code").to_owned();
    let texts: Vec<_> =
        (0..3).flat_map(|customer| shop.received(customer)).map(|parcel| parcel.text).collect();
    assert!(texts.len() == 1 && texts[0].contains(&format!("5천원 {code} 2026년 2월 28일까지")), "{texts:?}");
}

#[tokio::test]
async fn no_code_is_lost_on_somebody_who_is_not_written_to() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다"]).await;
    // The newest customers come first, and never came.
    shop.reserves(ids[0], "2026-02-01T10:00", "COMPLETED").await;
    let coupon = json!({
        "name": "5천원", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-02-01", "validUntil": "2026-02-28", "totalLimit": 1,
    });
    let coupon = shop.owner.post("/api/businesses/2/coupons", coupon).await.data()["couponId"].clone();
    let body = but(&shop.body("{{lastVisitDate}} {{couponCode}}"), "couponId", coupon.clone());
    let previewed = shop.owner.post(&format!("{}/preview", super::CAMPAIGNS), body.clone()).await;
    assert_eq!(previewed.data()["excluded"], json!({"NO_VALUE": 2}));
    let codes = format!("/api/businesses/2/coupons/{coupon}/codes");
    assert_eq!(shop.owner.get(&codes).await.data(), &json!([]), "looking gives nothing away");
    let path = shop.campaign(body.clone()).await;
    shop.sends().await;
    assert_eq!(shop.stands(&path).await["excluded"], json!({"NO_VALUE": 2}));
    assert_eq!(shop.received(0).len(), 1);
    // Who used theirs gets no other.
    let code = shop.owner.get(&codes).await.data()[0]["code"].clone();
    let redeemed = json!({"code": code, "customerId": ids[0], "amount": 20_000, "reference": "visit-1"});
    shop.owner.post("/api/businesses/2/coupons/redeem", redeemed).await.data();
    let previewed = shop.owner.post(&format!("{}/preview", super::CAMPAIGNS), body).await;
    assert_eq!(previewed.data()["excluded"], json!({"NO_VALUE": 2, "COUPON_UNAVAILABLE": 1}));
}

#[tokio::test]
async fn the_last_code_is_not_lost_on_somebody_who_had_enough_this_week() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.agrees(ids[0], "WITHDRAWN").await;
    for time in 1..=3 {
        shop.campaign(shop.body(&format!("{time}번째 소식"))).await;
        shop.sends().await;
    }
    assert_eq!(shop.received(1).len(), 3);
    shop.app.pass(chrono::TimeDelta::minutes(1));
    shop.agrees(ids[0], "GIVEN").await;
    let coupon = json!({
        "name": "5천원", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-02-01", "validUntil": "2026-02-28", "totalLimit": 1,
    });
    let coupon = shop.owner.post("/api/businesses/2/coupons", coupon).await.data()["couponId"].clone();
    let path = shop.campaign(but(&shop.body("{{couponCode}}"), "couponId", coupon)).await;
    shop.sends().await;
    assert_eq!(shop.stands(&path).await["excluded"], json!({"FREQUENCY_CAP": 1}));
    assert_eq!(shop.received(0).len(), 1);
}

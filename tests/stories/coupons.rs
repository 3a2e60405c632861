//! Coupons of a shop: given out once, used once, given back.

use futures::future::join_all;
use platform::Role;
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

const COUPONS: &str = "/api/businesses/2/coupons";

/// Business 2 has CRM in its plan, two customers, and a tenth off from 30,000 won, 10,000 at most, in February.
struct Shop {
    app: TestApp,
    owner: Actor,
    coupon: Value,
    customers: [i64; 2],
}

async fn shop() -> Shop {
    let app = TestApp::start().await;
    let owner = app.owner_of(2);
    owner.post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    let mut customers = [0; 2];
    for (customer, name) in customers.iter_mut().zip(["김민서", "최우식"]) {
        let added = owner.post("/api/businesses/2/customers", json!({"name": name})).await;
        *customer = added.data()["customerId"].as_i64().expect("an id");
    }
    let made = owner.post(COUPONS, tenth_off()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let coupon = made.data()["couponId"].clone();
    Shop { app, owner, coupon, customers }
}

fn tenth_off() -> Value {
    json!({
        "name": "재방문 10% 할인", "discountType": "PERCENT", "discountValue": 10, "maxDiscount": 10_000,
        "minimumSpend": 30_000, "validFrom": "2026-02-01", "validUntil": "2026-02-28", "totalLimit": 2,
    })
}

fn but(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}

impl Shop {
    async fn issues(&self, customers: &[i64]) -> Answer {
        self.owner.post(&format!("{COUPONS}/{}/codes", self.coupon), json!({"customerIds": customers})).await
    }

    /// The code of the first customer.
    async fn code(&self) -> String {
        let issued = self.issues(&self.customers[..1]).await;
        issued.data()[0]["code"].as_str().expect("a code").to_owned()
    }

    fn request(&self, code: &str, reference: &str, amount: i64) -> Value {
        json!({"code": code, "customerId": self.customers[0], "reference": reference, "amount": amount})
    }

    /// Whoever is at the counter.
    async fn redeems(&self, request: Value) -> Answer {
        self.app.member(2, Role::Staff).post(&format!("{COUPONS}/redeem"), request).await
    }

    async fn restores(&self, code: &str, reference: &str) -> Answer {
        let request = json!({"code": code, "reference": reference});
        self.app.member(2, Role::Staff).post(&format!("{COUPONS}/restore"), request).await
    }

    async fn told(&self) -> Vec<String> {
        self.app
            .texts("select kind || data::text from platform.event where business_id = 2 and kind like 'coupon.%' order by event_id")
            .await
    }
}

#[tokio::test]
async fn a_coupon_is_used_once() {
    let shop = shop().await;
    let code = shop.code().await;
    let used = shop.redeems(shop.request(&code, "R-1", 55_000)).await;
    assert_eq!(used.data()["discount"], 5_500);
    assert_eq!(used.data()["toPay"], 49_500);
    // The same again gets the same answer, however the code is typed.
    let typed = code.to_lowercase().replace('-', " ");
    assert_eq!(shop.redeems(shop.request(&typed, "R-1", 55_000)).await.body, used.body);
    shop.redeems(shop.request(&code, "R-1", 60_000)).await.problem(409, "COUPON_REDEEMED_OTHERWISE");
    shop.redeems(shop.request(&code, "R-2", 55_000)).await.problem(409, "COUPON_ALREADY_REDEEMED");
    let coupon = shop.owner.get(&format!("{COUPONS}/{}", shop.coupon)).await;
    assert_eq!((&coupon.data()["issued"], &coupon.data()["redeemed"]), (&json!(1), &json!(1)));
    let told = shop.told().await;
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("coupon.redeemed") && told[0].contains(r#""discount": 5500"#), "{told:?}");
    assert!(!told[0].contains(&code.replace('-', "")), "a code is worth money");
}

#[tokio::test]
async fn what_was_given_back_can_be_used_for_something_else() {
    let shop = shop().await;
    let code = shop.code().await;
    shop.restores(&code, "R-1").await.problem(409, "COUPON_NOT_REDEEMED");
    shop.redeems(shop.request(&code, "R-1", 200_000)).await.data();
    shop.restores(&code, "R-2").await.problem(409, "COUPON_NOT_REDEEMED");
    let restored = shop.restores(&code, "R-1").await;
    assert!(restored.data()["restoredAt"].is_string());
    assert_eq!(restored.data()["discount"], 10_000);
    assert_eq!(shop.restores(&code, "R-1").await.body, restored.body);
    // A repeat of the first use that was long on its way uses nothing up.
    shop.redeems(shop.request(&code, "R-1", 200_000)).await.problem(409, "COUPON_RESTORED");
    shop.redeems(shop.request(&code, "R-2", 40_000)).await.data();
    shop.restores(&code, "R-1").await.data();
    shop.redeems(shop.request(&code, "R-3", 40_000)).await.problem(409, "COUPON_ALREADY_REDEEMED");
    let kinds: Vec<_> = shop.told().await.iter().map(|told| told[..15].to_owned()).collect();
    assert_eq!(kinds, ["coupon.redeemed", "coupon.restored", "coupon.redeemed"]);
}

#[tokio::test]
async fn of_those_who_use_a_code_at_the_same_time_one_wins() {
    let shop = shop().await;
    let code = shop.code().await;
    let attempts = (0..8).map(|n| shop.redeems(shop.request(&code, &format!("R-{n}"), 50_000)));
    let answers = join_all(attempts).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for lost in answers.iter().filter(|answer| answer.status != 200) {
        lost.problem(409, "COUPON_ALREADY_REDEEMED");
    }
    // And of the same request sent twice at once both hear the same.
    let winner = answers.iter().find(|answer| answer.status == 200).expect("one");
    let reference = winner.data()["reference"].as_str().expect("a reference");
    shop.restores(&code, reference).await.data();
    let same = join_all((0..4).map(|_| shop.redeems(shop.request(&code, "R-9", 50_000)))).await;
    assert!(same.iter().all(|answer| answer.body == same[0].body && answer.status == 200));
    assert_eq!(shop.told().await.len(), 3);
}

#[tokio::test]
async fn a_coupon_is_good_for_its_customer_in_its_days_from_its_price_on() {
    let shop = shop().await;
    let code = shop.code().await;
    shop.redeems(but(&shop.request(&code, "R-1", 50_000), "customerId", json!(shop.customers[1])))
        .await
        .problem(409, "COUPON_OF_ANOTHER_CUSTOMER");
    let below = shop.redeems(shop.request(&code, "R-1", 29_999)).await;
    assert_eq!(
        below.problem(409, "COUPON_BELOW_MINIMUM")["detail"],
        "30,000원 이상 결제할 때 사용할 수 있는 쿠폰입니다."
    );
    shop.redeems(shop.request("K7QM-3XWD-9TFH", "R-1", 50_000)).await.problem(404, "UNKNOWN_COUPON_CODE");
    shop.redeems(shop.request("' or 1=1", "R-1", 50_000)).await.problem(404, "UNKNOWN_COUPON_CODE");
    shop.redeems(shop.request(&code, "", 50_000)).await.invalid("reference", "REQUIRED");
    shop.redeems(shop.request(&code, "R-1", 0)).await.invalid("amount", "INVALID_AMOUNT");
    // The last day is over when it is over in Korea.
    shop.app.clock.set(kernel::KoreanTime::parse("2026-02-28T23:59:59").expect("a time").0);
    shop.redeems(shop.request(&code, "R-1", 30_000)).await.data();
    shop.restores(&code, "R-1").await.data();
    shop.app.clock.set(kernel::KoreanTime::parse("2026-03-01T00:00:00").expect("a time").0);
    shop.redeems(shop.request(&code, "R-2", 30_000)).await.problem(409, "COUPON_EXPIRED");
    // Unless the shop is generous.
    let longer =
        shop.owner.patch(&format!("{COUPONS}/{}", shop.coupon), json!({"validUntil": "2026-03-31"})).await;
    assert_eq!(longer.data()["validUntil"], "2026-03-31");
    shop.redeems(shop.request(&code, "R-2", 30_000)).await.data();
}

#[tokio::test]
async fn each_customer_gets_one_code_and_no_more_than_there_are() {
    let shop = shop().await;
    let first = shop.issues(&shop.customers[..1]).await;
    let both = shop.issues(&shop.customers).await;
    assert_eq!(both.data().as_array().map(Vec::len), Some(2));
    assert_eq!(both.data()[1], first.data()[0], "who has a code keeps it");
    let third = shop.owner.post("/api/businesses/2/customers", json!({"name": "정수빈"})).await;
    let third = third.data()["customerId"].as_i64().expect("an id");
    shop.issues(&[third]).await.problem(409, "COUPON_LIMIT_REACHED");
    let path = format!("{COUPONS}/{}", shop.coupon);
    shop.owner.patch(&path, json!({"totalLimit": 1})).await.invalid("totalLimit", "BELOW_ISSUED");
    shop.owner.patch(&path, json!({"totalLimit": 3, "active": false})).await.data();
    shop.issues(&[third]).await.problem(409, "COUPON_STOPPED");
    // What was given out stays good, and is shown to who has it.
    assert_eq!(shop.issues(&shop.customers).await.body, both.body);
    shop.owner.patch(&path, json!({"active": true})).await.data();
    shop.issues(&[shop.customers[0], 999_999]).await.invalid("customerIds[1]", "UNKNOWN_CUSTOMER");
    shop.issues(&[]).await.invalid("customerIds", "INVALID_LIST");
    // Asked for at the same time, it is still one.
    let many = join_all((0..4).map(|_| async { shop.issues(&[third]).await })).await;
    assert!(
        many.iter().all(|answer| answer.body == many[0].body && answer.status == 200),
        "{:?}",
        many[0].body
    );
    let listed = shop.owner.get(&format!("{path}/codes?limit=2")).await;
    assert_eq!(listed.data().as_array().map(Vec::len), Some(2));
    assert!(listed.body["page"]["nextCursor"].is_string());
    assert_eq!(shop.owner.get(&path).await.data()["issued"], 3);
}

#[tokio::test]
async fn a_coupon_that_cannot_be_is_refused() {
    let shop = shop().await;
    for (member, value, field, code) in [
        ("name", json!("  "), "name", "REQUIRED"),
        ("discountValue", json!(0), "discountValue", "INVALID_PERCENT"),
        ("discountValue", json!(101), "discountValue", "INVALID_PERCENT"),
        ("discountType", json!("AMOUNT"), "maxDiscount", "NOT_ALLOWED"),
        ("maxDiscount", json!(-1), "maxDiscount", "INVALID_AMOUNT"),
        ("minimumSpend", json!(i64::MAX), "minimumSpend", "INVALID_AMOUNT"),
        ("validFrom", json!("2026-03-01"), "validUntil", "INVALID_RANGE"),
        ("validFrom", json!("2026-02-30"), "validFrom", "INVALID_DATE"),
        ("validUntil", json!("9999-12-31"), "validUntil", "DATE_OUT_OF_RANGE"),
        ("totalLimit", json!(0), "totalLimit", "INVALID_NUMBER"),
    ] {
        shop.owner.post(COUPONS, but(&tenth_off(), member, value)).await.invalid(field, code);
    }
    let amount = json!({"name": "5천원", "discountType": "AMOUNT", "discountValue": 5_000, "validFrom": "2026-02-01", "validUntil": "2026-02-01"});
    let made = shop.owner.post(COUPONS, amount).await;
    assert_eq!((&made.data()["totalLimit"], &made.data()["minimumSpend"]), (&Value::Null, &json!(0)));
}

#[tokio::test]
async fn coupons_are_the_shops_own() {
    let shop = shop().await;
    let code = shop.code().await;
    shop.app.subscribes("PRO", "MONTHLY").await;
    let stranger = shop.app.owner();
    for path in [format!("{COUPONS}/{}", shop.coupon), format!("/api/businesses/1/coupons/{}", shop.coupon)] {
        stranger.get(&path).await.problem(404, "NOT_FOUND");
        stranger.patch(&path, json!({"active": false})).await.problem(404, "NOT_FOUND");
        stranger.get(&format!("{path}/codes")).await.problem(404, "NOT_FOUND");
        stranger.post(&format!("{path}/codes"), json!({"customerIds": [1]})).await.problem(404, "NOT_FOUND");
    }
    let request = shop.request(&code, "R-1", 50_000);
    stranger
        .post("/api/businesses/1/coupons/redeem", request.clone())
        .await
        .problem(404, "UNKNOWN_COUPON_CODE");
    // Staff take coupons and give none out.
    let staff = shop.app.member(2, Role::Staff);
    staff.post(COUPONS, tenth_off()).await.problem(403, "PERMISSION_REQUIRED");
    staff.get(COUPONS).await.problem(403, "PERMISSION_REQUIRED");
    // A shop that gave up CRM goes on taking what it gave out, and gives out no more.
    shop.app.sql("update billing.subscription set plan_code = 'BASIC' where business_id = 2").await;
    shop.redeems(request).await.data();
    shop.issues(&shop.customers).await.problem(403, "PLAN_UPGRADE_REQUIRED");
    shop.owner.post(COUPONS, tenth_off()).await.problem(403, "PLAN_UPGRADE_REQUIRED");
}

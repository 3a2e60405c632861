//! What a shop says by itself on a customer's day, once a cycle.

use platform::Role;
use serde_json::{Value, json};

use super::{CAMPAIGNS, CUSTOMERS, Shop, but, number, shop};
use crate::messages::forgets_what_was_said;

const AUTO: &str = "/api/businesses/2/campaigns/auto";

fn birthday() -> Value {
    json!({
        "type": "BIRTHDAY", "enabled": true, "channel": "SMS",
        "message": "{{customerName}}님, 생일을 축하드려요!", "couponId": null, "triggerDays": 0,
    })
}

fn revisit() -> Value {
    but(
        &but(&birthday(), "type", json!("REVISIT_30D")),
        "message",
        json!("{{customerName}}님, 다시 뵙고 싶어요."),
    )
}

impl Shop {
    async fn sets_up(&self, body: Value) -> Value {
        let saved = self.owner.post(AUTO, body).await;
        assert_eq!(saved.status, 200, "{}", saved.body);
        saved.data().clone()
    }

    /// The only auto campaign, as the list shows it.
    async fn auto(&self) -> Value {
        let listed = self.owner.get(AUTO).await;
        assert_eq!(listed.data().as_array().map(Vec::len), Some(1), "{}", listed.body);
        listed.data()[0].clone()
    }

    async fn was_born(&self, customer: i64, day: &str) {
        self.owner.patch(&format!("{CUSTOMERS}/{customer}"), json!({"birthday": day})).await.data();
    }

    async fn came(&self, customer: i64, day: &str) -> i64 {
        self.reserves(customer, &format!("{day}T10:00"), "COMPLETED").await
    }

    fn heard(&self, customers: usize) -> Vec<usize> {
        (0..customers).map(|customer| self.received(customer).len()).collect()
    }
}

#[tokio::test]
async fn it_is_set_up_once_for_each_type_and_changed_after_that() {
    let shop = shop().await;
    assert_eq!(shop.owner.get(AUTO).await.data(), &json!([]));
    let saved = shop.sets_up(but(&birthday(), "triggerDays", json!(-3))).await;
    assert_eq!(
        (&saved["type"], &saved["enabled"], &saved["message"]),
        (&json!("BIRTHDAY"), &json!(true), &json!("설정이 저장되었습니다."))
    );
    let auto = shop.auto().await;
    assert_eq!(auto["autoCampaignId"], saved["autoCampaignId"]);
    assert_eq!((&auto["triggerDays"], &auto["hour"]), (&json!(-3), &json!(10)));
    assert_eq!(auto["nextRunAt"], "2026-02-15T10:00:00+09:00", "ten o'clock is over today");
    // What is not said stays as it is.
    let again = shop.sets_up(json!({"type": "BIRTHDAY", "enabled": true, "hour": 18})).await;
    assert_eq!(again["autoCampaignId"], saved["autoCampaignId"]);
    let auto = shop.auto().await;
    assert_eq!(
        (&auto["triggerDays"], &auto["hour"], &auto["channel"]),
        (&json!(-3), &json!(18), &json!("SMS"))
    );
    shop.sets_up(revisit()).await;
    assert_eq!(shop.owner.get(AUTO).await.data().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn who_has_a_birthday_is_congratulated_once_a_year() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다"]).await;
    shop.was_born(ids[0], "1990-02-18").await;
    shop.was_born(ids[1], "2001-02-19").await;
    shop.sets_up(but(&birthday(), "triggerDays", json!(-3))).await;
    shop.app.time_passes_until("2026-02-15T09:59").await;
    assert_eq!(shop.heard(3), [0, 0, 0]);
    shop.app.time_passes_until("2026-02-15T10:00").await;
    assert_eq!(shop.heard(3), [1, 0, 0], "three days before");
    assert!(shop.received(0)[0].text.contains("\n가님, 생일을 축하드려요!"));
    // The birthday was wrong by three days, and is corrected.
    shop.was_born(ids[0], "1990-02-21").await;
    shop.app.time_passes_until("2026-02-25T12:00").await;
    assert_eq!(shop.heard(3), [1, 1, 0]);
    let runs =
        shop.owner.get(&format!("{CAMPAIGNS}?autoCampaignId={}", shop.auto().await["autoCampaignId"])).await;
    let runs = runs.data().as_array().expect("runs").clone();
    assert_eq!(runs.len(), 3, "nobody's day is no run: {runs:?}");
    assert_eq!(
        (&runs[2]["name"], &runs[2]["segmentId"], &runs[2]["status"], &runs[2]["templateType"]),
        (&json!("생일 2026-02-15"), &json!(null), &json!("COMPLETED"), &json!("BIRTHDAY"))
    );
    assert_eq!(
        shop.owner.get(CAMPAIGNS).await.data(),
        &json!([]),
        "what somebody wrote is a list of its own"
    );
    let auto = shop.auto().await;
    assert_eq!((&auto["runs"], &auto["stats"]["totalSent"]), (&json!(3), &json!(2)), "{auto}");
    assert_eq!(auto["excluded"], json!({"ALREADY_HEARD": 1}));
    shop.app.time_passes_until("2027-02-19T12:00").await;
    assert_eq!(shop.heard(3), [2, 2, 0], "the next year");
}

#[tokio::test]
async fn who_was_born_on_29_february_is_not_forgotten() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가"]).await;
    shop.was_born(ids[0], "2000-02-29").await;
    shop.sets_up(birthday()).await;
    shop.app.time_passes_until("2026-02-28T09:59").await;
    assert_eq!(shop.heard(1), [0]);
    shop.app.time_passes_until("2026-02-28T10:00").await;
    assert_eq!(shop.heard(1), [1]);
    shop.app.time_passes_until("2026-03-02T10:00").await;
    assert_eq!(shop.heard(1), [1]);
}

#[tokio::test]
async fn who_was_not_seen_for_thirty_days_hears_it_once_until_they_come_again() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나", "다"]).await;
    let first = shop.came(ids[0], "2026-01-20").await;
    shop.came(ids[1], "2026-01-20").await;
    shop.reserves(ids[1], "2026-03-01T10:00", "CONFIRMED").await;
    // Longer away than thirty days when it was switched on.
    shop.came(ids[2], "2026-01-10").await;
    shop.sets_up(revisit()).await;
    shop.app.time_passes_until("2026-02-19T09:59").await;
    assert_eq!(shop.heard(3), [0, 0, 0]);
    shop.app.time_passes_until("2026-02-19T10:00").await;
    assert_eq!(shop.heard(3), [1, 0, 0], "one has reserved, one is away for longer");
    // The visit was on another day, as it turns out: it is the same absence.
    shop.owner
        .patch(&format!("/api/businesses/2/reservations/{first}"), json!({"startAt": "2026-01-22T10:00"}))
        .await
        .data();
    shop.app.time_passes_until("2026-02-24T10:00").await;
    assert_eq!(shop.heard(3), [1, 0, 0]);
    shop.came(ids[0], "2026-02-24").await;
    shop.app.time_passes_until("2026-03-26T10:00").await;
    assert_eq!(shop.heard(3)[0], 2, "another visit, another absence");
}

#[tokio::test]
async fn days_that_were_missed_are_made_up_for_unless_they_are_long_over() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.was_born(ids[0], "1990-02-17").await;
    shop.was_born(ids[1], "1990-02-18").await;
    shop.sets_up(birthday()).await;
    shop.app.time_passes_until("2026-02-16T10:00").await;
    // Nothing works until the evening of the 20th.
    shop.app.it_is("2026-02-20T18:00");
    shop.sends().await;
    assert_eq!(shop.heard(2), [0, 1], "two days late is better than never, three days are too late");
    assert_eq!(shop.auto().await["nextRunAt"], "2026-02-21T10:00:00+09:00");
}

#[tokio::test]
async fn whoever_comes_by_at_night_leaves_today_to_its_hour() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.was_born(ids[0], "1990-02-15").await;
    shop.was_born(ids[1], "1990-02-16").await;
    shop.sets_up(but(&birthday(), "hour", json!(18))).await;
    // Nothing works in the evening of the 15th.
    shop.app.it_is("2026-02-16T03:00");
    shop.sends().await;
    assert_eq!(shop.auto().await["nextRunAt"], "2026-02-16T18:00:00+09:00");
    shop.app.time_passes_until("2026-02-16T17:59").await;
    assert_eq!(shop.heard(2), [1, 0]);
    shop.app.time_passes_until("2026-02-16T18:00").await;
    assert_eq!(shop.heard(2), [1, 1]);
}

#[tokio::test]
async fn of_two_runs_that_are_written_at_once_each_customer_hears_one() {
    let shop = shop().await;
    shop.has_customers(&["가", "나"]).await;
    let coupon = json!({
        "name": "생일 쿠폰", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-02-01", "validUntil": "2026-12-31",
    });
    let coupon = shop.owner.post("/api/businesses/2/coupons", coupon).await.data()["couponId"].clone();
    shop.sets_up(but(&but(&birthday(), "message", json!("{{couponCode}}")), "couponId", coupon)).await;
    // As if one had been held up overnight, and everybody's birthday been corrected since.
    shop.app
        .sql(
            "insert into crm.campaign
                 (business_id, name, auto_campaign_id, conditions, version, channel, template_type, message, coupon_id,
                  sample_code, status, recipient_count, due_at, started_at, created_at, changed_at)
             select 2, '생일', auto_campaign_id, '[]', 1, 'SMS', 'BIRTHDAY', '{{couponCode}}', coupon_id,
                    'AAAAAAAAAAA' || n, 'SENDING', 0, timestamptz '2026-02-14 12:00+09',
                    timestamptz '2026-02-14 12:00+09', now(), now()
             from crm.auto_campaign, generate_series(1, 2) n",
        )
        .await;
    // Both have found out who heard it before either has written anything down: they meet at the coupon.
    let superuser = shop.app.superuser().await;
    let mut coupons = superuser.begin().await.expect("a transaction");
    sqlx::query("select from crm.coupon for update").execute(&mut *coupons).await.expect("a lock");
    let waiting = "pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    let mut workers = Vec::new();
    for workers_so_far in 1..=2 {
        let crm = shop.app.app.crm.clone();
        workers.push(tokio::spawn(async move { while crm.write_next(8).await.expect("a page") {} }));
        while shop.app.count(waiting).await < workers_so_far {
            tokio::task::yield_now().await;
        }
    }
    coupons.commit().await.expect("the coupon is free");
    for worker in workers {
        worker.await.expect("it works");
    }
    shop.sends().await;
    let auto = shop.auto().await;
    assert_eq!((&auto["runs"], &auto["stats"]["totalSent"]), (&json!(2), &json!(2)), "{auto}");
    assert_eq!((&auto["excluded"], shop.heard(2)), (&json!({"ALREADY_HEARD": 2}), vec![1, 1]));
}

#[tokio::test]
async fn two_workers_write_one_run() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가"]).await;
    shop.was_born(ids[0], "1990-02-15").await;
    shop.sets_up(birthday()).await;
    shop.app.it_is("2026-02-15T10:00");
    let workers = (0..4).map(|_| shop.app.app.crm.sweep());
    for swept in futures::future::join_all(workers).await {
        swept.expect("it runs");
    }
    shop.sends().await;
    assert_eq!((shop.heard(1), &shop.auto().await["runs"]), (vec![1], &json!(1)));
}

#[tokio::test]
async fn switched_off_it_calls_off_what_has_not_gone_out() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    shop.was_born(ids[0], "1990-02-15").await;
    shop.was_born(ids[1], "1990-02-16").await;
    shop.sets_up(but(&birthday(), "hour", json!(20))).await;
    shop.app.it_is("2026-02-15T20:55");
    shop.sends().await;
    assert_eq!(shop.auto().await["stats"]["waiting"], 1, "it is night");
    let saved = shop.sets_up(json!({"type": "BIRTHDAY", "enabled": false})).await;
    assert_eq!((&saved["enabled"], &saved["nextRunAt"]), (&json!(false), &json!(null)));
    shop.app.time_passes_until("2026-02-17T12:00").await;
    assert_eq!(shop.heard(2), [0, 0]);
    assert_eq!(shop.auto().await["excluded"], json!({"CANCELLED": 1}));
    // Nobody hears of the days in between when it is on again.
    shop.sets_up(json!({"type": "BIRTHDAY", "enabled": true})).await;
    shop.app.time_passes_until("2026-02-18T21:00").await;
    assert_eq!(shop.heard(2), [0, 0]);
    // What was called off nobody heard: on another day it is said.
    shop.sets_up(json!({"type": "BIRTHDAY", "enabled": true, "triggerDays": 5, "hour": 10})).await;
    shop.app.time_passes_until("2026-02-21T12:00").await;
    assert_eq!(shop.heard(2), [1, 1]);
}

#[tokio::test]
async fn what_keeps_it_from_saying_anything_is_shown_and_it_can_still_be_switched_off() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가"]).await;
    shop.was_born(ids[0], "1990-02-16").await;
    let coupon = json!({
        "name": "생일 쿠폰", "discountType": "AMOUNT", "discountValue": 5_000, "minimumSpend": 0,
        "validFrom": "2026-02-01", "validUntil": "2026-02-15",
    });
    let coupon = shop.owner.post("/api/businesses/2/coupons", coupon).await.data()["couponId"].clone();
    let body = but(&but(&birthday(), "message", json!("{{couponName}} {{couponCode}}")), "couponId", coupon);
    shop.sets_up(body).await;
    shop.app.time_passes_until("2026-02-16T10:00").await;
    assert_eq!(shop.auto().await["obstacle"], "COUPON_UNAVAILABLE");
    shop.sets_up(json!({"type": "BIRTHDAY", "enabled": false})).await;
    let refused = shop.owner.post(AUTO, json!({"type": "BIRTHDAY", "enabled": true})).await;
    refused.invalid("couponId", "COUPON_UNAVAILABLE");
    // With another message it is made up for.
    shop.sets_up(
        json!({"type": "BIRTHDAY", "enabled": true, "message": "축하드려요", "couponId": null, "hour": 18}),
    )
    .await;
    shop.app.time_passes_until("2026-02-16T18:00").await;
    assert_eq!((shop.heard(1), shop.auto().await["obstacle"].clone()), (vec![1], json!(null)));
}

#[tokio::test]
async fn without_the_plan_nothing_runs_and_the_list_says_why() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가"]).await;
    shop.was_born(ids[0], "1990-03-20").await;
    shop.sets_up(birthday()).await;
    shop.owner.post("/api/subscriptions/cancel", json!({})).await.data();
    shop.app.time_passes_until("2026-03-20T10:00").await;
    let auto = shop.auto().await;
    assert_eq!((&auto["obstacle"], &auto["runs"]), (&json!("PLAN_LACKS_CRM"), &json!(0)));
    assert_eq!(auto["nextRunAt"], "2026-03-21T10:00:00+09:00");
    shop.owner.post(AUTO, birthday()).await.problem(403, "PLAN_UPGRADE_REQUIRED");
    shop.sets_up(json!({"type": "BIRTHDAY", "enabled": false})).await;
}

#[tokio::test]
async fn who_refused_or_is_heard_of_too_often_gets_none_of_it_either() {
    let shop = shop().await;
    let ids = shop.has_customers(&["가", "나"]).await;
    for id in &ids {
        shop.was_born(*id, "1990-02-15").await;
    }
    shop.agrees(ids[0], "WITHDRAWN").await;
    forgets_what_was_said(&shop.app).await;
    for _ in 0..3 {
        shop.campaign(shop.body("새봄 할인")).await;
        shop.sends().await;
    }
    shop.sets_up(birthday()).await;
    shop.app.time_passes_until("2026-02-15T10:00").await;
    assert_eq!(shop.heard(2), [0, 3]);
    assert_eq!(shop.auto().await["excluded"], json!({"REFUSED": 1, "FREQUENCY_CAP": 1}));
    assert!(shop.received(1).iter().all(|parcel| parcel.to == number(1)));
}

#[tokio::test]
async fn what_cannot_be_is_named() {
    let shop = shop().await;
    let refused = shop.owner.post(AUTO, json!({"type": "BIRTHDAY", "enabled": true})).await;
    let missing = refused.problem(422, "VALIDATION_FAILED")["errors"].as_array().expect("errors");
    assert_eq!(missing.iter().map(|error| &error["field"]).collect::<Vec<_>>(), ["channel", "message"]);
    let refuses =
        async |body: Value, field: &str, code: &str| shop.owner.post(AUTO, body).await.invalid(field, code);
    refuses(but(&birthday(), "triggerDays", json!(31)), "triggerDays", "OUT_OF_RANGE").await;
    refuses(but(&revisit(), "triggerDays", json!(30)), "triggerDays", "OUT_OF_RANGE").await;
    refuses(but(&birthday(), "hour", json!(21)), "hour", "OUT_OF_RANGE").await;
    refuses(but(&birthday(), "message", json!("{{name}}님")), "message", "UNKNOWN_VARIABLE").await;
    refuses(but(&birthday(), "message", json!("🎂")), "message", "UNSENDABLE_CHARACTER").await;
    refuses(
        but(&but(&birthday(), "message", json!("{{couponCode}}")), "couponId", json!(99)),
        "couponId",
        "UNKNOWN_COUPON",
    )
    .await;
    refuses(but(&birthday(), "channel", json!("EMAIL")), "subject", "REQUIRED").await;
    assert_eq!(shop.owner.post(AUTO, but(&birthday(), "type", json!("CHRISTMAS"))).await.status, 422);
    assert_eq!(shop.owner.post(AUTO, but(&birthday(), "triggerDays", json!(1e9))).await.status, 422);
    let staff = shop.app.member(2, Role::Staff);
    staff.post(AUTO, birthday()).await.problem(403, "PERMISSION_REQUIRED");
    shop.app.owner_of(3).get(AUTO).await.problem(404, "NOT_FOUND");
    assert_eq!(shop.owner.get(AUTO).await.data(), &json!([]));
}

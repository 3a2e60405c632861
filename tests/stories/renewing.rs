//! Renewals: when they are charged, for which days, and that they are charged once.

use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

async fn runs_billing(scheduler: &Actor) -> Answer {
    scheduler.post("/api/payments/billing/auto", json!({})).await
}

/// The days on which the provider was asked for money, in Korea.
fn charged_on(app: &TestApp) -> Vec<String> {
    app.approved().iter().map(|entry| entry.at.to_string()[..10].to_owned()).collect()
}

#[tokio::test]
async fn a_month_later_the_next_month_is_charged() {
    let app = TestApp::start().await;
    let first = app.subscribed().await;
    let moved = app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!((moved.billing.due, moved.billing.succeeded), (1, 1));
    assert_eq!(app.provider_totals(), (58_000, 0));

    let renewal = &app.payments().await[1];
    assert_eq!(renewal["reason"], "RENEWAL");
    assert_eq!(renewal["period"], json!({"from": "2026-03-01", "until": "2026-04-01"}));
    assert!(renewal["requestedAt"].as_str().is_some_and(|at| at.starts_with("2026-03-01T10:00:0")));
    let current = app.current().await;
    assert_eq!(current["nextPaymentDate"], "2026-04-01");
    assert_eq!(current["subscriptionId"], first["subscriptionId"]);
    assert_eq!(app.story().await, ["payment.succeeded", "subscription.started", "payment.succeeded"]);
}

#[tokio::test]
async fn nothing_is_charged_before_ten_in_the_morning() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.it_is("2026-03-01T09:59:30");
    assert_eq!(app.sweep().await.due, 0);
    assert_eq!(app.charges(), 1);
    assert_eq!(app.current().await["status"], "ACTIVE", "the morning is not held against the salon");
    app.it_is("2026-03-01T10:00:00");
    assert_eq!(app.sweep().await.succeeded, 1);
}

#[tokio::test]
async fn a_subscription_of_the_31st_renews_on_the_last_day_of_a_shorter_month() {
    let app = TestApp::start().await;
    app.it_is("2027-01-31T15:00");
    assert_eq!(app.subscribed().await["nextPaymentDate"], "2027-02-28");
    app.time_passes_until("2027-05-01T00:00").await;
    assert_eq!(charged_on(&app), ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]);
    assert_eq!(app.current().await["nextPaymentDate"], "2027-05-31");
}

#[tokio::test]
async fn a_year_from_a_leap_day_ends_on_the_28th_and_the_leap_day_comes_back() {
    let app = TestApp::start().await;
    app.it_is("2028-02-29T11:00");
    assert_eq!(app.subscribes("BASIC", "YEARLY").await["nextPaymentDate"], "2029-02-28");
    app.time_passes_until("2032-03-01T00:00").await;
    assert_eq!(charged_on(&app), ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]);
    assert_eq!(app.provider_totals(), (5 * 290_000, 0));
    assert_eq!(app.current().await["nextPaymentDate"], "2033-02-28");
}

#[tokio::test]
async fn a_year_in_one_move_is_twelve_charges_in_order() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let moved = app.time_passes_until("2027-02-01T10:00").await;
    assert_eq!((moved.billing.due, moved.billing.succeeded), (12, 12));
    assert_eq!(app.charges(), 13);

    let payments = app.payments().await;
    assert_eq!(payments[0]["period"]["from"], "2026-02-01");
    for (month, payment) in payments.iter().enumerate().skip(1) {
        assert_eq!(payment["period"]["from"], payments[month - 1]["period"]["until"]);
        let asked_at = payment["requestedAt"].as_str().expect("a time");
        let first_day = payment["period"]["from"].as_str().expect("a day");
        assert!(asked_at.starts_with(&format!("{first_day}T10:00:0")), "{payment}");
        assert_eq!(payment["status"], "SUCCESS");
    }
    assert_eq!(payments[12]["period"]["until"], "2027-03-01");
}

#[tokio::test]
async fn running_billing_again_charges_nothing_again() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.it_is("2026-03-01T10:00");
    let first = runs_billing(&app.scheduler()).await;
    assert_eq!(first.data(), &json!({"due": 1, "succeeded": 1, "failed": 0, "unknown": 0}));
    let again = runs_billing(&app.scheduler()).await;
    assert_eq!(again.data(), &json!({"due": 0, "succeeded": 0, "failed": 0, "unknown": 0}));
    assert_eq!(app.charges(), 2);
}

#[tokio::test]
async fn billing_that_runs_in_several_places_at_once_charges_once() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.it_is("2026-03-01T10:00");
    let scheduler = app.scheduler();
    let runs = tokio::join!(
        runs_billing(&scheduler),
        runs_billing(&scheduler),
        runs_billing(&scheduler),
        runs_billing(&scheduler),
    );
    let due =
        [runs.0, runs.1, runs.2, runs.3].iter().filter_map(|run| run.data()["due"].as_u64()).sum::<u64>();
    assert_eq!((due, app.charges()), (1, 2));
}

/// Businesses 1, 2 and 3, each with a card of its own.
async fn three_subscribe() -> TestApp {
    let app = TestApp::start().await;
    for business in 1..=3 {
        let customer = format!("user_{business}");
        let auth_key = app.sandbox.billing_auth(&customer, Card::Good.number()).expect("an auth key");
        let registration = json!({"plan": "BASIC", "customerKey": customer, "authKey": auth_key});
        app.owner_of(business).post("/api/payments/billing-key", registration).await.data();
    }
    app
}

#[tokio::test]
async fn a_run_says_what_became_of_its_charges() {
    let app = three_subscribe().await;
    app.sandbox.change_card_of_customer("user_2", Card::LimitExceeded.number()).expect("a card");
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge).containing("user_3"));
    app.it_is("2026-03-01T10:00");
    let run = runs_billing(&app.scheduler()).await;
    assert_eq!(run.data(), &json!({"due": 3, "succeeded": 1, "failed": 1, "unknown": 1}));
}

#[tokio::test]
async fn one_answer_that_cannot_be_written_down_does_not_hold_up_the_others() {
    let app = three_subscribe().await;
    let superuser = app.superuser().await;
    let refuse_business_2 = "alter table billing.payment add constraint refuse_business_2
        check (business_id <> 2 or status <> 'SUCCESS') not valid";
    sqlx::query(refuse_business_2).execute(&superuser).await.expect("a constraint");
    app.it_is("2026-03-01T10:00");
    let run = runs_billing(&app.scheduler()).await;
    assert_eq!(run.data(), &json!({"due": 3, "succeeded": 2, "failed": 0, "unknown": 1}));
    assert_eq!(app.count("billing.payment where status = 'SUCCESS' and reason = 'RENEWAL'").await, 2);

    let allow = "alter table billing.payment drop constraint refuse_business_2";
    sqlx::query(allow).execute(&superuser).await.expect("no constraint");
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(app.count("billing.payment where status = 'SUCCESS' and reason = 'RENEWAL'").await, 3);
    assert_eq!(app.charges(), 6, "three first months and three renewals");
}

#[tokio::test]
async fn a_subscription_that_cannot_be_dealt_with_does_not_hold_up_the_others() {
    let app = three_subscribe().await;
    // A provider of which only a later version knows.
    app.sql("update billing.payment_method set provider = 'NOVA' where business_id = 1").await;
    app.it_is("2026-03-01T10:00");
    let run = runs_billing(&app.scheduler()).await;
    assert_eq!(run.data(), &json!({"due": 2, "succeeded": 2, "failed": 0, "unknown": 0}));
    assert_eq!((app.charges(), app.current().await["status"].clone()), (5, json!("ACTIVE")));
    let again = runs_billing(&app.scheduler()).await;
    assert_eq!(again.data()["due"], 0, "it is left alone for an hour");

    app.sql("update billing.payment_method set provider = 'TOSS' where business_id = 1").await;
    app.it_is("2026-03-01T10:59");
    assert_eq!(app.sweep().await.due, 0);
    app.it_is("2026-03-01T11:01");
    assert_eq!(app.sweep().await.succeeded, 1);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.charges(), 6);
}

#[tokio::test]
async fn a_run_counts_a_renewal_for_which_there_is_no_card_as_failed() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.card_becomes(Card::Suspended);
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.current().await["paymentMethod"]["isUsable"], false);
    app.it_is("2026-03-04T10:00");
    let run = runs_billing(&app.scheduler()).await;
    assert_eq!(run.data(), &json!({"due": 1, "succeeded": 0, "failed": 1, "unknown": 0}));
    assert_eq!(app.sandbox.book().len(), 2, "the card was not tried again");
}

#[tokio::test]
async fn only_the_scheduler_may_run_billing() {
    let app = TestApp::start().await;
    runs_billing(&app.anonymous()).await.problem(401, "AUTHENTICATION_REQUIRED");
    runs_billing(&app.owner()).await.problem(401, "TOKEN_INVALID");
    runs_billing(&app.platform_admin()).await.problem(401, "TOKEN_INVALID");
    assert_eq!(runs_billing(&app.scheduler()).await.status, 200);
}

#[tokio::test]
async fn a_new_price_list_does_not_change_a_running_subscription() {
    let app = TestApp::start().await;
    app.subscribed().await;
    app.sql("update billing.plan_price set amount = 39000 where plan_code = 'BASIC' and cycle = 'MONTHLY'")
        .await;
    app.time_passes_until("2026-03-01T10:00").await;
    assert_eq!(app.provider_totals(), (58_000, 0));
    assert_eq!(app.current().await["amount"], 29_000);
    let plans = app.anonymous().get("/api/plans").await;
    let basic = plans.data().as_array().and_then(|plans| plans.iter().find(|plan| plan["code"] == "BASIC"));
    assert_eq!(basic.map(|plan| &plan["monthlyAmount"]), Some(&Value::from(39_000)));
}

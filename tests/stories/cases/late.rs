//! The provider shows a charge that we had given up.

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::Clock;
use serde_json::{Value, json};
use testkit::{Outcome, TestApp};
use tokio::sync::Notify;

use super::{forgets_the_decision, hears_of, takes_it_and_says_no, with_a_late_approval};

#[tokio::test]
async fn what_was_given_up_and_charged_after_all_is_one_case_however_often_it_is_heard_of() {
    let (app, case) = with_a_late_approval().await;
    for delivery in ["whtrans_2", "whtrans_3"] {
        hears_of(&app, &case["orderId"], delivery).await;
    }
    assert_eq!(app.the_case().await, case);
    // The daily reconciliation finds it as well, and it is still the same.
    app.time_passes_until("2026-03-02T06:00").await;
    assert_eq!(app.the_case().await, case);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"], "nobody decided yet");
}

#[tokio::test]
async fn adopted_it_pays_what_is_owed() {
    let (app, case) = with_a_late_approval().await;
    let told = app.story().await.len();
    app.decides(&case, "ADOPT").await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    let current = app.current().await;
    assert_eq!((&current["status"], &current["openInvoice"]), (&json!("ACTIVE"), &Value::Null));
    assert_eq!(current["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.story().await[told..], ["payment.succeeded", "subscription.recovered"]);
    assert_eq!(app.payments().await[1]["failure"], Value::Null);
    app.books_are_right().await;

    app.time_passes_until("2026-04-01T12:00").await;
    assert_eq!(app.provider_totals(), (3 * 29_000, 0), "no retry came between");
    app.books_are_right().await;
}

#[tokio::test]
async fn adopting_it_again_after_a_crash_changes_nothing() {
    let (app, case) = with_a_late_approval().await;
    app.decides(&case, "ADOPT").await.data();
    let story = app.story().await;
    forgets_the_decision(&app).await;
    app.decides(&case, "ADOPT").await.data();
    assert_eq!(app.the_case().await["status"], "RESOLVED");
    assert_eq!((app.story().await, app.provider_totals()), (story, (58_000, 0)));
    app.books_are_right().await;
}

#[tokio::test]
async fn it_is_not_adopted_when_something_else_has_paid() {
    let (app, case) = with_a_late_approval().await;
    app.time_passes_until("2026-03-04T10:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.the_case().await["possibleResolutions"], json!(["REFUND", "WRITE_OFF"]));
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    assert_eq!(app.the_case().await["status"], "OPEN");

    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    assert_eq!(app.provider_totals(), (3 * 29_000, 29_000));
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    app.books_are_right().await;
}

#[tokio::test]
async fn it_is_not_adopted_when_nothing_is_owed_any_more() {
    let (app, case) = with_a_late_approval().await;
    let cancel = json!({"subscriptionId": app.current().await["subscriptionId"]});
    app.owner().post("/api/subscriptions/cancel", cancel).await.data();
    assert_eq!(app.current().await["status"], "ENDED");
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.current().await["status"], "ENDED");
    assert_eq!(app.provider_totals(), (58_000, 29_000));
    app.books_are_right().await;
}

#[tokio::test]
async fn it_is_not_adopted_while_another_attempt_is_open() {
    let (app, case) = with_a_late_approval().await;
    app.provider.on_charge(async |_, _| Outcome::Unknown("silence".to_owned()));
    let retry = json!({"paymentId": 102});
    assert_eq!(app.owner().post("/api/payments/billing/retry", retry).await.status, 202);
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "PROCESSING"]);
}

#[tokio::test]
async fn two_who_give_it_back_at_once_give_it_back_once() {
    let (app, case) = with_a_late_approval().await;
    let (one, other) = tokio::join!(app.decides(&case, "REFUND"), app.decides(&case, "REFUND"));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", one.body, other.body);
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    assert_eq!(app.current().await["status"], "PAST_DUE", "it is still owed");
}

#[tokio::test]
async fn of_two_who_decide_differently_at_once_only_one_acts() {
    let (app, case) = with_a_late_approval().await;
    let (is_asking, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (asking, going) = (Arc::clone(&is_asking), Arc::clone(&go_on));
    app.provider.on_find(move |real, payment_key: String| {
        let (asking, going) = (Arc::clone(&asking), Arc::clone(&going));
        async move {
            asking.notify_one();
            going.notified().await;
            real.find(&payment_key).await
        }
    });
    let second = async {
        is_asking.notified().await;
        for resolution in ["ADOPT", "WRITE_OFF", "REFUND"] {
            app.decides(&case, resolution).await.problem(409, "CASE_BEING_DECIDED");
        }
        app.provider.is_itself_again();
        go_on.notify_one();
    };
    let (first, ()) = tokio::join!(app.decides(&case, "REFUND"), second);
    assert_eq!(first.data()["resolution"], "REFUND");
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    app.decides(&case, "ADOPT").await.problem(409, "CASE_RESOLVED");
    app.books_are_right().await;
}

#[tokio::test]
async fn a_case_whose_decision_died_half_way_can_be_decided_again() {
    let (app, case) = with_a_late_approval().await;
    let until = (app.clock.now() + TimeDelta::minutes(5)).to_rfc3339();
    app.sql(&format!("update billing.operator_case set claimed_until = '{until}'")).await;
    app.decides(&case, "ADOPT").await.problem(409, "CASE_BEING_DECIDED");
    app.pass(TimeDelta::minutes(5));
    app.decides(&case, "ADOPT").await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
}

#[tokio::test]
async fn given_back_again_after_a_crash_it_goes_back_once() {
    let (app, case) = with_a_late_approval().await;
    app.decides(&case, "REFUND").await.data();
    forgets_the_decision(&app).await;
    // What went back pays nothing any more.
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    app.books_are_right().await;
}

#[tokio::test]
async fn a_cancel_whose_answer_was_lost_leaves_the_case_open_and_is_made_once() {
    let (app, case) = with_a_late_approval().await;
    app.provider.on_cancel(async |real, cancel| {
        real.cancel(&cancel).await;
        Outcome::Unknown("the answer was lost".to_owned())
    });
    app.decides(&case, "REFUND").await.problem(503, "PROVIDER_UNAVAILABLE");
    assert_eq!(app.the_case().await["status"], "OPEN");
    app.provider.is_itself_again();
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
}

#[tokio::test]
async fn what_was_partly_given_back_at_the_console_is_adopted_as_it_is() {
    let (app, case) = with_a_late_approval().await;
    let payment_key = case["paymentKey"].as_str().expect("a key");
    app.cancels_at_the_console(payment_key, Some(9_000)).await;
    app.decides(&case, "ADOPT").await.data();
    let payment = &app.payments().await[1];
    assert_eq!(payment["status"], "PARTIAL_REFUNDED");
    assert_eq!(app.current().await["status"], "ACTIVE");
    app.books_are_right().await;
}

#[tokio::test]
async fn written_off_it_stays_at_the_provider_and_is_asked_for_again() {
    let (app, case) = with_a_late_approval().await;
    app.decides(&case, "WRITE_OFF").await.data();
    app.time_passes_until("2026-03-04T10:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (3 * 29_000, 0));
    assert_eq!(app.violations().await, []);
}

#[tokio::test]
async fn a_checkout_that_was_charged_unasked_can_only_go_back() {
    let app = TestApp::start().await;
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].clone();
    app.charges_at_the_console(order_id.as_str().expect("an id"), 29_000).await;
    app.time_passes_until("2026-02-02T06:00").await;
    let case = app.the_case().await;
    assert_eq!(case["kind"], "LATE_APPROVAL");
    assert_eq!(case["possibleResolutions"], json!(["REFUND", "WRITE_OFF"]), "there is no invoice to pay");
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    app.books_are_right().await;
}

#[tokio::test]
async fn a_first_charge_that_was_given_up_and_made_can_go_back() {
    let app = TestApp::start().await;
    takes_it_and_says_no(&app);
    let registration = app.registration("BASIC", testkit::Card::Good);
    app.owner().post("/api/payments/billing-key", registration).await.problem(402, "CARD_DECLINED");
    app.provider.is_itself_again();
    hears_of(&app, &json!(app.approved()[0].order_id), "whtrans_first").await;
    let case = app.the_case().await;
    // The subscription never began, so nothing is owed.
    app.decides(&case, "ADOPT").await.problem(409, "RESOLUTION_NOT_POSSIBLE");
    app.decides(&case, "REFUND").await.data();
    assert_eq!(app.provider_totals(), (29_000, 29_000));
    app.subscribed().await;
    app.books_are_right().await;
}

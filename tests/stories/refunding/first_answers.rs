//! First answers to a refund that were not the last word.

use chrono::TimeDelta;
use sandbox::{BookKind, Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Decline, DeclineClass, Outcome, TestApp};

use super::{refunds, refunds_part, subscribed};

/// The provider gives the money back, and says that it does not.
fn refuses_and_does_it(app: &TestApp) {
    app.provider.on_cancel(async |real, cancel| {
        real.cancel(&cancel).await;
        Outcome::Declined(Decline {
            class: DeclineClass::Temporary,
            code: "NOT_AVAILABLE_BANK".to_owned(),
            message: "은행 서비스 시간이 아닙니다.".to_owned(),
        })
    });
}

/// All webhooks there are arrive, as deliveries of their own.
async fn hears_of_it(app: &TestApp, delivery: &str) {
    for (number, webhook) in app.sandbox.webhooks().iter().enumerate() {
        let answer = app.webhook(&format!("{delivery}_{number}"), &webhook.body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    app.sweep().await;
}

async fn detail(app: &TestApp) -> Value {
    app.owner().get("/api/payments/101").await.data().clone()
}

#[tokio::test]
async fn a_refund_that_was_refused_and_made_all_the_same_succeeded() {
    let app = subscribed().await;
    refuses_and_does_it(&app);
    let answer = refunds_part(&app, 101, 15_000).await;
    assert_eq!(answer.problem(409, "REFUND_REFUSED")["providerCode"], "NOT_AVAILABLE_BANK");
    let payment = detail(&app).await;
    assert_eq!((&payment["refunds"][0]["status"], &payment["refundedAmount"]), (&json!("FAILED"), &json!(0)));

    hears_of_it(&app, "whtrans_first").await;
    let payment = detail(&app).await;
    assert_eq!(payment["refunds"].as_array().map(Vec::len), Some(1), "it is the same refund: {payment}");
    assert_eq!(payment["refunds"][0]["status"], "SUCCESS");
    assert_eq!(payment["status"], "PARTIAL_REFUNDED");
    assert_eq!((&payment["refundedAmount"], app.provider_totals()), (&json!(15_000), (29_000, 15_000)));

    let story = app.story().await;
    hears_of_it(&app, "whtrans_second").await;
    assert_eq!(
        (detail(&app).await, app.story().await),
        (payment, story.clone()),
        "a second look changes nothing"
    );
    assert_eq!(story[2..], ["payment.refund_failed", "payment.refunded"]);
    // What is left can still be given back, and only that.
    app.provider.is_itself_again();
    assert_eq!(refunds(&app, 101).await.data()["remainingAmount"], 0);
    assert_eq!(app.provider_totals(), (29_000, 29_000));
}

#[tokio::test]
async fn a_full_refund_that_was_refused_and_made_all_the_same_ends_the_access() {
    let app = subscribed().await;
    refuses_and_does_it(&app);
    refunds(&app, 101).await.problem(409, "REFUND_REFUSED");
    assert_eq!(app.current().await["status"], "ACTIVE");
    hears_of_it(&app, "whtrans_first").await;
    assert_eq!(detail(&app).await["status"], "REFUNDED");
    assert_eq!(app.current().await["endReason"], "REFUNDED");
    assert_eq!(app.provider_totals(), (29_000, 29_000));
}

#[tokio::test]
async fn a_refund_before_which_nobody_could_look_is_made_later() {
    let app = subscribed().await;
    // We are locked out for a moment: that says nothing about the refund.
    let locked_out = FaultKind::Decline { code: "UNAUTHORIZED_KEY".to_owned() };
    app.sandbox.add_fault(Fault::new(locked_out).on(Operation::Lookup));
    let answer = refunds_part(&app, 101, 15_000).await;
    assert_eq!((answer.status.as_u16(), &answer.data()["refundStatus"]), (202, &json!("PROCESSING")));
    assert_eq!(app.provider_totals(), (29_000, 0));
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
    assert_eq!(detail(&app).await["refunds"][0]["status"], "SUCCESS");
    let cancels = app.sandbox.book().iter().filter(|line| line.kind == BookKind::Cancel).count();
    assert_eq!((cancels, app.provider_totals()), (1, (29_000, 15_000)));
}

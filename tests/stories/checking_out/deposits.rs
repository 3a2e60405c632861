//! A payer who chooses to pay into an account (virtual account) some day soon. A plan is not sold that
//! way: the account is closed.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::{Cancel, Card, Confirm, Decline, DeclineClass, Lookup, Outcome, TestApp};

use super::{confirms, paid_in_the_window};

/// The provider gives the payer an account and waits for the money. Answers with the confirmation.
async fn takes_an_account(app: &TestApp) -> Value {
    let confirmation = paid_in_the_window(app, Card::Good).await;
    app.provider.on_confirm(async |_, _| Outcome::Unknown("the payment waits for a deposit".to_owned()));
    let account = text(&confirmation, "paymentKey");
    app.provider.on_find_by_order(move |real, order_id| {
        let account = account.clone();
        async move {
            match real.find_by_order(&order_id).await {
                Lookup::InProgress => Lookup::AwaitingDeposit(account),
                paid => paid,
            }
        }
    });
    confirmation
}

fn text(confirmation: &Value, member: &str) -> String {
    confirmation[member].as_str().expect("a text").to_owned()
}

/// Asked for a full cancel, the provider closes the account, though the answer gets lost.
fn account_can_be_closed(app: &TestApp, confirmation: &Value) {
    let account = text(confirmation, "paymentKey");
    let is_closed = Arc::new(AtomicBool::new(false));
    let (closing, to_close) = (is_closed.clone(), account.clone());
    app.provider.on_cancel(move |_, cancel: Cancel| {
        assert_eq!((&cancel.payment_key, cancel.amount.get()), (&to_close, 29_000));
        closing.store(true, Ordering::SeqCst);
        async { Outcome::Unknown("the answer got lost".to_owned()) }
    });
    app.provider.on_find_by_order(move |_, _| {
        let found = if is_closed.load(Ordering::SeqCst) {
            Lookup::Failed(too_late())
        } else {
            Lookup::AwaitingDeposit(account.clone())
        };
        async { found }
    });
}

fn too_late() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "EXPIRED_PAYMENT".to_owned(),
        message: "만료된 결제입니다.".to_owned(),
    }
}

async fn half_a_minute_passes(app: &TestApp) {
    app.pass(TimeDelta::seconds(35));
    app.sweep().await;
}

#[tokio::test]
async fn who_chose_to_pay_into_an_account_is_asked_for_a_card() {
    let app = TestApp::start().await;
    let confirmation = takes_an_account(&app).await;
    let answer = confirms(&app.owner(), &confirmation).await;
    assert_eq!((answer.status.as_u16(), &answer.data()["status"]), (202, &json!("PROCESSING")));
    // As long as the account cannot be closed nothing is decided: the money may still come.
    app.provider.on_cancel(async |_, _| Outcome::NotSent("connection refused".to_owned()));
    half_a_minute_passes(&app).await;
    assert_eq!(app.each_payments("status").await, ["PROCESSING"]);

    account_can_be_closed(&app, &confirmation);
    half_a_minute_passes(&app).await;
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    let answer = confirms(&app.owner(), &confirmation).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["providerCode"], "DEPOSIT_NOT_ACCEPTED");
    assert_eq!(app.current().await["plan"], "FREE");

    app.provider.is_itself_again();
    let by_card = paid_in_the_window(&app, Card::Good).await;
    assert_eq!(confirms(&app.owner(), &by_card).await.data()["status"], "SUCCESS");
    assert_eq!((app.provider_totals(), app.sandbox.book().len()), ((29_000, 0), 1));
}

#[tokio::test]
async fn a_deposit_that_came_just_before_the_account_was_closed_counts() {
    let app = TestApp::start().await;
    let confirmation = takes_an_account(&app).await;
    assert_eq!(confirms(&app.owner(), &confirmation).await.status, 202);
    let order_id = text(&confirmation, "orderId");
    app.provider.on_cancel(move |real, cancel: Cancel| {
        let order_id = order_id.clone();
        async move {
            let deposit = Confirm { payment_key: cancel.payment_key, order_id, amount: cancel.amount };
            real.confirm(&deposit).await;
            Outcome::Declined(too_late())
        }
    });
    half_a_minute_passes(&app).await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
    assert_eq!(app.current().await["status"], "NON_RENEWING");
    assert_eq!(app.provider_totals(), (29_000, 0));
    assert_eq!(app.story().await, ["payment.succeeded", "subscription.started"]);
}

//! Paying in the provider's window: order, pay, confirm.

mod deposits;
mod issued_keys;
mod unconfirmed;

use std::time::Duration;

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

async fn orders(actor: &Actor) -> Value {
    let order = json!({"plan": "BASIC", "billingCycle": "MONTHLY", "amount": 29_000, "currency": "KRW"});
    actor.post("/api/payments/toss/order", order).await.data().clone()
}

async fn confirms(actor: &Actor, confirmation: &Value) -> Answer {
    actor.post("/api/payments/toss/confirm", confirmation.clone()).await
}

/// The owner of business 1 orders BASIC and pays for it in the window. Answers with the confirmation.
async fn paid_in_the_window(app: &TestApp, card: Card) -> Value {
    let order_id = orders(&app.owner()).await["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 29_000, card);
    json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000})
}

/// A confirmation of an order that the client named itself.
fn own_order(app: &TestApp, plan: &str, cycle: &str, amount: i64) -> Value {
    let payment_key = app.pays_in_the_window("order-20260201-0001", amount, Card::Good);
    json!({
        "paymentKey": payment_key, "orderId": "order-20260201-0001", "amount": amount, "plan": plan,
        "billingCycle": cycle, "customerEmail": "owner@misohair.example", "customerName": "김미소",
    })
}

/// The next confirm takes a while at the provider.
fn slow_confirm(app: &TestApp) {
    let delay = FaultKind::Delay { before: Duration::from_millis(300), after: Duration::ZERO };
    app.sandbox.add_fault(Fault::new(delay).on(Operation::Confirm));
}

#[tokio::test]
async fn an_order_is_paid_in_the_window_and_confirmed() {
    let app = TestApp::start().await;
    let order = orders(&app.owner()).await;
    assert_eq!((&order["status"], &order["amount"]), (&json!("REQUESTED"), &json!(29_000)));
    assert_eq!((&order["orderName"], &order["currency"]), (&json!("단골 베이직 (월간)"), &json!("KRW")));
    let order_id = order["orderId"].as_str().expect("an order id");
    let payment_key = app.pays_in_the_window(order_id, 29_000, Card::Good);
    assert_eq!(app.charges(), 0);

    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    let answer = confirms(&app.owner(), &confirmation).await;
    let current = app.current().await;
    assert_eq!(
        answer.data(),
        &json!({
            "paymentId": order["paymentId"], "orderId": order_id, "amount": 29_000, "status": "SUCCESS",
            "subscription": {
                "id": current["subscriptionId"], "plan": "BASIC", "billingCycle": "MONTHLY",
                "nextBillingDate": null, "accessUntil": "2026-03-01", "status": "NON_RENEWING",
            },
        })
    );
    assert_eq!((&current["plan"], &current["accessUntil"]), (&json!("BASIC"), &json!("2026-03-01")));
    assert_eq!(app.provider_totals(), (29_000, 0));
    assert_eq!(app.story().await, ["payment.succeeded", "subscription.started"]);
}

#[tokio::test]
async fn an_order_for_another_amount_is_refused() {
    let app = TestApp::start().await;
    let order = json!({"plan": "BASIC", "amount": 2_900});
    let answer = app.owner().post("/api/payments/toss/order", order).await;
    let problem = answer.problem(422, "VALIDATION_FAILED");
    assert_eq!(problem["errors"][0]["code"], "AMOUNT_MISMATCH");
    assert_eq!(problem["expectedAmount"], 29_000);
    let dollars = json!({"plan": "BASIC", "amount": 29_000, "currency": "USD"});
    let answer = app.owner().post("/api/payments/toss/order", dollars).await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["field"], "currency");
    assert!(app.payments().await.is_empty());
}

#[tokio::test]
async fn a_confirmation_of_another_amount_is_refused_before_anything_is_charged() {
    let app = TestApp::start().await;
    let mut confirmation = paid_in_the_window(&app, Card::Good).await;
    confirmation["amount"] = json!(2_900);
    let answer = confirms(&app.owner(), &confirmation).await;
    let problem = answer.problem(422, "VALIDATION_FAILED");
    assert_eq!(
        (&problem["errors"][0]["code"], &problem["expectedAmount"]),
        (&json!("AMOUNT_MISMATCH"), &json!(29_000))
    );
    let answer = app.owner().post("/api/payments/confirm", own_order(&app, "BASIC", "MONTHLY", 2_900)).await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], "AMOUNT_MISMATCH");
    assert!(app.sandbox.book().is_empty());
    // The honest one still goes through.
    confirmation["amount"] = json!(29_000);
    assert_eq!(confirms(&app.owner(), &confirmation).await.data()["status"], "SUCCESS");
}

#[tokio::test]
async fn who_paid_less_in_the_window_is_not_charged() {
    let app = TestApp::start().await;
    let order_id = orders(&app.owner()).await["orderId"].as_str().expect("an order id").to_owned();
    let payment_key = app.pays_in_the_window(&order_id, 2_900, Card::Good);
    let confirmation = json!({"paymentKey": payment_key, "orderId": order_id, "amount": 29_000});
    confirms(&app.owner(), &confirmation).await.problem(402, "CARD_DECLINED");
    assert_eq!((app.charges(), &app.current().await["plan"]), (0, &json!("FREE")));
}

#[tokio::test]
async fn the_payment_of_another_order_does_not_pay_this_one() {
    let app = TestApp::start().await;
    let first = paid_in_the_window(&app, Card::Good).await;
    confirms(&app.owner(), &first).await.data();
    let order_id = orders(&app.owner_of(2)).await["orderId"].clone();
    let stolen = json!({"paymentKey": first["paymentKey"], "orderId": order_id, "amount": 29_000});
    confirms(&app.owner_of(2), &stolen).await.problem(402, "CARD_DECLINED");
    let current = app.owner_of(2).get("/api/subscriptions/current").await;
    assert_eq!((&current.data()["plan"], app.charges()), (&json!("FREE"), 1));
}

#[tokio::test]
async fn a_confirmation_sent_twice_has_one_answer_and_one_charge() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    let first = confirms(&app.owner(), &confirmation).await;
    let again = confirms(&app.owner(), &confirmation).await;
    assert_eq!((again.status, again.data()), (first.status, first.data()));
    assert_eq!(app.sandbox.book().len(), 1);
}

#[tokio::test]
async fn a_confirmation_sent_twice_at_once_has_one_answer_and_one_charge() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    slow_confirm(&app);
    let owner = app.owner();
    let confirm = || confirms(&owner, &confirmation);
    let answers = tokio::join!(confirm(), confirm(), confirm());
    assert_eq!(answers.0.data()["status"], "SUCCESS");
    assert_eq!(answers.1.data(), answers.0.data());
    assert_eq!(answers.2.data(), answers.0.data());
    assert_eq!(app.sandbox.book().len(), 1);
}

#[tokio::test]
async fn a_client_may_name_the_order_itself() {
    let app = TestApp::start().await;
    let confirmation = own_order(&app, "pro", "YEARLY", 590_000);
    let answer = app.owner().post("/api/payments/confirm", confirmation).await;
    assert_eq!((&answer.data()["success"], &answer.data()["paymentId"]), (&json!(true), &json!(101)));
    let subscription = &answer.data()["subscription"];
    assert_eq!((&subscription["plan"], &subscription["billingCycle"]), (&json!("PRO"), &json!("YEARLY")));
    assert_eq!(subscription["accessUntil"], "2027-02-01");
    assert_eq!(app.payments().await[0]["orderId"], "order-20260201-0001");
    assert_eq!(app.provider_totals(), (590_000, 0));
}

#[tokio::test]
async fn an_own_order_confirmed_twice_at_once_has_one_answer_and_one_charge() {
    let app = TestApp::start().await;
    let confirmation = own_order(&app, "BASIC", "MONTHLY", 29_000);
    slow_confirm(&app);
    let owner = app.owner();
    // With connections at hand nothing keeps the three from looking for the order at the same moment.
    tokio::join!(app.current(), app.current(), app.current(), app.current());
    let confirm = || owner.post("/api/payments/confirm", confirmation.clone());
    let answers = tokio::join!(confirm(), confirm(), confirm());
    assert_eq!(answers.0.data()["success"], true);
    assert_eq!(answers.1.data(), answers.0.data());
    assert_eq!(answers.2.data(), answers.0.data());
    assert_eq!(app.sandbox.book().len(), 1);
}

#[tokio::test]
async fn an_order_confirmed_as_something_else_is_refused() {
    let app = TestApp::start().await;
    let mut confirmation = paid_in_the_window(&app, Card::Good).await;
    confirmation["plan"] = json!("PRO");
    let answer = app.owner().post("/api/payments/confirm", confirmation.clone()).await;
    answer.problem(409, "ORDER_MISMATCH");
    confirmation["plan"] = json!("BASIC");
    confirmation["billingCycle"] = json!("YEARLY");
    app.owner().post("/api/payments/confirm", confirmation).await.problem(409, "ORDER_MISMATCH");
    assert!(app.sandbox.book().is_empty());
}

#[tokio::test]
async fn the_order_of_another_business_does_not_exist() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    confirms(&app.owner_of(2), &confirmation).await.problem(404, "NOT_FOUND");
    let unknown = json!({"paymentKey": "tgen_1", "orderId": "dg_unknown", "amount": 29_000});
    confirms(&app.owner(), &unknown).await.problem(404, "NOT_FOUND");
    assert!(app.sandbox.book().is_empty());
}

#[tokio::test]
async fn what_was_paid_once_ends_with_its_period() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    confirms(&app.owner(), &confirmation).await.data();
    app.time_passes_until("2026-02-28T23:59").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("NON_RENEWING"), &json!("BASIC")));
    app.time_passes_until("2026-03-01T00:00").await;
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("ENDED"), &json!("FREE")));
    assert_eq!(current["endReason"], "EXPIRED");
    assert_eq!(app.sandbox.book().len(), 1);
    assert_eq!(app.story().await.last().map(String::as_str), Some("subscription.ended"));
}

#[tokio::test]
async fn an_order_that_nobody_confirms_expires() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    app.time_passes_until("2026-02-01T09:31").await;
    assert_eq!(app.each_payments("status").await, ["EXPIRED"]);
    confirms(&app.owner(), &confirmation).await.problem(409, "CHECKOUT_OVER");
    assert!(app.sandbox.book().is_empty());
    assert!(app.story().await.is_empty());
}

#[tokio::test]
async fn a_confirmation_after_the_providers_ten_minutes_is_refused_and_charges_nothing() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    app.pass(TimeDelta::minutes(11));
    let answer = confirms(&app.owner(), &confirmation).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["declineClass"], "TEMPORARY");
    assert_eq!((app.charges(), &app.current().await["plan"]), (0, &json!("FREE")));
}

#[tokio::test]
async fn a_declined_confirm_says_why_and_the_salon_may_order_again() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::InsufficientFunds).await;
    let answer = confirms(&app.owner(), &confirmation).await;
    let problem = answer.problem(402, "CARD_DECLINED");
    assert_eq!((&problem["declineClass"], &problem["paymentId"]), (&json!("RETRY_LATER"), &json!(101)));
    confirms(&app.owner(), &confirmation).await.problem(402, "CARD_DECLINED");
    assert_eq!(app.current().await["plan"], "FREE");
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    assert_eq!(confirms(&app.owner(), &confirmation).await.data()["status"], "SUCCESS");
    assert_eq!(app.each_payments("status").await, ["FAILED", "SUCCESS"]);
}

#[tokio::test]
async fn a_lost_confirmation_is_processing_and_then_settled_with_one_charge() {
    for fault in [FaultKind::DropResponse, FaultKind::Refuse] {
        let app = TestApp::start().await;
        let confirmation = paid_in_the_window(&app, Card::Good).await;
        app.sandbox.add_fault(Fault::new(fault).on(Operation::Confirm));
        let answer = confirms(&app.owner(), &confirmation).await;
        assert_eq!((answer.status.as_u16(), &answer.data()["status"]), (202, &json!("PROCESSING")));
        assert_eq!(answer.data()["subscription"]["status"], "PENDING");
        app.time_passes_until("2026-02-01T12:00").await;
        assert_eq!(app.current().await["plan"], "BASIC");
        assert_eq!(confirms(&app.owner(), &confirmation).await.data()["status"], "SUCCESS");
        assert_eq!(app.provider_totals(), (29_000, 0));
    }
}

#[tokio::test]
async fn a_confirmation_that_could_not_be_sent_is_sent_seconds_later() {
    let app = TestApp::start().await;
    let confirmation = paid_in_the_window(&app, Card::Good).await;
    let answer = confirms(&app.cut_off(&app.owner()), &confirmation).await;
    assert_eq!((answer.status.as_u16(), &answer.data()["status"]), (202, &json!("PROCESSING")));
    assert_eq!(app.charges(), 0);
    app.pass(TimeDelta::seconds(15));
    app.sweep().await;
    assert_eq!(confirms(&app.owner(), &confirmation).await.data()["status"], "SUCCESS");
    assert_eq!(app.current().await["plan"], "BASIC");
    assert_eq!((app.provider_totals(), app.sandbox.book().len()), ((29_000, 0), 1));
}

#[tokio::test]
async fn of_two_orders_only_one_is_charged() {
    let app = TestApp::start().await;
    let first = paid_in_the_window(&app, Card::Good).await;
    let second = paid_in_the_window(&app, Card::Good).await;
    confirms(&app.owner(), &second).await.data();
    confirms(&app.owner(), &first).await.problem(409, "ALREADY_SUBSCRIBED");
    let order = json!({"plan": "BASIC"});
    app.owner().post("/api/payments/toss/order", order).await.problem(409, "ALREADY_SUBSCRIBED");
    assert_eq!(app.sandbox.book().len(), 1);
}

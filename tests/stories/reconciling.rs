//! What an answer that got lost, or was never given, leads to.

use kernel::Krw;
use sandbox::{BookStatus, Fault, FaultKind, Moment, Operation, TossSwitches};
use serde_json::json;
use testkit::{Card, Charge, TestApp};

async fn subscribed() -> TestApp {
    let app = TestApp::start().await;
    app.subscribed().await;
    app
}

fn refuse(app: &TestApp, operation: Operation) {
    app.sandbox.add_fault(Fault::new(FaultKind::Refuse).on(operation).until_cleared());
}

#[tokio::test]
async fn a_charge_that_never_arrived_is_sent_again_as_the_same_charge() {
    let app = subscribed().await;
    refuse(&app, Operation::Charge);
    refuse(&app, Operation::Lookup);
    app.time_passes_until("2026-03-01T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);
    let current = app.current().await;
    assert_eq!(
        (&current["status"], &current["openInvoice"]["paymentInProgress"]),
        (&json!("ACTIVE"), &json!(true))
    );
    assert_eq!(app.sandbox.book().len(), 1);

    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-01T20:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    let charge = &app.approved()[1];
    let order_id = app.payments().await[1]["orderId"].clone();
    assert_eq!(order_id, charge.order_id);
    assert_eq!(order_id, json!(charge.idempotency_key));
    assert_eq!(app.sandbox.book().len(), 2);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01", "late, and on the same days");
}

#[tokio::test]
async fn what_nobody_can_be_asked_about_is_not_given_up() {
    let app = subscribed().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    refuse(&app, Operation::Lookup);
    app.time_passes_until("2026-03-06T00:00").await;
    assert_eq!(
        app.each_payments("status").await,
        ["SUCCESS", "PROCESSING"],
        "five days, and no other attempt"
    );
    assert_eq!(app.sandbox.book().len(), 2);
    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-06T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (58_000, 0));
}

#[tokio::test]
async fn a_server_error_kept_under_the_key_is_given_up_after_a_day_and_charged_anew() {
    let app = subscribed().await;
    app.sandbox.set_toss_switches(TossSwitches { store_server_errors: true, ..TossSwitches::default() });
    app.sandbox.add_fault(Fault::new(FaultKind::Error500(Moment::BeforeProcessing)).on(Operation::Charge));
    app.time_passes_until("2026-03-02T09:59").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"], "not within a day");
    assert_eq!(app.current().await["status"], "ACTIVE");

    app.time_passes_until("2026-03-05T00:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    let payments = app.payments().await;
    assert_eq!(payments[1]["failure"]["providerCode"], "NEVER_ARRIVED");
    assert_ne!(payments[1]["orderId"], payments[2]["orderId"]);
    let asked: Vec<_> = app.sandbox.book().iter().map(|line| line.status).collect();
    assert_eq!(asked, [BookStatus::Approved; 2]);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.story().await[2..], ["payment.succeeded"], "the salon hears nothing of it");
}

#[tokio::test]
async fn a_server_error_after_the_charge_is_no_reason_to_charge_again() {
    for keeps_errors in [false, true] {
        let app = subscribed().await;
        app.sandbox
            .set_toss_switches(TossSwitches { store_server_errors: keeps_errors, ..TossSwitches::default() });
        app.sandbox.add_fault(Fault::new(FaultKind::Error500(Moment::AfterProcessing)).on(Operation::Charge));
        app.time_passes_until("2026-03-01T10:05").await;
        assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
        assert_eq!(app.sandbox.book().len(), 2);
    }
}

#[tokio::test]
async fn a_renewal_that_was_cancelled_meanwhile_is_not_sent_again() {
    let app = subscribed().await;
    refuse(&app, Operation::Charge);
    app.it_is("2026-03-01T10:00");
    assert_eq!(app.sweep().await.unknown, 1);
    let cancel = json!({"subscriptionId": app.current().await["subscriptionId"]});
    app.owner().post("/api/subscriptions/cancel", cancel).await.data();
    app.sandbox.clear_faults();
    app.time_passes_until("2026-03-03T00:00").await;
    assert_eq!(app.sandbox.book().len(), 1);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    let current = app.current().await;
    assert_eq!((&current["status"], &current["endReason"]), (&json!("ENDED"), &json!("CANCELED")));
}

#[tokio::test]
async fn a_declined_charge_whose_answer_got_lost_is_declined_once() {
    let app = subscribed().await;
    app.card_becomes(Card::InsufficientFunds);
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    assert_eq!(app.current().await["status"], "PAST_DUE");
    assert_eq!(app.sandbox.book().len(), 2, "sent again, it got the same answer");
    assert_eq!(app.story().await[2..], ["payment.failed", "subscription.past_due"]);
}

#[tokio::test]
async fn sweeps_at_once_settle_an_open_charge_once() {
    let app = subscribed().await;
    refuse(&app, Operation::Charge);
    app.it_is("2026-03-01T10:00");
    app.sweep().await;
    app.sandbox.clear_faults();
    app.it_is("2026-03-01T10:01");
    tokio::join!(app.sweep(), app.sweep(), app.sweep());
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(app.sandbox.book().len(), 2);
    assert_eq!(app.story().await[2..], ["payment.succeeded"]);
}

#[tokio::test]
async fn another_amount_than_was_asked_for_is_left_to_people() {
    let app = TestApp::start().await;
    let order = app.owner().post("/api/payments/toss/order", json!({"plan": "BASIC"})).await;
    let order_id = order.data()["orderId"].as_str().expect("an order id").to_owned();
    let honest = app.pays_in_the_window(&order_id, 29_000, Card::Good);
    let cheap = app.pays_in_the_window(&order_id, 2_900, Card::Good);
    // Somebody with the shop's key confirmed the cheap one behind our back.
    let confirmed = reqwest::Client::new()
        .post(format!("{}/v1/payments/confirm", app.sandbox.toss_base_url()))
        .basic_auth("test_sk_console", Some(""))
        .json(&json!({"paymentKey": cheap, "orderId": order_id, "amount": 2_900}))
        .send()
        .await;
    assert_eq!(confirmed.expect("the provider answers").status(), 200);

    let confirmation = json!({"paymentKey": honest, "orderId": order_id, "amount": 29_000});
    let answer = app.owner().post("/api/payments/toss/confirm", confirmation).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.time_passes_until("2026-02-05T00:00").await;
    assert_eq!(app.each_payments("status").await, ["PROCESSING"], "neither paid nor failed");
    let current = app.current().await;
    assert_eq!((&current["status"], &current["plan"]), (&json!("PENDING"), &json!("FREE")));
    assert_eq!(app.sandbox.book().len(), 1);
}

/// The provider takes a tenth of what it is asked for.
fn charges_too_little(app: &TestApp) {
    app.provider.on_charge(async |real, charge: Charge| {
        real.charge(&Charge { amount: Krw::won(charge.amount.get() / 10), ..charge }).await
    });
}

#[tokio::test]
async fn a_renewal_charged_with_another_amount_is_made_anew_once_that_was_given_back() {
    let app = subscribed().await;
    charges_too_little(&app);
    app.time_passes_until("2026-03-02T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);
    let current = app.current().await;
    assert_eq!(
        (&current["status"], &current["openInvoice"]["paymentInProgress"]),
        (&json!("ACTIVE"), &json!(true))
    );
    assert_eq!(app.story().await[2..], [] as [&str; 0], "nobody is told that it was paid");
    app.provider.is_itself_again();

    // A part given back changes nothing.
    let wrong = app.approved()[1].payment_key.clone();
    app.cancels_at_the_console(&wrong, Some(900)).await;
    app.time_passes_until("2026-03-03T00:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);

    app.cancels_at_the_console(&wrong, None).await;
    app.time_passes_until("2026-03-03T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.payments().await[1]["failure"]["providerCode"], "AMOUNT_MISMATCH");
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.provider_totals(), (2 * 29_000 + 2_900, 2_900));
    assert_eq!(app.story().await[2..], ["payment.succeeded"]);
}

#[tokio::test]
async fn a_registration_charged_with_another_amount_is_over_once_that_was_given_back() {
    let app = TestApp::start().await;
    charges_too_little(&app);
    let registers = async || {
        let registration = app.registration("BASIC", Card::Good);
        app.owner().post("/api/payments/billing-key", registration).await
    };
    assert_eq!(registers().await.data()["status"], "PROCESSING");
    app.time_passes_until("2026-02-02T12:00").await;
    assert_eq!((app.current().await["plan"].clone(), app.story().await.len()), (json!("FREE"), 0));
    registers().await.problem(409, "ALREADY_SUBSCRIBED");
    app.provider.is_itself_again();

    app.cancels_at_the_console(&app.approved()[0].payment_key, None).await;
    app.time_passes_until("2026-02-03T00:00").await;
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    assert_eq!(app.payments().await[0]["failure"]["providerCode"], "AMOUNT_MISMATCH");
    assert_eq!(registers().await.data()["status"], "ACTIVE");
    assert_eq!(app.provider_totals(), (2_900 + 29_000, 2_900));
    assert_eq!(app.deleted_keys(), 1);
}

//! Registering a card and starting a subscription.

mod card_numbers;
mod lost_keys;

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Moment, Operation};
use serde_json::{Value, json};
use testkit::{Answer, Card, TestApp};

async fn registers(app: &TestApp, registration: Value) -> Answer {
    app.owner().post("/api/payments/billing-key", registration).await
}

/// The registration of a good card, with some members changed.
fn registration_with(app: &TestApp, changes: &Value) -> Value {
    let mut registration = app.registration("BASIC", Card::Good);
    for (member, value) in changes.as_object().expect("members") {
        registration[member] = value.clone();
    }
    registration
}

#[tokio::test]
async fn a_salon_registers_a_card_is_charged_and_subscribed() {
    let app = TestApp::start().await;
    let started = app.subscribed().await;
    assert_eq!(started["cardCompany"], "삼성카드");
    assert_eq!(started["plan"], "BASIC");
    assert_eq!(started["monthlyAmount"], 29_000);
    // It is the first of February in Korea, though still January in UTC.
    assert_eq!(started["nextPaymentDate"], "2026-03-01");
    assert_eq!(started["message"], "정기결제가 등록되었습니다.");
    assert_eq!(started["paymentId"], 101);
    assert_eq!(app.provider_totals(), (29_000, 0));

    let current = app.current().await;
    assert_eq!(current["status"], "ACTIVE");
    assert_eq!(current["paymentMethod"]["billingKey"], started["billingKey"]);
    assert_eq!(app.story().await, ["payment.succeeded", "subscription.started"]);
}

#[tokio::test]
async fn a_year_is_paid_at_once_and_lasts_a_year() {
    let app = TestApp::start().await;
    let started = app.subscribes("PRO", "YEARLY").await;
    assert_eq!((&started["amount"], &started["monthlyAmount"]), (&json!(590_000), &json!(59_000)));
    assert_eq!(started["nextPaymentDate"], "2027-02-01");
    assert_eq!(app.provider_totals(), (590_000, 0));
    let current = app.current().await;
    assert_eq!(current["billingCycle"], "YEARLY");
    assert_eq!(current["currentPeriod"], json!({"from": "2026-02-01", "until": "2027-02-01"}));
}

#[tokio::test]
async fn a_plan_is_named_in_whatever_case() {
    let app = TestApp::start().await;
    let answer = registers(&app, registration_with(&app, &json!({"plan": "bAsic"}))).await;
    assert_eq!(answer.data()["plan"], "BASIC");
}

#[tokio::test]
async fn who_names_no_cycle_pays_monthly() {
    let app = TestApp::start().await;
    let registration = app.registration("BASIC", Card::Good);
    assert!(registration.get("billingCycle").is_none());
    assert_eq!(registers(&app, registration).await.data()["billingCycle"], "MONTHLY");
}

#[tokio::test]
async fn what_is_not_for_sale_is_refused_and_named() {
    let app = TestApp::start().await;
    for (changes, field, code) in [
        (json!({"plan": "FREE"}), "plan", "NOT_FOR_SALE"),
        (json!({"plan": "GOLD"}), "plan", "UNKNOWN_PLAN"),
        (json!({"plan": "PERSONAL", "billingCycle": "QUARTERLY"}), "billingCycle", "INVALID"),
        (json!({"customerKey": "한글"}), "customerKey", "INVALID_CUSTOMER_KEY"),
        (json!({"provider": "PAYPAL"}), "provider", "UNKNOWN_PROVIDER"),
    ] {
        let answer = registers(&app, registration_with(&app, &changes)).await;
        let problem = answer.problem(422, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert_eq!(problem["errors"][0]["code"], code, "{problem}");
    }
    assert_eq!(app.charges(), 0);
}

#[tokio::test]
async fn a_plan_that_is_not_sold_in_a_cycle_names_the_cycle() {
    let app = TestApp::start().await;
    app.sql("delete from billing.plan_price where plan_code = 'PERSONAL' and cycle = 'YEARLY'").await;
    let changes = json!({"plan": "PERSONAL", "billingCycle": "YEARLY"});
    let answer = registers(&app, registration_with(&app, &changes)).await;
    assert_eq!(answer.problem(422, "VALIDATION_FAILED")["errors"][0]["field"], "billingCycle");
    assert_eq!(answer.body["errors"][0]["code"], "NOT_FOR_SALE");
}

#[tokio::test]
async fn the_sdks_answer_may_come_under_its_own_name() {
    let app = TestApp::start().await;
    let registration = json!({"plan": "BASIC", "authKey": app.auth_key(Card::Good), "customerKey": "user_1"});
    assert_eq!(registers(&app, registration).await.data()["status"], "ACTIVE");
}

#[tokio::test]
async fn the_sdks_answer_comes_exactly_once() {
    let app = TestApp::start().await;
    let nothing = json!({"plan": "BASIC", "customerKey": "user_1"});
    let both = registration_with(&app, &json!({"authKey": app.auth_key(Card::Good)}));
    for registration in [nothing, both] {
        let answer = registers(&app, registration).await;
        let problem = answer.problem(422, "VALIDATION_FAILED");
        assert_eq!(problem["errors"][0]["field"], "authKey", "{problem}");
    }
}

#[tokio::test]
async fn a_declined_card_is_told_why() {
    let app = TestApp::start().await;
    for (code, class) in [
        ("REJECT_CARD_PAYMENT", "RETRY_LATER"),
        ("EXCEED_MAX_DAILY_PAYMENT_COUNT", "RETRY_LATER"),
        ("INVALID_STOPPED_CARD", "NEW_CARD"),
        ("FDS_ERROR", "FRAUD"),
        ("NOT_AVAILABLE_BANK", "TEMPORARY"),
    ] {
        let decline = FaultKind::Decline { code: code.to_owned() };
        app.sandbox.add_fault(Fault::new(decline).on(Operation::Charge));
        let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
        let problem = answer.problem(402, "CARD_DECLINED");
        assert_eq!((&problem["providerCode"], &problem["declineClass"]), (&json!(code), &json!(class)));
        assert!(problem["detail"].as_str().is_some_and(|text| text.ends_with('.')), "{problem}");
        assert!(problem["paymentId"].is_number(), "{problem}");
    }
    assert_eq!(app.charges(), 0);
}

#[tokio::test]
async fn a_refusal_that_is_our_own_fault_is_not_blamed_on_the_card() {
    let app = TestApp::start().await;
    let decline = FaultKind::Decline { code: "UNAUTHORIZED_KEY".to_owned() };
    app.sandbox.add_fault(Fault::new(decline).on(Operation::Charge));
    let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
    let problem = answer.problem(503, "PAYMENT_SET_UP_WRONGLY");
    assert_eq!(
        (&problem["providerCode"], &problem["declineClass"]),
        (&json!("UNAUTHORIZED_KEY"), &json!("OUR_BUG"))
    );
    assert_eq!((app.charges(), &app.current().await["plan"]), (0, &json!("FREE")));
}

#[tokio::test]
async fn a_registration_that_the_provider_refuses_is_a_decline() {
    let app = TestApp::start().await;
    let invented = registration_with(&app, &json!({"cardNumber": "bln_invented"}));
    let answer = registers(&app, invented).await;
    assert_eq!(answer.problem(402, "CARD_DECLINED")["declineClass"], "NEW_CARD");
    assert_eq!(answer.body.get("paymentId"), None, "nothing was charged");
    assert!(app.payments().await.is_empty());
}

#[tokio::test]
async fn a_declined_registration_leaves_nothing_behind() {
    let app = TestApp::start().await;
    for card in [Card::InsufficientFunds, Card::LimitExceeded, Card::Suspended] {
        registers(&app, app.registration("BASIC", card)).await.problem(402, "CARD_DECLINED");
    }
    let current = app.current().await;
    assert_eq!((&current["plan"], &current["paymentMethod"]), (&json!("FREE"), &Value::Null));
    assert_eq!(current["openInvoice"], Value::Null);
    assert_eq!(app.deleted_keys(), 3);
    assert_eq!(app.count("billing.payment_method where status <> 'RELEASED'").await, 0);
    assert_eq!(app.count("billing.invoice where status = 'OPEN'").await, 0);
    assert_eq!(app.charges(), 0);
}

#[tokio::test]
async fn after_a_decline_the_salon_subscribes_with_another_card() {
    let app = TestApp::start().await;
    let declined = registers(&app, app.registration("BASIC", Card::InsufficientFunds)).await;
    declined.problem(402, "CARD_DECLINED");
    app.subscribed().await;
    assert_eq!(app.current().await["status"], "ACTIVE");
    assert_eq!(
        app.story().await,
        ["payment.failed", "payment.succeeded", "subscription.started"],
        "a subscription that never began does not end either"
    );
}

#[tokio::test]
async fn a_lost_answer_is_processing_and_then_settled_with_one_charge() {
    for lost in [FaultKind::DropResponse, FaultKind::Error500(Moment::AfterProcessing), FaultKind::Truncated]
    {
        let app = TestApp::start().await;
        app.sandbox.add_fault(Fault::new(lost.clone()).on(Operation::Charge));
        let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
        assert_eq!(answer.status, 202, "{lost:?} {}", answer.body);
        assert_eq!(answer.data()["status"], "PROCESSING");
        assert_eq!(answer.data()["message"], "결제 결과를 확인하고 있습니다.");
        let current = app.current().await;
        assert_eq!((&current["status"], &current["plan"]), (&json!("PENDING"), &json!("FREE")));
        // Meanwhile nothing else may begin.
        registers(&app, app.registration("BASIC", Card::Good)).await.problem(409, "ALREADY_SUBSCRIBED");

        app.pass(TimeDelta::seconds(15));
        app.sweep().await;
        assert_eq!(app.current().await["status"], "ACTIVE", "{lost:?}");
        assert_eq!(app.each_payments("status").await, ["SUCCESS"]);
        assert_eq!(app.provider_totals(), (29_000, 0));
        assert_eq!(app.story().await, ["payment.succeeded", "subscription.started"]);
    }
}

#[tokio::test]
async fn a_lost_answer_that_was_a_decline_leaves_nothing_behind() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Charge));
    let answer = registers(&app, app.registration("BASIC", Card::InsufficientFunds)).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    app.pass(TimeDelta::seconds(15));
    app.sweep().await;
    assert_eq!(app.current().await["plan"], "FREE");
    assert_eq!(app.each_payments("status").await, ["FAILED"]);
    assert_eq!((app.charges(), app.deleted_keys()), (0, 1));
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_charges_nothing() {
    let app = TestApp::start().await;
    let owner = app.cut_off(&app.owner());
    let answer = owner.post("/api/payments/billing-key", app.registration("BASIC", Card::Good)).await;
    answer.problem(503, "PROVIDER_UNAVAILABLE");
    assert!(app.sandbox.book().is_empty());
    assert_eq!(app.current().await["subscriptionId"], Value::Null);
    // And it can be made up for as soon as the provider is back.
    app.subscribed().await;
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn who_is_subscribed_does_not_subscribe_again() {
    let app = TestApp::start().await;
    app.subscribed().await;
    registers(&app, app.registration("PRO", Card::Good)).await.problem(409, "ALREADY_SUBSCRIBED");
    assert_eq!((app.charges(), app.deleted_keys()), (1, 0));
}

#[tokio::test]
async fn two_registrations_at_once_are_one_subscription_and_one_charge() {
    let app = TestApp::start().await;
    // Both have passed the first look before either has its key.
    app.sandbox.set_faults([Fault::new(FaultKind::Delay {
        before: std::time::Duration::from_millis(300),
        after: std::time::Duration::ZERO,
    })
    .on(Operation::Issue)
    .times(2)]);
    let (one, other) = tokio::join!(
        registers(&app, app.registration("BASIC", Card::Good)),
        registers(&app, app.registration("BASIC", Card::Good)),
    );
    let (won, lost) = if one.status == 200 { (one, other) } else { (other, one) };
    assert_eq!(won.data()["status"], "ACTIVE");
    lost.problem(409, "ALREADY_SUBSCRIBED");
    assert_eq!((app.charges(), app.deleted_keys()), (1, 1));
    assert_eq!(app.current().await["paymentMethod"]["billingKey"], won.data()["billingKey"]);
}

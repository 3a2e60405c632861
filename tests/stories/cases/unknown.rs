//! A charge was asked for, and nothing can tell whether it happened.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::{Capabilities, Charge, Lookup, Outcome, TestApp};

use super::subscribed;

/// Whether the charge whose answer is lost was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum It {
    Happened,
    DidNotHappen,
}

/// From now on charges get no answer, and the provider has nothing to say about orders, nor a list.
fn nobody_can_tell(app: &TestApp, it: It) {
    app.provider.declares(|as_it_is| Capabilities { lists_transactions: false, ..as_it_is });
    app.provider.on_charge(move |real, charge: Charge| async move {
        if it == It::Happened {
            real.charge(&charge).await;
        }
        Outcome::Unknown("the answer was lost".to_owned())
    });
    app.provider.on_find_by_order(async |_, _| Lookup::Unknown("out of order".to_owned()));
}

/// The renewal of 1 March is unknown for a day; its case.
async fn with_an_unknown_charge(it: It) -> (TestApp, Value) {
    let app = subscribed().await;
    nobody_can_tell(&app, it);
    app.time_passes_until("2026-03-02T09:59").await;
    assert_eq!(app.cases().await, [] as [Value; 0], "not within a day");
    app.time_passes_until("2026-03-03T00:00").await;
    let case = app.the_case().await;
    (app, case)
}

fn their_key(app: &TestApp) -> String {
    app.approved()[1].payment_key.clone()
}

#[tokio::test]
async fn an_attempt_that_is_unknown_for_a_day_is_a_case() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("CHARGE_UNKNOWN"), &json!(102)));
    assert_eq!(case["paymentKey"], Value::Null);
    assert_eq!(case["possibleResolutions"], json!(["ADOPT", "REFUND", "WRITE_OFF"]));
    app.time_passes_until("2026-03-08T00:00").await;
    assert_eq!(app.the_case().await, case);
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);
    assert_eq!(app.provider_totals(), (58_000, 0), "and it is not sent again");
}

#[tokio::test]
async fn adopted_by_the_payment_that_the_operator_saw_it_is_paid() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    app.decides_naming(&case, "ADOPT", &their_key(&app)).await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    assert_eq!(app.current().await["nextPaymentDate"], "2026-04-01");
    assert_eq!(app.the_case().await["status"], "RESOLVED");
    app.books_are_right().await;
}

#[tokio::test]
async fn it_is_not_adopted_by_any_other_payment() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    let asked = app.decides(&case, "ADOPT").await;
    assert_eq!(asked.problem(422, "VALIDATION_FAILED")["errors"][0]["code"], "REQUIRED");
    let first_payments = app.approved()[0].payment_key.clone();
    let long = "x".repeat(201);
    for (payment_key, code) in [
        (first_payments.as_str(), "NOT_THIS_PAYMENT"),
        ("tgen_nobodys", "NOT_THIS_PAYMENT"),
        ("../orders", "NOT_THIS_PAYMENT"),
        ("", "INVALID_LENGTH"),
        (&long, "INVALID_LENGTH"),
    ] {
        for resolution in ["ADOPT", "REFUND"] {
            let answer = app.decides_naming(&case, resolution, payment_key).await;
            let error = &answer.problem(422, "VALIDATION_FAILED")["errors"][0];
            assert_eq!(
                (&error["field"], &error["code"]),
                (&json!("paymentKey"), &json!(code)),
                "{payment_key}"
            );
        }
    }
    assert_eq!(app.the_case().await["status"], "OPEN");
    assert_eq!(app.provider_totals(), (58_000, 0));
}

#[tokio::test]
async fn given_back_it_failed_and_the_renewal_is_made_anew() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    app.decides_naming(&case, "REFUND", &their_key(&app)).await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED"]);
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    app.provider.is_itself_again();
    app.time_passes_until("2026-03-03T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (3 * 29_000, 29_000));
    app.books_are_right().await;
}

#[tokio::test]
async fn written_off_it_did_not_happen_and_the_renewal_is_made_anew() {
    let (app, case) = with_an_unknown_charge(It::DidNotHappen).await;
    app.decides(&case, "WRITE_OFF").await.data();
    assert_eq!(app.payments().await[1]["failure"]["providerCode"], "WRITTEN_OFF");
    app.provider.is_itself_again();
    app.time_passes_until("2026-03-03T12:00").await;
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "FAILED", "SUCCESS"]);
    assert_eq!(app.provider_totals(), (58_000, 0));
    app.books_are_right().await;
}

#[tokio::test]
async fn written_off_by_mistake_it_is_found_as_a_late_approval() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    app.decides(&case, "WRITE_OFF").await.data();
    app.provider.is_itself_again();
    let list = app.compares("2026-03-01").await;
    assert_eq!(list.data()["status"], "MATCHED", "what was decided explains the order");
    super::hears_of(&app, &case["orderId"], "whtrans_late").await;
    assert_eq!(app.each_cases("kind").await, ["CHARGE_UNKNOWN", "LATE_APPROVAL"]);
}

#[tokio::test]
async fn a_provider_that_does_not_answer_leaves_the_case_open() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    app.provider.on_find(async |_, _| Lookup::Unknown("out of order".to_owned()));
    for resolution in ["ADOPT", "REFUND"] {
        let answer = app.decides_naming(&case, resolution, &their_key(&app)).await;
        answer.problem(503, "PROVIDER_UNAVAILABLE");
    }
    assert_eq!(app.the_case().await["status"], "OPEN");
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "PROCESSING"]);
}

/// The machine goes on asking while the case waits.
#[tokio::test]
async fn what_the_machine_finds_out_later_resolves_the_case() {
    for (it, status, resolution) in
        [(It::Happened, "SUCCESS", "ADOPT"), (It::DidNotHappen, "FAILED", "WRITE_OFF")]
    {
        let (app, case) = with_an_unknown_charge(it).await;
        app.provider.is_itself_again();
        app.time_passes_until("2026-03-03T07:00").await;
        assert_eq!(app.each_payments("status").await[1], status, "{it:?}");
        let resolved = app.the_case().await;
        assert_eq!((&resolved["status"], &resolved["resolution"]), (&json!("RESOLVED"), &json!(resolution)));
        assert_eq!(resolved["resolvedBy"], "the machine");
        let note = resolved["resolutionNote"].as_str().expect("what was found");
        assert!(note.contains("payment 102") && note.contains(status), "{note}");
        app.decides(&case, "WRITE_OFF").await.problem(409, "CASE_RESOLVED");
        app.books_are_right().await;
    }
}

/// The machine was told at the same moment, and no sweep has closed the case yet.
#[tokio::test]
async fn given_back_after_the_machine_had_settled_it_the_books_say_so() {
    let (app, case) = with_an_unknown_charge(It::Happened).await;
    app.provider.is_itself_again();
    let data = json!({"orderId": case["orderId"], "status": "DONE"});
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": data}).to_string();
    assert_eq!(app.webhook("whtrans_told", &body).await.status, 200);
    app.app.billing.act_on_webhooks().await.expect("the webhook is acted on");
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    app.decides_naming(&case, "REFUND", &their_key(&app)).await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "REFUNDED"]);
    assert_eq!(app.given_back(&case["orderId"]), [29_000]);
    assert_eq!(app.the_case().await["resolution"], "REFUND");
    app.books_are_right().await;
}

#[tokio::test]
async fn a_provider_that_cannot_be_asked_by_order_is_never_sent_the_charge_again() {
    let app = subscribed().await;
    let sent = Arc::new(AtomicUsize::new(0));
    app.provider.declares(|as_it_is| Capabilities {
        finds_by_order: false,
        lists_transactions: false,
        ..as_it_is
    });
    let counted = Arc::clone(&sent);
    app.provider.on_charge(move |real, charge: Charge| {
        counted.fetch_add(1, Ordering::Relaxed);
        async move {
            real.charge(&charge).await;
            Outcome::Unknown("the answer was lost".to_owned())
        }
    });
    app.it_is("2026-03-01T10:00");
    assert_eq!(app.sweep().await.unknown, 1);
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
    let case = app.the_case().await;
    assert_eq!((&case["kind"], &case["paymentId"]), (&json!("CHARGE_UNKNOWN"), &json!(102)));

    app.time_passes_until("2026-03-08T00:00").await;
    assert_eq!(app.the_case().await, case);
    assert_eq!(sent.load(Ordering::Relaxed), 1);
    app.decides_naming(&case, "ADOPT", &their_key(&app)).await.data();
    assert_eq!(app.each_payments("status").await, ["SUCCESS", "SUCCESS"]);
    app.books_are_right().await;
}

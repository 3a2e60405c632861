//! Billing keys whose answer got lost: a key that nobody knows of must not stay behind.

use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use sandbox::{Fault, FaultKind, Operation};
use testkit::{Card, Decline, DeclineClass, Outcome, TestApp};

use super::registers;

/// The provider does not let us in, whatever we ask: our own fault, and no word about any card.
fn locks_us_out(app: &TestApp) {
    app.provider.on_issue(async |_, _| Outcome::Declined(locked_out()));
}

fn locked_out() -> Decline {
    Decline {
        class: DeclineClass::OurBug,
        code: "UNAUTHORIZED_KEY".to_owned(),
        message: "결제 설정에 문제가 있습니다.".to_owned(),
    }
}

#[tokio::test]
async fn the_answer_to_a_registration_that_got_lost_is_asked_for_again() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Issue));
    app.subscribed().await;
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn a_registration_nobody_answers_charges_nothing_and_keeps_no_key() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Issue).times(2));
    let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
    answer.problem(503, "PROVIDER_UNAVAILABLE");
    // The key exists at the provider; the sweep fetches it only to delete it.
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
    assert_eq!((app.charges(), app.deleted_keys()), (0, 1));
    assert_eq!(app.count("billing.payment_method where status <> 'RELEASED'").await, 0);
    app.subscribed().await;
}

#[tokio::test]
async fn a_lost_key_is_fetched_also_after_the_provider_did_not_let_us_in() {
    let app = TestApp::start().await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::Issue).times(2));
    let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
    answer.problem(503, "PROVIDER_UNAVAILABLE");
    locks_us_out(&app);
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
    assert_eq!(app.count("billing.payment_method where status = 'ISSUING'").await, 1);
    app.provider.is_itself_again();
    app.time_passes_until("2026-02-01T12:00").await;
    assert_eq!((app.charges(), app.deleted_keys()), (0, 1));
    assert_eq!(app.count("billing.payment_method where status <> 'RELEASED'").await, 0);
}

#[tokio::test]
async fn a_lost_key_is_fetched_also_when_asking_again_at_once_is_refused_for_our_own_fault() {
    let app = TestApp::start().await;
    let is_first = AtomicBool::new(true);
    app.provider.on_issue(move |real, request| {
        let is_first = is_first.swap(false, Ordering::SeqCst);
        async move {
            if is_first {
                real.issue_billing_key(&request).await;
                Outcome::Unknown("the answer got lost".to_owned())
            } else {
                Outcome::Declined(locked_out())
            }
        }
    });
    let answer = registers(&app, app.registration("BASIC", Card::Good)).await;
    assert_eq!(answer.status, 503, "{}", answer.body);
    app.provider.is_itself_again();
    app.time_passes_until("2026-02-01T12:00").await;
    assert_eq!((app.charges(), app.deleted_keys()), (0, 1));
}

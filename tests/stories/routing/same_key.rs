//! `PortOne`'s window returns the billing key itself, so the same one can be brought twice.

use std::time::Duration;

use futures::future::join_all;
use sandbox::{Fault, FaultKind, Operation, Provider::PortOne};
use testkit::{Card, IssueBillingKey, Outcome, TestApp};

#[tokio::test]
async fn the_key_of_one_business_is_refused_to_another_and_not_deleted() {
    let app = TestApp::start().await;
    let registration = app.registration_at(PortOne, Card::Good).await;
    app.owner().post("/api/payments/billing-key", registration.clone()).await.data();
    let second = app.owner_of(2).post("/api/payments/billing-key", registration).await;
    second.problem(409, "CARD_ALREADY_REGISTERED");
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(app.deleted_portone_keys(), 0);
    assert_eq!(app.charged_at(), ["PORTONE", "PORTONE"], "and it still pays");
}

/// A double click, or two businesses: nobody's refusal takes the key from who was first.
#[tokio::test]
async fn a_key_that_is_brought_twice_at_once_is_registered_once() {
    for second in [1, 2] {
        let app = TestApp::start().await;
        // Both are answered by the provider at about the same time.
        let slow = FaultKind::Delay { before: Duration::ZERO, after: Duration::from_millis(200) };
        app.sandbox.add_fault(Fault::new(slow).on(Operation::Issue).until_cleared());
        let registration = app.registration_at(PortOne, Card::Good).await;
        let again: Vec<_> = (0..6).map(|n| app.owner_of(if n == 0 { 1 } else { second })).collect();
        let asked = again.iter().map(|owner| owner.post("/api/payments/billing-key", registration.clone()));
        let answers = join_all(asked).await;
        let registered = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(registered, 1, "{answers:?}");
        app.sandbox.clear_faults();
        app.time_passes_until("2026-03-01T10:05").await;
        assert_eq!(app.deleted_portone_keys(), 0);
        assert_eq!(app.charged_at(), ["PORTONE", "PORTONE"]);
    }
}

/// The first request is not answered, the browser makes it again, and the sweep cleans up behind it.
#[tokio::test]
async fn a_key_that_is_brought_again_after_a_lost_answer_is_not_deleted() {
    let app = TestApp::start_with(&["--default-provider=PORTONE"]).await;
    let registration = app.registration_at(PortOne, Card::Good).await;
    app.provider.on_issue(async |_, _: IssueBillingKey| Outcome::Unknown("the answer was lost".to_owned()));
    let lost = app.owner().post("/api/payments/billing-key", registration.clone()).await;
    lost.problem(503, "PROVIDER_UNAVAILABLE");
    app.provider.is_itself_again();
    app.owner().post("/api/payments/billing-key", registration).await.data();
    app.time_passes_until("2026-03-01T10:05").await;
    assert_eq!(app.deleted_portone_keys(), 0);
    assert_eq!(app.charged_at(), ["PORTONE", "PORTONE"]);
    assert_eq!(app.count("billing.payment_method where status in ('ISSUING', 'RELEASING')").await, 0);
}

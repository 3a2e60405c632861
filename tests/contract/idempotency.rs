//! `Idempotency-Key`: a request that carries one happens once.

use std::time::Duration;

use chrono::TimeDelta;
use kernel::BusinessId;
use platform::{Membership, Principal, Role};
use sandbox::{Fault, FaultKind, Operation};
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

const REGISTER: &str = "/api/payments/billing-key";
const REFUND: &str = "/api/payments/101/partial-refund";

fn keyed(actor: Actor, key: &str) -> Actor {
    actor.with_header("idempotency-key", key)
}

/// A repeat got what the first request got, word for word.
#[track_caller]
fn must_be_replay(repeat: &Answer, first: &Answer) {
    assert!(repeat.replayed && !first.replayed, "{} {}", repeat.status, repeat.body);
    assert_eq!(Answer { replayed: false, ..repeat.clone() }, *first);
}

#[tokio::test]
async fn the_same_request_gets_the_same_answer_and_happens_once() {
    let app = TestApp::start().await;
    let owner = keyed(app.owner(), "first");
    let registration = app.registration("BASIC", Card::Good);
    let first = owner.post(REGISTER, registration.clone()).await;
    assert_eq!(first.status, 200, "{}", first.body);
    must_be_replay(&owner.post(REGISTER, registration.clone()).await, &first);
    // Days later, and whatever happened since.
    app.owner().post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-02-07T12:00").await;
    must_be_replay(&owner.post(REGISTER, registration).await, &first);
    assert_eq!(app.charges(), 1);

    let refund = keyed(app.owner(), "refund");
    let body = json!({"amount": 1_000, "reason": "고객 요청"});
    let first = refund.patch(REFUND, body.clone()).await;
    must_be_replay(&refund.patch(REFUND, body.clone()).await, &first);
    assert_eq!(app.provider_totals().1, 1_000);
    // Without a key it is another refund.
    app.owner().patch(REFUND, body).await.data();
    assert_eq!(app.provider_totals().1, 2_000);
}

#[tokio::test]
async fn the_same_key_for_another_request_is_refused() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let owner = keyed(app.owner(), "refund");
    let first = owner.patch(REFUND, json!({"amount": 1_000, "reason": "고객 요청"})).await;
    for (amount, reason) in [(2_000, "고객 요청"), (1_000, "고객 요청 ")] {
        let answer = owner.patch(REFUND, json!({"amount": amount, "reason": reason})).await;
        answer.problem(422, "IDEMPOTENCY_KEY_REUSED");
        assert!(!answer.replayed);
    }
    let elsewhere = "/api/payments/102/partial-refund";
    owner
        .patch(elsewhere, json!({"amount": 1_000, "reason": "고객 요청"}))
        .await
        .problem(422, "IDEMPOTENCY_KEY_REUSED");
    let otherwise = owner.post("/api/payments/101/refund", json!({"reason": "고객 요청"})).await;
    otherwise.problem(422, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(app.provider_totals().1, 1_000);
    must_be_replay(&owner.patch(REFUND, json!({"amount": 1_000, "reason": "고객 요청"})).await, &first);
}

/// The provider takes its time from now on.
fn slow(app: &TestApp, operation: Operation) {
    let delay = FaultKind::Delay { before: Duration::from_secs(3), after: Duration::ZERO };
    app.sandbox.add_fault(Fault::new(delay).on(operation));
}

#[tokio::test]
async fn while_a_request_runs_its_repeat_is_told_to_wait() {
    let app = TestApp::start().await;
    slow(&app, Operation::Charge);
    let owner = keyed(app.owner(), "slow");
    let registration = app.registration("BASIC", Card::Good);
    let repeat = async {
        // Sent once the first has begun.
        while app.count("platform.idempotency_key").await == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let other = json!({"plan": "PRO", "customerKey": "user_1"});
        owner.post(REGISTER, other).await.problem(422, "IDEMPOTENCY_KEY_REUSED");
        owner.post(REGISTER, registration.clone()).await
    };
    let (first, repeat) = tokio::join!(owner.post(REGISTER, registration.clone()), repeat);
    repeat.problem(409, "IDEMPOTENCY_KEY_IN_USE");
    assert!(!repeat.replayed);
    assert_eq!(first.status, 200, "{}", first.body);
    must_be_replay(&owner.post(REGISTER, registration).await, &first);
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn many_at_once_are_one() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let owner = keyed(app.owner(), "click");
    let body = json!({"amount": 1_000, "reason": "고객 요청"});
    let answers = futures::future::join_all((0..12).map(|_| owner.patch(REFUND, body.clone()))).await;
    let first = answers.iter().find(|answer| answer.status == 200 && !answer.replayed).expect("one that ran");
    for answer in answers.iter().filter(|answer| !std::ptr::eq(*answer, first)) {
        if answer.replayed {
            must_be_replay(answer, first);
        } else {
            answer.problem(409, "IDEMPOTENCY_KEY_IN_USE");
        }
    }
    assert_eq!(app.provider_totals().1, 1_000);
}

#[tokio::test]
async fn two_businesses_may_choose_the_same_key() {
    let app = TestApp::start().await;
    let [one, two] = [1, 2].map(|business| keyed(app.owner_of(business), "same"));
    let registration = app.registration("BASIC", Card::Good);
    let first = one.post(REGISTER, registration.clone()).await;
    let second = two.post(REGISTER, app.registration("BASIC", Card::Good)).await;
    assert_eq!((first.status.as_u16(), second.status.as_u16(), second.replayed), (200, 200, false));
    assert_ne!(first.data()["subscriptionId"], second.data()["subscriptionId"]);
    must_be_replay(&one.post(REGISTER, registration).await, &first);
}

/// An owner of two shops orders for both; once as such, once also working for the platform.
#[tokio::test]
async fn nobody_gets_the_answer_that_was_meant_for_another_business() {
    let app = TestApp::start().await;
    for is_platform_admin in [false, true] {
        let role = Role::Owner;
        let memberships = [1, 2].map(|id| Membership { business_id: BusinessId(id), role }).to_vec();
        let principal = Principal { subject: "user_1".to_owned(), memberships, is_platform_admin };
        let token = format!("Bearer {}", app.app.identity.dev_token(&principal));
        let person = keyed(app.anonymous().with_header("authorization", token), "same");
        let order = |business: &'static str| {
            let actor = person.clone().with_header("x-business-id", business);
            async move { actor.post("/api/payments/toss/order", json!({"plan": "BASIC"})).await }
        };
        let (first, second) = (order("1").await, order("2").await);
        assert_eq!((first.status.as_u16(), first.replayed), (200, false), "{}", first.body);
        if is_platform_admin {
            second.problem(422, "IDEMPOTENCY_KEY_REUSED");
        } else {
            assert_ne!(second.data()["orderId"], first.data()["orderId"]);
        }
        must_be_replay(&order("1").await, &first);
    }
}

#[tokio::test]
async fn who_may_not_ask_neither_uses_up_a_key_nor_gets_its_answer() {
    let app = TestApp::start().await;
    let registration = app.registration("BASIC", Card::Good);
    for (actor, status) in
        [(app.anonymous(), 401), (app.member(1, Role::Staff), 403), (app.signed_out_owner(), 401)]
    {
        assert_eq!(keyed(actor, "key").post(REGISTER, registration.clone()).await.status, status);
    }
    let first = keyed(app.owner(), "key").post(REGISTER, registration.clone()).await;
    assert_eq!((first.status.as_u16(), first.replayed), (200, false));
    for actor in [app.anonymous(), app.member(1, Role::Staff), app.platform_admin()] {
        let answer = keyed(actor, "key").post(REGISTER, registration.clone()).await;
        assert!(answer.status.is_client_error() && !answer.replayed, "{} {}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn a_refusal_is_an_answer_and_is_given_again() {
    let app = TestApp::start().await;
    let owner = keyed(app.owner(), "declined");
    let registration = app.registration("BASIC", Card::InsufficientFunds);
    let first = owner.post(REGISTER, registration.clone()).await;
    first.problem(402, "CARD_DECLINED");
    let asked = app.sandbox.book().len();
    let repeat = owner.post(REGISTER, registration).await;
    must_be_replay(&repeat, &first);
    assert_eq!(repeat.content_type, "application/problem+json");
    assert_eq!(app.sandbox.book().len(), asked, "the provider was not asked again");
    // Another try is another request.
    keyed(app.owner(), "again").post(REGISTER, app.registration("BASIC", Card::Good)).await.data();
}

#[tokio::test]
async fn after_a_failure_of_ours_or_the_providers_the_key_is_free_again() {
    let app = TestApp::start().await;
    let registration = app.registration("BASIC", Card::Good);
    let owner = keyed(app.owner(), "down");
    app.cut_off(&owner).post(REGISTER, registration.clone()).await.problem(503, "PROVIDER_UNAVAILABLE");
    assert_eq!(app.count("platform.idempotency_key").await, 0);
    let answer = owner.post(REGISTER, registration).await;
    assert_eq!((answer.status.as_u16(), answer.replayed), (200, false), "{}", answer.body);
    assert_eq!(app.charges(), 1);
}

/// A process was killed between its work and its answer: the key is taken, and no answer is there.
async fn answer_gets_lost(app: &TestApp) {
    app.sql("update platform.idempotency_key set status = null, content_type = null, body = null, answered_at = null")
        .await;
}

#[tokio::test]
async fn a_request_whose_process_died_goes_on_where_it_stopped() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let owner = keyed(app.owner(), "killed");
    let body = json!({"amount": 1_000, "reason": "고객 요청"});
    let first = owner.patch(REFUND, body.clone()).await;
    answer_gets_lost(&app).await;
    owner.patch(REFUND, body.clone()).await.problem(409, "IDEMPOTENCY_KEY_IN_USE");
    app.pass(TimeDelta::minutes(5));
    let again = owner.patch(REFUND, body).await;
    assert!(!again.replayed);
    assert_eq!(again.data(), first.data(), "the refund that was written down, and no other");
    assert_eq!(app.provider_totals().1, 1_000);
}

#[tokio::test]
async fn a_subscription_is_not_started_twice_by_a_request_whose_process_died() {
    let app = TestApp::start().await;
    let owner = keyed(app.owner(), "killed");
    let registration = app.registration("BASIC", Card::Good);
    let first = owner.post(REGISTER, registration.clone()).await;
    answer_gets_lost(&app).await;
    app.pass(TimeDelta::minutes(5));
    let again = owner.post(REGISTER, registration.clone()).await;
    assert!(!again.replayed);
    assert_eq!(again.data(), first.data(), "the subscription that it started, and no other");
    // To whoever did not start it, it is simply there.
    let other = keyed(app.owner(), "another");
    other.post(REGISTER, registration).await.problem(409, "ALREADY_SUBSCRIBED");
    assert_eq!(app.charges(), 1);
}

#[tokio::test]
async fn after_a_week_a_key_is_forgotten() {
    let app = TestApp::start().await;
    app.subscribed().await;
    let owner = keyed(app.owner(), "old");
    let body: Value = json!({"amount": 1_000, "reason": "고객 요청"});
    owner.patch(REFUND, body.clone()).await.data();
    app.pass(TimeDelta::days(7) - TimeDelta::minutes(1));
    app.sweep().await;
    assert!(owner.patch(REFUND, body.clone()).await.replayed);
    app.pass(TimeDelta::minutes(2));
    app.sweep().await;
    assert_eq!(app.count("platform.idempotency_key").await, 0);
}

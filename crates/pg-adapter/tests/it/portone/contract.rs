//! The PortOne adapter against the sandbox: the conformance suite, and what is PortOne's alone.

use chrono::TimeDelta;
use kernel::Krw;
use pg_adapter::{
    Approval, Cancel, Charge, Confirm, DeclineClass, IssueBillingKey, Lookup, Outcome,
    contract::{Fault, Moment, Movement, Operation, Rig, TestCard, contract},
};
use serde_json::json;

use super::rig::{KCP, PortOneRig, TOSS, TOSS_TEST};

const PRICE: Krw = Krw::won(29_000);

/// The other way round in everything that the PortOne reference leaves open.
#[tokio::test]
async fn portone_keeps_the_contract_whatever_its_reference_leaves_open() {
    let rig = PortOneRig::start().await;
    rig.confirms_keys();
    rig.switch(json!({
        "declinedChargesReadable": false,
        "storeRefusals": false,
        "paidShrinks": true,
        "unknownFields": true,
        "unknownEnumValues": true,
        "sparse": true,
        "webhookTiming": "BEFORE_ANSWER",
        "oldWebhooks": true,
    }))
    .await;
    contract(&rig).await;
}

/// Another PG says no in other words, and takes letters and digits alone.
#[tokio::test]
async fn portone_keeps_the_contract_with_kcp_behind_it() {
    contract(&PortOneRig::start_with(KCP).await).await;
}

#[tokio::test]
async fn behind_a_500_that_is_repeated_for_ever_the_look_up_tells() {
    let rig = PortOneRig::start().await;
    rig.switch(json!({"storeServerErrors": true})).await;
    let charge = charge(&rig, "order1").await;
    rig.break_next(Operation::Charge, Fault::ServerError(Moment::AfterActing)).await;
    for _ in 0..2 {
        assert!(matches!(rig.gateway().charge(&charge).await, Outcome::Unknown(_)));
    }
    let Lookup::Approved(payment) = rig.gateway().find_by_order("order1").await else { panic!() };

    let refund = refund(&payment, 9_000);
    rig.break_next(Operation::Cancel, Fault::ServerError(Moment::AfterActing)).await;
    assert!(matches!(rig.gateway().cancel(&refund).await, Outcome::Unknown(_)));
    approved(rig.gateway().cancel(&refund).await);
    assert_eq!(rig.book("order1").await, [Movement::Charge(PRICE), Movement::Cancel(refund.amount)]);
}

/// PortOne forgets an idempotency key after three hours.
#[tokio::test]
async fn nothing_happens_twice_when_idempotency_keys_are_forgotten() {
    let rig = PortOneRig::start().await;
    let charge = charge(&rig, "order1").await;
    let payment = approved(rig.gateway().charge(&charge).await);
    let payment_key = rig.authenticate("order2", PRICE, TestCard::Good).await;
    let confirm = Confirm { payment_key, order_id: "order2".to_owned(), amount: PRICE };
    approved(rig.gateway().confirm(&confirm).await);
    let refund = refund(&payment, 9_000);
    let refunded = approved(rig.gateway().cancel(&refund).await);
    for _ in 0..2 {
        rig.clock.advance(TimeDelta::hours(4));
        assert_eq!(approved(rig.gateway().charge(&charge).await).amount, PRICE);
        assert_eq!(approved(rig.gateway().confirm(&confirm).await).order_id, "order2");
        assert_eq!(approved(rig.gateway().cancel(&refund).await), refunded);
    }
    assert_eq!(rig.book("order1").await, [Movement::Charge(PRICE), Movement::Cancel(refund.amount)]);
    assert_eq!(rig.book("order2").await, [Movement::Charge(PRICE)]);
}

#[tokio::test]
async fn a_payment_that_the_window_has_taken_is_read_and_not_confirmed() {
    let rig = PortOneRig::start().await;
    for (order, brings) in [("order1", "paymentId"), ("order2", "txId")] {
        let brought = rig.pays(order, TestCard::Good, TOSS, false).await;
        let payment_key = brought[brings].as_str().unwrap().to_owned();
        let confirm = Confirm { payment_key, order_id: order.to_owned(), amount: PRICE };
        for _ in 0..2 {
            assert_eq!(approved(rig.gateway().confirm(&confirm).await).amount, PRICE);
        }
        assert_eq!(rig.book(order).await, [Movement::Charge(PRICE)]);

        // The id of a paid payment does not pay another order.
        let stolen = Confirm { order_id: format!("{order}stolen"), ..confirm };
        assert!(matches!(rig.gateway().confirm(&stolen).await, Outcome::Declined(_)));
    }
    let brought = rig.pays("order3", TestCard::Suspended, TOSS, false).await;
    assert_eq!(brought["code"], "PGProviderError");
    let confirm = Confirm { payment_key: "order3".into(), order_id: "order3".into(), amount: PRICE };
    assert_eq!(declined_class(rig.gateway().confirm(&confirm).await), DeclineClass::NewCard);
}

/// A page can be made to open its window on a test channel, where nobody pays anything.
#[tokio::test]
async fn what_a_test_channel_took_is_not_money() {
    let rig = PortOneRig::start().await;
    rig.pays("order1", TestCard::Good, TOSS_TEST, false).await;
    let confirm = Confirm { payment_key: "order1".into(), order_id: "order1".into(), amount: PRICE };
    assert_eq!(declined_class(rig.gateway().confirm(&confirm).await), DeclineClass::OurBug);
    assert!(matches!(rig.gateway().find_by_order("order1").await, Lookup::Failed(_)));

    let brought = rig.pays("order2", TestCard::Good, TOSS_TEST, true).await;
    let payment_key = brought["paymentToken"].as_str().unwrap().to_owned();
    let confirm = Confirm { payment_key, order_id: "order2".into(), amount: PRICE };
    assert_eq!(declined_class(rig.gateway().confirm(&confirm).await), DeclineClass::OurBug);
    assert_eq!(rig.book("order2").await, []);

    let issue = issue("billing-key-test-4300000000000001", "anybody");
    assert_eq!(declined_class(rig.gateway().issue_billing_key(&issue).await), DeclineClass::OurBug);
}

#[tokio::test]
async fn a_billing_key_of_somebody_else_is_not_registered() {
    let rig = PortOneRig::start().await;
    let theirs = rig.register("customer1", TestCard::Good).await;
    let mut request = issue("", "customer2");
    request.auth_key = theirs.clone();
    assert_eq!(declined_class(rig.gateway().issue_billing_key(&request).await), DeclineClass::OurBug);
    request.customer_key = "customer1".to_owned();
    approved(rig.gateway().issue_billing_key(&request).await);
    approved(rig.gateway().delete_billing_key(&theirs).await);
    assert_eq!(declined_class(rig.gateway().issue_billing_key(&request).await), DeclineClass::NewCard);

    for odd in ["billing-key-invented", "NEEDS_CONFIRMATION", "billing-key-../x", ""] {
        let outcome = rig.gateway().issue_billing_key(&issue(odd, "customer1")).await;
        assert!(matches!(outcome, Outcome::Declined(_)), "{odd}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_cancel_is_unknown_until_its_money_is_back() {
    let rig = PortOneRig::start().await;
    let payment = approved(rig.gateway().charge(&charge(&rig, "order1").await).await);
    rig.switch(json!({"cancelOutcome": "REQUESTED"})).await;
    let slow = refund(&payment, 9_000);
    for _ in 0..2 {
        assert!(matches!(rig.gateway().cancel(&slow).await, Outcome::Unknown(_)));
    }
    let Lookup::Approved(seen) = rig.gateway().find("order1").await else { panic!() };
    assert_eq!((seen.remaining, seen.made_by(&slow)), (PRICE, None));

    // Another one meanwhile: what is on its way counts as gone.
    rig.switch(json!({"cancelOutcome": "SUCCEEDED"})).await;
    let other = Cancel { reference: "refund2".into(), ..refund(&payment, 20_000) };
    approved(rig.gateway().cancel(&other).await);

    rig.outside.post("portone/cancels/settle", json!({"paymentId": "order1", "status": "SUCCEEDED"})).await;
    assert_eq!(approved(rig.gateway().cancel(&slow).await).amount, slow.amount);
    let moved = [Movement::Charge(PRICE), Movement::Cancel(other.amount), Movement::Cancel(slow.amount)];
    assert_eq!(rig.book("order1").await, moved);
}

#[tokio::test]
async fn a_cancel_that_failed_is_a_no_in_a_200() {
    let rig = PortOneRig::start().await;
    let payment = approved(rig.gateway().charge(&charge(&rig, "order1").await).await);
    rig.switch(json!({"cancelOutcome": "FAILED"})).await;
    for _ in 0..2 {
        let outcome = rig.gateway().cancel(&refund(&payment, 9_000)).await;
        assert_eq!(declined_class(outcome), DeclineClass::OurBug);
    }
    assert_eq!(rig.book("order1").await, [Movement::Charge(PRICE)]);
}

/// The PG's own words, of which no table knows all: no money, and a careful guess.
#[tokio::test]
async fn a_decline_in_unknown_words_is_a_decline_if_the_payment_says_so() {
    let rig = PortOneRig::start().await;
    let charge = charge(&rig, "order1").await;
    rig.outside
        .break_next(Operation::Charge, Fault::Decline(DeclineClass::RetryLater), "WORD_OF_TOMORROW")
        .await;
    assert_eq!(declined_class(rig.gateway().charge(&charge).await), DeclineClass::RetryLater);

    rig.switch(json!({"declinedChargesReadable": false})).await;
    let charge = Charge { order_id: "order2".to_owned(), ..charge };
    rig.outside
        .break_next(Operation::Charge, Fault::Decline(DeclineClass::RetryLater), "WORD_OF_TOMORROW")
        .await;
    assert!(matches!(rig.gateway().charge(&charge).await, Outcome::Unknown(_)));
}

async fn charge(rig: &PortOneRig, order_id: &str) -> Charge {
    let auth_key = rig.register("customer1", TestCard::Good).await;
    let request = IssueBillingKey { auth_key, ..issue("", "customer1") };
    Charge {
        billing_key: approved(rig.gateway().issue_billing_key(&request).await).billing_key,
        customer_key: "customer1".to_owned(),
        order_id: order_id.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: PRICE,
    }
}

fn issue(auth_key: &str, customer_key: &str) -> IssueBillingKey {
    IssueBillingKey {
        auth_key: auth_key.to_owned().into(),
        customer_key: customer_key.to_owned(),
        idempotency_key: "issue1".to_owned(),
    }
}

fn refund(payment: &Approval, amount: i64) -> Cancel {
    Cancel {
        payment_key: payment.payment_key.clone(),
        amount: Krw::won(amount),
        reason: "고객 변심".to_owned(),
        reference: "refund1".to_owned(),
        remaining_before: payment.remaining,
    }
}

#[track_caller]
fn approved<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Approved(value) => value,
        other => panic!("expected an approval, got {other:?}"),
    }
}

#[track_caller]
fn declined_class<T: std::fmt::Debug>(outcome: Outcome<T>) -> DeclineClass {
    match outcome {
        Outcome::Declined(decline) => decline.class,
        other => panic!("expected a decline, got {other:?}"),
    }
}

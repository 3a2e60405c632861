//! The Toss adapter against the sandbox: the conformance suite, and what only time brings about.

use chrono::TimeDelta;
use kernel::Krw;
use pg_adapter::{
    Approval, Cancel, Charge, Confirm, IssueBillingKey, Lookup, Outcome,
    contract::{Fault, Moment, Movement, Operation, Rig, TestCard, contract},
};
use serde_json::json;

use super::rig::TossRig;

/// The other way round in everything that the Toss Payments reference leaves open.
#[tokio::test]
async fn toss_keeps_the_contract_whatever_its_reference_leaves_open() {
    let rig = TossRig::start().await;
    rig.switch(json!({
        "declinedChargesReadable": true,
        "unknownFields": true,
        "unknownEnumValues": true,
        "repeatedDelete": "NOT_FOUND",
        "webhookTiming": "BEFORE_ANSWER",
    }))
    .await;
    contract(&rig).await;
}

/// Nobody has measured whether Toss repeats its own 500. If it does, asking again never helps, and
/// the look-up alone tells what happened.
#[tokio::test]
async fn behind_a_500_that_is_repeated_for_ever_the_look_up_tells() {
    let rig = TossRig::start().await;
    rig.switch(json!({"storeServerErrors": true})).await;

    let never = charge(&rig, "charge-202611-1").await;
    rig.break_next(Operation::Charge, Fault::ServerError(Moment::BeforeActing)).await;
    for _ in 0..2 {
        assert!(matches!(rig.gateway().charge(&never).await, Outcome::Unknown(_)));
    }
    assert!(matches!(rig.gateway().find_by_order(&never.order_id).await, Lookup::NotFound));
    assert_eq!(rig.book(&never.order_id).await, []);

    let once = charge(&rig, "charge-202611-2").await;
    rig.break_next(Operation::Charge, Fault::ServerError(Moment::AfterActing)).await;
    for _ in 0..2 {
        assert!(matches!(rig.gateway().charge(&once).await, Outcome::Unknown(_)));
    }
    let Lookup::Approved(payment) = rig.gateway().find_by_order(&once.order_id).await else { panic!() };
    assert_eq!(rig.book(&once.order_id).await, [Movement::Charge(once.amount)]);

    let refund = refund(&payment);
    rig.break_next(Operation::Cancel, Fault::ServerError(Moment::AfterActing)).await;
    assert!(matches!(rig.gateway().cancel(&refund).await, Outcome::Unknown(_)));
    approved(rig.gateway().cancel(&refund).await);
    let expected = [Movement::Charge(once.amount), Movement::Cancel(refund.amount)];
    assert_eq!(rig.book(&once.order_id).await, expected);
}

/// Toss forgets an idempotency key after 15 days, and knows none of another secret key.
#[tokio::test]
async fn nothing_happens_twice_when_idempotency_keys_are_forgotten() {
    let rig = TossRig::start().await;
    let charge = charge(&rig, "charge-202611-1").await;
    let payment = approved(rig.gateway().charge(&charge).await);
    let order_id = "confirm-202611-1".to_owned();
    let amount = Krw::won(29_000);
    let payment_key = rig.authenticate(&order_id, amount, TestCard::Good).await;
    let confirm = Confirm { payment_key, order_id, amount };
    approved(rig.gateway().confirm(&confirm).await);
    let refund = refund(&payment);
    let refunded = approved(rig.gateway().cancel(&refund).await);

    let rotated = rig.with_another_secret_key();
    for later in [false, true] {
        if later {
            rig.clock.advance(TimeDelta::days(16));
        }
        for gateway in [rig.gateway(), &rotated] {
            assert_eq!(approved(gateway.charge(&charge).await).payment_key, payment.payment_key);
            assert_eq!(approved(gateway.confirm(&confirm).await).order_id, confirm.order_id);
            assert_eq!(approved(gateway.cancel(&refund).await), refunded);
        }
    }
    let expected = [Movement::Charge(amount), Movement::Cancel(refund.amount)];
    assert_eq!(rig.book(&charge.order_id).await, expected);
    assert_eq!(rig.book(&confirm.order_id).await, [Movement::Charge(amount)]);
}

async fn charge(rig: &TossRig, order_id: &str) -> Charge {
    let customer_key = "customer-1".to_owned();
    let auth_key = rig.register(&customer_key, TestCard::Good).await;
    let issue = IssueBillingKey {
        auth_key,
        customer_key: customer_key.clone(),
        idempotency_key: format!("issue-{order_id}"),
    };
    Charge {
        billing_key: approved(rig.gateway().issue_billing_key(&issue).await).billing_key,
        customer_key,
        order_id: order_id.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
    }
}

fn refund(payment: &Approval) -> Cancel {
    Cancel {
        payment_key: payment.payment_key.clone(),
        amount: Krw::won(9_000),
        reason: "고객 변심".to_owned(),
        reference: "refund-1".to_owned(),
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

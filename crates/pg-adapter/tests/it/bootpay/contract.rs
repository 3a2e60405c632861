//! The Bootpay adapter against the sandbox: the conformance suite, and what Bootpay leaves open.

use chrono::TimeDelta;
use kernel::Krw;
use pg_adapter::{
    Charge, DeclineClass, IssueBillingKey, Lookup, Outcome, Repeats,
    contract::{Fault, Movement, Operation, Rig, TestCard, contract},
};
use sandbox::{BootpaySwitches, RepeatedOrders};

use super::rig::BootpayRig;

const PRICE: Krw = Krw::won(29_000);

/// The other way round in everything that the reference leaves open.
#[tokio::test]
async fn bootpay_keeps_the_contract_whatever_its_documents_leave_open() {
    let switches = BootpaySwitches {
        repeated_orders: RepeatedOrders::RefusedOnceUsed,
        missing_order_is_an_error: true,
        failed_payments_hidden: true,
        numeric_error_codes: true,
        keys_with_status_1: true,
        decimal_amounts: true,
        unknown_fields: true,
        old_webhooks: true,
        form_webhooks: true,
        ..BootpaySwitches::default()
    };
    contract(&BootpayRig::start(switches).await).await;
}

async fn charge(rig: &BootpayRig, order_id: &str, card: TestCard) -> Charge {
    let request = issue(rig, "customer-1", card).await;
    let Outcome::Approved(issued) = rig.gateway().issue_billing_key(&request).await else { panic!() };
    Charge {
        billing_key: issued.billing_key,
        customer_key: request.customer_key,
        order_id: order_id.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: PRICE,
    }
}

async fn issue(rig: &BootpayRig, customer_key: &str, card: TestCard) -> IssueBillingKey {
    IssueBillingKey {
        auth_key: rig.register(customer_key, card).await,
        customer_key: customer_key.to_owned(),
        idempotency_key: "issue-1".to_owned(),
    }
}

/// Why the capability says that a charge is never repeated.
#[tokio::test]
async fn where_repeats_are_not_refused_a_repeated_charge_would_charge_again() {
    let switches = BootpaySwitches { repeated_orders: RepeatedOrders::Charged, ..BootpaySwitches::default() };
    let rig = BootpayRig::start(switches).await;
    let request = charge(&rig, "ORDER1", TestCard::Good).await;
    rig.break_next(Operation::Charge, Fault::DropResponse).await;
    assert!(matches!(rig.gateway().charge(&request).await, Outcome::Unknown(_)));
    assert!(matches!(rig.gateway().find_by_order("ORDER1").await, Lookup::Approved(_)));
    assert!(matches!(rig.gateway().charge(&request).await, Outcome::Approved(_)));
    assert_eq!(rig.book("ORDER1").await, [Movement::Charge(PRICE); 2]);
    let twice = rig.gateway().find_by_order("ORDER1").await;
    assert!(matches!(twice, Lookup::Unknown(_)), "two payments are nothing to choose from: {twice:?}");
    assert_eq!(rig.gateway().capabilities().repeats_charge, Repeats::Never);
}

#[tokio::test]
async fn errors_with_status_200_are_errors() {
    let switches = BootpaySwitches { errors_with_status_200: true, ..BootpaySwitches::default() };
    let rig = BootpayRig::start(switches).await;
    let request = charge(&rig, "ORDER1", TestCard::InsufficientFunds).await;
    let Outcome::Declined(decline) = rig.gateway().charge(&request).await else { panic!() };
    assert_eq!(decline.class, DeclineClass::RetryLater);
    let nothing = rig.gateway().find("65f0c0ffee0000000000a001").await;
    assert!(matches!(nothing, Lookup::Unknown(_)), "no 404, so no word of Bootpay's that it is not there");
}

#[tokio::test]
async fn tokens_are_renewed_before_they_end() {
    let rig = BootpayRig::start(BootpaySwitches::default()).await;
    for n in 0..12 {
        let request = charge(&rig, &format!("ORDER{n}"), TestCard::Good).await;
        assert!(matches!(rig.gateway().charge(&request).await, Outcome::Approved(_)), "{n}");
        rig.clock.advance(TimeDelta::minutes(3 + n));
    }
}

/// A test payment is worth nothing, however real it looks.
#[tokio::test]
async fn receipts_of_a_sandbox_project_are_no_payments() {
    let switches = BootpaySwitches { sandbox_project: true, ..BootpaySwitches::default() };
    let rig = BootpayRig::start(switches).await;
    let request = charge(&rig, "ORDER1", TestCard::Good).await;
    let Outcome::Declined(decline) = rig.gateway().charge(&request).await else { panic!() };
    assert_eq!((decline.class, decline.code.as_str()), (DeclineClass::OurBug, "SANDBOX_PAYMENT"));
}

#[tokio::test]
async fn the_key_of_another_payer_is_refused() {
    let rig = BootpayRig::start(BootpaySwitches::default()).await;
    let theirs = issue(&rig, "customer-1", TestCard::Good).await;
    let stolen = IssueBillingKey { customer_key: "customer-2".to_owned(), ..theirs };
    let Outcome::Declined(decline) = rig.gateway().issue_billing_key(&stolen).await else { panic!() };
    assert_eq!(decline.code, "CUSTOMER_MISMATCH");
}

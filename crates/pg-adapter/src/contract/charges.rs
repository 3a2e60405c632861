//! Charging a billing key.

use futures::future::join_all;
use kernel::Krw;

use super::{
    Fault, Movement, Operation, Rig, TestCard, Verdict,
    world::{PRICE, Payer, approved, assert_book, charges_repeat, declined, registration, settle_charge},
};
use crate::{Charge, DeclineClass, Outcome};

pub(super) async fn a_charge_moves_the_amount_once(rig: &dyn Rig) {
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    let approval = approved(rig.gateway().charge(&charge).await);
    assert_eq!(approval.order_id, charge.order_id);
    assert_eq!(approval.amount, PRICE);
    assert!(!approval.payment_key.is_empty());
    assert_eq!((approval.remaining, &*approval.cancellations), (PRICE, &[][..]));
    assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
}

pub(super) async fn the_same_order_twice_is_one_charge(rig: &dyn Rig) -> Verdict {
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    let first = approved(rig.gateway().charge(&charge).await);
    match rig.gateway().charge(&charge).await {
        Outcome::Approved(again) => assert_eq!(first.payment_key, again.payment_key),
        // A refusal of the second proves that the first arrived, and no more than that.
        Outcome::Unknown(_) if !charges_repeat(rig) => {}
        other => panic!("the same order again: {other:?}"),
    }
    assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn the_same_order_at_the_same_time_is_one_charge(rig: &dyn Rig) -> Verdict {
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    for outcome in join_all((0..4).map(|_| rig.gateway().charge(&charge))).await {
        assert!(
            matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)),
            "one of several is never a no: {outcome:?}"
        );
    }
    if charges_repeat(rig) {
        settle_charge(rig, &charge).await.expect("the charge is approved");
    }
    assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn the_same_order_with_another_amount_charges_nothing_more(rig: &dyn Rig) {
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    approved(rig.gateway().charge(&charge).await);
    let dearer = Charge { amount: Krw::won(PRICE.get() + 1), ..charge.clone() };
    if let Outcome::Approved(approval) = rig.gateway().charge(&dearer).await {
        assert_eq!(approval.amount, PRICE, "what was charged, not what was asked");
    }
    assert_book(rig, &charge.order_id, &[Movement::Charge(PRICE)]).await;
}

pub(super) async fn a_declining_card_says_what_to_do(rig: &dyn Rig) {
    for (card, class) in [
        (TestCard::InsufficientFunds, DeclineClass::RetryLater),
        (TestCard::OverLimit, DeclineClass::RetryLater),
        (TestCard::Suspended, DeclineClass::NewCard),
    ] {
        // A provider may find out at the registration already.
        let request = registration(rig, card).await;
        match rig.gateway().issue_billing_key(&request).await {
            Outcome::Approved(issued) => {
                let payer = Payer { customer_key: request.customer_key, billing_key: issued.billing_key };
                let charge = payer.charge();
                let decline = declined(rig.gateway().charge(&charge).await);
                assert_eq!(decline.class, class, "{card:?}: {decline:?}");
                assert_book(rig, &charge.order_id, &[]).await;
            }
            refused => assert_eq!(declined(refused).class, class, "{card:?}"),
        }
    }
}

pub(super) async fn every_class_of_decline_is_told_apart(rig: &dyn Rig) {
    let payer = Payer::with(rig, TestCard::Good).await;
    for class in [
        DeclineClass::RetryLater,
        DeclineClass::NewCard,
        DeclineClass::Fraud,
        DeclineClass::Temporary,
        DeclineClass::OurBug,
    ] {
        let charge = payer.charge();
        rig.break_next(Operation::Charge, Fault::Decline(class)).await;
        let decline = declined(rig.gateway().charge(&charge).await);
        assert_eq!(decline.class, class, "{decline:?}");
        assert_book(rig, &charge.order_id, &[]).await;
    }
}

pub(super) async fn a_decline_is_final_for_its_order(rig: &dyn Rig) -> Verdict {
    let payer = Payer::with(rig, TestCard::InsufficientFunds).await;
    let charge = payer.charge();
    let first = declined(rig.gateway().charge(&charge).await);
    match rig.gateway().charge(&charge).await {
        Outcome::Declined(again) => assert_eq!(first.class, again.class),
        Outcome::Unknown(_) if !charges_repeat(rig) => {}
        other => panic!("a declined order again: {other:?}"),
    }
    assert_book(rig, &charge.order_id, &[]).await;
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

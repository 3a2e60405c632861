//! Asking what became of a payment.

use super::{
    Fault, Operation, Rig, TestCard,
    world::{PRICE, Payer, approved, cancel_of, found, fresh},
};
use crate::Lookup;

pub(super) async fn a_payment_is_found_by_its_order(rig: &dyn Rig) {
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    let payment = approved(rig.gateway().charge(&charge).await);
    let seen = found(rig.gateway().find_by_order(&charge.order_id).await);
    assert_eq!(seen.payment_key, payment.payment_key);
    assert_eq!(seen.amount, PRICE);
    assert_eq!(seen.approved_at, payment.approved_at);
    assert_eq!(seen.cancellations, []);

    let cancellation = approved(rig.gateway().cancel(&cancel_of(&payment, PRICE)).await);
    let seen = found(rig.gateway().find_by_order(&charge.order_id).await);
    assert_eq!(seen.cancellations, [cancellation]);
}

pub(super) async fn an_order_that_never_was_is_not_found(rig: &dyn Rig) {
    let lookup = rig.gateway().find_by_order(&fresh("order")).await;
    assert!(matches!(lookup, Lookup::NotFound), "{lookup:?}");
}

/// Order ids also come from webhooks, so from anybody.
pub(super) async fn an_order_id_is_not_a_path(rig: &dyn Rig) {
    for order_id in ["", ".", "..", "../..", "a/b", "a?b=c", "a#b", "%2e%2e", "주문", "a\r\nb"] {
        let lookup = rig.gateway().find_by_order(order_id).await;
        assert!(matches!(lookup, Lookup::NotFound | Lookup::Unknown(_)), "{order_id:?}: {lookup:?}");
    }
}

pub(super) async fn no_fault_makes_a_payment_not_found(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    for fault in Fault::LEAVING_DOUBT {
        rig.break_next(Operation::LookUp, *fault).await;
        let lookup = rig.gateway().find_by_order(&payment.order_id).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "{fault:?}: {lookup:?}");
    }
    found(rig.gateway().find_by_order(&payment.order_id).await);
}

//! Asking what became of a payment.

use kernel::Krw;

use super::{
    Fault, Operation, Rig, TestCard, Verdict,
    world::{PRICE, Payer, approved, cancel_of, found, fresh, fresh_order, seen},
};
use crate::{Approval, Lookup};

pub(super) async fn a_payment_is_found(rig: &dyn Rig) -> Verdict {
    let capabilities = rig.gateway().capabilities();
    let charge = Payer::with(rig, TestCard::Good).await.charge();
    let payment = approved(rig.gateway().charge(&charge).await);
    for seen in every_way(rig, &payment).await {
        assert_eq!((&seen.payment_key, &seen.order_id), (&payment.payment_key, &charge.order_id));
        assert_eq!((seen.amount, seen.remaining), (PRICE, PRICE));
        assert_eq!(seen.approved_at, payment.approved_at);
        assert_eq!(seen.cancellations, []);
    }

    let cancellation = approved(rig.gateway().cancel(&cancel_of(&payment, PRICE)).await);
    for seen in every_way(rig, &payment).await {
        assert_eq!((seen.amount, seen.remaining), (PRICE, Krw::ZERO));
        if capabilities.lists_cancels {
            assert_eq!(seen.cancellations, std::slice::from_ref(&cancellation));
        }
    }
    Verdict::with(&[
        ("finds_by_order", capabilities.finds_by_order),
        ("lists_cancels", capabilities.lists_cancels),
    ])
}

async fn every_way(rig: &dyn Rig, payment: &Approval) -> Vec<Approval> {
    let mut ways = vec![seen(rig, payment).await];
    if rig.gateway().capabilities().finds_by_order {
        ways.push(found(rig.gateway().find_by_order(&payment.order_id).await));
    }
    ways
}

pub(super) async fn what_never_was_is_not_found(rig: &dyn Rig) -> Verdict {
    let gateway = rig.gateway();
    let capabilities = gateway.capabilities();
    let by_order = gateway.find_by_order(&fresh_order()).await;
    if capabilities.finds_by_order {
        assert!(matches!(by_order, Lookup::NotFound), "{by_order:?}");
    } else {
        assert!(matches!(by_order, Lookup::Unknown(_)), "{by_order:?}");
    }
    let by_key = gateway.find(&fresh("payment")).await;
    assert!(matches!(by_key, Lookup::NotFound | Lookup::Unknown(_)), "{by_key:?}");
    Verdict::with(&[("finds_by_order", capabilities.finds_by_order)])
}

/// Ids also come from webhooks, so from anybody.
pub(super) async fn an_id_is_not_a_path(rig: &dyn Rig) {
    for id in ["", ".", "..", "../..", "a/b", "a?b=c", "a#b", "%2e%2e", "주문", "a\r\nb"] {
        for lookup in [rig.gateway().find_by_order(id).await, rig.gateway().find(id).await] {
            assert!(matches!(lookup, Lookup::NotFound | Lookup::Unknown(_)), "{id:?}: {lookup:?}");
        }
    }
}

pub(super) async fn no_fault_makes_a_payment_not_found(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    for fault in Fault::LEAVING_DOUBT {
        rig.break_next(Operation::LookUp, *fault).await;
        let lookup = rig.gateway().find(&payment.payment_key).await;
        assert!(matches!(lookup, Lookup::Unknown(_)), "{fault:?}: {lookup:?}");
    }
    seen(rig, &payment).await;
}

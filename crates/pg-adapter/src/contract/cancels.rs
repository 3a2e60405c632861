//! Giving money back.

use futures::future::join_all;
use kernel::Krw;

use super::{
    Movement, Rig, Verdict,
    world::{PRICE, Payer, approved, assert_book, cancel_of, declined, fresh, seen, settle_cancel},
};
use crate::{Cancel, Outcome};

const PART: Krw = Krw::won(9_000);
const REST: Krw = Krw::won(20_000);

pub(super) async fn partial_cancels_add_up(rig: &dyn Rig) -> Verdict {
    let capabilities = rig.gateway().capabilities();
    let payment = Payer::paid(rig).await;
    let part = cancel_of(&payment, PART);
    let first = approved(rig.gateway().cancel(&part).await);
    let rest = cancel_of(&seen(rig, &payment).await, REST);
    let second = approved(rig.gateway().cancel(&rest).await);
    assert_eq!((first.amount, first.reference.as_deref()), (PART, Some(part.reference.as_str())));
    assert_eq!((second.amount, second.reference.as_deref()), (REST, Some(rest.reference.as_str())));
    assert_ne!(first.transaction_key, second.transaction_key);

    let payment = seen(rig, &payment).await;
    assert_eq!((payment.amount, payment.remaining), (PRICE, Krw::ZERO), "the original amount stays");
    if capabilities.lists_cancels {
        assert_eq!(payment.cancellations, [first, second]);
    }
    let expected = [Movement::Charge(PRICE), Movement::Cancel(PART), Movement::Cancel(REST)];
    assert_book(rig, &payment.order_id, &expected).await;
    Verdict::with(&[("lists_cancels", capabilities.lists_cancels)])
}

pub(super) async fn the_same_cancel_twice_is_one_cancel(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    for amount in [PART, REST] {
        let cancel = cancel_of(&seen(rig, &payment).await, amount);
        let first = approved(rig.gateway().cancel(&cancel).await);
        let again = approved(rig.gateway().cancel(&cancel).await);
        assert_eq!((first.amount, first.reference), (again.amount, again.reference));
    }
    let expected = [Movement::Charge(PRICE), Movement::Cancel(PART), Movement::Cancel(REST)];
    assert_book(rig, &payment.order_id, &expected).await;
}

pub(super) async fn the_same_cancel_at_the_same_time_is_one_cancel(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    let cancel = cancel_of(&payment, PART);
    for outcome in join_all((0..4).map(|_| rig.gateway().cancel(&cancel))).await {
        assert!(matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)), "{outcome:?}");
    }
    settle_cancel(rig, &cancel).await;
    assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE), Movement::Cancel(PART)]).await;
}

/// Whether a lost answer is found again by looking is what a reconciler rests upon.
pub(super) async fn a_cancel_is_recognised_in_the_payment(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    let (ours, other) = (cancel_of(&payment, PART), cancel_of(&payment, REST));
    approved(rig.gateway().cancel(&ours).await);
    let payment = seen(rig, &payment).await;
    assert_eq!(payment.remaining, REST);
    let made = payment.made_by(&ours).expect("the cancel that was made is recognised");
    assert_eq!((made.amount, made.reference.as_deref()), (PART, Some(ours.reference.as_str())));
    assert_eq!(payment.made_by(&other), None, "another one is not taken for it");
}

pub(super) async fn more_than_is_left_is_declined(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    let too_much = Krw::won(PRICE.get() + 1);
    declined(rig.gateway().cancel(&cancel_of(&payment, too_much)).await);
    assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE)]).await;

    approved(rig.gateway().cancel(&cancel_of(&payment, PRICE)).await);
    let payment = seen(rig, &payment).await;
    declined(rig.gateway().cancel(&cancel_of(&payment, Krw::won(1_000))).await);
    assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE), Movement::Cancel(PRICE)]).await;
}

pub(super) async fn an_unknown_payment_cannot_be_cancelled(rig: &dyn Rig) {
    for payment_key in [fresh("payment"), "..".to_owned(), String::new(), "a/b?c#d".to_owned()] {
        let cancel = Cancel {
            payment_key,
            amount: PART,
            reason: "없는 결제".to_owned(),
            reference: fresh("refund"),
            remaining_before: PRICE,
        };
        let outcome = rig.gateway().cancel(&cancel).await;
        assert!(matches!(outcome, Outcome::Declined(_) | Outcome::Unknown(_)), "{outcome:?}");
    }
}

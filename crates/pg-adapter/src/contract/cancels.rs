//! Giving money back.

use futures::future::join_all;
use kernel::Krw;

use super::{
    Movement, Rig,
    world::{PRICE, Payer, approved, assert_book, cancel_of, declined, found, fresh, settle_cancel},
};
use crate::{Cancel, Outcome};

const PART: Krw = Krw::won(9_000);
const REST: Krw = Krw::won(20_000);

pub(super) async fn partial_cancels_add_up(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    let part = cancel_of(&payment, PART);
    let rest = cancel_of(&payment, REST);

    let first = approved(rig.gateway().cancel(&part).await);
    let second = approved(rig.gateway().cancel(&rest).await);
    assert_eq!((first.amount, first.reference.as_deref()), (PART, Some(part.reference.as_str())));
    assert_eq!((second.amount, second.reference.as_deref()), (REST, Some(rest.reference.as_str())));
    assert_ne!(first.transaction_key, second.transaction_key);

    let payment = found(rig.gateway().find_by_order(&payment.order_id).await);
    assert_eq!(payment.amount, PRICE, "the original amount stays");
    assert_eq!(payment.cancellations, [first, second]);
    let expected = [Movement::Charge(PRICE), Movement::Cancel(PART), Movement::Cancel(REST)];
    assert_book(rig, &payment.order_id, &expected).await;
}

pub(super) async fn the_same_cancel_twice_is_one_cancel(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    for amount in [PART, REST] {
        let cancel = cancel_of(&payment, amount);
        let first = approved(rig.gateway().cancel(&cancel).await);
        let again = approved(rig.gateway().cancel(&cancel).await);
        assert_eq!(first, again);
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

pub(super) async fn more_than_is_left_is_declined(rig: &dyn Rig) {
    let payment = Payer::paid(rig).await;
    let too_much = Krw::won(PRICE.get() + 1);
    declined(rig.gateway().cancel(&cancel_of(&payment, too_much)).await);
    assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE)]).await;

    approved(rig.gateway().cancel(&cancel_of(&payment, PRICE)).await);
    declined(rig.gateway().cancel(&cancel_of(&payment, Krw::won(1_000))).await);
    assert_book(rig, &payment.order_id, &[Movement::Charge(PRICE), Movement::Cancel(PRICE)]).await;
}

pub(super) async fn an_unknown_payment_cannot_be_cancelled(rig: &dyn Rig) {
    for payment_key in [fresh("payment"), "..".to_owned(), String::new(), "a/b?c#d".to_owned()] {
        let reference = fresh("refund");
        let cancel = Cancel { payment_key, amount: PART, reason: "없는 결제".to_owned(), reference };
        let outcome = rig.gateway().cancel(&cancel).await;
        assert!(matches!(outcome, Outcome::Declined(_) | Outcome::Unknown(_)), "{outcome:?}");
    }
}

//! Confirming a one-off payment.

use kernel::Krw;

use super::{
    Movement, Rig, TestCard, Verdict,
    world::{PRICE, approved, assert_book, charges_repeat, declined, fresh_order},
};
use crate::{Confirm, DeclineClass, Outcome};

pub(super) async fn authenticated(rig: &dyn Rig, card: TestCard) -> Confirm {
    let order_id = fresh_order();
    Confirm { payment_key: rig.authenticate(&order_id, PRICE, card).await, order_id, amount: PRICE }
}

pub(super) async fn an_authenticated_payment_is_confirmed_once(rig: &dyn Rig) -> Verdict {
    let request = authenticated(rig, TestCard::Good).await;
    let first = approved(rig.gateway().confirm(&request).await);
    assert_eq!((first.amount, &first.order_id), (PRICE, &request.order_id));
    match rig.gateway().confirm(&request).await {
        Outcome::Approved(again) => assert_eq!(first.payment_key, again.payment_key),
        Outcome::Unknown(_) if !charges_repeat(rig) => {}
        other => panic!("the same confirm again: {other:?}"),
    }
    assert_book(rig, &request.order_id, &[Movement::Charge(PRICE)]).await;
    Verdict::with(&[("repeats_charge", charges_repeat(rig))])
}

pub(super) async fn an_amount_that_was_not_authenticated_is_declined(rig: &dyn Rig) {
    let request = authenticated(rig, TestCard::Good).await;
    let cheaper = Confirm { amount: Krw::won(100), ..request };
    declined(rig.gateway().confirm(&cheaper).await);
    assert_book(rig, &cheaper.order_id, &[]).await;
}

/// The payment key comes from the payer's browser: an old, paid one must not pay a new order.
pub(super) async fn the_payment_of_another_order_is_not_ours(rig: &dyn Rig) {
    let paid = authenticated(rig, TestCard::Good).await;
    approved(rig.gateway().confirm(&paid).await);
    let stolen = Confirm { order_id: fresh_order(), ..paid.clone() };
    let outcome = rig.gateway().confirm(&stolen).await;
    assert!(!matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    assert_book(rig, &stolen.order_id, &[]).await;
    assert_book(rig, &paid.order_id, &[Movement::Charge(PRICE)]).await;
}

pub(super) async fn a_declining_card_declines_a_confirm(rig: &dyn Rig) {
    let request = authenticated(rig, TestCard::InsufficientFunds).await;
    assert_eq!(declined(rig.gateway().confirm(&request).await).class, DeclineClass::RetryLater);
    assert_book(rig, &request.order_id, &[]).await;
}

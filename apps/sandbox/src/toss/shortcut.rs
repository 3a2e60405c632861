//! Keys that name a test card, `test_auth_4300000000000001` and `test_pay_4300000000000001`, or a bank account,
//! `test_pay_account`.
//!
//! Toss has nothing of the kind. They are there for examples in documentation, which have to work as
//! they are, as often as somebody presses the button and with no browser in between. Each request that
//! carries one gets a fresh auth key or payment, so that from there on everything goes its usual way.

use kernel::Krw;

use super::{
    billing_key::AuthKey,
    call::Call,
    card::Card,
    confirm::{self, Authenticated, ORDER_NAME},
    errors::Refusal,
    payment::Payment,
    state::State,
    transfer::{PaidFrom, Transfer},
};
use crate::card::CardNumber;

/// What the browser SDK would just have returned to this customer.
pub(super) fn auth_key(call: &Call<'_>, key: &str, customer_key: &str) -> Option<AuthKey> {
    let card = card(call, "test_auth_", key)?;
    Some(AuthKey::new(customer_key.to_owned(), card, call.now))
}

/// The payment that a payer would just have authenticated.
///
/// It has a key of its own, so nothing can be looked up by the key in the request. Confirming a paid
/// order once more is therefore the case of two windows, `DUPLICATED_ORDER_ID`, and not
/// `ALREADY_PROCESSED_PAYMENT`: merchants follow the former by the order and the latter by the key.
pub(super) fn payment(
    state: &State,
    call: &Call<'_>,
    key: &str,
    order_id: &str,
    amount: Krw,
) -> Result<Option<Payment>, Refusal> {
    let account = (call.is_test && key == "test_pay_account").then(|| PaidFrom::Account(Transfer::new(None)));
    let paid_from = account.or_else(|| card(call, "test_pay_", key).map(PaidFrom::Card));
    let Some(paid_from) = paid_from else { return Ok(None) };
    let authenticated = Authenticated {
        order_id: order_id.to_owned(),
        order_name: ORDER_NAME.to_owned(),
        amount,
        customer_key: None,
        paid_from,
    };
    confirm::authenticate(state, authenticated, call.now).map(Some)
}

/// Only for test keys: whoever rehearses with live ones wants to see Toss and nothing else.
fn card(call: &Call<'_>, prefix: &str, key: &str) -> Option<Card> {
    CardNumber::in_key(key, prefix).filter(|_| call.is_test).map(Card::from)
}

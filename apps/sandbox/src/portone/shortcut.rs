//! Keys that name a test card: `billing-key-test-4300000000000001` and `test_pay_4300000000000001`.
//!
//! PortOne has nothing of the kind. They are there for examples in documentation, which have to work
//! as they are, as often as somebody presses the button and with no browser in between. They belong to
//! the test channel: whoever accepts live channels alone does not see them.

use chrono::{DateTime, Utc};

use super::{
    billing_key::BillingKey,
    call::{Call, positive},
    card::Card,
    channel::Channel,
    confirm::{self, Agreed, ORDER_NAME},
    customer::Customer,
    errors::Refusal,
    payment::{Payment, PaymentState},
    state::State,
};
use crate::card::CardNumber;

/// A key that was always there, of a customer whom nobody named.
pub(super) fn billing_key(key: &str, now: DateTime<Utc>) -> Option<BillingKey> {
    let card = CardNumber::in_key(key, "billing-key-test-").map(Card::from)?;
    let issued = BillingKey::issued(Channel::TossTest, Customer::default(), card, now);
    Some(BillingKey { key: key.to_owned(), ..issued })
}

/// The payment that a payer would just have agreed to, of the amount that is being confirmed.
///
/// After a failed attempt the payer tries again; any other payment is left as it is.
pub(super) fn payment(
    state: &State,
    call: &Call<'_>,
    payment_id: &str,
    token: &str,
    total: Option<i64>,
) -> Result<Option<Payment>, Refusal> {
    let Some(card) = CardNumber::in_key(token, "test_pay_").map(Card::from) else { return Ok(None) };
    if state.payment(payment_id).is_some_and(|payment| !matches!(payment.state, PaymentState::Failed { .. }))
    {
        return Ok(None);
    }
    let total = total.ok_or_else(|| Refusal::invalid_request("test_pay_에는 totalAmount가 필요합니다."))?;
    let agreed = Agreed {
        payment_id: payment_id.to_owned(),
        order_name: ORDER_NAME.to_owned(),
        total: positive(total, "totalAmount")?,
        channel: Channel::TossTest,
        customer: Customer::default(),
        card,
    };
    confirm::agree(state, agreed, call.now).map(Some)
}

//! POST /confirm, and reading receipts.

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value;

use super::{
    call::{Answer, Call, Change, Decision},
    charge,
    errors::Refusal,
    receipt::{Payment, PaymentState},
    state::State,
};

#[derive(Deserialize)]
struct ConfirmRequest {
    receipt_id: String,
}

/// Neither order nor amount is named: whatever the receipt says is taken.
pub(super) fn confirm(state: &State, call: &Call<'_>) -> Decision {
    let request: ConfirmRequest = call.json()?;
    let payment = state.payment(&request.receipt_id).ok_or_else(Refusal::no_receipt)?;
    if payment.state != PaymentState::Waiting {
        return Err(Refusal::not_confirmable());
    }
    Ok(charge::settle(payment.clone(), call))
}

/// GET /receipt/{receiptId}
pub(super) fn look_up(state: &State, call: &Call<'_>, receipt_id: &str) -> Decision {
    let payment = state.payment(receipt_id).ok_or_else(Refusal::no_receipt)?;
    Ok(Change::answer(Answer::ok(payment.body(call.switches))))
}

/// GET /lookup/order/{orderId}: an array on success, an object on an error.
pub(super) fn of_order(state: &State, call: &Call<'_>, order_id: &str) -> Decision {
    let lag = TimeDelta::seconds(i64::from(call.switches.order_lookup_lag_seconds));
    let is_shown = |payment: &&Payment| {
        let hidden = call.switches.failed_payments_hidden && payment.state == PaymentState::Failed;
        !hidden && payment.requested_at + lag <= call.now
    };
    let shown: Vec<Value> =
        state.payments_of(order_id).filter(is_shown).map(|payment| payment.body(call.switches)).collect();
    if shown.is_empty() && call.switches.missing_order_is_an_error {
        return Err(Refusal::no_receipt());
    }
    Ok(Change::answer(Answer::ok(Value::Array(shown))))
}

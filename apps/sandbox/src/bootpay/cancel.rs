//! POST /cancel: give money back.

use kernel::Krw;
use serde::Deserialize;

use super::{
    call::{Answer, Call, Change, Decision, positive},
    errors::Refusal,
    notices,
    receipt::{self, Payment},
    state::State,
};

#[derive(Deserialize)]
struct CancelRequest {
    receipt_id: String,
    /// Absent: everything that is left.
    #[serde(default)]
    cancel_price: Option<i64>,
    /// Named a second time it is refused; the earlier answer does not come again.
    #[serde(default)]
    cancel_id: Option<String>,
}

pub(super) fn cancel(state: &State, call: &Call<'_>) -> Decision {
    let request: CancelRequest = call.json()?;
    let payment = state.payment(&request.receipt_id).ok_or_else(Refusal::no_receipt)?;
    let is_used = payment.cancels.iter().any(|cancel| cancel.id.is_some() && cancel.id == request.cancel_id);
    if is_used {
        return Err(Refusal::repeated_cancel());
    }
    if let Some(message) = call.decline() {
        return Err(Refusal::of_pg(message));
    }
    let amount = amount(payment, &request)?;
    let mut payment = payment.clone();
    payment.cancels.push(receipt::Cancel { id: request.cancel_id, amount, at: call.now });
    let line = call.book_cancel(&payment, amount);
    let answer = Answer::ok(payment.body(call.switches));
    let news = vec![notices::about(&payment, call.switches, call.now)];
    Ok(Change { answer, records: vec![payment.into(), line], news })
}

fn amount(payment: &Payment, request: &CancelRequest) -> Result<Krw, Refusal> {
    if !payment.is_paid() {
        return Err(Refusal::of_pg("취소할 수 없는 결제입니다."));
    }
    let left = payment.left();
    if left == Krw::ZERO {
        return Err(Refusal::cancelled_already());
    }
    let amount = request.cancel_price.map_or(Ok(left), |price| positive(price, "cancel_price"))?;
    if amount > left { Err(Refusal::more_than_is_left()) } else { Ok(amount) }
}

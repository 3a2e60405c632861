//! POST /subscribe/payment: charge a billing key, once and at once.

use serde::Deserialize;
use serde_json::Value;

use super::{
    call::{Answer, Call, Change, Decision, positive},
    errors::Refusal,
    notices,
    receipt::{Payment, PaymentState, new_id},
    state::State,
    switches::RepeatedOrders,
};

#[derive(Deserialize)]
struct ChargeRequest {
    billing_key: String,
    order_name: String,
    order_id: String,
    price: i64,
    #[serde(default)]
    tax_free: i64,
    #[serde(default)]
    card_quota: Option<String>,
    #[serde(default)]
    feedback_url: Option<String>,
    #[serde(default)]
    metadata: Value,
}

pub(super) fn charge(state: &State, call: &Call<'_>) -> Decision {
    let request: ChargeRequest = call.json()?;
    let price = positive(request.price, "price")?;
    if !(0..=request.price).contains(&request.tax_free) {
        return Err(Refusal::invalid("tax_free 파라미터가 price보다 큽니다."));
    }
    // A single month is an error.
    if request.card_quota.as_deref().is_some_and(|quota| matches!(quota, "1" | "01")) {
        return Err(Refusal::invalid("card_quota 파라미터가 올바르지 않습니다."));
    }
    if request.order_id.is_empty() || request.order_name.is_empty() {
        return Err(Refusal::invalid("order_id와 order_name은 필수 파라미터입니다."));
    }
    check_order_is_new(state, call, &request.order_id)?;
    let key = state.billing_key(&request.billing_key).ok_or_else(Refusal::no_billing_key)?;
    if key.is_deleted {
        return Err(Refusal::deleted_billing_key());
    }
    let payment = Payment {
        receipt_id: new_id(),
        order_id: request.order_id,
        order_name: request.order_name,
        price,
        card: key.card.clone(),
        method: "card_rebill_rest".to_owned(),
        metadata: request.metadata,
        feedback_url: request.feedback_url,
        requested_at: call.now,
        state: PaymentState::Waiting,
        cancels: Vec::new(),
        cash_receipt: None,
    };
    Ok(settle(payment, call))
}

pub(super) fn check_order_is_new(state: &State, call: &Call<'_>, order_id: &str) -> Result<(), Refusal> {
    let mut earlier = state.payments_of(order_id);
    let is_used = match call.switches.repeated_orders {
        RepeatedOrders::RefusedOncePaid => earlier.any(Payment::is_paid),
        RepeatedOrders::RefusedOnceUsed => earlier.next().is_some(),
        RepeatedOrders::Charged => false,
    };
    if is_used { Err(Refusal::repeated_order()) } else { Ok(()) }
}

/// The PG is asked, and takes the money or refuses.
pub(super) fn settle(payment: Payment, call: &Call<'_>) -> Change {
    let no = call.decline().or_else(|| payment.card.refusal().map(str::to_owned));
    if let Some(message) = no {
        let line = call.book_decline(&payment, &message);
        let payment = Payment { state: PaymentState::Failed, ..payment };
        let answer = Refusal::of_pg(message).answer(call.switches);
        return Change { answer, records: vec![payment.into(), line], news: Vec::new() };
    }
    let payment = Payment { state: PaymentState::Paid { at: call.now }, ..payment };
    let line = call.book_charge(&payment);
    let answer = Answer::ok(payment.body(call.switches));
    let news = notices::about(&payment, call.switches, call.now);
    Change { answer, records: vec![payment.into(), line], news: vec![news] }
}

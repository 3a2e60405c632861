//! POST /v1/payments/confirm, and the two ways to look a payment up.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::Krw;
use serde::Deserialize;

use super::{
    answer::{Answer, AnswerBody},
    call::{Call, Change, Decision, won},
    charge::{
        aborted, approved, check_minimum, check_order, new_payment_key, new_secret, new_transaction_key,
        status_changed,
    },
    errors::Refusal,
    payment::{Payment, PaymentState, PaymentType},
    shortcut,
    state::{Record, State},
    switches::TossSwitches,
    transfer::PaidFrom,
};

/// The time between the payer's authentication and the merchant's confirm.
const TIME_TO_CONFIRM: TimeDelta = TimeDelta::minutes(10);

/// The name of an order whose name nobody gave.
pub(crate) const ORDER_NAME: &str = "테스트 주문";

/// What the payer agreed to in the browser.
pub(crate) struct Authenticated {
    pub(crate) order_id: String,
    pub(crate) order_name: String,
    pub(crate) amount: Krw,
    pub(crate) customer_key: Option<String>,
    pub(crate) paid_from: PaidFrom,
}

/// A payment as the widget leaves it: authenticated, waiting for the merchant's confirm.
pub(crate) fn authenticate(
    state: &State,
    auth: Authenticated,
    now: DateTime<Utc>,
) -> Result<Payment, Refusal> {
    check_order(&auth.order_id, &auth.order_name)?;
    check_minimum(auth.amount)?;
    if state.is_order_approved(&auth.order_id) {
        return Err(Refusal::new("DUPLICATED_ORDER_ID"));
    }
    let (card, transfer) = auth.paid_from.taken_apart();
    Ok(Payment {
        key: new_payment_key(state, now),
        merchant: None,
        kind: PaymentType::Normal,
        order_id: auth.order_id,
        order_name: auth.order_name,
        customer_key: auth.customer_key,
        total: auth.amount,
        tax_free: Krw::ZERO,
        tax_exemption: Krw::ZERO,
        installment_months: 0,
        card,
        transfer,
        requested_at: now,
        state: PaymentState::InProgress { until: now + TIME_TO_CONFIRM },
        cancels: Vec::new(),
        secret: new_secret(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmRequest {
    payment_key: String,
    order_id: String,
    #[serde(deserialize_with = "won")]
    amount: Krw,
}

pub(crate) fn confirm(state: &State, call: &Call<'_>) -> Decision {
    let request: ConfirmRequest = call.json()?;
    let shortcut = shortcut::payment(state, call, &request.payment_key, &request.order_id, request.amount)?;
    let payment = shortcut
        .as_ref()
        .or_else(|| state.payment(&request.payment_key).filter(|payment| payment.is_seen_by(call.merchant)))
        .ok_or_else(|| Refusal::new("NOT_FOUND_PAYMENT"))?;
    match payment.state {
        PaymentState::Approved { .. } => return Err(Refusal::new("ALREADY_PROCESSED_PAYMENT")),
        // Unverified: that an aborted payment is answered like an expired one.
        PaymentState::Aborted { .. } | PaymentState::Expired => {
            return Err(Refusal::new("NOT_FOUND_PAYMENT_SESSION"));
        }
        PaymentState::InProgress { until } if until <= call.now => {
            return Ok(expired(payment, call.switches, call.now));
        }
        PaymentState::InProgress { .. } => {}
    }
    // One integrator's guide reports this code for an order other than the browser's; unmeasured.
    if request.order_id != payment.order_id {
        return Err(Refusal::new("NOT_FOUND_PAYMENT_SESSION"));
    }
    // Refused for certain, but the real code was found nowhere: a placeholder.
    if request.amount != payment.total {
        return Err(Refusal::invalid_request("결제 금액이 인증된 금액과 다릅니다."));
    }
    // Two windows were open for one order and the other one was first. Unverified which code this gets.
    if state.is_order_approved(&payment.order_id) {
        return Err(Refusal::new("DUPLICATED_ORDER_ID"));
    }
    let refused = call.decline().or_else(|| payment.card.as_ref()?.refusal().map(str::to_owned));
    if let Some(code) = refused {
        let payment = Payment { merchant: Some(call.merchant.to_owned()), ..payment.clone() };
        return Ok(aborted(payment, &code, call));
    }
    let state = PaymentState::Approved { at: call.now, transaction_key: new_transaction_key() };
    let payment = Payment { merchant: Some(call.merchant.to_owned()), state, ..payment.clone() };
    let news = vec![status_changed(&payment, call.switches, call.now)];
    Ok(Change { news, ..approved(payment, call) })
}

/// The ten minutes are over: the payment expires, a webhook says so, and a late confirm finds nothing.
pub(super) fn expired(payment: &Payment, switches: TossSwitches, now: DateTime<Utc>) -> Change {
    let payment = Payment { state: PaymentState::Expired, ..payment.clone() };
    let news = vec![status_changed(&payment, switches, now)];
    let answer = Refusal::new("NOT_FOUND_PAYMENT_SESSION").answer();
    Change { answer, records: vec![Record::Payment(Box::new(payment)).into()], news }
}

/// GET /v1/payments/{paymentKey} and GET /v1/payments/orders/{orderId}
pub(crate) fn look_up(payment: Option<&Payment>, call: &Call<'_>) -> Decision {
    let hidden = |payment: &Payment| {
        payment.kind == PaymentType::Billing
            && matches!(payment.state, PaymentState::Aborted { .. })
            && !call.switches.declined_charges_readable
    };
    let payment = payment
        .filter(|payment| payment.is_seen_by(call.merchant) && !hidden(payment))
        .ok_or_else(|| Refusal::new("NOT_FOUND_PAYMENT"))?;
    Ok(Change::answer(Answer::ok(AnswerBody::Payment {
        key: payment.key.clone(),
        cancels: payment.cancels.len(),
        surprises: call.switches.surprises(),
    })))
}

//! POST /v1/payments/{paymentKey}/cancel: there is no other way to give money back.

use kernel::Krw;
use serde::Deserialize;

use super::{
    answer::{Answer, AnswerBody},
    call::{Booked, Call, Change, Decision, optional_won},
    charge::{new_transaction_key, status_changed},
    errors::Refusal,
    payment::{Cancel, Payment, PaymentStatus},
    state::{Record, State},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelRequest {
    cancel_reason: String,
    /// Absent: everything that is left.
    #[serde(default, deserialize_with = "optional_won")]
    cancel_amount: Option<Krw>,
    /// An optimistic lock: the balance that the merchant believes in.
    #[serde(default, deserialize_with = "optional_won")]
    refundable_amount: Option<Krw>,
    #[serde(default, deserialize_with = "optional_won")]
    tax_free_amount: Option<Krw>,
    currency: Option<String>,
}

pub(crate) fn cancel(state: &State, call: &Call<'_>, payment_key: &str) -> Decision {
    let request: CancelRequest = call.json()?;
    if !(1..=200).contains(&request.cancel_reason.chars().count()) {
        return Err(Refusal::invalid_request("cancelReason은 1자 이상 200자 이하여야 합니다."));
    }
    let payment = state
        .payment(payment_key)
        .filter(|payment| payment.is_seen_by(call.merchant))
        .ok_or_else(|| Refusal::new("NOT_FOUND_PAYMENT"))?;
    let amount = cancelable(payment, &request)?;
    let cancel = Cancel {
        amount,
        tax_free: tax_free_part(payment, &request, amount)?,
        reason: request.cancel_reason,
        transaction_key: new_transaction_key(),
        at: call.now,
    };
    let mut payment = payment.clone();
    let booked = Booked::Canceled { transaction_key: &cancel.transaction_key, amount };
    let line = call.book_line(&payment, &booked);
    payment.cancels.push(cancel);
    let answer = Answer::ok(AnswerBody::Payment {
        key: payment.key.clone(),
        cancels: payment.cancels.len(),
        surprises: call.switches.surprises(),
    });
    // Whether a cancelled billing payment sends a webhook too is not stated; expect it.
    let news = vec![status_changed(&payment, call.switches, call.now)];
    Ok(Change { answer, records: vec![Record::Payment(Box::new(payment)).into(), line], news })
}

/// The measured matrix: what may be cancelled, and which code refuses the rest.
fn cancelable(payment: &Payment, request: &CancelRequest) -> Result<Krw, Refusal> {
    let balance = payment.balance();
    match payment.status() {
        PaymentStatus::Done | PaymentStatus::PartialCanceled => {}
        PaymentStatus::Canceled => return Err(Refusal::new("ALREADY_CANCELED_PAYMENT")),
        PaymentStatus::InProgress | PaymentStatus::Aborted | PaymentStatus::Expired => {
            return Err(Refusal::new("NOT_CANCELABLE_PAYMENT"));
        }
    }
    if request.currency.as_deref().is_some_and(|currency| currency != "KRW") {
        return Err(Refusal::invalid_request("currency는 승인된 통화와 같아야 합니다."));
    }
    if balance == Krw::ZERO {
        return Err(Refusal::new("NOT_CANCELABLE_AMOUNT"));
    }
    if request.refundable_amount.is_some_and(|believed| believed != balance) {
        return Err(Refusal::new("NOT_MATCHES_REFUNDABLE_AMOUNT"));
    }
    let amount = request.cancel_amount.unwrap_or(balance);
    if !amount.is_positive() {
        return Err(Refusal::invalid_request("cancelAmount는 0보다 커야 합니다."));
    }
    if amount > balance {
        return Err(Refusal::new("NOT_CANCELABLE_AMOUNT"));
    }
    if payment.tax_exemption.is_positive() && amount < balance {
        return Err(Refusal::new("NOT_ALLOWED_PARTIAL_REFUND"));
    }
    Ok(amount)
}

/// What empties the balance empties the tax-free balance as well; else nothing of it unless asked.
fn tax_free_part(payment: &Payment, request: &CancelRequest, amount: Krw) -> Result<Krw, Refusal> {
    let left = payment.tax_free_after(payment.cancels.len());
    if amount == payment.balance() {
        return Ok(left);
    }
    let part = request.tax_free_amount.unwrap_or_default();
    let taxable_left = payment.balance().checked_sub(left).unwrap_or(Krw::ZERO);
    let fits = part >= Krw::ZERO
        && part <= left
        && amount.checked_sub(part).is_some_and(|taxable| taxable <= taxable_left);
    if fits {
        Ok(part)
    } else {
        Err(Refusal::invalid_request("taxFreeAmount가 취소할 수 있는 면세 금액과 맞지 않습니다."))
    }
}

//! Cash receipts (현금영수증) on payments. The paths and the fields are the SDKs'; the answers, the refusals and
//! what a receipt shows afterwards are invented.

use serde::Deserialize;

use super::{
    call::{Answer, Call, Change, Decision},
    errors::Refusal,
    receipt::{CashReceipt, CashReceiptType, Payment},
    state::State,
};
use crate::random;

#[derive(Deserialize)]
struct PublishRequest {
    receipt_id: String,
    identity_no: String,
    cash_receipt_type: CashReceiptType,
}

/// `POST /request/receipt/cash/publish`
pub(super) fn publish(state: &State, call: &Call<'_>) -> Decision {
    let request: PublishRequest = call.json()?;
    let payment = state.payment(&request.receipt_id).ok_or_else(Refusal::no_receipt)?;
    let digits = &request.identity_no;
    if !(1..=30).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::invalid("identity_no 파라미터가 올바르지 않습니다."));
    }
    if !payment.is_paid() {
        return Err(Refusal::of_pg("현금영수증을 발급할 수 없는 결제입니다."));
    }
    if payment.cash_receipt.is_some() {
        return Err(Refusal::of_pg("이미 발급된 현금영수증입니다."));
    }
    let receipt =
        CashReceipt { kind: request.cash_receipt_type, number: random::digits(9), tid: random::hex_id() };
    let payment = Payment { cash_receipt: Some(receipt), ..payment.clone() };
    let line = call.book_cash_receipt(&payment);
    let answer = Answer::ok(payment.body(call.switches));
    Ok(Change { records: vec![payment.into(), line], ..Change::answer(answer) })
}

/// `DELETE /request/receipt/cash/cancel/{receipt_id}`; who cancels and why may stand in the query or in a body.
pub(super) fn cancel(state: &State, call: &Call<'_>, receipt_id: &str) -> Decision {
    let payment = state.payment(receipt_id).ok_or_else(Refusal::no_receipt)?;
    if payment.cash_receipt.is_none() {
        return Err(Refusal::of_pg("취소할 현금영수증이 없습니다."));
    }
    let payment = Payment { cash_receipt: None, ..payment.clone() };
    let line = call.book_cash_receipt(&payment);
    let answer = Answer::ok(payment.body(call.switches));
    Ok(Change { records: vec![payment.into(), line], ..Change::answer(answer) })
}

//! POST /v1/billing/{billingKey}: charge a billing key.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::Deserialize;

use super::{
    MERCHANT_ID,
    answer::{Answer, AnswerBody},
    body,
    call::{Booked, Call, Change, Decision, optional_won, won},
    errors::Refusal,
    payment::{Payment, PaymentState, PaymentType},
    state::{Record, State},
    switches::TossSwitches,
    time,
    webhooks::Delivery,
};
use crate::random;

/// Cards pay from 100 won.
const MINIMUM: Krw = Krw::won(100);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChargeRequest {
    customer_key: String,
    #[serde(deserialize_with = "won")]
    amount: Krw,
    order_id: String,
    order_name: String,
    #[serde(default, deserialize_with = "optional_won")]
    tax_free_amount: Option<Krw>,
    #[serde(default, deserialize_with = "optional_won")]
    tax_exemption_amount: Option<Krw>,
    card_installment_plan: Option<u8>,
}

pub(crate) fn charge(state: &State, call: &Call<'_>, billing_key: &str) -> Decision {
    let request: ChargeRequest = call.json()?;
    let billing = state
        .billing_key(billing_key)
        .filter(|billing| billing.merchant == call.merchant)
        .ok_or_else(|| Refusal::new("INVALID_BILL_KEY_REQUEST"))?;
    if billing.deleted_at.is_some() {
        return Err(Refusal::new("ALREADY_REMOVED_BILLING_KEY"));
    }
    if billing.customer_key != request.customer_key {
        return Err(Refusal::new("NOT_MATCHES_CUSTOMER_KEY"));
    }
    check_order(&request.order_id, &request.order_name)?;
    check_amounts(&request)?;
    if state.is_order_approved(&request.order_id) {
        return Err(Refusal::new("DUPLICATED_ORDER_ID"));
    }
    let payment = Payment {
        key: new_payment_key(state, call.now),
        merchant: Some(call.merchant.to_owned()),
        kind: PaymentType::Billing,
        order_id: request.order_id,
        order_name: request.order_name,
        customer_key: Some(request.customer_key),
        total: request.amount,
        tax_free: request.tax_free_amount.unwrap_or_default(),
        tax_exemption: request.tax_exemption_amount.unwrap_or_default(),
        installment_months: request.card_installment_plan.unwrap_or(0),
        card: Some(billing.card.clone()),
        transfer: None,
        requested_at: call.now,
        state: PaymentState::Approved { at: call.now, transaction_key: new_transaction_key() },
        cancels: Vec::new(),
        secret: new_secret(),
    };
    let refused = call.decline().or_else(|| billing.card.refusal().map(str::to_owned));
    Ok(match refused {
        None => approved(payment, call),
        Some(code) => {
            let mut change = aborted(payment, &code, call);
            // Unknown at Toss: whether a declined charge leaves a payment at all. If it does, its
            // status became ABORTED, which webhooks tell; without one there is nothing to tell.
            if !call.switches.declined_charges_readable {
                change.news.clear();
            }
            change
        }
    })
}

/// The approval of a payment that already carries it. No webhook tells of a completed billing charge.
pub(super) fn approved(payment: Payment, call: &Call<'_>) -> Change {
    let transaction_key = payment.last_transaction_after(0).unwrap_or_default();
    let line = call.book_line(&payment, &Booked::Approved { transaction_key });
    let answer = Answer::ok(AnswerBody::Payment {
        key: payment.key.clone(),
        cancels: 0,
        surprises: call.switches.surprises(),
    });
    Change { answer, records: vec![Record::Payment(Box::new(payment)).into(), line], news: Vec::new() }
}

/// The card's refusal: an error for the caller, an `ABORTED` payment in the records.
pub(super) fn aborted(payment: Payment, code: &str, call: &Call<'_>) -> Change {
    let refusal = Refusal::new(code);
    let state = PaymentState::Aborted { code: code.to_owned(), message: refusal.message.to_string() };
    let payment = Payment { state, ..payment };
    let line = call.book_line(&payment, &Booked::Declined { code });
    let news = vec![status_changed(&payment, call.switches, call.now)];
    Change { answer: refusal.answer(), records: vec![Record::Payment(Box::new(payment)).into(), line], news }
}

pub(super) fn status_changed(payment: &Payment, switches: TossSwitches, now: DateTime<Utc>) -> Delivery {
    let data = body::payment_value(payment, switches.surprises());
    Delivery::event("PAYMENT_STATUS_CHANGED", &data, now)
}

pub(super) fn check_order(order_id: &str, order_name: &str) -> Result<(), Refusal> {
    if !is_order_id(order_id) {
        return Err(Refusal::invalid_request(
            "orderId는 영문 대소문자, 숫자, 특수문자(-, _)로 6자 이상 64자 이하여야 합니다.",
        ));
    }
    if !(1..=100).contains(&order_name.chars().count()) {
        return Err(Refusal::invalid_request("orderName은 1자 이상 100자 이하여야 합니다."));
    }
    Ok(())
}

fn is_order_id(text: &str) -> bool {
    (6..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn check_amounts(request: &ChargeRequest) -> Result<(), Refusal> {
    check_minimum(request.amount)?;
    let tax_free = request.tax_free_amount.unwrap_or_default();
    let tax_exemption = request.tax_exemption_amount.unwrap_or_default();
    let fits = |part: Krw| part >= Krw::ZERO && part <= request.amount;
    if fits(tax_free) && fits(tax_exemption) {
        Ok(())
    } else {
        Err(Refusal::invalid_request("면세 금액이 결제 금액의 범위를 벗어났습니다."))
    }
}

pub(super) fn check_minimum(amount: Krw) -> Result<(), Refusal> {
    if amount < MINIMUM {
        return Err(Refusal::new("BELOW_MINIMUM_AMOUNT"));
    }
    // Keeps sums and VAT far from where an i64 ends; no card pays a trillion won.
    if amount > Krw::won(1_000_000_000_000) {
        return Err(Refusal::new("EXCEED_MAX_AMOUNT"));
    }
    Ok(())
}

/// The merchant id, the time and five letters, as seen in real keys.
pub(super) fn new_payment_key(state: &State, now: DateTime<Utc>) -> String {
    let stem = format!("{MERCHANT_ID}{}", time::digits(now));
    loop {
        // Five letters collide now and then when a benchmark charges 1,300 times a second.
        let key = format!("{stem}{}", random::letters(5));
        if state.payment(&key).is_none() {
            return key;
        }
    }
}

pub(super) fn new_transaction_key() -> String {
    format!("txrd_a01{}", random::letters(26).to_ascii_lowercase())
}

pub(super) fn new_secret() -> String {
    format!("ps_{}", random::letters(28))
}

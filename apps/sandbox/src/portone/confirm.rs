//! What happens around payments that are made in the browser, and reading any payment.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    body,
    call::{Answer, Call, Change, Decision, check_store, part, positive},
    card::Card,
    channel::Channel,
    charge::{approved, check_currency, failed, new_pg_tx_id, refused},
    customer::Customer,
    errors::Refusal,
    payment::{Payment, PaymentState, vat_of},
    shortcut,
    state::{Record, State},
};

/// The name of an order whose name nobody gave.
pub(crate) const ORDER_NAME: &str = "테스트 주문";

/// The amount that the window has to show, told before it opens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PreRegistered {
    pub(crate) payment_id: String,
    pub(crate) total: Option<Krw>,
}

/// What the payer agreed to in the browser.
pub(crate) struct Agreed {
    pub(crate) payment_id: String,
    pub(crate) order_name: String,
    pub(crate) total: Krw,
    pub(crate) channel: Channel,
    pub(crate) customer: Customer,
    pub(crate) card: Card,
}

/// A payment as the window leaves it where the server has to confirm.
pub(crate) fn agree(state: &State, agreed: Agreed, now: DateTime<Utc>) -> Result<Payment, Refusal> {
    let id = agreed.channel.pg().payment_id(&agreed.payment_id)?;
    let before = state.payment(&id);
    if before.is_some_and(Payment::is_paid) {
        return Err(Refusal::new("ALREADY_PAID"));
    }
    Ok(Payment {
        attempts: before.map_or(1, |before| before.attempts + 1),
        requested_at: before.map_or(now, |before| before.requested_at),
        id,
        transaction_id: Uuid::new_v4().to_string(),
        channel: agreed.channel,
        order_name: agreed.order_name,
        total: agreed.total,
        tax_free: Krw::ZERO,
        vat: Krw::won(vat_of(agreed.total.get())),
        customer: agreed.customer,
        custom_data: None,
        notice_urls: Vec::new(),
        billing_key: None,
        card: agreed.card,
        status_changed_at: now,
        state: PaymentState::Waiting { token: format!("payment-token-{}", Uuid::new_v4()) },
        cancels: Vec::new(),
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfirmRequest {
    payment_token: String,
    store_id: Option<String>,
    tx_id: Option<String>,
    currency: Option<String>,
    total_amount: Option<i64>,
    tax_free_amount: Option<i64>,
    is_test: Option<bool>,
    #[serde(default)]
    skip_webhook: bool,
}

/// POST /payments/{paymentId}/confirm
pub(crate) fn confirm(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    let request: ConfirmRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    let shortcut = shortcut::payment(state, call, payment_id, &request.payment_token, request.total_amount)?;
    let payment = shortcut
        .as_ref()
        .or_else(|| state.payment(payment_id))
        .ok_or_else(|| Refusal::new("PAYMENT_NOT_FOUND"))?;
    let token = match &payment.state {
        PaymentState::Paid { .. } => return Err(Refusal::new("ALREADY_PAID")),
        // Not documented: what a token gets whose attempt has failed.
        PaymentState::Failed { .. } => return Err(Refusal::new("INVALID_PAYMENT_TOKEN")),
        PaymentState::Waiting { token } => token,
    };
    if request.payment_token != *token && shortcut.is_none() {
        return Err(Refusal::new("INVALID_PAYMENT_TOKEN"));
    }
    check_agreed(&request, payment)?;
    let state = PaymentState::Paid { at: call.now, pg_tx_id: new_pg_tx_id() };
    let payment = Payment { state, status_changed_at: call.now, ..payment.clone() };
    let mut change = match refused(&payment, call)? {
        Some(word) => failed(payment, word, call),
        // Not wrapped in `payment`, as the charge of a billing key is.
        None => approved(payment, call, |summary| summary),
    };
    if request.skip_webhook {
        change.news.clear();
    }
    Ok(change)
}

/// Whatever is sent is checked, and nothing has to be sent.
fn check_agreed(request: &ConfirmRequest, payment: &Payment) -> Result<(), Refusal> {
    let total = request.total_amount.map(|amount| positive(amount, "totalAmount")).transpose()?;
    let tax_free = part(request.tax_free_amount, "taxFreeAmount")?;
    let same = request.tx_id.as_ref().is_none_or(|id| *id == payment.transaction_id)
        && request.currency.as_deref().is_none_or(|currency| currency == "KRW")
        && total.is_none_or(|total| total == payment.total)
        && tax_free.is_none_or(|tax_free| tax_free == payment.tax_free)
        && request.is_test.is_none_or(|is_test| is_test == payment.channel.is_test());
    if same { Ok(()) } else { Err(Refusal::new("INFORMATION_MISMATCH")) }
}

/// GET /payments/{paymentId}
pub(crate) fn look_up(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    check_store(call.parameter("storeId").as_deref())?;
    let hidden = |payment: &Payment| {
        payment.billing_key.is_some()
            && matches!(payment.state, PaymentState::Failed { .. })
            && !call.switches.declined_charges_readable
    };
    let payment = state
        .payment(payment_id)
        .filter(|payment| !hidden(payment))
        .ok_or_else(|| Refusal::new("PAYMENT_NOT_FOUND"))?;
    Ok(Change::answer(Answer::ok(&body::payment(payment, call.switches))))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PreRegisterRequest {
    store_id: Option<String>,
    total_amount: Option<i64>,
    tax_free_amount: Option<i64>,
    currency: Option<String>,
}

/// POST /payments/{paymentId}/pre-register
pub(crate) fn pre_register(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    let request: PreRegisterRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    request.currency.as_deref().map(check_currency).transpose()?;
    part(request.tax_free_amount, "taxFreeAmount")?;
    let total = request.total_amount.map(|amount| positive(amount, "totalAmount")).transpose()?;
    if state.payment(payment_id).is_some_and(Payment::is_paid) {
        return Err(Refusal::new("ALREADY_PAID"));
    }
    let registered = PreRegistered { payment_id: payment_id.to_owned(), total };
    let records = vec![Record::PreRegistered(registered).into()];
    Ok(Change { records, ..Change::answer(Answer::ok(&json!({}))) })
}

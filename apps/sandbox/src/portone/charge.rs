//! POST /payments/{paymentId}/billing-key: charge a stored key.

use kernel::Krw;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    billing_key, body,
    call::{Answer, Booked, Call, Change, Decision, check_store, part, positive},
    channel::Channel,
    customer::{Customer, CustomerInput},
    errors::{PgWord, Refusal},
    payment::{Payment, PaymentState, vat_of},
    state::State,
    webhooks,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChargeRequest {
    billing_key: String,
    order_name: String,
    /// An object, not a number.
    amount: AmountInput,
    currency: String,
    store_id: Option<String>,
    channel_key: Option<String>,
    customer: Option<CustomerInput>,
    custom_data: Option<String>,
    #[serde(default)]
    notice_urls: Vec<String>,
    #[serde(default)]
    skip_webhook: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AmountInput {
    total: i64,
    tax_free: Option<i64>,
    vat: Option<i64>,
}

pub(crate) struct Amounts {
    pub(crate) total: Krw,
    pub(crate) tax_free: Krw,
    pub(crate) vat: Krw,
}

pub(crate) fn charge(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    let request: ChargeRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    check_currency(&request.currency)?;
    let amounts = amounts(&request.amount)?;
    let billing = billing_key::find(state, call, &request.billing_key)?;
    if billing.deleted_at.is_some() {
        return Err(Refusal::new("BILLING_KEY_ALREADY_DELETED"));
    }
    let channel = match &request.channel_key {
        None => billing.channel,
        // A key of one channel cannot be charged through another.
        Some(key) => Channel::with_key(key)
            .filter(|channel| *channel == billing.channel)
            .ok_or_else(|| Refusal::new("CHANNEL_NOT_FOUND"))?,
    };
    let id = channel.pg().payment_id(payment_id)?;
    let before = state.payment(&id);
    let payment = Payment {
        attempts: next_attempt(before, call)?,
        id,
        transaction_id: Uuid::new_v4().to_string(),
        channel,
        order_name: request.order_name,
        total: amounts.total,
        tax_free: amounts.tax_free,
        vat: amounts.vat,
        customer: request.customer.map(Customer::from).unwrap_or_default(),
        custom_data: request.custom_data,
        notice_urls: request.notice_urls,
        billing_key: Some(billing.key),
        card: billing.card,
        requested_at: before.map_or(call.now, |before| before.requested_at),
        status_changed_at: call.now,
        state: PaymentState::Paid { at: call.now, pg_tx_id: new_pg_tx_id() },
        cancels: Vec::new(),
    };
    let mut change = match refused(&payment, call)? {
        Some(word) => failed(payment, word, call),
        None => approved(payment, call, |summary| json!({"payment": summary})),
    };
    if request.skip_webhook {
        change.news.clear();
    }
    Ok(change)
}

/// One success per `paymentId`, and several attempts at it. How many is unknown.
pub(crate) fn next_attempt(before: Option<&Payment>, call: &Call<'_>) -> Result<u32, Refusal> {
    match before {
        Some(payment) if payment.is_paid() => Err(Refusal::new("ALREADY_PAID")),
        Some(payment) if payment.attempts >= call.switches.most_attempts => {
            Err(Refusal::new("MAX_TRANSACTION_COUNT_REACHED"))
        }
        Some(payment) => Ok(payment.attempts + 1),
        None => Ok(1),
    }
}

/// What the PG says no with: its own word where a card or a fault makes it, `Err` where the fault
/// asks for a refusal of PortOne itself.
pub(crate) fn refused(payment: &Payment, call: &Call<'_>) -> Result<Option<PgWord>, Refusal> {
    match call.decline().map(|code| Refusal::forced(&code)) {
        Some(Refusal { pg: Some(word), .. }) => Ok(Some(word)),
        Some(refusal) => Err(refusal),
        None => Ok(payment.card.refusal(payment.channel.pg())),
    }
}

/// The approval of a payment that already carries it. The answer tells hardly anything: no status, no
/// id, no amount.
pub(crate) fn approved(
    payment: Payment,
    call: &Call<'_>,
    answer: impl FnOnce(serde_json::Value) -> serde_json::Value,
) -> Change {
    let pg_tx_id = match &payment.state {
        PaymentState::Paid { pg_tx_id, .. } => pg_tx_id.clone(),
        PaymentState::Waiting { .. } | PaymentState::Failed { .. } => String::new(),
    };
    let answer = Answer::ok(&answer(json!({"pgTxId": pg_tx_id, "paidAt": body::time(call.now)})));
    let news = webhooks::about_payment("Transaction.Paid", &payment, None, call.switches, call.now);
    let line = call.book_line(&payment, &Booked::Approved);
    Change { answer, records: vec![payment.into(), line], news }
}

/// The PG's no: an error for the caller, and a failed payment in the records.
pub(crate) fn failed(payment: Payment, word: PgWord, call: &Call<'_>) -> Change {
    let PgWord { code, message } = word.clone();
    let line = call.book_line(&payment, &Booked::Declined { code: &word.code });
    let payment = Payment { state: PaymentState::Failed { at: call.now, code, message }, ..payment };
    let news = webhooks::about_payment("Transaction.Failed", &payment, None, call.switches, call.now);
    Change { answer: Refusal::of_pg(word).answer(), records: vec![payment.into(), line], news }
}

/// The spelling of one official example is in no schema.
pub(crate) fn check_currency(currency: &str) -> Result<(), Refusal> {
    if currency == "KRW" {
        Ok(())
    } else {
        Err(Refusal::invalid_request("currency: 샌드박스의 채널은 KRW만 지원합니다."))
    }
}

fn amounts(input: &AmountInput) -> Result<Amounts, Refusal> {
    let total = positive(input.total, "amount.total")?;
    let tax_free = part(input.tax_free, "amount.taxFree")?.unwrap_or_default();
    let taxable =
        total.checked_sub(tax_free).ok_or_else(|| Refusal::new("SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"))?;
    let vat = part(input.vat, "amount.vat")?.unwrap_or(Krw::won(vat_of(taxable.get())));
    if vat > taxable {
        return Err(Refusal::new("SUM_OF_PARTS_EXCEEDS_TOTAL_AMOUNT"));
    }
    Ok(Amounts { total, tax_free, vat })
}

pub(crate) fn new_pg_tx_id() -> String {
    format!("tviva{}", Uuid::new_v4().simple())
}

//! POST /payments/{paymentId}/cancel: give money back.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{
    body,
    call::{Answer, Booked, Call, Change, Decision, book_line, check_store, part, positive},
    errors::Refusal,
    payment::{Cancel, CancelState, Payment, PaymentState, PaymentStatus, vat_of},
    state::State,
    switches::{CancelOutcome, PortOneSwitches},
    webhooks::{self, Delivery},
};
use crate::store::Record;

/// How many there may be was found nowhere.
const MOST_CANCELS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CancelRequest {
    reason: String,
    store_id: Option<String>,
    /// Absent: everything that is left.
    amount: Option<i64>,
    /// Absent: the cancelled part counts as fully taxable.
    tax_free_amount: Option<i64>,
    vat_amount: Option<i64>,
    requester: Option<String>,
    /// What the merchant believes is left: the only guard against giving back twice.
    current_cancellable_amount: Option<i64>,
    #[serde(default)]
    skip_webhook: bool,
}

pub(crate) fn cancel(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    let request: CancelRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    if request.requester.as_deref().is_some_and(|who| !matches!(who, "CUSTOMER" | "ADMIN")) {
        return Err(Refusal::invalid_request("requester는 CUSTOMER 또는 ADMIN이어야 합니다."));
    }
    let payment = state.payment(payment_id).ok_or_else(|| Refusal::new("PAYMENT_NOT_FOUND"))?;
    let mut cancel = cancellable(payment, &request, call.now)?;
    if call.switches.cancel_outcome == CancelOutcome::Failed {
        cancel.state = CancelState::Failed;
    }
    let mut payment = payment.clone();
    payment.cancels.push(cancel.clone());
    let mut change = match call.switches.cancel_outcome {
        CancelOutcome::Succeeded => succeed(&mut payment, &cancel.id, call.now, call.switches),
        CancelOutcome::Requested => (
            Vec::new(),
            webhooks::about_payment(
                "Transaction.CancelPending",
                &payment,
                Some(&cancel.id),
                call.switches,
                call.now,
            ),
        ),
        // No event tells of a failed cancel.
        CancelOutcome::Failed => (Vec::new(), Vec::new()),
    };
    if let Some(Record::Book(line)) = change.0.last_mut() {
        line.idempotency_key = call.idempotency_key.map(str::to_owned);
    }
    let now_is = payment.cancels.last().map_or(json!(null), body::cancellation);
    let answer = Answer::ok(&json!({"cancellation": now_is}));
    let (mut records, mut news) = change;
    records.insert(0, payment.into());
    if request.skip_webhook {
        news.clear();
    }
    Ok(Change { answer, records, news })
}

/// The cancel arrives at the payer: the line for the book, and the news. The payment is to be kept.
pub(crate) fn succeed(
    payment: &mut Payment,
    cancellation_id: &str,
    now: DateTime<Utc>,
    switches: PortOneSwitches,
) -> (Vec<Record>, Vec<Delivery>) {
    let Some(cancel) = payment.cancels.iter_mut().find(|cancel| cancel.id == cancellation_id) else {
        return (Vec::new(), Vec::new());
    };
    cancel.state =
        CancelState::Succeeded { at: now, pg_cancellation_id: format!("pgc-{}", Uuid::new_v4().simple()) };
    let amount = cancel.amount;
    payment.status_changed_at = now;
    let event = match payment.status() {
        PaymentStatus::Cancelled => "Transaction.Cancelled",
        _ => "Transaction.PartialCancelled",
    };
    let news = webhooks::about_payment(event, payment, Some(cancellation_id), switches, now);
    (vec![book_line(payment, &Booked::Canceled { cancellation_id, amount }, now, None)], news)
}

fn cancellable(payment: &Payment, request: &CancelRequest, now: DateTime<Utc>) -> Result<Cancel, Refusal> {
    if !matches!(payment.state, PaymentState::Paid { .. }) {
        return Err(Refusal::new("PAYMENT_NOT_PAID"));
    }
    if payment.cancelled() == payment.total {
        return Err(Refusal::new("PAYMENT_ALREADY_CANCELLED"));
    }
    if payment.cancels.len() >= MOST_CANCELS {
        return Err(Refusal::new("MAX_CANCEL_COUNT_REACHED"));
    }
    let left = payment.cancellable();
    if part(request.current_cancellable_amount, "currentCancellableAmount")?
        .is_some_and(|believed| believed != left)
    {
        return Err(Refusal::new("CANCELLABLE_AMOUNT_CONSISTENCY_BROKEN"));
    }
    let amount = request.amount.map_or(Ok(left), |amount| positive(amount, "amount"))?;
    if amount > left || amount == Krw::ZERO {
        return Err(Refusal::new("CANCEL_AMOUNT_EXCEEDS_CANCELLABLE_AMOUNT"));
    }
    let (tax_free, vat) = parts(payment, request, amount)?;
    Ok(Cancel {
        id: format!("cancellation-{}", Uuid::new_v4()),
        amount,
        tax_free,
        vat,
        reason: request.reason.clone(),
        requested_at: now,
        state: CancelState::Requested,
    })
}

/// What empties the payment empties its parts; else the parts are as asked, or all of it is taxable.
fn parts(payment: &Payment, request: &CancelRequest, amount: Krw) -> Result<(Krw, Krw), Refusal> {
    let (tax_free_left, vat_left) = (payment.cancellable_tax_free(), payment.cancellable_vat());
    if amount == payment.cancellable() && request.tax_free_amount.is_none() && request.vat_amount.is_none() {
        return Ok((tax_free_left, vat_left));
    }
    let tax_free = part(request.tax_free_amount, "taxFreeAmount")?.unwrap_or_default();
    if tax_free > tax_free_left {
        return Err(Refusal::new("CANCEL_TAX_FREE_AMOUNT_EXCEEDS_CANCELLABLE_TAX_FREE_AMOUNT"));
    }
    let sum_of_parts = || Refusal::new("SUM_OF_PARTS_EXCEEDS_CANCEL_AMOUNT");
    let taxable = amount.checked_sub(tax_free).ok_or_else(sum_of_parts)?;
    let vat = match part(request.vat_amount, "vatAmount")? {
        Some(vat) if vat > vat_left => {
            return Err(Refusal::new("CANCEL_TAX_AMOUNT_EXCEEDS_CANCELLABLE_TAX_AMOUNT"));
        }
        Some(vat) if vat > taxable => return Err(sum_of_parts()),
        Some(vat) => vat,
        // Rounded eleventh by eleventh, the parts could add up to a won more than the whole.
        None => vat_left.min(Krw::won(vat_of(taxable.get()))),
    };
    Ok((tax_free, vat))
}

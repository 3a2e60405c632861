//! `GET /payments-by-cursor` and `GET /payment-events-by-cursor`: reads for reconciliation.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    MERCHANT_ID, STORE_ID, body,
    call::{Answer, Call, Change, Decision, check_store},
    errors::Refusal,
    payment::{Cancel, Payment},
    state::State,
};
use crate::book::{Book, BookEntry, BookKind, Provider};

const DEFAULT_SIZE: usize = 10;
const LARGEST_SIZE: usize = 1000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    store_id: Option<String>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    /// That of the last item of the page before.
    cursor: Option<String>,
    size: Option<usize>,
}

struct Window {
    from: DateTime<Utc>,
    until: DateTime<Utc>,
    /// Everything up to here was shown.
    after: Option<usize>,
    size: usize,
}

impl Window {
    fn of(call: &Call<'_>) -> Result<Self, Refusal> {
        let parameters: Parameters = call.list_parameters()?;
        check_store(parameters.store_id.as_deref())?;
        let size = parameters.size.unwrap_or(DEFAULT_SIZE);
        // Refused and not quietly cut: a client that pages until a page is not full would stop early.
        if !(1..=LARGEST_SIZE).contains(&size) {
            return Err(Refusal::invalid_request("size는 1 이상 1000 이하여야 합니다."));
        }
        let after = match &parameters.cursor {
            None => None,
            Some(cursor) => Some(
                read_cursor(cursor).ok_or_else(|| Refusal::invalid_request("cursor가 올바르지 않습니다."))?,
            ),
        };
        let until = parameters.until.unwrap_or(call.now);
        let from = parameters.from.unwrap_or(until - TimeDelta::days(90));
        let lag = TimeDelta::seconds(i64::from(call.switches.lists_lag_seconds));
        Ok(Self { from, until: until.min(call.now - lag), after, size })
    }

    /// Not stated whether the end counts in; whoever asks for days has to cope with either.
    fn contains(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && at <= self.until
    }

    fn is_after(&self, position: usize) -> bool {
        self.after.is_none_or(|after| position > after)
    }
}

fn cursor(position: usize) -> String {
    hex::encode(format!("cursor:{position}"))
}

fn read_cursor(text: &str) -> Option<usize> {
    String::from_utf8(hex::decode(text).ok()?).ok()?.strip_prefix("cursor:")?.parse().ok()
}

/// Payments by the time at which they were first asked for.
pub(crate) fn payments(state: &State, call: &Call<'_>) -> Decision {
    let window = Window::of(call)?;
    let items: Vec<Value> = state
        .payments()
        .enumerate()
        .filter(|(position, payment)| window.is_after(*position) && window.contains(payment.requested_at))
        .take(window.size)
        .map(|(position, payment)| {
            json!({"payment": body::payment(payment, call.switches), "cursor": cursor(position)})
        })
        .collect();
    Ok(Change::answer(Answer::ok(&json!({"items": items}))))
}

/// Movements of money by the time at which they happened.
pub(crate) fn events(state: &State, book: &Book, call: &Call<'_>) -> Decision {
    let window = Window::of(call)?;
    let items: Vec<Value> = book
        .entries()
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.provider == Provider::PortOne && entry.status.moved_money())
        .filter(|(position, entry)| window.is_after(*position) && window.contains(entry.at.0))
        .filter_map(|(position, entry)| {
            let event = event(entry, state.payment(&entry.payment_key)?, call);
            Some(json!({"paymentEvent": event, "cursor": cursor(position)}))
        })
        .take(window.size)
        .collect();
    Ok(Change::answer(Answer::ok(&json!({"items": items}))))
}

fn event(entry: &BookEntry, payment: &Payment, call: &Call<'_>) -> Value {
    let cancel =
        payment.cancels.iter().find(|cancel| entry.transaction_key.as_deref() == Some(cancel.id.as_str()));
    let mut event = json!({
        "type": event_type(entry, payment, cancel),
        "id": format!("payment-event-{}", entry.seq),
        "paymentId": payment.id,
        "transactionId": payment.transaction_id,
        "merchantId": MERCHANT_ID,
        "storeId": STORE_ID,
        "channel": payment.channel.body(),
        "version": "V2",
        "requestedAt": body::time(payment.requested_at),
        "createdAt": body::time(entry.at.0),
        "orderName": payment.order_name,
        "totalAmount": body::amount(payment, call.switches),
        "currency": "KRW",
        "customer": payment.customer,
        "eventAmount": if entry.kind == BookKind::Cancel { -entry.amount.get() } else { entry.amount.get() },
    });
    if !call.switches.sparse {
        event["origin"] = json!({"platformType": "API", "ipAddress": "127.0.0.1"});
        if let Some(cancel) = cancel {
            event["cancellation"] = body::cancellation(cancel);
        }
    }
    body::surprise(&mut event, call.switches);
    event
}

fn event_type(entry: &BookEntry, payment: &Payment, cancel: Option<&Cancel>) -> &'static str {
    if entry.kind == BookKind::Charge {
        return "PAID";
    }
    let last_done = payment.cancels.iter().rev().find(|cancel| cancel.is_done());
    let emptied_it = payment.cancelled() == payment.total
        && cancel.map(|cancel| &cancel.id) == last_done.map(|cancel| &cancel.id);
    if emptied_it { "CANCELLED" } else { "PARTIAL_CANCELLED" }
}

//! GET /v1/transactions: one row per approval or cancel, for the daily reconciliation.

use axum::extract::Query;
use chrono::{DateTime, TimeDelta, Timelike as _, Utc};
use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::{
    MERCHANT_ID,
    answer::Answer,
    call::{Call, Change, Decision},
    errors::Refusal,
    payment::{Payment, PaymentStatus},
    state::State,
    time,
};
use crate::book::{Book, BookEntry, BookKind, Provider};

const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 5000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    start_date: Option<String>,
    end_date: Option<String>,
    /// The transaction key of the last row of the page before.
    starting_after: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row<'a> {
    m_id: &'a str,
    transaction_key: &'a str,
    payment_key: &'a str,
    order_id: &'a str,
    method: &'static str,
    customer_key: Option<&'a str>,
    use_escrow: bool,
    receipt_url: String,
    status: PaymentStatus,
    transaction_at: String,
    currency: &'static str,
    amount: Krw,
}

pub(crate) fn list(state: &State, book: &Book, call: &Call<'_>) -> Decision {
    let Query(parameters): Query<Parameters> =
        Query::try_from_uri(call.uri).map_err(|_| Refusal::new("INVALID_REQUEST"))?;
    let from = date(parameters.start_date.as_deref())?;
    let to = date(parameters.end_date.as_deref())?;
    if to < from {
        return Err(Refusal::new("INVALID_DATE"));
    }
    let limit = limit(parameters.limit.as_deref())?;
    let entries = match &parameters.starting_after {
        None => book.entries(),
        Some(key) => book.after_transaction(key).ok_or_else(|| Refusal::new("INVALID_PAGING_KEY"))?,
    };
    let visible_until = call.now - TimeDelta::seconds(i64::from(call.switches.transactions_lag_seconds));
    // Rows show whole seconds, so a range is compared in whole seconds. Unverified: that the end counts in.
    let within = |at: DateTime<Utc>| {
        let second = at.with_nanosecond(0).unwrap_or(at);
        from <= second && second <= to && at <= visible_until
    };
    let negative_cancels = call.switches.negative_cancel_rows;
    let rows: Vec<Row<'_>> = entries
        .iter()
        .filter(|entry| entry.provider == Provider::Toss && entry.status.moved_money())
        .filter(|entry| within(entry.at.0))
        .filter_map(|entry| Some((entry, state.payment(&entry.payment_key)?)))
        .filter(|(_, payment)| payment.is_seen_by(call.merchant))
        .filter_map(|(entry, payment)| row(entry, payment, negative_cancels))
        .take(limit)
        .collect();
    Ok(Change::answer(Answer::json(&rows)))
}

fn date(text: Option<&str>) -> Result<DateTime<Utc>, Refusal> {
    let text = text.ok_or_else(|| Refusal::invalid_request("startDate와 endDate는 필수입니다."))?;
    time::parse_zoneless(text).ok_or_else(|| Refusal::new("INVALID_DATE"))
}

/// Too large a limit is refused and not quietly cut: a client that pages until a page is not full
/// would otherwise stop after the first one. Unverified which of the two Toss does.
fn limit(text: Option<&str>) -> Result<usize, Refusal> {
    let Some(text) = text else { return Ok(DEFAULT_LIMIT) };
    match text.parse() {
        Ok(0) | Err(_) => Err(Refusal::invalid_request("limit는 1 이상의 정수여야 합니다.")),
        Ok(limit) if limit > MAX_LIMIT => Err(Refusal::new("EXCEED_MAX_QUERY_LIMIT")),
        Ok(limit) => Ok(limit),
    }
}

fn row<'a>(entry: &'a BookEntry, payment: &'a Payment, negative_cancels: bool) -> Option<Row<'a>> {
    let transaction_key = entry.transaction_key.as_deref()?;
    let cancels = payment
        .cancels
        .iter()
        .position(|cancel| cancel.transaction_key == transaction_key)
        .map_or(0, |n| n + 1);
    let negative = negative_cancels && entry.kind == BookKind::Cancel;
    Some(Row {
        m_id: payment.merchant.as_deref().unwrap_or(MERCHANT_ID),
        transaction_key,
        payment_key: &payment.key,
        order_id: &payment.order_id,
        method: "카드",
        customer_key: payment.customer_key.as_deref(),
        use_escrow: false,
        receipt_url: format!(
            "https://dashboard-sandbox.tosspayments.com/receipt/redirection?transactionId={}&ref=PX",
            payment.key
        ),
        status: payment.status_after(cancels),
        transaction_at: time::with_offset(entry.at.0),
        currency: "KRW",
        amount: if negative { Krw::won(-entry.amount.get()) } else { entry.amount },
    })
}

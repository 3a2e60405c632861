//! Cash receipts (현금영수증) on request, as integrators measured: nobody asks whether there is such an order
//! or how it was paid, and asking twice makes two.

use axum::extract::Query;
use chrono::{DateTime, Days, TimeDelta, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize};

use super::{
    answer::Answer,
    call::{Call, Change, Decision, optional_won, won},
    errors::Refusal,
    state::{Record, State},
    time,
    transfer::CashReceiptType,
};
use crate::{
    book::{BookEntry, BookKind, BookStatus, Provider},
    random, store,
};

/// The result is known after one or two days.
const TAX_SERVICE_TAKES: TimeDelta = TimeDelta::days(1);
const DEFAULT_LIMIT: usize = 100;
const MAX_LIMIT: usize = 10_000;
/// Of the shop, ten digits.
const BUSINESS_NUMBER: &str = "1111111119";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum TransactionType {
    Confirm,
    Cancel,
}

/// A receipt, or the cancel of one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CashReceipt {
    /// A cancel has the key of its receipt, after `c_`.
    key: String,
    /// Whose it is.
    pub(super) merchant: String,
    transaction: TransactionType,
    order_id: String,
    order_name: String,
    kind: CashReceiptType,
    amount: Krw,
    tax_free: Krw,
    /// The last digits alone are kept.
    identity: String,
    issue_number: String,
    requested_at: DateTime<Utc>,
    /// What the tax service will say.
    refused: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueRequest {
    #[serde(deserialize_with = "won")]
    amount: Krw,
    order_id: String,
    order_name: String,
    r#type: CashReceiptType,
    customer_identity_number: String,
    #[serde(default, deserialize_with = "optional_won")]
    tax_free_amount: Option<Krw>,
}

pub(crate) fn issue(call: &Call<'_>) -> Decision {
    let request: IssueRequest = call.json()?;
    let digits = &request.customer_identity_number;
    if !(1..=30).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::new("INVALID_CASH_RECEIPT_INFO"));
    }
    let tax_free = request.tax_free_amount.unwrap_or_default();
    if !request.amount.is_positive()
        || tax_free > request.amount
        || !(6..=64).contains(&request.order_id.len())
        || !(1..=100).contains(&request.order_name.chars().count())
    {
        return Err(Refusal::new("INVALID_REQUEST"));
    }
    let receipt = CashReceipt {
        key: random::letters(27),
        merchant: call.merchant.to_owned(),
        transaction: TransactionType::Confirm,
        order_id: request.order_id,
        order_name: request.order_name,
        kind: request.r#type,
        amount: request.amount,
        tax_free,
        identity: masked(digits),
        issue_number: random::digits(9),
        requested_at: call.now,
        refused: call.switches.tax_service_refuses,
    };
    Ok(made(call, receipt))
}

#[derive(Deserialize)]
struct CancelRequest {
    /// Absent: all that is left.
    #[serde(default, deserialize_with = "optional_won")]
    amount: Option<Krw>,
}

/// Which codes refuse a cancel is in no document; those of payments stand in.
pub(crate) fn cancel(state: &State, call: &Call<'_>, key: &str) -> Decision {
    let request: CancelRequest = call.json()?;
    let receipt = state.cash_receipts(call.merchant).find(|it| it.key == key);
    let receipt = receipt.filter(|it| it.transaction == TransactionType::Confirm);
    let receipt = receipt.ok_or_else(|| Refusal::new("NOT_FOUND"))?;
    let canceled_key = format!("c_{key}");
    let cancels = state.cash_receipts(call.merchant).filter(|it| it.key == canceled_key);
    let left =
        cancels.fold(receipt.amount, |left, cancel| left.checked_sub(cancel.amount).unwrap_or(Krw::ZERO));
    let amount = request.amount.unwrap_or(left);
    if !amount.is_positive() || amount > left {
        return Err(Refusal::new("NOT_CANCELABLE_AMOUNT"));
    }
    let cancel = CashReceipt {
        key: canceled_key,
        transaction: TransactionType::Cancel,
        amount,
        tax_free: Krw::ZERO,
        issue_number: random::digits(9),
        requested_at: call.now,
        refused: false,
        ..receipt.clone()
    };
    Ok(made(call, cancel))
}

fn made(call: &Call<'_>, receipt: CashReceipt) -> Change {
    let (kind, status) = match receipt.transaction {
        TransactionType::Confirm => (BookKind::CashReceipt, BookStatus::Issued),
        TransactionType::Cancel => (BookKind::CashReceiptCancel, BookStatus::Revoked),
    };
    let line = store::Record::Book(BookEntry {
        seq: 0,
        provider: Provider::Toss,
        order_id: receipt.order_id.clone(),
        payment_key: receipt.key.clone(),
        transaction_key: None,
        kind,
        amount: receipt.amount,
        status,
        code: None,
        idempotency_key: call.idempotency_key.map(str::to_owned),
        at: KoreanTime(call.now),
    });
    let answer = Answer::json(&body(&receipt, call.now));
    Change { answer, records: vec![Record::CashReceipt(Box::new(receipt)).into(), line], news: Vec::new() }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters {
    request_date: Option<String>,
    cursor: Option<String>,
    limit: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    has_next: bool,
    last_cursor: usize,
    data: Vec<Body<'a>>,
}

/// The receipts of a Korean day, oldest first. There is no look-up by key or order.
pub(crate) fn list(state: &State, call: &Call<'_>) -> Decision {
    let Query(parameters): Query<Parameters> =
        Query::try_from_uri(call.uri).map_err(|_| Refusal::new("INVALID_REQUEST"))?;
    let day = parameters.request_date.as_deref().and_then(|text| text.parse::<chrono::NaiveDate>().ok());
    let day = day.ok_or_else(|| Refusal::new("INVALID_DATE"))?;
    let number = |text: Option<&str>, otherwise| match text {
        None => Ok(otherwise),
        Some(text) => text.parse::<usize>().map_err(|_| Refusal::new("INVALID_REQUEST")),
    };
    let limit = number(parameters.limit.as_deref(), DEFAULT_LIMIT)?;
    let cursor = number(parameters.cursor.as_deref(), 0)?;
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Refusal::new("EXCEED_MAX_QUERY_LIMIT"));
    }
    let from = kernel::at_korean_time(day, chrono::NaiveTime::MIN);
    let until = kernel::at_korean_time(day + Days::new(1), chrono::NaiveTime::MIN);
    // The cursor counts all receipts of the merchant that there ever were.
    let mut of_day = state
        .cash_receipts(call.merchant)
        .enumerate()
        .skip(cursor)
        .filter(|(_, receipt)| (from..until).contains(&receipt.requested_at));
    let shown: Vec<_> = of_day.by_ref().take(limit).collect();
    let page = Page {
        has_next: of_day.next().is_some(),
        last_cursor: shown.last().map_or(cursor, |(index, _)| index + 1),
        data: shown.iter().map(|(_, receipt)| body(receipt, call.now)).collect(),
    };
    Ok(Change::answer(Answer::json(&page)))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    receipt_key: &'a str,
    issue_number: &'a str,
    issue_status: &'static str,
    amount: Krw,
    tax_free_amount: Krw,
    order_id: &'a str,
    order_name: &'a str,
    r#type: CashReceiptType,
    transaction_type: TransactionType,
    business_number: &'static str,
    customer_identity_number: &'a str,
    failure: Option<Failure>,
    requested_at: String,
    receipt_url: String,
}

#[derive(Serialize)]
struct Failure {
    code: &'static str,
    message: &'static str,
}

fn body(receipt: &CashReceipt, now: DateTime<Utc>) -> Body<'_> {
    let is_known = now >= receipt.requested_at + TAX_SERVICE_TAKES;
    let (issue_status, failure) = match (is_known, receipt.refused) {
        (false, _) => ("IN_PROGRESS", None),
        (true, false) => ("COMPLETED", None),
        (true, true) => {
            let message = "[TS1] 현금영수증 식별번호가 올바르지 않습니다.";
            ("FAILED", Some(Failure { code: "NTS_ERROR", message }))
        }
    };
    Body {
        receipt_key: &receipt.key,
        issue_number: &receipt.issue_number,
        issue_status,
        amount: receipt.amount,
        tax_free_amount: receipt.tax_free,
        order_id: &receipt.order_id,
        order_name: &receipt.order_name,
        r#type: receipt.kind,
        transaction_type: receipt.transaction,
        business_number: BUSINESS_NUMBER,
        customer_identity_number: &receipt.identity,
        failure,
        requested_at: time::with_offset(receipt.requested_at),
        receipt_url: format!(
            "https://dashboard-sandbox.tosspayments.com/receipt/mids/si_{}/cash-receipt/{}",
            receipt.merchant, receipt.key
        ),
    }
}

fn masked(digits: &str) -> String {
    let shown = digits.len().min(4);
    format!("{}{}", "*".repeat(digits.len() - shown), &digits[digits.len() - shown..])
}

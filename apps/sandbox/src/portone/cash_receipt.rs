//! Cash receipts (현금영수증) on request: one of a payment, and all of it is taken back or nothing.
//!
//! That the payment was made in money is not looked at: which PG refuses what is not stated. Nor is whether
//! another one may follow one that was taken back; here it may.

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    MERCHANT_ID, STORE_ID, body,
    call::{Answer, Call, Change, Decision, check_store, part, positive},
    errors::Refusal,
    state::{Record, State},
};
use crate::{
    book::{BookEntry, BookKind, BookStatus, Provider},
    random, store,
};

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ReceiptType {
    Personal,
    Corporate,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct CashReceipt {
    pub(crate) payment_id: String,
    kind: ReceiptType,
    order_name: String,
    amount: Krw,
    issue_number: String,
    pg_receipt_id: String,
    issued_at: DateTime<Utc>,
    cancelled_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct IssueRequest {
    payment_id: String,
    store_id: Option<String>,
    channel_key: String,
    r#type: ReceiptType,
    order_name: String,
    currency: String,
    amount: Amount,
    customer: Customer,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    total: i64,
    tax_free: Option<i64>,
    vat: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    identity_number: String,
}

/// POST /cash-receipts
pub(crate) fn issue(state: &State, call: &Call<'_>) -> Decision {
    let request: IssueRequest = call.json()?;
    check_store(request.store_id.as_deref())?;
    if !request.channel_key.starts_with("channel-key-") {
        return Err(Refusal::new("CHANNEL_NOT_FOUND"));
    }
    let digits = &request.customer.identity_number;
    if !(1..=30).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Refusal::invalid_request("customer.identityNumber가 올바르지 않습니다."));
    }
    if request.currency != "KRW" || request.payment_id.is_empty() {
        return Err(Refusal::new("INVALID_REQUEST"));
    }
    let amount = positive(request.amount.total, "amount.total")?;
    part(request.amount.tax_free, "amount.taxFree")?;
    part(request.amount.vat, "amount.vat")?;
    if state.cash_receipt(&request.payment_id).is_some_and(|receipt| receipt.cancelled_at.is_none()) {
        return Err(Refusal::new("CASH_RECEIPT_ALREADY_ISSUED"));
    }
    let receipt = CashReceipt {
        payment_id: request.payment_id,
        kind: request.r#type,
        order_name: request.order_name,
        amount,
        issue_number: random::digits(9),
        pg_receipt_id: random::letters(27),
        issued_at: call.now,
        cancelled_at: None,
    };
    let answer = json!({"cashReceipt": {
        "issueNumber": receipt.issue_number, "url": url(&receipt), "pgReceiptId": receipt.pg_receipt_id,
    }});
    Ok(made(call, receipt, &answer, (BookKind::CashReceipt, BookStatus::Issued)))
}

/// GET /payments/{paymentId}/cash-receipt
pub(crate) fn look_up(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    check_store(call.parameter("storeId").as_deref())?;
    let receipt = state.cash_receipt(payment_id).ok_or_else(|| Refusal::new("CASH_RECEIPT_NOT_FOUND"))?;
    let mut body = json!({
        "status": if receipt.cancelled_at.is_some() { "CANCELLED" } else { "ISSUED" },
        "merchantId": MERCHANT_ID, "storeId": STORE_ID, "paymentId": receipt.payment_id,
        "amount": receipt.amount, "currency": "KRW", "orderName": receipt.order_name, "isManual": true,
        "type": receipt.kind, "pgReceiptId": receipt.pg_receipt_id, "issueNumber": receipt.issue_number,
        "url": url(receipt), "issuedAt": body::time(receipt.issued_at),
    });
    if let Some(at) = receipt.cancelled_at {
        body["cancelledAt"] = json!(body::time(at));
    }
    body::surprise(&mut body, call.switches);
    Ok(Change::answer(Answer::ok(&body)))
}

/// POST /payments/{paymentId}/cash-receipt/cancel, without a body.
pub(crate) fn cancel(state: &State, call: &Call<'_>, payment_id: &str) -> Decision {
    check_store(call.parameter("storeId").as_deref())?;
    let receipt = state.cash_receipt(payment_id).ok_or_else(|| Refusal::new("CASH_RECEIPT_NOT_FOUND"))?;
    if receipt.cancelled_at.is_some() {
        return Err(Refusal::new("CASH_RECEIPT_NOT_ISSUED"));
    }
    let answer = json!({"cancelledAmount": receipt.amount, "cancelledAt": body::time(call.now)});
    let receipt = CashReceipt { cancelled_at: Some(call.now), ..receipt.clone() };
    Ok(made(call, receipt, &answer, (BookKind::CashReceiptCancel, BookStatus::Revoked)))
}

fn made(call: &Call<'_>, receipt: CashReceipt, answer: &Value, what: (BookKind, BookStatus)) -> Change {
    let line = store::Record::Book(BookEntry {
        seq: 0,
        provider: Provider::PortOne,
        order_id: receipt.payment_id.clone(),
        payment_key: receipt.pg_receipt_id.clone(),
        transaction_key: None,
        kind: what.0,
        amount: receipt.amount,
        status: what.1,
        code: None,
        idempotency_key: call.idempotency_key.map(str::to_owned),
        at: KoreanTime(call.now),
    });
    let records = vec![Record::CashReceipt(Box::new(receipt)).into(), line];
    Change { records, ..Change::answer(Answer::ok(answer)) }
}

fn url(receipt: &CashReceipt) -> String {
    format!("https://receipt.invalid/cash/{}", receipt.pg_receipt_id)
}

//! What goes over the wire, as the Toss Payments reference writes it.
//!
//! Toss adds fields, enum values and error codes without a new version, and a test and a live key
//! may speak different versions. So unknown fields are ignored, enums stay strings, and a field that
//! only decorates (card, receipt) may be absent or of another shape. What says whether and how much
//! money moved is strict: an answer without it is unreadable.

#![expect(clippy::struct_field_names, reason = "the fields are called what Toss calls them")]

use chrono::{DateTime, Utc};
use kernel::{KoreanTime, Krw};
use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueRequest<'a> {
    pub(super) auth_key: &'a str,
    pub(super) customer_key: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargeRequest<'a> {
    pub(super) customer_key: &'a str,
    pub(super) amount: Krw,
    pub(super) order_id: &'a str,
    pub(super) order_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmRequest<'a> {
    pub(super) payment_key: &'a str,
    pub(super) order_id: &'a str,
    pub(super) amount: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelRequest<'a> {
    pub(super) cancel_reason: &'a str,
    pub(super) cancel_amount: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptRequest<'a> {
    pub(super) amount: Krw,
    pub(super) order_id: &'a str,
    pub(super) order_name: &'a str,
    pub(super) r#type: &'static str,
    pub(super) customer_identity_number: &'a str,
}

#[derive(Serialize)]
pub(super) struct CashReceiptCancelRequest {
    pub(super) amount: Krw,
}

/// Every refusal, and `failure` of a payment that failed.
#[derive(Debug, Deserialize)]
pub(super) struct Error {
    pub(super) code: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Billing {
    /// A credential: to be wrapped as soon as it is read.
    pub(super) billing_key: String,
    #[serde(default)]
    pub(super) customer_key: Option<String>,
    /// Absent where a bank account was registered.
    #[serde(default, deserialize_with = "decoration")]
    pub(super) card: Option<Card>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) transfers: Option<Vec<Account>>,
    /// These two stand here, not in `card`, before version 2024-06-01.
    #[serde(default, deserialize_with = "decoration")]
    pub(super) card_company: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) card_number: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Card {
    #[serde(default)]
    pub(super) issuer_code: Option<String>,
    /// The name in words, before version 2022-11-16.
    #[serde(default)]
    pub(super) company: Option<String>,
    #[serde(default)]
    pub(super) number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Account {
    pub(super) bank_name: String,
    pub(super) bank_account_number: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    pub(super) payment_key: String,
    pub(super) order_id: String,
    pub(super) status: String,
    #[serde(deserialize_with = "won")]
    pub(super) total_amount: Krw,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default, deserialize_with = "time_or_null")]
    pub(super) requested_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "time_or_null")]
    pub(super) approved_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) last_transaction_key: Option<String>,
    /// `null`, not empty, where nothing was cancelled.
    #[serde(default)]
    pub(super) cancels: Option<Vec<Cancel>>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) card: Option<Card>,
    /// Only whether there is one matters.
    #[serde(default)]
    pub(super) virtual_account: Option<de::IgnoredAny>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) method: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) receipt: Option<Link>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) cash_receipt: Option<CashReceipt>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) failure: Option<Error>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancel {
    #[serde(deserialize_with = "won")]
    pub(super) cancel_amount: Krw,
    #[serde(default)]
    pub(super) cancel_reason: Option<String>,
    pub(super) transaction_key: String,
    #[serde(deserialize_with = "time")]
    pub(super) canceled_at: DateTime<Utc>,
    /// Absent in old versions, where every cancel in the list is done.
    #[serde(default)]
    pub(super) cancel_status: Option<String>,
}

/// A row of `GET /v1/transactions`: one approval or one cancel.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Transaction {
    pub(super) transaction_key: String,
    pub(super) payment_key: String,
    pub(super) order_id: String,
    pub(super) status: String,
    #[serde(deserialize_with = "signed_won")]
    pub(super) amount: i64,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(deserialize_with = "time")]
    pub(super) transaction_at: DateTime<Utc>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceipt {
    /// 소득공제 or 지출증빙.
    pub(super) r#type: String,
    pub(super) issue_number: String,
    #[serde(default)]
    pub(super) receipt_url: Option<String>,
}

/// A cash receipt that was issued by itself, or the cancel of one.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptRow {
    pub(super) receipt_key: String,
    pub(super) order_id: String,
    #[serde(deserialize_with = "won")]
    pub(super) amount: Krw,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`.
    pub(super) issue_status: String,
    /// `CONFIRM` or `CANCEL`.
    pub(super) transaction_type: String,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) issue_number: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) receipt_url: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) failure: Option<Error>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptPage {
    pub(super) has_next: bool,
    #[serde(default)]
    pub(super) last_cursor: Option<i64>,
    pub(super) data: Vec<CashReceiptRow>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
}

/// Reads `29000` and `29000.0`: amounts are documented as real numbers because of other currencies.
/// A fraction of a won is not an amount of won, and no rounding would make it one.
fn won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Krw, D::Error> {
    match signed_won(deserializer)? {
        won @ 0.. => Ok(Krw::won(won)),
        _ => Err(de::Error::custom("not an amount of won")),
    }
}

fn signed_won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let text = serde_json::Number::deserialize(deserializer)?.to_string();
    let whole = text.strip_suffix(".0").unwrap_or(&text);
    whole.parse().map_err(|_| de::Error::custom("not a whole amount of won"))
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    time_or_null(deserializer)?.ok_or_else(|| de::Error::custom("a time is missing"))
}

/// With the offset that the reference promises, or without one, as webhooks come: Korean time.
fn time_or_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    match Option::<String>::deserialize(deserializer)? {
        None => Ok(None),
        Some(text) => match KoreanTime::parse(&text) {
            Some(KoreanTime(instant)) => Ok(Some(instant)),
            None => Err(de::Error::custom("not a time")),
        },
    }
}

/// Something to show, not to decide by: whatever cannot be read is as good as absent.
fn decoration<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

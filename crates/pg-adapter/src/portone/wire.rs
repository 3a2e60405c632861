//! What goes over the wire, as the PortOne reference writes it.
//!
//! Fields, enum values and error types are added without a new version, and fields that the schema
//! calls required have appeared within months. So unknown fields are ignored, enums stay strings, and
//! a field that only decorates (card, receipt) may be absent or of another shape. What says whether
//! and how much money moved is strict: an answer without it is unreadable.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmKeyRequest<'a> {
    pub(super) store_id: &'a str,
    pub(super) billing_issue_token: &'a str,
    /// Checked if it is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_test: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChargeRequest<'a> {
    pub(super) store_id: &'a str,
    pub(super) billing_key: &'a str,
    pub(super) order_name: &'a str,
    pub(super) customer: CustomerInput<'a>,
    /// An object, not a number.
    pub(super) amount: AmountInput,
    pub(super) currency: &'static str,
}

#[derive(Serialize)]
pub(super) struct CustomerInput<'a> {
    pub(super) id: &'a str,
}

#[derive(Serialize)]
pub(super) struct AmountInput {
    pub(super) total: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmRequest<'a> {
    pub(super) store_id: &'a str,
    pub(super) payment_token: &'a str,
    /// This and the next two are checked if they are sent.
    pub(super) total_amount: Krw,
    pub(super) currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) is_test: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CancelRequest<'a> {
    pub(super) store_id: &'a str,
    pub(super) reason: &'a str,
    /// Never left out: that would cancel everything that is left.
    pub(super) amount: Krw,
    pub(super) current_cancellable_amount: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventsRequest<'a> {
    pub(super) store_id: &'a str,
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
    pub(super) size: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptRequest<'a> {
    pub(super) payment_id: &'a str,
    pub(super) store_id: &'a str,
    pub(super) channel_key: &'a str,
    pub(super) r#type: &'static str,
    pub(super) order_name: &'a str,
    pub(super) currency: &'static str,
    pub(super) amount: CashReceiptAmount,
    pub(super) customer: CashReceiptCustomer<'a>,
    pub(super) paid_at: DateTime<Utc>,
}

#[derive(Serialize)]
pub(super) struct CashReceiptAmount {
    pub(super) total: Krw,
    pub(super) vat: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptCustomer<'a> {
    pub(super) identity_number: &'a str,
}

/// Every refusal.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Error {
    pub(super) r#type: String,
    /// What the PG said, where it was the PG.
    #[serde(default, deserialize_with = "decoration")]
    pub(super) pg_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ConfirmedKey {
    /// A credential: to be wrapped as soon as it is read.
    pub(super) billing_key: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct BillingKeyInfo {
    pub(super) status: String,
    /// A credential.
    pub(super) billing_key: String,
    #[serde(default)]
    pub(super) store_id: Option<String>,
    pub(super) channels: Vec<Channel>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) customer: Option<Customer>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) methods: Option<Vec<Method>>,
}

#[derive(Deserialize)]
pub(super) struct Customer {
    #[serde(default)]
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Channel {
    /// `LIVE` or `TEST`.
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) key: Option<String>,
    #[serde(default)]
    pub(super) pg_provider: Option<String>,
}

/// Of a payment or a billing key; `type` names a schema, and each has its own fields.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Method {
    #[serde(default)]
    pub(super) r#type: String,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) card: Option<Card>,
    /// The wallet (카카오페이 and the like).
    #[serde(default, deserialize_with = "decoration")]
    pub(super) provider: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) bank: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) account_number: Option<String>,
    /// What is behind the wallet.
    #[serde(default, deserialize_with = "decoration")]
    pub(super) easy_pay_method: Option<Box<Method>>,
}

#[derive(Default, Deserialize)]
pub(super) struct Card {
    #[serde(default)]
    pub(super) issuer: Option<String>,
    #[serde(default)]
    pub(super) publisher: Option<String>,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) number: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Payment {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) amount: Amount,
    pub(super) currency: String,
    #[serde(default)]
    pub(super) store_id: Option<String>,
    #[serde(default)]
    pub(super) channel: Option<Channel>,
    #[serde(default)]
    pub(super) requested_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) paid_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) cancellations: Option<Vec<Cancellation>>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) failure: Option<Failure>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) method: Option<Method>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) receipt_url: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) cash_receipt: Option<CashReceipt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceipt {
    pub(super) status: String,
    #[serde(default)]
    pub(super) r#type: Option<String>,
    #[serde(default)]
    pub(super) issue_number: Option<String>,
    #[serde(default)]
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CashReceiptAnswer {
    pub(super) cash_receipt: NewCashReceipt,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewCashReceipt {
    pub(super) issue_number: String,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) url: Option<String>,
}

/// The receipt of a payment, asked for by itself.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct FoundCashReceipt {
    /// `ISSUED`, `CANCELLED` or `ISSUE_FAILED`.
    pub(super) status: String,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) amount: Option<i64>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) issue_number: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) url: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct CanceledCashReceipt {
    #[serde(deserialize_with = "won")]
    pub(super) cancelled_amount: Krw,
}

#[derive(Deserialize)]
pub(super) struct Amount {
    #[serde(deserialize_with = "won")]
    pub(super) total: Krw,
    #[serde(default, deserialize_with = "won")]
    pub(super) discount: Krw,
    /// All that came back so far. `paid` is not read: whether it shrinks with this is not stated.
    #[serde(deserialize_with = "won")]
    pub(super) cancelled: Krw,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Failure {
    #[serde(default)]
    pub(super) pg_code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cancellation {
    pub(super) id: String,
    /// `SUCCEEDED`, `REQUESTED` or `FAILED`.
    pub(super) status: String,
    #[serde(deserialize_with = "won")]
    pub(super) total_amount: Krw,
    #[serde(default)]
    pub(super) reason: String,
    #[serde(default)]
    pub(super) requested_at: Option<DateTime<Utc>>,
    #[serde(default)]
    pub(super) cancelled_at: Option<DateTime<Utc>>,
}

#[derive(Deserialize)]
pub(super) struct CancelAnswer {
    pub(super) cancellation: Cancellation,
}

#[derive(Deserialize)]
pub(super) struct Events {
    pub(super) items: Vec<EventItem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EventItem {
    pub(super) payment_event: Event,
    pub(super) cursor: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    /// `PAID`, `PARTIAL_CANCELLED` or `CANCELLED`.
    pub(super) r#type: String,
    pub(super) id: String,
    pub(super) payment_id: String,
    pub(super) created_at: DateTime<Utc>,
    pub(super) currency: String,
    /// Negative for cancels.
    pub(super) event_amount: i64,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) transaction_id: Option<String>,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) cancellation: Option<Named>,
}

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
}

/// 64-bit integers in the smallest unit, which of won is the won.
fn won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Krw, D::Error> {
    let amount = i64::deserialize(deserializer)?;
    if amount < 0 {
        return Err(de::Error::custom("an amount is never negative"));
    }
    Ok(Krw::won(amount))
}

/// Something to show, not to decide by: whatever cannot be read is as good as absent.
fn decoration<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).ok())
}

//! What goes over the wire, as the Bootpay reference writes it.
//!
//! Unknown fields are ignored, and what only decorates (card, receipt page) may be absent or of another
//! shape. What says whether and how much money moved is strict: an answer without it is unreadable.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::{Deserialize, Deserializer, Serialize, de, de::DeserializeOwned};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct TokenRequest<'a> {
    pub(super) application_id: &'a str,
    pub(super) private_key: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) access_token: String,
}

#[derive(Serialize)]
pub(super) struct ChargeRequest<'a> {
    pub(super) billing_key: &'a str,
    pub(super) order_name: &'a str,
    pub(super) order_id: &'a str,
    pub(super) price: Krw,
    pub(super) user: User<'a>,
}

#[derive(Serialize)]
pub(super) struct User<'a> {
    pub(super) id: &'a str,
}

#[derive(Serialize)]
pub(super) struct ConfirmRequest<'a> {
    pub(super) receipt_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct CancelRequest<'a> {
    pub(super) receipt_id: &'a str,
    /// Absent for a whole payment, which PGs without partial cancels can give back as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cancel_price: Option<Krw>,
    pub(super) cancel_id: &'a str,
    pub(super) cancel_username: &'static str,
    pub(super) cancel_message: &'a str,
}

#[derive(Serialize)]
pub(super) struct CashReceiptRequest<'a> {
    pub(super) receipt_id: &'a str,
    pub(super) identity_no: &'a str,
    pub(super) cash_receipt_type: &'static str,
}

/// A refusal, whatever the HTTP status: the presence of `error_code` decides.
#[derive(Debug)]
pub(super) struct Error {
    pub(super) code: String,
    /// Often the PG's Korean text.
    pub(super) message: String,
}

impl Error {
    pub(super) fn of(body: &[u8]) -> Option<Self> {
        let body: Value = serde_json::from_slice(body).ok()?;
        // A string in what was seen, an integer in one of the SDKs.
        let code = match body.get("error_code")? {
            Value::String(code) => code.clone(),
            Value::Number(code) => code.to_string(),
            _ => return None,
        };
        let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
        Some(Self { code: code.chars().take(100).collect(), message: message.to_owned() })
    }
}

#[derive(Deserialize)]
pub(super) struct Receipt {
    pub(super) receipt_id: String,
    pub(super) order_id: String,
    #[serde(deserialize_with = "won")]
    pub(super) price: Krw,
    /// A running total. Absent counts as nothing, unless the status says that something was cancelled.
    #[serde(default, deserialize_with = "maybe_won")]
    pub(super) cancelled_price: Option<Krw>,
    pub(super) status: i64,
    #[serde(default)]
    pub(super) currency: Option<String>,
    #[serde(default)]
    pub(super) sandbox: Option<bool>,
    #[serde(default, deserialize_with = "maybe_time")]
    pub(super) purchased_at: Option<DateTime<Utc>>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) receipt_url: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) card_data: Option<Card>,
    /// Of a payment from an account, and of one into an account: only whether there is one matters.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) bank_data: Option<Account>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) vbank_data: Option<Account>,
    /// Nothing that decides about money: read only where a cash receipt is asked for.
    #[serde(default)]
    pub(super) cash_receipt_data: Value,
}

#[derive(Deserialize)]
pub(super) struct Account {
    #[serde(rename = "bank_code")]
    _bank_code: String,
}

#[derive(Deserialize)]
pub(super) struct CashReceipt {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) cash_receipt_no: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) receipt_url: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct BillingKey {
    pub(super) billing_key: String,
    pub(super) status: i64,
    #[serde(default)]
    pub(super) receipt_id: Option<String>,
    #[serde(default)]
    pub(super) subscription_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) billing_data: Option<Card>,
}

#[derive(Deserialize)]
pub(super) struct DeletedKey {
    pub(super) billing_key: String,
}

#[derive(Deserialize)]
pub(super) struct Card {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) card_no: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) card_company: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) card_company_code: Option<String>,
}

/// "A number" is all that is documented, so `9900.0` is 9,900 won. Half a won is nothing.
pub(super) fn whole_won(value: &Value) -> Option<Krw> {
    if let Some(amount) = value.as_i64() {
        return Some(Krw::won(amount));
    }
    let text = value.as_f64()?.to_string();
    value.is_f64().then(|| text.parse().ok().map(Krw::won))?
}

fn won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Krw, D::Error> {
    let value = Value::deserialize(deserializer)?;
    whole_won(&value).ok_or_else(|| de::Error::custom("not an amount of won"))
}

fn maybe_won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Krw>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        value => whole_won(&value).map(Some).ok_or_else(|| de::Error::custom("not an amount of won")),
    }
}

fn maybe_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    text.filter(|text| !text.is_empty())
        .map(|text| time(&text).ok_or_else(|| de::Error::custom("not a time")))
        .transpose()
}

/// One sample has a space before the offset.
fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.replace(" +", "+");
    DateTime::parse_from_rfc3339(&text).ok().map(|time| time.to_utc())
}

/// What cannot be read of a decoration is not there.
fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_whole_however_they_are_written() {
        assert_eq!(whole_won(&json!(9900)), Some(Krw::won(9900)));
        assert_eq!(whole_won(&json!(9900.0)), Some(Krw::won(9900)));
        for wrong in [json!(9900.5), json!("9900"), json!(null), json!(1e40), json!([9900])] {
            assert_eq!(whole_won(&wrong), None, "{wrong}");
        }
    }

    #[test]
    fn an_error_is_whatever_has_an_error_code() {
        let code = |body: Value| Error::of(body.to_string().as_bytes()).map(|error| error.code);
        assert_eq!(
            code(json!({"error_code": "SUBSCRIBE_REQUEST_FAILED"})).unwrap(),
            "SUBSCRIBE_REQUEST_FAILED"
        );
        assert_eq!(code(json!({"error_code": -4000, "message": 1})).unwrap(), "-4000");
        for body in [json!({"error_code": null}), json!({"message": "x"}), json!([]), json!("error_code")] {
            assert!(code(body).is_none());
        }
    }
}

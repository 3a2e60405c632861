//! What goes over the wire, as the Popbill reference writes it: amounts, quantities and dates are strings.
//!
//! Answers are read leniently where they only decorate (times, the tax service's code) and where clients
//! were seen to differ (numbers as text or as numbers, two spellings of the confirmation number), and
//! strictly where they say which document this is, in which state, and over how much.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use kernel::{Krw, at_korean_time};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Value;

#[derive(Serialize)]
pub(super) struct TokenRequest<'a> {
    pub(super) access_id: &'a str,
    pub(super) scope: &'a [&'a str],
}

#[derive(Deserialize)]
pub(super) struct Token {
    pub(super) session_token: SecretString,
    #[serde(default, deserialize_with = "decoration")]
    pub(super) expiration: Option<DateTime<Utc>>,
}

/// The body of a `RegistIssue`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegistIssue<'a> {
    pub(super) issue_type: &'static str,
    pub(super) tax_type: &'static str,
    pub(super) charge_direction: &'static str,
    pub(super) write_date: String,
    pub(super) purpose_type: &'static str,
    pub(super) supply_cost_total: String,
    pub(super) tax_total: String,
    pub(super) total_amount: String,
    pub(super) invoicer_mgt_key: &'a str,
    pub(super) invoicer_corp_num: String,
    #[serde(rename = "invoicerTaxRegID")]
    pub(super) invoicer_tax_reg_id: &'a str,
    pub(super) invoicer_corp_name: &'a str,
    #[serde(rename = "invoicerCEOName")]
    pub(super) invoicer_ceo_name: &'a str,
    pub(super) invoicer_addr: &'a str,
    pub(super) invoicer_biz_type: &'a str,
    pub(super) invoicer_biz_class: &'a str,
    pub(super) invoicer_contact_name: &'a str,
    #[serde(rename = "invoicerTEL")]
    pub(super) invoicer_tel: &'a str,
    pub(super) invoicer_email: &'a str,
    #[serde(rename = "invoicerSMSSendYN")]
    pub(super) invoicer_sms_send_yn: bool,
    pub(super) invoicee_type: &'static str,
    pub(super) invoicee_corp_num: String,
    #[serde(rename = "invoiceeTaxRegID")]
    pub(super) invoicee_tax_reg_id: &'a str,
    pub(super) invoicee_corp_name: &'a str,
    #[serde(rename = "invoiceeCEOName")]
    pub(super) invoicee_ceo_name: &'a str,
    pub(super) invoicee_addr: &'a str,
    pub(super) invoicee_biz_type: &'a str,
    pub(super) invoicee_biz_class: &'a str,
    pub(super) invoicee_contact_name1: &'a str,
    #[serde(rename = "invoiceeTEL1")]
    pub(super) invoicee_tel1: &'a str,
    pub(super) invoicee_email1: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remark1: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remark2: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remark3: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) modify_code: Option<u8>,
    #[serde(rename = "orgNTSConfirmNum", skip_serializing_if = "Option::is_none")]
    pub(super) org_nts_confirm_num: Option<&'a str>,
    pub(super) detail_list: Vec<Detail<'a>>,
    pub(super) force_issue: bool,
    pub(super) write_specification: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Detail<'a> {
    pub(super) serial_num: usize,
    #[serde(rename = "purchaseDT")]
    pub(super) purchase_dt: String,
    pub(super) item_name: &'a str,
    pub(super) spec: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) qty: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unit_cost: Option<String>,
    pub(super) supply_cost: String,
    pub(super) tax: String,
    pub(super) remark: &'a str,
}

/// The body of issuing what is already saved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssueSaved {
    pub(super) force_issue: bool,
}

#[derive(Serialize)]
pub(super) struct Memo {
    pub(super) memo: &'static str,
}

/// What every action is answered with, a success (`code` 1) as well as a refusal (negative).
#[derive(Debug, Deserialize)]
pub(super) struct Reply {
    #[serde(deserialize_with = "whole")]
    pub(super) code: i64,
    #[serde(default, rename = "ntsConfirmNum", alias = "ntsconfirmNum", deserialize_with = "decoration")]
    pub(super) nts_confirm_num: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Link {
    pub(super) url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Xml {
    #[serde(deserialize_with = "whole")]
    pub(super) code: i64,
    pub(super) ret_object: String,
}

/// `TaxinvoiceInfo`, as far as it is needed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Info {
    #[serde(deserialize_with = "whole")]
    pub(super) state_code: i64,
    #[serde(deserialize_with = "day")]
    pub(super) write_date: NaiveDate,
    #[serde(deserialize_with = "won")]
    pub(super) supply_cost_total: Krw,
    #[serde(deserialize_with = "won")]
    pub(super) tax_total: Krw,
    pub(super) invoicer_mgt_key: String,
    pub(super) invoicee_corp_num: String,
    #[serde(default, deserialize_with = "modify_code")]
    pub(super) modify_code: Option<u8>,
    #[serde(default, rename = "ntsconfirmNum", alias = "ntsConfirmNum", deserialize_with = "decoration")]
    pub(super) nts_confirm_num: Option<String>,
    #[serde(default, rename = "issueDT", deserialize_with = "korean_time")]
    pub(super) issue_dt: Option<DateTime<Utc>>,
    #[serde(default, rename = "ntssendDT", deserialize_with = "korean_time")]
    pub(super) nts_send_dt: Option<DateTime<Utc>>,
    #[serde(default, rename = "ntsresultDT", deserialize_with = "korean_time")]
    pub(super) nts_result_dt: Option<DateTime<Utc>>,
    #[serde(default, rename = "ntssendErrCode", deserialize_with = "decoration")]
    pub(super) nts_send_err_code: Option<String>,
}

/// A webhook's body. Which name it has for our own key is not documented.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook {
    #[serde(default, deserialize_with = "decoration")]
    pub(super) corp_num: Option<String>,
    #[serde(default, alias = "mgtKey", deserialize_with = "decoration")]
    pub(super) invoicer_mgt_key: Option<String>,
    #[serde(default, rename = "ntsConfirmNum", alias = "ntsconfirmNum", deserialize_with = "decoration")]
    pub(super) nts_confirm_num: Option<String>,
}

pub(super) fn yyyymmdd(day: NaiveDate) -> String {
    day.format("%Y%m%d").to_string()
}

/// `300` and `"300"`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
    .ok_or_else(|| de::Error::custom("not a whole number"))
}

fn won<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Krw, D::Error> {
    whole(deserializer).map(Krw::won)
}

fn day<'de, D: Deserializer<'de>>(deserializer: D) -> Result<NaiveDate, D::Error> {
    let text = String::deserialize(deserializer)?;
    NaiveDate::parse_from_str(&text, "%Y%m%d").map_err(|_| de::Error::custom("not a day"))
}

/// Absent, null, empty and zero all mean an ordinary invoice. What else is not a digit is an error: the
/// document would be another than it seems.
fn modify_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() || text == "0" => Ok(None),
        Value::Number(number) if number.as_u64() == Some(0) => Ok(None),
        Value::String(text) => text.parse().map(Some).map_err(|_| de::Error::custom("not a modify code")),
        Value::Number(number) => number
            .as_u64()
            .and_then(|code| u8::try_from(code).ok())
            .map(Some)
            .ok_or_else(|| de::Error::custom("not a modify code")),
        _ => Err(de::Error::custom("not a modify code")),
    }
}

/// `20260214150000`, Korean time. How times are written is not documented; another way is no time.
fn korean_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    let text = decoration::<_, String>(deserializer)?.unwrap_or_default();
    let local = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%S").ok();
    Ok(local.map(|local| at_korean_time(local.date(), local.time())))
}

/// Something to show, not to decide by: whatever cannot be read is as good as absent.
fn decoration<'de, D: Deserializer<'de>, T: de::DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

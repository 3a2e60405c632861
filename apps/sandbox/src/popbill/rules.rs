//! What Popbill checks of a document before it takes it. The order of the checks is ours: the real one
//! is unverified.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc, Weekday};
use kernel::{Krw, korean_day};
use serde_json::Value;

use super::{
    errors::{self, Refusal},
    form::Form,
    state::State,
};

const LONGEST_KEY: usize = 24;
const MOST_LINES: usize = 99;

/// What the checks read out of a form.
pub(super) struct Checked {
    pub(super) write_date: NaiveDate,
    pub(super) supply: Krw,
    pub(super) tax: Krw,
    pub(super) modify_code: Option<u8>,
}

pub(super) fn check(
    state: &State,
    corp_num: &str,
    form: &Form,
    any_buyer_number: bool,
    now: DateTime<Utc>,
) -> Result<Checked, Refusal> {
    check_key(&form.invoicer_mgt_key)?;
    check_kinds(form)?;
    check_parties(corp_num, form, any_buyer_number)?;
    let write_date = NaiveDate::parse_from_str(&form.write_date, "%Y%m%d")
        .ok()
        .filter(|_| form.write_date.len() == 8)
        .ok_or_else(|| Refusal::new(errors::WRITE_DATE))?;
    let (supply, tax) = check_amounts(form)?;
    let modify_code = modify_code(&form.modify_code)?;
    if let Some(code) = modify_code {
        check_modification(state, corp_num, form, code, (supply, tax), now)?;
    }
    Ok(Checked { write_date, supply, tax, modify_code })
}

pub(super) fn check_key(key: &str) -> Result<(), Refusal> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if key.is_empty() {
        Err(Refusal::new(errors::KEY_MISSING))
    } else if key.len() > LONGEST_KEY || !key.bytes().all(allowed) {
        Err(Refusal::new(errors::KEY_WRONG))
    } else {
        Ok(())
    }
}

fn check_kinds(form: &Form) -> Result<(), Refusal> {
    let one_of = |value: &str, allowed: &[&str], code| {
        if allowed.contains(&value) { Ok(()) } else { Err(Refusal::new(code)) }
    };
    // 역발행 and 위수탁 exist and are not played.
    one_of(&form.issue_type, &["정발행"], errors::ISSUE_TYPE)?;
    one_of(&form.charge_direction, &["정과금"], errors::CHARGE_DIRECTION)?;
    one_of(&form.purpose_type, &["영수", "청구", "없음"], errors::PURPOSE_TYPE)?;
    one_of(&form.tax_type, &["과세", "영세", "면세"], errors::TAX_TYPE)
}

fn check_parties(corp_num: &str, form: &Form, any_buyer_number: bool) -> Result<(), Refusal> {
    if form.invoicer_corp_num != corp_num {
        return Err(Refusal::new(errors::NUMBER_MISMATCH));
    }
    if !is_business_number(&form.invoicer_corp_num) {
        return Err(Refusal::new(errors::SELLER_NUMBER));
    }
    if form.invoicer_corp_name.trim().is_empty() {
        return Err(Refusal::new(errors::SELLER_NAME));
    }
    match form.invoicee_type.as_str() {
        "사업자" if is_business_number(&form.invoicee_corp_num) => Ok(()),
        "사업자" if any_buyer_number && is_digits(&form.invoicee_corp_num, 10) => Ok(()),
        // 13 digits each, one of them a resident number: their form alone is looked at.
        "개인" | "외국인" if is_digits(&form.invoicee_corp_num, 13) => Ok(()),
        "사업자" | "개인" | "외국인" => Err(Refusal::new(errors::BUYER_NUMBER)),
        _ => Err(Refusal::new(errors::BUYER_TYPE)),
    }
}

fn check_amounts(form: &Form) -> Result<(Krw, Krw), Refusal> {
    let wrong = || Refusal::new(errors::AMOUNTS);
    let amount = |text: &str| whole_won(text).ok_or_else(wrong);
    let (supply, tax) = (amount(&form.supply_cost_total)?, amount(&form.tax_total)?);
    if supply.checked_add(tax) != Some(amount(&form.total_amount)?) {
        return Err(wrong());
    }
    if form.detail_list.len() > MOST_LINES {
        return Err(Refusal::new(errors::TOO_MANY_LINES));
    }
    let mut sums = (Krw::ZERO, Krw::ZERO);
    for line in &form.detail_list {
        sums.0 = sums.0.checked_add(amount(&line.supply_cost)?).ok_or_else(wrong)?;
        sums.1 = sums.1.checked_add(amount(&line.tax)?).ok_or_else(wrong)?;
    }
    if form.detail_list.is_empty() || sums == (supply, tax) { Ok((supply, tax)) } else { Err(wrong()) }
}

fn whole_won(text: &str) -> Option<Krw> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain).map(Krw::won)
}

fn modify_code(value: &Value) -> Result<Option<u8>, Refusal> {
    let code = match value {
        Value::Null => return Ok(None),
        Value::String(text) if text.is_empty() => return Ok(None),
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    code.and_then(|code| u8::try_from(code).ok())
        .filter(|code| (1..=6).contains(code))
        .map(Some)
        .ok_or_else(|| Refusal::new(errors::MODIFY_CODE))
}

fn check_modification(
    state: &State,
    corp_num: &str,
    form: &Form,
    code: u8,
    (supply, tax): (Krw, Krw),
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let original = form
        .org_nts_confirm_num
        .as_deref()
        .and_then(|number| state.invoice_confirmed_as(number))
        .filter(|original| original.corp_num == corp_num && original.state_code(now) == 304);
    if original.is_none() {
        return Err(Refusal::new(errors::ORIGINAL_NOT_ACCEPTED));
    }
    // Goods returned, contract cancelled, issued twice: always something taken back.
    let takes_back = matches!(code, 3 | 4 | 6);
    if takes_back && (supply >= Krw::ZERO || tax > Krw::ZERO) {
        return Err(Refusal::new(errors::MUST_BE_NEGATIVE));
    }
    Ok(())
}

/// Late after the 10th of the month that follows the write date, weekends aside.
pub(super) fn is_late(write_date: NaiveDate, now: DateTime<Utc>) -> bool {
    let following = write_date.with_day(10).and_then(|tenth| tenth.checked_add_months(Months::new(1)));
    let Some(mut last) = following else { return false };
    while matches!(last.weekday(), Weekday::Sat | Weekday::Sun) {
        last = last + Days::new(1);
    }
    korean_day(now) > last
}

/// Ten digits of which the last one checks the others.
pub(super) fn is_business_number(text: &str) -> bool {
    if !is_digits(text, 10) {
        return false;
    }
    let digits: Vec<u32> = text.bytes().map(|byte| u32::from(byte - b'0')).collect();
    let products: u32 = digits.iter().zip([1, 3, 7, 1, 3, 7, 1, 3, 5]).map(|(a, b)| a * b).sum();
    (products + digits[8] * 5 / 10 + digits[9]).is_multiple_of(10)
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_checked_as_the_tax_office_makes_them() {
        for valid in ["1234567891", "1111111119", "2222222227", "3333333336"] {
            assert!(is_business_number(valid), "{valid}");
        }
        for invalid in ["1234567890", "123-45-67891", "", "123456789a"] {
            assert!(!is_business_number(invalid), "{invalid}");
        }
    }

    #[test]
    fn an_invoice_of_february_is_late_from_the_eleventh_of_march() {
        let february = NaiveDate::from_ymd_opt(2026, 2, 28).unwrap();
        let late = |text: &str| is_late(february, text.parse().unwrap());
        assert!(!late("2026-03-10T23:59:00+09:00"));
        assert!(late("2026-03-11T00:00:00+09:00"));
    }

    #[test]
    fn amounts_are_whole_won_in_plain_digits() {
        assert_eq!(whole_won("-30000"), Some(Krw::won(-30_000)));
        for text in ["", "-", "1.0", "1,000", "+5", " 5", "9999999999999999999"] {
            assert_eq!(whole_won(text), None, "{text}");
        }
    }
}

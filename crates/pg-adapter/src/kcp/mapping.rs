//! From the words of KCP to the words of the port.

use chrono::{DateTime, Utc};
use kernel::Krw;
use reqwest::Url;
use secrecy::ExposeSecret;

use super::{cards, errors, fields::Fields, window::WindowData};
use crate::{Approval, BillingKeySecret, Cancel, Cancellation, IssuedBillingKey, Lookup, Outcome, PaidWith};

/// `good_name` takes so many bytes.
const LONGEST_NAME: usize = 100;
/// The shorter of the two limits that are told for `mod_desc`.
const LONGEST_REASON: usize = 100;

/// The answer to a charge or a confirm.
///
/// `now` stands in where KCP tells no time: the money moved, and nobody can ask again by order.
pub(super) fn approved(
    fields: &Fields,
    order_id: &str,
    receipts: &Url,
    now: DateTime<Utc>,
) -> Result<Approval, String> {
    if let Some(other) = fields.text("order_no").filter(|other| other != order_id) {
        tracing::error!(asked = order_id, answered = other, "kcp answered about another order");
        return Err(format!("kcp answered about another order, {other}"));
    }
    let tno = fields.text("tno").filter(|tno| is_tno(tno)).ok_or("kcp approved without a number")?;
    let amount = fields.won(&["amount", "card_mny"])?.filter(|amount| amount.is_positive());
    let amount = amount.ok_or("kcp approved without an amount")?;
    Ok(Approval {
        // Batch keys and our window are for cards alone.
        paid_with: PaidWith::Card,
        cash_receipt: None,
        receipt_url: Some(receipt_url(receipts, &tno, order_id, amount)),
        payment_key: tno,
        order_id: order_id.to_owned(),
        amount,
        approved_at: fields.time("app_time").unwrap_or(now),
        card: Some(card(fields)),
        remaining: amount,
        cancellations: Vec::new(),
        billing_key: None,
    })
}

/// The answer to an inquiry.
pub(super) fn found(fields: &Fields, tno: &str, receipts: &Url) -> Lookup {
    // The card's state; where a payment has none it may be under the general name.
    let state = fields.any(&["stat_ca_cd", "shop_status"]).unwrap_or_default();
    let result = match state.as_str() {
        "STSR" | "STPC" | "STSC" => paid(fields, &state, tno, receipts).map(Lookup::Approved),
        "STAF" | "STVF" => same_payment(fields, tno).map(|()| Lookup::Failed(errors::failed(&state))),
        "STIR" | "STSF" => same_payment(fields, tno).map(|()| Lookup::InProgress),
        other => Err(format!("the payment has the unknown state `{other}`")),
    };
    result.unwrap_or_else(Lookup::Unknown)
}

fn same_payment(fields: &Fields, tno: &str) -> Result<(), String> {
    match fields.text("tno") {
        Some(other) if other != tno => Err("kcp answered about another payment".to_owned()),
        _ => Ok(()),
    }
}

fn paid(fields: &Fields, state: &str, tno: &str, receipts: &Url) -> Result<Approval, String> {
    same_payment(fields, tno)?;
    let order_id = fields.text("order_no").ok_or("the payment has no order number")?;
    let amount = fields.won(&["amount"])?.filter(|amount| amount.is_positive());
    let amount = amount.ok_or("the payment has no amount")?;
    let remaining = match (fields.won(&["rem_mny"])?, state) {
        (Some(rest), "STSR") if rest != amount => return Err(contradiction(state, rest)),
        (Some(rest), "STSC") if rest != Krw::ZERO => return Err(contradiction(state, rest)),
        (Some(rest), _) if rest > amount => return Err(contradiction(state, rest)),
        (Some(rest), "STPC") if rest == amount => return Err(contradiction(state, rest)),
        (Some(rest), _) => rest,
        (None, "STSR") => amount,
        (None, "STSC") => Krw::ZERO,
        (None, _) => return Err("kcp does not say what is left of the payment".to_owned()),
    };
    Ok(Approval {
        // Batch keys and our window are for cards alone.
        paid_with: PaidWith::Card,
        cash_receipt: None,
        receipt_url: Some(receipt_url(receipts, tno, &order_id, amount)),
        payment_key: tno.to_owned(),
        order_id,
        amount,
        approved_at: fields.time("app_time").ok_or("the payment was approved at no time")?,
        card: Some(card(fields)),
        remaining,
        // KCP lists none, `remaining` tells.
        cancellations: Vec::new(),
        billing_key: None,
    })
}

fn contradiction(state: &str, rest: Krw) -> String {
    format!("the payment is `{state}` and {} won are left of it", rest.get())
}

/// The answer to a cancel that was accepted.
pub(super) fn canceled(fields: &Fields, request: &Cancel) -> Result<Cancellation, String> {
    same_payment(fields, &request.payment_key)?;
    if fields.won(&["mod_mny", "panc_mod_mny"])?.is_some_and(|amount| amount != request.amount) {
        return Err("kcp cancelled another amount".to_owned());
    }
    let left = request.remaining_before.checked_sub(request.amount).ok_or("more than was left")?;
    // After this cancel; one old document says before.
    let told = fields.won(&["rem_mny", "panc_rem_mny"])?;
    if told.is_some_and(|told| told != left && told != request.remaining_before) {
        return Err("kcp has another remainder than our books".to_owned());
    }
    Ok(Cancellation {
        amount: request.amount,
        transaction_key: cancel_key(&request.payment_key, left),
        reference: Some(request.reference.clone()),
        canceled_at: fields.time("canc_time"),
    })
}

/// KCP numbers only partial cancels and tells that number once. What is left after a cancel names it
/// as well, and an inquiry shows it for ever: [`Approval::made_by`] makes the same key.
fn cancel_key(tno: &str, left: Krw) -> String {
    format!("{tno}-{}", left.get())
}

pub(super) fn issued(fields: &Fields, window: &WindowData) -> Outcome<IssuedBillingKey> {
    let is_key = |key: &String| key.len() <= 64 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(key) = fields.text("batch_key").filter(is_key) else {
        return Outcome::Unknown("kcp issued a batch key that is not readable".to_owned());
    };
    let number = window.card_mask_no.as_deref().unwrap_or_default();
    let card = cards::card(
        fields.text("isp_issuer_cd").as_deref(),
        fields.text("card_cd").as_deref(),
        fields.text("card_name"),
        number,
    );
    Outcome::Approved(IssuedBillingKey { billing_key: BillingKeySecret::from(key), card })
}

fn card(fields: &Fields) -> crate::Card {
    cards::card(
        fields.text("isp_issuer_cd").as_deref(),
        fields.text("card_cd").as_deref(),
        fields.text("card_name"),
        &fields.text("card_no").unwrap_or_default(),
    )
}

/// Anyone who has it can open it, so it goes to the shop and into no log.
fn receipt_url(receipts: &Url, tno: &str, order_id: &str, amount: Krw) -> String {
    let mut url = receipts.clone();
    url.query_pairs_mut()
        .append_pair("cmd", "card_bill")
        .append_pair("tno", tno)
        .append_pair("order_no", order_id)
        .append_pair("trade_mony", &amount.get().to_string());
    url.into()
}

/// Fourteen digits, as far as was seen; nobody promised. Never a `^`, which would move the borders
/// between the parts of a signature.
pub(super) fn is_tno(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}

pub(super) fn is_order_no(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn is_batch_key(key: &BillingKeySecret) -> bool {
    let key = key.expose_secret();
    (1..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

pub(super) fn good_name(name: &str) -> String {
    fitting(name, LONGEST_NAME)
}

pub(super) fn reason(text: &str) -> String {
    fitting(text, LONGEST_REASON)
}

/// Without the characters that KCP warns of, cut between two characters.
fn fitting(text: &str, longest: usize) -> String {
    let harmless = |c: char| {
        let risky = c.is_control() || matches!(c, ',' | '&' | ';' | '\\' | '|' | '"' | '\'' | '<');
        if risky { ' ' } else { c }
    };
    let mut fitting: String = text.chars().map(harmless).collect();
    fitting.truncate(fitting.floor_char_boundary(longest));
    fitting.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters_and_lose_what_breaks_forms() {
        assert_eq!(good_name("단골 프로 요금제"), "단골 프로 요금제");
        assert_eq!(good_name("가".repeat(40).as_str()), "가".repeat(33));
        assert_eq!(good_name("컷 & 펌, \"특가\";\n"), "컷   펌   특가");
        assert_eq!(good_name("\u{0}"), "");
    }
}

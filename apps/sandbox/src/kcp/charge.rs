//! `/gw/hub/v1/payment` with `card_tx_type=11511000`: charge a batch key.

use kernel::Krw;

use super::{
    answer::{Answer, Answering as _, success},
    batch_key::{unknown_key, usable},
    call::{Call, Change, Decision},
    card::Card,
    codes::Refusal,
    payment::Payment,
    state::Record,
    switches::KcpSwitches,
    time,
};
use crate::random;

/// In practice a card pays from 100 won.
const MINIMUM: Krw = Krw::won(100);
/// Below that no instalments.
const INSTALMENTS_FROM: Krw = Krw::won(50_000);

pub(super) fn charge(call: &Call<'_>) -> Decision {
    let fields = call.fields;
    if fields.get("pay_method") != "CARD" {
        return Err(Refusal::new("8024"));
    }
    if fields.get("currency") != "410" {
        return Err(Refusal::new("8005"));
    }
    let amount = fields.won("amount")?;
    // The guide wants both, and the same. The code is invented.
    if fields.won("card_mny")? != amount {
        return Err(Refusal::new("8059"));
    }
    check_amount(amount)?;
    check_quota(fields.get("quota"), amount)?;
    let order_no = fields.get("ordr_idxx");
    check_order_no(order_no)?;
    if fields.get("good_name").len() > 100 {
        return Err(Refusal::new("8104"));
    }
    let key = usable(call, "bt_batch_key", "bt_group_id").ok_or_else(|| unknown_key(call))?;
    call.check_order_is_new(order_no)?;
    let order = Order { order_no, good_name: fields.get("good_name"), amount, quota: fields.get("quota") };
    Ok(settle(call, &order, &key.card))
}

/// What is to be paid.
pub(super) struct Order<'a> {
    pub(super) order_no: &'a str,
    pub(super) good_name: &'a str,
    pub(super) amount: Krw,
    pub(super) quota: &'a str,
}

/// The card's yes or no, in the answer and in the book.
pub(super) fn settle(call: &Call<'_>, order: &Order<'_>, card: &Card) -> Change {
    let paid = || {
        let payment = Payment {
            tno: call.new_tno(),
            site_cd: call.site_cd().to_owned(),
            order_no: order.order_no.to_owned(),
            good_name: order.good_name.to_owned(),
            amount: order.amount,
            quota: order.quota.to_owned(),
            card: card.clone(),
            app_no: random::digits(8),
            approved_at: call.now,
            partly_cancelable: !call.switches.no_partial_cancels,
            cancels: Vec::new(),
        };
        let line = call.book_charge(&payment);
        let answer = approved(&payment, call.switches);
        Change { records: vec![Record::Payment(Box::new(payment)).into(), line], ..Change::answer(answer) }
    };
    let declined = |code: &str| Change {
        records: vec![call.book_decline(order.order_no, order.amount, code)],
        ..Change::answer(Refusal::new(code).answer())
    };
    match (call.decline(), card.refusal()) {
        (Some(code), _) if call.switches.moves_behind_declines => paid().behind(&code),
        (Some(code), _) => declined(&code),
        (None, Some(code)) => declined(code),
        (None, None) => paid(),
    }
}

fn approved(payment: &Payment, switches: KcpSwitches) -> Answer {
    let issuer = payment.card.issuer();
    let vat = vat(payment.amount);
    let mut answer = success();
    answer
        .put("tno", &payment.tno)
        .put("order_no", &payment.order_no)
        .put("ca_order_id", &payment.order_no)
        .put("trace_no", format!("{}{}", payment.site_cd, random::letters(11)))
        .put("pay_method", "PACA")
        .put_won("amount", payment.amount)
        .put_won("card_mny", payment.amount)
        .put("coupon_mny", "0")
        .put("use_point", "0")
        .put("res_tax_flag", "TG01")
        .put_won("res_tax_mny", Krw::won(payment.amount.get() - vat))
        .put("res_vat_mny", vat.to_string())
        .put("res_free_mny", "0")
        .put("res_green_deposit_mny", "0")
        .put("card_cd", issuer.code)
        .put("card_name", issuer.name)
        .put("acqu_cd", issuer.acquirer_code)
        .put("acqu_name", issuer.acquirer_name)
        .put("card_no", card_no(&payment.card, switches))
        .put("card_bin_length", "6")
        .put("card_bin_type_01", "0")
        .put("card_bin_type_02", "0")
        .put("card_bin_bank_cd", issuer.bank_code)
        .put("app_no", &payment.app_no)
        .put("app_time", time::digits(payment.approved_at))
        .put("quota", &payment.quota)
        .put("noinf", "N")
        .put("partcanc_yn", if payment.partly_cancelable { "Y" } else { "N" })
        .put("escw_yn", "N")
        .put("van_cd", "VNKC")
        .put("join_cd", "0000");
    answer
}

pub(super) fn card_no(card: &Card, switches: KcpSwitches) -> String {
    if switches.unmasked_card_numbers { card.unmasked() } else { card.masked.clone() }
}

/// 1,100 splits into 1,000 and 100. Written out here and not shared with the product.
fn vat(amount: Krw) -> i64 {
    (amount.get() * 2 + 11) / 22
}

pub(super) fn check_amount(amount: Krw) -> Result<(), Refusal> {
    if amount < MINIMUM { Err(Refusal::new("8063")) } else { Ok(()) }
}

/// Letters and digits alone, at most forty.
pub(super) fn check_order_no(order_no: &str) -> Result<(), Refusal> {
    let fits =
        (1..=40).contains(&order_no.len()) && order_no.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if fits { Ok(()) } else { Err(Refusal::new("8101")) }
}

fn check_quota(quota: &str, amount: Krw) -> Result<(), Refusal> {
    let months = quota.parse::<u8>().ok().filter(|months| quota.len() == 2 && *months <= 12);
    match months {
        Some(0) => Ok(()),
        Some(_) if amount >= INSTALMENTS_FROM => Ok(()),
        _ => Err(Refusal::new("CC16")),
    }
}

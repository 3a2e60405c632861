//! `/std/inquery`: what became of a payment, by its transaction number. There is no other way to ask.

use chrono::TimeDelta;
use kernel::Krw;

use super::{
    answer::{Answering as _, success},
    call::{Call, Change, Decision},
    charge::card_no,
    codes::Refusal,
    time,
};

pub(super) fn inquire(call: &Call<'_>) -> Decision {
    let fields = call.fields;
    let (tno, pay_type) = (fields.get("tno"), fields.get("pay_type"));
    call.credentials.verify([call.site_cd(), tno, pay_type], fields.get("kcp_sign_data"))?;
    if let Some(code) = call.decline() {
        return Err(Refusal::new(&code));
    }
    let seen_until = call.now - TimeDelta::seconds(i64::from(call.switches.inquiry_lag_seconds));
    let payment = call
        .state()
        .payment(tno)
        .filter(|payment| payment.site_cd == call.site_cd() && pay_type == "PACA")
        .and_then(|payment| payment.as_of(seen_until))
        .ok_or_else(|| Refusal::new("8132"))?;
    let remaining = payment.remaining();
    let mut answer = success();
    answer
        .put("tno", &payment.tno)
        .put("order_no", &payment.order_no)
        .put("pay_method", "PACA")
        .put_won("amount", payment.amount)
        .put_won("rem_mny", remaining)
        .put("stat_ca_cd", payment.state_code())
        .put("canc_card_yn", if remaining == Krw::ZERO { "Y" } else { "N" })
        .put("app_time", time::digits(payment.approved_at))
        .put("can_time", payment.cancels.last().map(|cancel| time::digits(cancel.at)).unwrap_or_default())
        .put("app_no", &payment.app_no)
        .put("card_no", card_no(&payment.card, call.switches))
        .put("card_name", payment.card.issuer().name)
        .put("quota", &payment.quota)
        .put("noinf", "N");
    Ok(Change::answer(answer))
}

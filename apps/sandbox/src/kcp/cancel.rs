//! `/gw/mod/v1/cancel`: `STSC` gives everything back, `STPC` a part.

use kernel::Krw;

use super::{
    answer::{Answer, Answering as _, success},
    call::{Call, Change, Decision},
    codes::Refusal,
    notices::KcpNotice,
    payment::{Cancel, Payment},
    state::Record,
    time,
};
use crate::random;

pub(super) fn cancel(call: &Call<'_>) -> Decision {
    let fields = call.fields;
    let (tno, mod_type) = (fields.get("tno"), fields.get("mod_type"));
    call.credentials.verify([call.site_cd(), tno, mod_type], fields.get("kcp_sign_data"))?;
    if call.switches.cancel_ip_unregistered {
        return Err(Refusal::new("8012"));
    }
    let payment = call
        .state()
        .payment(tno)
        .filter(|payment| payment.site_cd == call.site_cd())
        .ok_or_else(|| Refusal::new("8132"))?;
    let declined = call.decline();
    if let Some(code) = declined.as_deref().filter(|_| !call.switches.moves_behind_declines) {
        return Err(Refusal::new(code));
    }
    let amount = match mod_type {
        "STSC" => whole(payment)?,
        "STPC" => part(call, payment)?,
        _ => return Err(Refusal::new("8024")),
    };
    let done = take_back(call, payment, amount, mod_type == "STSC");
    Ok(match declined {
        Some(code) => done.behind(&code),
        None => done,
    })
}

fn whole(payment: &Payment) -> Result<Krw, Refusal> {
    match payment.cancels.as_slice() {
        [] => Ok(payment.amount),
        [only] if only.whole => Err(Refusal::new("8133")),
        _ => Err(Refusal::new("CCA9")),
    }
}

/// `rem_mny` is what is left **before** this cancel: whoever is wrong about it gets nothing.
fn part(call: &Call<'_>, payment: &Payment) -> Result<Krw, Refusal> {
    let (amount, believed) = (call.fields.won("mod_mny")?, call.fields.won("rem_mny")?);
    let remaining = payment.remaining();
    if remaining == Krw::ZERO {
        return Err(Refusal::new("8133"));
    }
    if !payment.partly_cancelable {
        return Err(Refusal::new("8141"));
    }
    if believed != remaining {
        return Err(Refusal::new("8381"));
    }
    if amount > remaining {
        return Err(Refusal::new("8382"));
    }
    if !amount.is_positive() {
        return Err(Refusal::new("8035"));
    }
    Ok(amount)
}

fn take_back(call: &Call<'_>, payment: &Payment, amount: Krw, whole: bool) -> Change {
    let sequence_no = format!("{}{}", time::short_day(call.now), random::digits(8));
    let line = call.book_cancel(payment, amount, &sequence_no);
    let mut payment = payment.clone();
    payment.cancels.push(Cancel { amount, sequence_no, whole, at: call.now });
    let answer = canceled(call, &payment, amount);
    let mut news = Vec::new();
    if call.switches.cancel_notices {
        let tx_cd = if whole { "TX06" } else { "TX08" };
        news.push(KcpNotice::about(&payment, tx_cd, call.switches, call.now));
    }
    Change { answer, records: vec![Record::Payment(Box::new(payment)).into(), line], news }
}

fn canceled(call: &Call<'_>, payment: &Payment, amount: Krw) -> Answer {
    let issuer = payment.card.issuer();
    let mut answer = success();
    answer
        .put("tno", &payment.tno)
        .put("canc_time", time::digits(call.now))
        .put("card_cd", issuer.code)
        .put("card_name", issuer.name)
        // The original amount.
        .put_won("amount", payment.amount)
        .put("coupon_mny", "0");
    let Some(Cancel { sequence_no, whole: false, .. }) = payment.cancels.last() else { return answer };
    // What is left **after** this cancel, under the name that the request used for "before".
    let remaining = payment.remaining();
    if call.switches.old_cancel_names {
        answer
            .put_won("panc_mod_mny", amount)
            .put_won("panc_rem_mny", remaining)
            .put_won("panc_card_mod_mny", amount)
            .put("panc_coupon_mod_mny", "0")
            .put("mod_seq_no", sequence_no);
    } else {
        answer
            .put_won("mod_mny", amount)
            .put_won("rem_mny", remaining)
            .put_won("card_mod_mny", amount)
            .put("coupon_mod_mny", "0")
            .put("mod_pcan_seq_no", sequence_no);
    }
    answer
}

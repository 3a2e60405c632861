//! Answers that were damaged on the way. Whatever is left of them, nothing panics, a no never becomes
//! a yes and a yes never becomes a no.

use chrono::DateTime;
use encoding_rs::EUC_KR;
use kernel::Krw;
use proptest::prelude::*;
use reqwest::{StatusCode, Url};
use serde_json::{Value, json};

use super::{
    Operation,
    errors::{self, Verdict},
    first_word,
    http::{self, Answer},
    mapping,
    window::WindowData,
};
use crate::{
    Approval, Cancel, Lookup, Outcome,
    damage::{CASES, damage, damaged},
    http::whole,
};

const ORDER: &str = "SUB202611000123";
const TNO: &str = "26112000000001";

fn approval() -> Value {
    json!({
        "res_cd": "0000", "res_msg": "정상처리", "res_en_msg": "processing completed", "tno": TNO,
        "order_no": ORDER, "ca_order_id": ORDER, "trace_no": "A52Q7AAAAAAAAAAA", "pay_method": "PACA",
        "amount": "9900", "card_mny": "9900", "coupon_mny": "0", "card_cd": "CCLG", "card_name": "신한카드",
        "card_no": "123456******1234", "app_no": "00000001", "app_time": "20261120090000", "quota": "00",
        "noinf": "N", "partcanc_yn": "Y",
    })
}

fn inquiry(state: &str, rest: &str) -> Value {
    json!({
        "res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "order_no": ORDER, "pay_method": "PACA",
        "amount": "9900", "rem_mny": rest, "stat_ca_cd": state, "canc_card_yn": "N",
        "app_time": "20261120090000", "can_time": "", "app_no": "00000001", "card_no": "123456******1234",
        "card_name": "신한카드", "quota": "00", "noinf": "N",
    })
}

/// What was not approved has no time and no number of an approval.
fn unpaid(state: &str) -> Value {
    let mut answer = inquiry(state, "9900");
    answer["app_time"] = json!("");
    answer["app_no"] = json!("");
    answer
}

fn receipts() -> Url {
    Url::parse("https://admin8.kcp.co.kr/assist/bill.BillActionNew.do").unwrap()
}

fn taken(answer: Answer) -> Outcome<Approval> {
    first_word(Operation::Charge, answer, |fields| {
        mapping::approved(&fields, ORDER, &receipts(), DateTime::UNIX_EPOCH)
            .map_or_else(Outcome::Unknown, Outcome::Approved)
    })
}

fn seen(answer: Answer) -> Lookup {
    match answer {
        Answer::Accepted(fields) => mapping::found(&fields, TNO, &receipts()),
        _ => Lookup::Unknown("no answer".to_owned()),
    }
}

fn understand(body: &[u8]) -> Answer {
    http::understand(whole(StatusCode::OK, body.to_vec()), None)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_refusal_never_becomes_an_approval(
        damage in damage(),
        status in 200_u16..600,
        code in prop::sample::select(vec!["CC10", "CC98", "8338", "8001", "3001", "NEW1", ""]),
    ) {
        let body = damaged(json!({"res_cd": code, "res_msg": "거절"}), &damage);
        let status = StatusCode::from_u16(status).unwrap();
        let outcome = taken(http::understand(whole(status, body.clone()), None));
        prop_assert!(!matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    }

    #[test]
    fn an_approval_never_becomes_a_refusal(damage in damage(), euc_kr in any::<bool>()) {
        let mut body = damaged(approval(), &damage);
        if euc_kr && let Ok(text) = std::str::from_utf8(&body) {
            body = EUC_KR.encode(text).0.into_owned();
        }
        match taken(understand(&body)) {
            Outcome::Approved(approval) => {
                prop_assert_eq!(approval.order_id, ORDER);
                prop_assert!(!approval.payment_key.is_empty());
                prop_assert!(approval.amount.is_positive());
            }
            Outcome::Unknown(_) => {}
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn an_approval_from_a_server_that_broke_down_is_unknown(status in 300_u16..600) {
        let body = approval().to_string();
        let answer = http::understand(whole(StatusCode::from_u16(status).unwrap(), body.into_bytes()), None);
        prop_assert!(matches!(taken(answer), Outcome::Unknown(_)));
    }

    #[test]
    fn an_answer_cut_short_is_unknown(place in any::<prop::sample::Index>()) {
        let whole = approval().to_string().into_bytes();
        let outcome = taken(understand(&whole[..place.index(whole.len())]));
        prop_assert!(matches!(outcome, Outcome::Unknown(_)));
    }

    #[test]
    fn a_failed_payment_is_never_found_paid(
        damage in damage(),
        state in prop::sample::select(vec!["STAF", "STVF", "STIR", "STSF", "NEW1"]),
    ) {
        let lookup = seen(understand(&damaged(unpaid(state), &damage)));
        prop_assert!(!matches!(lookup, Lookup::Approved(_)), "{lookup:?}");
    }

    #[test]
    fn a_paid_payment_is_never_found_failed(
        damage in damage(),
        (state, rest) in prop::sample::select(vec![("STSR", "9900"), ("STPC", "900"), ("STPC", "0"), ("STSC", "0")]),
    ) {
        match seen(understand(&damaged(inquiry(state, rest), &damage))) {
            Lookup::Approved(approval) => {
                prop_assert_eq!(approval.payment_key, TNO);
                prop_assert!(approval.remaining <= approval.amount && approval.remaining >= Krw::ZERO);
            }
            other => prop_assert!(!matches!(other, Lookup::Failed(_) | Lookup::NotFound), "{other:?}"),
        }
    }

    #[test]
    fn a_damaged_cancel_is_the_cancel_that_was_asked_for_or_unknown(damage in damage()) {
        let request = Cancel {
            payment_key: TNO.to_owned(),
            amount: Krw::won(3_000),
            reason: "변심".to_owned(),
            reference: "refund-1".to_owned(),
            remaining_before: Krw::won(9_900),
        };
        let body = damaged(json!({
            "res_cd": "0000", "res_msg": "정상처리", "tno": TNO, "canc_time": "20261120100000", "amount": "9900",
            "mod_mny": "3000", "rem_mny": "6900", "mod_pcan_seq_no": "26112000000002", "card_cd": "CCLG",
        }), &damage);
        match understand(&body) {
            Answer::Accepted(fields) => if let Ok(made) = mapping::canceled(&fields, &request) {
                prop_assert_eq!((made.amount, made.transaction_key.as_str()), (request.amount, "26112000000001-6900"));
            },
            Answer::Refused { status, code } => {
                let verdict = errors::judge(Operation::Cancel, status, &code);
                prop_assert!(!matches!(verdict, Verdict::Declined(_)), "{code}");
            }
            Answer::NotSent(reason) => prop_assert!(false, "{reason}"),
            Answer::Unclear(_) => {}
        }
    }

    #[test]
    fn a_damaged_batch_key_answer_does_not_panic(damage in damage(), form in "\\PC{0,60}") {
        let body = damaged(json!({
            "res_cd": "0000", "res_msg": "정상처리", "batch_key": "1234567890123456", "card_cd": "CCDI",
            "card_name": "현대카드", "card_bank_cd": "0321", "van_tx_id": "", "join_cd": "",
        }), &damage);
        let window = WindowData::read(&form).or_else(|| WindowData::read("data")).unwrap();
        let outcome = first_word(Operation::Issue, understand(&body), |fields| mapping::issued(&fields, &window));
        prop_assert!(!matches!(outcome, Outcome::NotSent(_)));
    }

    #[test]
    fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(taken(understand(&body)), Outcome::Unknown(_)));
    }
}

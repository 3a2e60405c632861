//! Answers that were damaged on the way. Whatever is left of them, nothing panics, a no never becomes
//! a yes and a yes never becomes a no.

use kernel::Krw;
use proptest::prelude::*;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    Operation,
    errors::{self, Verdict},
    http::{self, Answer},
    keys, mapping, receipts,
};
use crate::{
    Approval, Cancel, CashReceiptLookup, IssueBillingKey, Lookup, Outcome,
    damage::{CASES, Damage, damage, damaged},
    http::whole,
};

const ORDER: &str = "SUB202611000123";
const RECEIPT: &str = "65f0c0ffee0000000000a001";

fn receipt(status: i64, cancelled: i64) -> Value {
    json!({
        "receipt_id": RECEIPT, "order_id": ORDER, "price": 9900, "tax_free": 0, "cancelled_price": cancelled,
        "cancelled_tax_free": 0, "order_name": "Monthly plan", "company_name": "Shop", "sandbox": false,
        "pg": "나이스페이", "method": "카드자동", "method_symbol": "card_rebill_rest", "metadata": {"k": "v"},
        "purchased_at": "2026-11-20T09:00:03+09:00", "requested_at": "2026-11-20T09:00:01+09:00",
        "status": status, "status_locale": "결제완료", "receipt_url": "https://receipt.invalid/x",
        "currency": "KRW",
        "card_data": {"tid": "T0001", "card_approve_no": "00000001", "card_no": "12345678****123*",
            "card_company_code": "02", "card_company": "KB국민"},
    })
}

fn unpaid(status: i64) -> Value {
    let mut body = receipt(status, 0);
    body.as_object_mut().unwrap().remove("purchased_at");
    body
}

fn understand(status: u16, body: Vec<u8>) -> Answer {
    http::understand(whole(StatusCode::from_u16(status).unwrap(), body))
}

/// As a charge is, with a look-up that finds nothing behind it.
fn taken(answer: Answer) -> Outcome<Approval> {
    match answer {
        Answer::Accepted(body) => mapping::after_acceptance(mapping::taken(&body, ORDER, false)),
        Answer::Refused { status, error } => match errors::judge(Operation::Charge, status, &error) {
            Verdict::Declined(decline) => mapping::after_refusal(Lookup::NotFound, Some(decline)),
            Verdict::Gone | Verdict::Unclear => mapping::after_refusal(Lookup::NotFound, None),
            Verdict::Unknown => Outcome::Unknown(String::new()),
        },
        Answer::NotSent(reason) => Outcome::NotSent(reason),
        Answer::Unclear(reason) => Outcome::Unknown(reason),
    }
}

/// Looked up by its receipt, and by its order in a list.
fn seen(receipt: &Value, damage: &[Damage]) -> [Lookup; 2] {
    [
        mapping::found(&damaged(receipt.clone(), damage), RECEIPT, false),
        mapping::found_by_order(&damaged(json!([receipt]), damage), ORDER, false),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_payment_without_a_cash_receipt_never_gets_one(damage in damage()) {
        let body = damaged(receipt(1, 0), &damage);
        let lookup = receipts::found(&body, RECEIPT);
        prop_assert!(matches!(lookup, CashReceiptLookup::NotFound | CashReceiptLookup::Unknown(_)), "{:?}", lookup);
    }

    #[test]
    fn a_damaged_cash_receipt_is_none_only_where_it_is_gone(damage in damage()) {
        let mut body = receipt(1, 0);
        body["cash_receipt_data"] = json!({"tid": "t", "cash_receipt_type": "소득공제", "cash_receipt_no": "123456789"});
        let body = damaged(body, &damage);
        // Bytes that are no UTF-8 are no answer before anybody reads them.
        let Ok(read) = serde_json::from_slice::<Value>(&body) else { return Ok(()) };
        if matches!(receipts::found(&body, RECEIPT), CashReceiptLookup::NotFound) {
            let left = &read["cash_receipt_data"];
            prop_assert!(left.is_null() || *left == json!({}), "{}", read);
        }
    }

    #[test]
    fn a_refusal_never_becomes_an_approval(
        damage in damage(),
        status in 200_u16..600,
        message in prop::sample::select(vec!["잔액이 부족합니다.", "이미 결제된 order_id입니다.", "?", ""]),
    ) {
        let body = damaged(json!({"error_code": "SIM_PG_DECLINED", "message": message}), &damage);
        let outcome = taken(understand(status, body));
        prop_assert!(!matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    }

    #[test]
    fn an_approval_never_becomes_a_refusal(damage in damage()) {
        match taken(understand(200, damaged(receipt(1, 0), &damage))) {
            Outcome::Approved(approval) => {
                prop_assert_eq!(approval.order_id, ORDER);
                prop_assert!(!approval.payment_key.is_empty() && approval.amount.is_positive());
            }
            // A receipt that calls itself one of a sandbox is no payment.
            Outcome::Declined(decline) => prop_assert_eq!(decline.code, "SANDBOX_PAYMENT"),
            Outcome::Unknown(_) => {}
            Outcome::NotSent(reason) => prop_assert!(false, "{reason}"),
        }
    }

    #[test]
    fn an_approval_from_a_server_that_broke_down_is_unknown(status in 300_u16..600) {
        let body = receipt(1, 0).to_string().into_bytes();
        prop_assert!(matches!(taken(understand(status, body)), Outcome::Unknown(_)));
    }

    #[test]
    fn an_answer_cut_short_is_unknown(place in any::<prop::sample::Index>()) {
        let whole = receipt(1, 0).to_string().into_bytes();
        let outcome = taken(understand(200, whole[..place.index(whole.len())].to_vec()));
        prop_assert!(matches!(outcome, Outcome::Unknown(_)));
    }

    #[test]
    fn a_failed_payment_is_never_found_paid(
        damage in damage(),
        status in prop::sample::select(vec![-1_i64, -2, -3, 0, -11, -20, -30, 41]),
    ) {
        for lookup in seen(&unpaid(status), &damage) {
            prop_assert!(!matches!(lookup, Lookup::Approved(_)), "{lookup:?}");
        }
    }

    #[test]
    fn a_paid_payment_is_never_found_failed(
        damage in damage(),
        (status, cancelled) in prop::sample::select(vec![(1_i64, 0_i64), (20, 3000), (20, 9900)]),
    ) {
        let lookups = seen(&receipt(status, cancelled), &damage);
        for (asked_by_order, lookup) in [false, true].into_iter().zip(lookups) {
            match lookup {
                Lookup::Approved(approval) => {
                    // What it was asked by; whose order a receipt is stands in the answer.
                    let is_ours = if asked_by_order {
                        approval.order_id == ORDER
                    } else {
                        approval.payment_key == RECEIPT
                    };
                    prop_assert!(is_ours);
                    prop_assert!(approval.remaining <= approval.amount && approval.remaining >= Krw::ZERO);
                }
                Lookup::Failed(decline) => prop_assert_eq!(decline.code, "SANDBOX_PAYMENT"),
                other => prop_assert!(!matches!(other, Lookup::NotFound), "{other:?}"),
            }
        }
    }

    #[test]
    fn a_damaged_cancel_is_the_cancel_that_was_asked_for_or_unknown(damage in damage()) {
        let request = Cancel {
            payment_key: RECEIPT.to_owned(),
            amount: Krw::won(3_000),
            reason: "변심".to_owned(),
            reference: "refund-1".to_owned(),
            remaining_before: Krw::won(9_900),
        };
        let body = damaged(receipt(20, 3_000), &damage);
        match mapping::canceled(mapping::found(&body, RECEIPT, false), &request) {
            Outcome::Approved(made) => prop_assert_eq!(made.amount, request.amount),
            other => prop_assert!(matches!(other, Outcome::Unknown(_)), "{other:?}"),
        }
    }

    #[test]
    fn a_damaged_billing_key_is_a_key_of_ours_or_nothing(damage in damage()) {
        let body = damaged(json!({
            "billing_key": "65f0c0ffee0000000000b001", "receipt_id": RECEIPT, "subscription_id": "customer-1",
            "billing_data": {"card_no": "12345678****123*", "card_company": "KB국민"}, "status": 11,
        }), &damage);
        let request = IssueBillingKey {
            auth_key: RECEIPT.to_owned().into(),
            customer_key: "customer-1".to_owned(),
            idempotency_key: "issue-1".to_owned(),
        };
        let outcome = keys::issued(&body, &request);
        prop_assert!(!matches!(outcome, Outcome::NotSent(_)));
    }

    #[test]
    fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(matches!(taken(understand(200, body)), Outcome::Unknown(_)));
    }
}

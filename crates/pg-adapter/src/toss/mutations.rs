//! Answers that were damaged on their way: no damage may panic, and none may turn a no into a yes.

use proptest::prelude::*;
use reqwest::{StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use super::{FirstWord, Operation, first_word, http, mapping, receipts, webhook};
use crate::{
    Cancel, CancelCashReceipt, CashReceiptKind, IssueBillingKey, IssueCashReceipt, Lookup, Outcome,
    damage::{CASES, damage, damaged},
    http::whole,
};

const ORDER: &str = "sub-202611-000123";
const PAYMENT: &str = "tshop20261120100005aB3dE";

fn payment(status: &str) -> Value {
    json!({
        "mId": "tshop0001", "lastTransactionKey": "txrd_a01k", "paymentKey": PAYMENT, "orderId": ORDER,
        "status": status, "requestedAt": "2026-11-20T10:00:05+09:00", "approvedAt": null,
        "card": {"issuerCode": "61", "number": "43301234****123*", "amount": 9900},
        "virtualAccount": null, "cancels": null, "type": "BILLING",
        "failure": {"code": "REJECT_CARD_PAYMENT", "message": "한도초과 혹은 잔액부족"},
        "receipt": {"url": "https://dashboard.tosspayments.com/receipt"},
        "currency": "KRW", "totalAmount": 9900, "balanceAmount": 9900, "version": "2022-11-16",
    })
}

fn approved_payment() -> Value {
    let mut payment = payment("DONE");
    payment["approvedAt"] = json!("2026-11-20T10:00:06+09:00");
    payment["failure"] = Value::Null;
    payment["cancels"] = json!([{
        "cancelAmount": 900, "cancelReason": "변심 (refund-1)", "transactionKey": "txrd_a01k",
        "canceledAt": "2026-11-21T10:00:06+09:00", "cancelStatus": "DONE",
    }]);
    payment
}

const RECEIPT: &str = "cr_0199f6b2c0de7a52a0f1d2c3b4a59687";

fn receipt(transaction: &str, key: &str, status: &str) -> Value {
    json!({
        "receiptKey": key, "issueNumber": "477137742", "issueStatus": status, "amount": 29000,
        "taxFreeAmount": 0, "orderId": RECEIPT, "orderName": "Pro plan", "type": "소득공제",
        "transactionType": transaction, "businessNumber": "1111111119", "customerIdentityNumber": "*******5678",
        "failure": null, "requestedAt": "2026-11-20T10:00:05+09:00", "receiptUrl": "https://receipt",
    })
}

fn receipt_request() -> IssueCashReceipt {
    IssueCashReceipt {
        payment_key: PAYMENT.to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "Pro plan".to_owned(),
        amount: kernel::Krw::won(29_000),
        kind: CashReceiptKind::IncomeDeduction,
        identity_number: "01012345678".to_owned().into(),
        paid_at: chrono::DateTime::UNIX_EPOCH,
        reference: RECEIPT.to_owned(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_failed_payment_never_becomes_an_approved_one(
        damage in damage(),
        status in prop::sample::select(vec!["ABORTED", "EXPIRED", "READY", "IN_PROGRESS", "WAITING_FOR_DEPOSIT"]),
    ) {
        let body = damaged(payment(status), &damage);
        prop_assert!(!matches!(mapping::found(&body, ORDER), Lookup::Approved(_)));
        prop_assert!(!matches!(mapping::settled(mapping::found(&body, ORDER)), Outcome::Approved(_)));
    }

    #[test]
    fn an_approved_payment_never_becomes_a_failed_one(damage in damage()) {
        let body = damaged(approved_payment(), &damage);
        if let Lookup::Approved(approval) = mapping::found(&body, ORDER) {
            prop_assert_eq!(approval.order_id, ORDER);
        } else {
            let outcome = mapping::settled(mapping::found(&body, ORDER));
            prop_assert!(matches!(outcome, Outcome::Unknown(_)), "{:?}", outcome);
        }
    }

    #[test]
    fn an_answer_cut_short_is_unknown(place in any::<prop::sample::Index>()) {
        let whole = approved_payment().to_string().into_bytes();
        let body = &whole[..place.index(whole.len())];
        prop_assert!(matches!(mapping::found(body, ORDER), Lookup::Unknown(_)));
    }

    #[test]
    fn a_refusal_never_becomes_an_approval(
        damage in damage(),
        status in 300_u16..600,
        code in prop::sample::select(vec!["REJECT_CARD_PAYMENT", "INVALID_STOPPED_CARD", "UNAUTHORIZED_KEY", "NEW"]),
    ) {
        let body = damaged(json!({"code": code, "message": "거절", "data": null}), &damage);
        for operation in [
            Operation::Issue, Operation::Charge, Operation::Confirm, Operation::Cancel, Operation::IssueReceipt,
            Operation::CancelReceipt,
        ] {
            let answer = http::understand(whole(StatusCode::from_u16(status).unwrap(), body.clone()));
            let word = first_word(operation, answer, |_| Outcome::Approved(()));
            prop_assert!(!matches!(word, FirstWord::Settled(Outcome::Approved(()))));
        }
    }

    #[test]
    fn a_damaged_cancel_is_never_another_ones(damage in damage()) {
        let request = Cancel {
            payment_key: PAYMENT.to_owned(),
            amount: kernel::Krw::won(900),
            reason: "변심".to_owned(),
            reference: "another refund".to_owned(),
            remaining_before: kernel::Krw::won(9_000),
        };
        // The payment held the cancel refund-1 before, and whatever is damaged makes it no other: no single letter lies between the
        // names of two refunds.
        let before = mapping::payment(approved_payment().to_string().as_bytes()).unwrap();
        let body = damaged(approved_payment(), &damage);
        let outcome = mapping::canceled(&body, &request, &before);
        prop_assert!(!matches!(outcome, Outcome::Approved(_)), "{:?}", outcome);
    }

    #[test]
    fn a_damaged_billing_key_answer_does_not_panic(damage in damage()) {
        let request = IssueBillingKey {
            auth_key: "auth".to_owned().into(),
            customer_key: "customer".to_owned(),
            idempotency_key: "issue".to_owned(),
        };
        let body = damaged(json!({
            "mId": "tshop0001", "customerKey": "customer", "billingKey": "Zx1=", "method": "카드",
            "card": {"issuerCode": "61", "number": "43301234****123*"}, "transfers": null,
        }), &damage);
        let outcome = mapping::issued(&body, &request);
        prop_assert!(matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)));
    }

    #[test]
    fn a_refused_receipt_never_becomes_an_issued_one_nor_the_other_way_round(damage in damage()) {
        let refused = damaged(receipt("CONFIRM", "key", "FAILED"), &damage);
        let outcome = receipts::issued(&refused, &receipt_request());
        prop_assert!(matches!(outcome, Outcome::Declined(_) | Outcome::Unknown(_)), "{:?}", outcome);
        let issued = damaged(receipt("CONFIRM", "key", "COMPLETED"), &damage);
        let outcome = receipts::issued(&issued, &receipt_request());
        prop_assert!(matches!(outcome, Outcome::Approved(_) | Outcome::Unknown(_)), "{:?}", outcome);
    }

    #[test]
    fn a_damaged_cancel_of_a_receipt_is_no_cancel_of_another_amount(damage in damage()) {
        let request = CancelCashReceipt {
            payment_key: PAYMENT.to_owned(),
            order_id: ORDER.to_owned(),
            receipt_key: "key".to_owned(),
            amount: kernel::Krw::won(9_000),
            reference: "refund-1".to_owned(),
        };
        let outcome = receipts::canceled(&damaged(receipt("CANCEL", "c_key", "IN_PROGRESS"), &damage), &request);
        prop_assert!(!matches!(outcome, Outcome::Declined(_)), "{:?}", outcome);
        let issue = damaged(receipt("CONFIRM", "key", "IN_PROGRESS"), &damage);
        prop_assert!(!matches!(receipts::canceled(&issue, &request), Outcome::Approved(())));
    }

    #[test]
    fn a_damaged_webhook_does_not_panic(damage in damage(), shape in 0..3_usize) {
        let bodies = [
            json!({"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-11-20T10:00:05.12345",
                "data": payment("DONE")}),
            json!({"createdAt": "2026-11-20T10:00:05+09:00", "secret": "ps_1", "status": "DONE",
                "transactionKey": "t", "orderId": ORDER}),
            json!({"eventType": "BILLING_DELETED", "createdAt": "2026-11-20T10:00:05.123456",
                "data": {"billingKey": "Zx1=", "reason": null}}),
        ];
        let body = damaged(bodies[shape].clone(), &damage);
        if let Ok(webhook) = webhook::read(&HeaderMap::new(), &body, None) {
            prop_assert!(!webhook.id.is_empty());
        }
    }

    #[test]
    fn any_bytes_at_all_are_survived(body in prop::collection::vec(any::<u8>(), 0..300)) {
        let lookup = mapping::found(&body, ORDER);
        prop_assert!(matches!(lookup, Lookup::Unknown(_)));
        prop_assert!(webhook::read(&HeaderMap::new(), &body, None).is_err());
    }
}

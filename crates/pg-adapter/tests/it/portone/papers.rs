//! With what was paid, and the cash receipt that came along, and those that are asked for.

use chrono::DateTime;
use kernel::Krw;
use pg_adapter::{
    CancelCashReceipt, CashReceipt, CashReceiptKind, IssueCashReceipt, Lookup, Outcome, PaidWith,
    PaymentGateway,
};
use serde_json::{Value, json};

use super::canned::{ORDER, answering, declined, payment, refusal};
use crate::canned::{body, ok};

async fn approved(method: Value, cash_receipt: Value) -> (PaidWith, Option<CashReceipt>) {
    let mut body = payment("PAID");
    body["method"] = method;
    body["cashReceipt"] = cash_receipt;
    let server = answering([ok(&body)]).await;
    let order_id = body["id"].as_str().unwrap();
    let lookup = server.gateway.find_by_order(order_id).await;
    let Lookup::Approved(approval) = lookup else { panic!("{lookup:?}") };
    (approval.paid_with, approval.cash_receipt.map(|receipt| *receipt))
}

#[tokio::test]
async fn the_method_is_the_name_of_a_schema_and_a_card_behind_a_wallet_is_a_card() {
    let wallet = |behind: Value| json!({"type": "PaymentMethodEasyPay", "provider": "KAKAOPAY", "easyPayMethod": behind});
    for (method, paid_with) in [
        (json!({"type": "PaymentMethodCard", "card": {"number": "4330****123*"}}), PaidWith::Card),
        (json!({"type": "PaymentMethodCard"}), PaidWith::Card),
        (json!({"type": "PaymentMethodTransfer"}), PaidWith::Transfer),
        (json!({"type": "PaymentMethodVirtualAccount", "accountNumber": "X1"}), PaidWith::VirtualAccount),
        (json!({"type": "PaymentMethodMobile"}), PaidWith::Mobile),
        (json!({"type": "PaymentMethodGiftCertificate"}), PaidWith::Voucher),
        (wallet(json!({"type": "PaymentMethodCard", "card": {}})), PaidWith::Card),
        (wallet(json!({"type": "PaymentMethodTransfer"})), PaidWith::Transfer),
        (wallet(json!(null)), PaidWith::Wallet),
        (wallet(json!(7)), PaidWith::Wallet),
        (json!({"type": "PaymentMethodNextYear"}), PaidWith::Unknown),
        (json!(null), PaidWith::Unknown),
    ] {
        assert_eq!(approved(method.clone(), json!(null)).await.0, paid_with, "{method}");
    }
}

#[tokio::test]
async fn a_cash_receipt_is_one_that_is_issued() {
    let receipt = |status: &str, kind: &str| json!({"status": status, "type": kind, "issueNumber": "123456789", "url": "https://r"});
    for (body, kind) in [
        (receipt("ISSUED", "PERSONAL"), Some(CashReceiptKind::IncomeDeduction)),
        (receipt("ISSUED", "CORPORATE"), Some(CashReceiptKind::ExpenseProof)),
        (receipt("CANCELLED", "PERSONAL"), None),
        (receipt("ISSUED", "NO_RECEIPT"), None),
        (json!({"status": "ISSUED"}), None),
        (json!(7), None),
    ] {
        let (_, found) = approved(json!({"type": "PaymentMethodTransfer"}), body.clone()).await;
        assert_eq!(found.map(|found| found.kind), kind, "{body}");
    }
}

fn wanted() -> IssueCashReceipt {
    IssueCashReceipt {
        payment_key: ORDER.to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
        kind: CashReceiptKind::ExpenseProof,
        identity_number: "1111111119".to_owned().into(),
        paid_at: DateTime::UNIX_EPOCH,
        reference: "cr_1".to_owned(),
    }
}

fn of_payment(status: &str, amount: i64) -> Vec<u8> {
    ok(&json!({"status": status, "amount": amount, "issueNumber": "123456789", "url": "https://r"}))
}

#[tokio::test]
async fn a_cash_receipt_is_asked_for_by_the_payment() {
    let answer = json!({"cashReceipt": {"issueNumber": "123456789", "url": "https://r", "pgReceiptId": "p"}});
    let portone = answering([ok(&answer)]).await;
    let Outcome::Approved(issued) = portone.gateway.issue_cash_receipt(&wanted()).await else { panic!() };
    assert_eq!((issued.issue_number.as_deref(), issued.is_accepted), (Some("123456789"), true));
    let [request] = portone.requests().try_into().unwrap();
    assert!(request.starts_with("POST /cash-receipts HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\"dangol-issue_cash_receipt-of-cr_1\""), "{request}");
    let expected = json!({"paymentId": ORDER, "storeId": "store-1", "channelKey": "channel-key-1",
        "type": "CORPORATE", "orderName": "단골 프로 요금제", "currency": "KRW",
        "amount": {"total": 29_000, "vat": 2_636}, "customer": {"identityNumber": "1111111119"},
        "paidAt": "1970-01-01T00:00:00Z"});
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn after_a_refusal_the_payment_tells() {
    for (answer, then, expected) in [
        (refusal(409, "CASH_RECEIPT_ALREADY_ISSUED"), of_payment("ISSUED", 29_000), "Approved"),
        (refusal(409, "CASH_RECEIPT_ALREADY_ISSUED"), of_payment("ISSUED", 28_000), "Unknown"),
        (refusal(409, "CASH_RECEIPT_ALREADY_ISSUED"), of_payment("CANCELLED", 29_000), "Declined"),
        (refusal(409, "CASH_RECEIPT_ALREADY_ISSUED"), refusal(404, "CASH_RECEIPT_NOT_FOUND"), "Unknown"),
        (refusal(400, "INVALID_REQUEST"), refusal(404, "CASH_RECEIPT_NOT_FOUND"), "Declined"),
        (refusal(400, "INVALID_REQUEST"), of_payment("ISSUED", 29_000), "Approved"),
        (refusal(400, "INVALID_REQUEST"), refusal(404, "SOMETHING_NEW"), "Unknown"),
        (declined("TS1"), of_payment("ISSUE_FAILED", 29_000), "Declined"),
        (declined("TS1"), of_payment("ISSUED", 29_000), "Approved"),
        (refusal(400, "SOMETHING_NEW"), of_payment("ISSUED", 29_000), "Unknown"),
    ] {
        let portone = answering([answer, then]).await;
        let outcome = format!("{:?}", portone.gateway.issue_cash_receipt(&wanted()).await);
        assert!(outcome.starts_with(expected), "{expected}: {outcome}");
    }
}

#[tokio::test]
async fn what_is_taken_back_already_is_taken_back() {
    let cancel = CancelCashReceipt {
        payment_key: ORDER.to_owned(),
        order_id: ORDER.to_owned(),
        receipt_key: "123456789".to_owned(),
        amount: Krw::won(29_000),
        reference: "rf_1-receipt".to_owned(),
    };
    let done = |amount: i64| ok(&json!({"cancelledAmount": amount, "cancelledAt": "2026-11-20T01:00:05Z"}));
    for (answer, then, expected) in [
        (done(29_000), None, "Approved"),
        (done(28_000), None, "Unknown"),
        (refusal(404, "CASH_RECEIPT_NOT_ISSUED"), Some(of_payment("CANCELLED", 29_000)), "Approved"),
        (refusal(404, "CASH_RECEIPT_NOT_FOUND"), Some(refusal(404, "CASH_RECEIPT_NOT_FOUND")), "Declined"),
        (refusal(404, "NOT_A_TYPE"), None, "Unknown"),
        (declined("ANY"), Some(of_payment("ISSUED", 29_000)), "Unknown"),
        (declined("ANY"), Some(of_payment("CANCELLED", 29_000)), "Approved"),
    ] {
        let portone = answering([Some(answer), then].into_iter().flatten()).await;
        let outcome = format!("{:?}", portone.gateway.cancel_cash_receipt(&cancel).await);
        assert!(outcome.starts_with(expected), "{expected}: {outcome}");
        let request = &portone.requests()[0];
        let path = format!("POST /payments/{ORDER}/cash-receipt/cancel?storeId=store-1 ");
        assert!(request.starts_with(&path) && request.ends_with("\r\n\r\n"), "{request}");
    }
}

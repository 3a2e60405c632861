//! With what was paid, and cash receipts that are asked for.

use chrono::DateTime;
use kernel::Krw;
use pg_adapter::{
    CancelCashReceipt, CashReceiptKind, IssueCashReceipt, Lookup, Outcome, PaidWith, PaymentGateway,
};
use serde_json::{Value, json};

use super::answers::{RECEIPT, bootpay, receipt, refusal, with};
use crate::canned::{body, ok};

#[tokio::test]
async fn whose_data_there_are_tells_how_it_was_paid() {
    let account = json!({"tid": "t", "bank_code": "020", "bank_name": "우리은행"});
    for (field, data, expected) in [
        ("card_data", json!({"card_no": "1234****"}), PaidWith::Card),
        ("bank_data", account.clone(), PaidWith::Transfer),
        ("vbank_data", account, PaidWith::VirtualAccount),
        ("bank_data", json!({}), PaidWith::Unknown),
        ("bank_data", json!(null), PaidWith::Unknown),
        ("metadata", json!({}), PaidWith::Unknown),
    ] {
        let bootpay = bootpay([ok(&with(field, data.clone()))]).await;
        let lookup = bootpay.gateway.find(RECEIPT).await;
        let Lookup::Approved(approval) = lookup else { panic!("{lookup:?}") };
        assert_eq!(approval.paid_with, expected, "{field} {data}");
    }
}

fn issued() -> Value {
    with(
        "cash_receipt_data",
        json!({"tid": "t", "cash_receipt_type": "소득공제", "cash_receipt_no": "123456789"}),
    )
}

#[tokio::test]
async fn a_cash_receipt_is_believed_where_the_payment_shows_it() {
    let wanted = IssueCashReceipt {
        payment_key: RECEIPT.to_owned(),
        order_id: "ORDER1".to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
        kind: CashReceiptKind::IncomeDeduction,
        identity_number: "01012345678".to_owned().into(),
        paid_at: DateTime::UNIX_EPOCH,
        reference: "cr_1".to_owned(),
    };
    for (answer, then, expected) in [
        (ok(&json!({})), ok(&issued()), "Approved"),
        (ok(&json!({})), ok(&receipt()), "Unknown"),
        (ok(&json!({})), ok(&with("cash_receipt_data", json!("?"))), "Unknown"),
        (refusal("400 Bad Request", "이미 발급된 현금영수증입니다."), ok(&issued()), "Approved"),
        (refusal("400 Bad Request", "이미 발급된 현금영수증입니다."), ok(&receipt()), "Unknown"),
        (refusal("400 Bad Request", "식별번호가 올바르지 않습니다."), ok(&receipt()), "Declined"),
        (
            refusal("400 Bad Request", "식별번호가 올바르지 않습니다."),
            refusal("404 Not Found", "?"),
            "Unknown",
        ),
    ] {
        let bootpay = bootpay([answer, then]).await;
        let outcome = format!("{:?}", bootpay.gateway.issue_cash_receipt(&wanted).await);
        assert!(outcome.starts_with(expected), "{expected}: {outcome}");
        let request = &bootpay.requests()[1];
        assert!(request.starts_with("POST /request/receipt/cash/publish "), "{request}");
        let sent =
            json!({"receipt_id": RECEIPT, "identity_no": "01012345678", "cash_receipt_type": "소득공제"});
        assert_eq!(body(request), sent);
    }
}

#[tokio::test]
async fn it_is_taken_back_where_the_payment_shows_none() {
    let cancel = CancelCashReceipt {
        payment_key: RECEIPT.to_owned(),
        order_id: "ORDER1".to_owned(),
        receipt_key: "123456789".to_owned(),
        amount: Krw::won(29_000),
        reference: "rf_1-receipt".to_owned(),
    };
    for (answer, then, expected) in [
        (ok(&json!({})), ok(&receipt()), "Approved"),
        (ok(&json!({})), ok(&issued()), "Unknown"),
        (refusal("400 Bad Request", "취소할 현금영수증이 없습니다."), ok(&receipt()), "Approved"),
        (refusal("400 Bad Request", "현금영수증 취소 불가"), ok(&issued()), "Declined"),
        (refusal("500 Internal Server Error", "?"), ok(&receipt()), "Unknown"),
    ] {
        let bootpay = bootpay([answer, then]).await;
        let outcome = bootpay.gateway.cancel_cash_receipt(&cancel).await;
        let text = format!("{outcome:?}");
        assert!(text.starts_with(expected), "{expected}: {text}");
        assert!(!matches!(outcome, Outcome::NotSent(_)));
        let request = &bootpay.requests()[1];
        let path = format!(
            "DELETE /request/receipt/cash/cancel/{RECEIPT}?cancel_username=dangol&cancel_message=rf_1-receipt "
        );
        assert!(request.starts_with(&path), "{request}");
    }
}

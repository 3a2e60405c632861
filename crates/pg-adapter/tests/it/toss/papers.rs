//! With what was paid, and the cash receipt that came along.

use pg_adapter::{CashReceipt, CashReceiptKind, Outcome, PaidWith, PaymentGateway};
use serde_json::{Value, json};

use super::canned::{answering, confirm, payment};
use crate::canned::ok;

async fn approved(method: Value, has_card: bool, cash_receipt: Value) -> (PaidWith, Option<CashReceipt>) {
    let mut body = payment("DONE");
    body["method"] = method;
    body["cashReceipt"] = cash_receipt;
    if !has_card {
        body["card"] = Value::Null;
    }
    let toss = answering([ok(&body)]).await;
    let outcome = toss.gateway.confirm(&confirm()).await;
    let Outcome::Approved(approval) = outcome else { panic!("{outcome:?}") };
    (approval.paid_with, approval.cash_receipt.map(|receipt| *receipt))
}

#[tokio::test]
async fn the_method_is_told_in_korean_and_a_card_behind_a_wallet_is_a_card() {
    for (method, has_card, paid_with) in [
        (json!("카드"), true, PaidWith::Card),
        (json!("카드"), false, PaidWith::Card),
        (json!("간편결제"), true, PaidWith::Card),
        (json!("간편결제"), false, PaidWith::Wallet),
        (json!("계좌이체"), false, PaidWith::Transfer),
        (json!("가상계좌"), false, PaidWith::VirtualAccount),
        (json!("휴대폰"), false, PaidWith::Mobile),
        (json!("도서문화상품권"), false, PaidWith::Voucher),
        (json!("새 결제수단"), false, PaidWith::Unknown),
        (json!(null), false, PaidWith::Unknown),
        (json!(7), false, PaidWith::Unknown),
    ] {
        assert_eq!(approved(method.clone(), has_card, json!(null)).await.0, paid_with, "{method}");
    }
}

#[tokio::test]
async fn a_cash_receipt_is_one_with_a_kind_and_a_number() {
    let receipt = |kind: &str| json!({"type": kind, "receiptKey": "key", "issueNumber": "123456789", "receiptUrl": "https://r", "amount": 29_000});
    for (body, kind) in [
        (receipt("소득공제"), Some(CashReceiptKind::IncomeDeduction)),
        (receipt("지출증빙"), Some(CashReceiptKind::ExpenseProof)),
        (receipt("미발행"), None),
        (json!({"type": "소득공제"}), None),
        (json!("소득공제"), None),
        (json!(null), None),
    ] {
        let (_, found) = approved(json!("계좌이체"), false, body.clone()).await;
        assert_eq!(found.as_ref().map(|found| found.kind), kind, "{body}");
        if let Some(found) = found {
            assert_eq!((found.issue_number.as_str(), found.url.as_deref()), ("123456789", Some("https://r")));
        }
    }
}

//! With what was paid, and the cash receipt that came along.

use pg_adapter::{CashReceipt, CashReceiptKind, Lookup, PaidWith, PaymentGateway};
use serde_json::{Value, json};

use super::canned::{answering, payment};
use crate::canned::ok;

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

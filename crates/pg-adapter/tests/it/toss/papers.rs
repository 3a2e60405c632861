//! With what was paid, the cash receipt that came along, and those that are asked for.

use chrono::DateTime;
use kernel::Krw;
use pg_adapter::{
    CashReceipt, CashReceiptKind, CashReceiptLookup, FindCashReceipt, IssueCashReceipt, Outcome, PaidWith,
    PaymentGateway,
};
use serde_json::{Value, json};

use super::canned::{ORDER, PAYMENT, answering, confirm, payment, refusal};
use crate::canned::{body, ok};

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

fn wanted() -> IssueCashReceipt {
    IssueCashReceipt {
        payment_key: PAYMENT.to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
        kind: CashReceiptKind::ExpenseProof,
        identity_number: "1111111119".to_owned().into(),
        paid_at: DateTime::UNIX_EPOCH,
        reference: "cr_1".to_owned(),
    }
}

fn question(days: (&str, &str)) -> FindCashReceipt {
    FindCashReceipt {
        payment_key: PAYMENT.to_owned(),
        order_id: ORDER.to_owned(),
        amount: Krw::won(29_000),
        reference: "cr_1".to_owned(),
        receipt_key: None,
        days: (days.0.parse().unwrap(), days.1.parse().unwrap()),
    }
}

fn receipt(key: &str, transaction: &str, status: &str, amount: i64) -> Value {
    json!({"receiptKey": key, "issueNumber": "123456789", "issueStatus": status, "amount": amount, "orderId": "cr_1",
        "orderName": "단골", "type": "지출증빙", "transactionType": transaction, "failure": null,
        "requestedAt": "2026-11-20T10:00:05+09:00", "receiptUrl": "https://r", "aFieldOfNextYear": [1]})
}

fn page(rows: &Value, cursor: Option<i64>) -> Value {
    json!({"hasNext": cursor.is_some(), "lastCursor": cursor.unwrap_or(9), "data": rows})
}

#[tokio::test]
async fn a_cash_receipt_carries_our_reference_as_its_order_and_its_idempotency_key() {
    let toss = answering([ok(&receipt("key", "CONFIRM", "IN_PROGRESS", 29_000))]).await;
    let Outcome::Approved(issued) = toss.gateway.issue_cash_receipt(&wanted()).await else { panic!() };
    assert_eq!((issued.receipt_key.as_str(), issued.is_accepted), ("key", false));
    assert_eq!(issued.issue_number.as_deref(), Some("123456789"));
    let [request] = toss.requests().try_into().unwrap();
    assert!(request.starts_with("POST /v1/cash-receipts HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("idempotency-key: cr_1\r\n"), "{request}");
    let expected = json!({"amount": 29_000, "orderId": "cr_1", "orderName": "단골 프로 요금제", "type": "지출증빙",
        "customerIdentityNumber": "1111111119"});
    assert_eq!(body(&request), expected);
}

#[tokio::test]
async fn an_answer_about_another_receipt_is_no_answer() {
    let mut other = receipt("key", "CONFIRM", "COMPLETED", 29_000);
    other["orderId"] = json!("cr_2");
    for answer in [
        ok(&other),
        ok(&receipt("key", "CONFIRM", "COMPLETED", 28_000)),
        ok(&receipt("c_key", "CANCEL", "COMPLETED", 29_000)),
        ok(&receipt("key", "CONFIRM", "NEW_STATUS", 29_000)),
        ok(&receipt("", "CONFIRM", "COMPLETED", 29_000)),
        refusal(400, "SOMETHING_NEW"),
        refusal(500, "INVALID_CASH_RECEIPT_INFO"),
    ] {
        let toss = answering([answer]).await;
        let outcome = toss.gateway.issue_cash_receipt(&wanted()).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_refusal_in_so_many_words_is_one() {
    for code in ["DUPLICATED_CASH_RECEIPT", "INVALID_CASH_RECEIPT_INFO", "NTS_ERROR", "UNAUTHORIZED_KEY"] {
        let toss = answering([refusal(400, code)]).await;
        let outcome = toss.gateway.issue_cash_receipt(&wanted()).await;
        let Outcome::Declined(decline) = outcome else { panic!("{outcome:?}") };
        assert_eq!(decline.code, code);
    }
}

#[tokio::test]
async fn the_days_lists_are_read_to_their_ends() {
    let other = {
        let mut other = receipt("other", "CONFIRM", "COMPLETED", 1_000);
        other["orderId"] = json!("cr_2");
        other
    };
    let toss = answering([
        ok(&page(&json!([other]), Some(7))),
        ok(&page(&json!([]), None)),
        ok(&page(&json!([receipt("key", "CONFIRM", "COMPLETED", 29_000)]), None)),
    ])
    .await;
    let lookup = toss.gateway.find_cash_receipt(&question(("2026-11-20", "2026-11-21"))).await;
    let CashReceiptLookup::Issued(found) = lookup else { panic!("{lookup:?}") };
    assert!(found.is_accepted);
    let asked: Vec<_> = toss
        .requests()
        .iter()
        .map(|it| it.split_whitespace().nth(1).unwrap_or_default().to_owned())
        .collect();
    assert!(asked[0].contains("requestDate=2026-11-20&") && !asked[0].contains("cursor"), "{asked:?}");
    assert!(asked[1].contains("requestDate=2026-11-20&") && asked[1].contains("cursor=7"), "{asked:?}");
    assert!(asked[2].contains("requestDate=2026-11-21&"), "{asked:?}");
}

#[tokio::test]
async fn a_list_says_what_it_shows_and_no_more() {
    let failed = {
        let mut failed = receipt("key", "CONFIRM", "FAILED", 29_000);
        failed["failure"] = json!({"code": "NTS_ERROR", "message": "[TS1]"});
        failed
    };
    let issued = receipt("key", "CONFIRM", "COMPLETED", 29_000);
    for (rows, expected) in [
        (json!([]), "NotFound"),
        (json!([failed]), "Refused"),
        (json!([issued, receipt("c_key", "CANCEL", "IN_PROGRESS", 29_000)]), "Canceled"),
        (json!([issued, receipt("c_key", "CANCEL", "COMPLETED", 9_000)]), "Issued"),
        (json!([issued, receipt("c_key", "CANCEL", "FAILED", 29_000)]), "Issued"),
        // The trap: two for one request.
        (json!([issued, receipt("other", "CONFIRM", "COMPLETED", 29_000)]), "Unknown"),
        (json!([receipt("key", "CONFIRM", "COMPLETED", 28_000)]), "Unknown"),
        (json!([{"receiptKey": "key"}]), "Unknown"),
    ] {
        let toss = answering([ok(&page(&rows, None))]).await;
        let lookup = toss.gateway.find_cash_receipt(&question(("2026-11-20", "2026-11-20"))).await;
        assert!(format!("{lookup:?}").starts_with(expected), "{rows}: {lookup:?}");
    }
    for endless in [page(&json!([]), Some(7)), json!({"hasNext": true, "data": []})] {
        let toss = answering([ok(&endless), ok(&endless)]).await;
        let lookup = toss.gateway.find_cash_receipt(&question(("2026-11-20", "2026-11-20"))).await;
        assert!(matches!(lookup, CashReceiptLookup::Unknown(_)), "{lookup:?}");
    }
}

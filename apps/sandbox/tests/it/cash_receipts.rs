//! Cash receipts on request: what each provider keeps its merchants from, and what not.

use chrono::TimeDelta;
use reqwest::Method;
use sandbox::{BookKind, PORTONE_CHANNEL_KEY, PORTONE_STORE_ID};
use serde_json::{Value, json};

use crate::merchant::{Merchant, answer};

const ISSUE: &str = "/v1/cash-receipts";

fn receipt(order: &str) -> Value {
    json!({"amount": 10_000, "orderId": order, "orderName": "구독", "type": "소득공제", "customerIdentityNumber": "01012345678"})
}

/// Today in Korea, by the sandbox's clock.
fn list(shop: &Merchant, more: &str) -> String {
    format!("{ISSUE}?requestDate={}{more}", kernel::Clock::today(&*shop.clock))
}

#[tokio::test]
async fn toss_issues_two_receipts_for_one_order_unless_the_idempotency_key_is_the_same() {
    let shop = Merchant::opens().await;
    let first = shop.post_once("key-1", ISSUE, receipt("order-1")).await;
    assert_eq!(first.json()["issueStatus"], "IN_PROGRESS");
    assert_eq!(first.json()["customerIdentityNumber"], "*******5678");
    let again = shop.post_once("key-1", ISSUE, receipt("order-1")).await;
    assert_eq!(again.text, first.text);
    let second = shop.post_once("key-2", ISSUE, receipt("order-1")).await;
    assert_ne!(second.json()["receiptKey"], first.json()["receiptKey"]);
    shop.clock.advance(TimeDelta::days(15));
    let forgotten = shop.post_once("key-1", ISSUE, receipt("order-1")).await;
    assert_ne!(forgotten.json()["receiptKey"], first.json()["receiptKey"]);
    let issued = shop.sandbox.book().iter().filter(|line| line.kind == BookKind::CashReceipt).count();
    assert_eq!(issued, 3);
}

#[tokio::test]
async fn toss_lists_the_receipts_of_a_day_page_by_page_and_nothing_else_shows_them() {
    let shop = Merchant::opens().await;
    for order in ["order-1", "order-2", "order-3"] {
        assert_eq!(shop.post(ISSUE, receipt(order)).await.status, 200);
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = shop.get(&list(&shop, &format!("&limit=2{cursor}"))).await.json();
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["orderId"].clone()));
        if page["hasNext"] == false {
            break;
        }
        cursor = format!("&cursor={}", page["lastCursor"]);
    }
    assert_eq!(seen, ["order-1", "order-2", "order-3"]);
    assert_eq!(shop.get(ISSUE).await.refusal(), "400 INVALID_DATE");
    assert_eq!(shop.get(&list(&shop, "&limit=10001")).await.refusal(), "400 EXCEED_MAX_QUERY_LIMIT");
    let other_day = shop.get(&format!("{ISSUE}?requestDate=2020-01-01")).await.json();
    assert_eq!(other_day["data"], json!([]));
    assert_eq!(shop.get(&format!("{ISSUE}/key")).await.refusal(), "404 NOT_FOUND_HTTP_METHOD");
}

#[tokio::test]
async fn toss_takes_parts_back_until_nothing_is_left() {
    let shop = Merchant::opens().await;
    let key = shop.post(ISSUE, receipt("order-1")).await.json()["receiptKey"].as_str().unwrap().to_owned();
    let cancel = format!("{ISSUE}/{key}/cancel");
    let part = shop.post(&cancel, json!({"amount": 4_000})).await.json();
    assert_eq!(
        (&part["receiptKey"], &part["transactionType"]),
        (&json!(format!("c_{key}")), &json!("CANCEL"))
    );
    assert_eq!(shop.post(&cancel, json!({"amount": 6_001})).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    assert_eq!(shop.post(&cancel, json!({})).await.json()["amount"], 6_000);
    assert_eq!(shop.post(&cancel, json!({})).await.refusal(), "403 NOT_CANCELABLE_AMOUNT");
    let unknown = shop.post(&format!("{ISSUE}/nobodys/cancel"), json!({})).await;
    assert_eq!(unknown.refusal(), "404 NOT_FOUND");
}

#[tokio::test]
async fn the_tax_service_answers_toss_after_a_day() {
    let shop = Merchant::opens().await;
    let day = list(&shop, "");
    assert_eq!(shop.post(ISSUE, receipt("order-1")).await.status, 200);
    let refuses = json!({"taxServiceRefuses": true});
    assert_eq!(shop.control(Method::PATCH, "/toss/switches", refuses).await.status, 200);
    assert_eq!(shop.post(ISSUE, receipt("order-2")).await.status, 200);
    shop.clock.advance(TimeDelta::days(1));
    let rows = shop.get(&day).await.json()["data"].clone();
    assert_eq!((&rows[0]["issueStatus"], &rows[1]["issueStatus"]), (&json!("COMPLETED"), &json!("FAILED")));
    assert_eq!(rows[1]["failure"]["code"], "NTS_ERROR");
}

fn portone_receipt(payment: &str) -> Value {
    json!({"paymentId": payment, "channelKey": PORTONE_CHANNEL_KEY, "type": "PERSONAL", "orderName": "구독",
        "currency": "KRW", "amount": {"total": 10_000}, "customer": {"identityNumber": "01012345678"}})
}

#[tokio::test]
async fn portone_has_one_receipt_of_a_payment_and_takes_it_back_as_a_whole() {
    let shop = Merchant::opens().await;
    let look_up = format!("/payments/pay1/cash-receipt?storeId={PORTONE_STORE_ID}");
    assert_eq!(shop.portone_get(&look_up).await.json()["type"], "CASH_RECEIPT_NOT_FOUND");
    let issued = shop.portone_post("/cash-receipts", portone_receipt("pay1")).await.json();
    let number = issued["cashReceipt"]["issueNumber"].clone();
    let again = shop.portone_post("/cash-receipts", portone_receipt("pay1")).await;
    assert_eq!((again.status.as_u16(), &again.json()["type"]), (409, &json!("CASH_RECEIPT_ALREADY_ISSUED")));
    let seen = shop.portone_get(&look_up).await.json();
    assert_eq!((&seen["status"], &seen["issueNumber"]), (&json!("ISSUED"), &number));
    let cancel = || answer(shop.portone(Method::POST, "/payments/pay1/cash-receipt/cancel"));
    assert_eq!(cancel().await.json()["cancelledAmount"], 10_000);
    assert_eq!(cancel().await.json()["type"], "CASH_RECEIPT_NOT_ISSUED");
    assert_eq!(shop.portone_get(&look_up).await.json()["status"], "CANCELLED");
}

#[tokio::test]
async fn receipts_survive_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let mut shop = Merchant::opens_in(folder.path()).await;
    let day = list(&shop, "");
    assert_eq!(shop.post(ISSUE, receipt("order-1")).await.status, 200);
    assert_eq!(shop.portone_post("/cash-receipts", portone_receipt("pay1")).await.status, 200);
    let look_up = format!("/payments/pay1/cash-receipt?storeId={PORTONE_STORE_ID}");
    let before = (shop.get(&day).await.json(), shop.portone_get(&look_up).await.json());
    for _ in 0..2 {
        shop.sandbox.shutdown().await;
        shop = Merchant::opens_in(folder.path()).await;
        let after = (shop.get(&day).await.json(), shop.portone_get(&look_up).await.json());
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn an_account_pays_in_examples() {
    let shop = Merchant::opens().await;
    let confirm = json!({"paymentKey": "test_pay_account", "orderId": "order-1", "amount": 10_000});
    let paid = shop.post("/v1/payments/confirm", confirm).await.json();
    assert_eq!(
        (&paid["method"], &paid["card"], &paid["cashReceipt"]),
        (&json!("계좌이체"), &json!(null), &json!(null))
    );
}

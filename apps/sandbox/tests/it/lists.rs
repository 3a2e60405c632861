use chrono::{DateTime, TimeDelta};
use kernel::Clock as _;
use sandbox::TossSwitches;
use serde_json::{Value, json};

use crate::merchant::{EMPTY_CARD, GOOD_CARD, Merchant};

/// A clock at 23:30 UTC on a month's last day: in Korea it is already the next month.
async fn shop_at_night() -> Merchant {
    let shop = Merchant::opens().await;
    shop.clock.set("2027-01-31T23:30:00Z".parse::<DateTime<chrono::Utc>>().unwrap());
    shop
}

async fn keys(shop: &Merchant, query: &str) -> Vec<String> {
    let rows = shop.get(&format!("/v1/transactions?{query}")).await.json();
    rows.as_array().unwrap().iter().map(|row| row["transactionKey"].as_str().unwrap().to_owned()).collect()
}

const FEBRUARY: &str = "startDate=2027-02-01&endDate=2027-02-28T23:59:59";

#[tokio::test]
async fn every_approval_and_cancel_is_a_row_and_a_decline_is_none() {
    let shop = shop_at_night().await;
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": 300})).await;
    let bad = shop.billing_key(EMPTY_CARD).await;
    shop.charges(&bad, "order-declined", 1_000).await;

    let rows = shop.get(&format!("/v1/transactions?{FEBRUARY}")).await.json();
    let seen: Vec<_> = rows.as_array().unwrap().iter().map(|row| (&row["status"], &row["amount"])).collect();
    assert_eq!(seen, [(&json!("DONE"), &json!(1_000)), (&json!("PARTIAL_CANCELED"), &json!(300))]);
    let approval = &rows[0];
    assert!(approval["transactionAt"].as_str().unwrap().starts_with("2027-02-01T08:30:"));
    assert_eq!(approval["paymentKey"], payment.as_str());
    assert_eq!(approval["customerKey"], crate::merchant::CUSTOMER);

    let fields = [
        "mId",
        "transactionKey",
        "paymentKey",
        "orderId",
        "method",
        "customerKey",
        "useEscrow",
        "receiptUrl",
        "status",
        "transactionAt",
        "currency",
        "amount",
    ];
    let mut names: Vec<_> = approval.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut expected = fields;
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[tokio::test]
async fn pages_follow_each_other_without_gap_or_repetition() {
    let shop = shop_at_night().await;
    let key = shop.billing_key(GOOD_CARD).await;
    for n in 0..7 {
        shop.charges(&key, &format!("order-{n}"), 1_000).await;
    }
    let all = keys(&shop, FEBRUARY).await;
    assert_eq!(all.len(), 7);
    let mut paged: Vec<String> = Vec::new();
    loop {
        let after = paged.last().map(|key| format!("&startingAfter={key}")).unwrap_or_default();
        let page = keys(&shop, &format!("{FEBRUARY}&limit=3{after}")).await;
        let full = page.len() == 3;
        paged.extend(page);
        if !full {
            break;
        }
    }
    assert_eq!(paged, all);
}

#[tokio::test]
async fn dates_are_korean_and_a_zone_is_refused() {
    let shop = shop_at_night().await;
    shop.paid(1_000).await;
    assert_eq!(keys(&shop, FEBRUARY).await.len(), 1);
    assert_eq!(keys(&shop, "startDate=2027-01-01T00:00:00&endDate=2027-01-31T23:59:59").await.len(), 0);
    for (query, refusal) in [
        ("startDate=2027-02-01T00:00:00Z&endDate=2027-02-28T00:00:00Z", "400 INVALID_DATE"),
        ("startDate=2027-02-01T00:00:00%2B09:00&endDate=2027-02-28", "400 INVALID_DATE"),
        ("startDate=2027-02-02&endDate=2027-02-01", "400 INVALID_DATE"),
        ("startDate=2027-02-01", "400 INVALID_REQUEST"),
        ("startDate=2027-02-01&endDate=2027-02-02&limit=0", "400 INVALID_REQUEST"),
        ("startDate=2027-02-01&endDate=2027-02-02&limit=5001", "400 EXCEED_MAX_QUERY_LIMIT"),
        ("startDate=2027-02-01&endDate=2027-02-02&startingAfter=x", "400 INVALID_PAGING_KEY"),
    ] {
        assert_eq!(shop.get(&format!("/v1/transactions?{query}")).await.refusal(), refusal, "{query}");
    }
}

#[tokio::test]
async fn a_hundred_rows_come_unless_more_are_asked_for() {
    let shop = shop_at_night().await;
    let key = shop.billing_key(GOOD_CARD).await;
    for n in 0..101 {
        shop.charges(&key, &format!("order-{n:03}"), 1_000).await;
    }
    assert_eq!(keys(&shop, FEBRUARY).await.len(), 100);
    assert_eq!(keys(&shop, &format!("{FEBRUARY}&limit=5000")).await.len(), 101);
}

#[tokio::test]
async fn fresh_rows_may_be_missing_and_cancels_negative_where_a_switch_says_so() {
    let shop = shop_at_night().await;
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, json!({"cancelReason": "전액"})).await;
    let switches =
        TossSwitches { transactions_lag_seconds: 60, negative_cancel_rows: true, ..TossSwitches::default() };
    shop.sandbox.set_toss_switches(switches);
    assert_eq!(keys(&shop, FEBRUARY).await.len(), 0);
    shop.clock.advance(TimeDelta::seconds(61));
    let rows: Value = shop.get(&format!("/v1/transactions?{FEBRUARY}")).await.json();
    assert_eq!(rows[1]["amount"], -1_000);
    assert!(shop.clock.now() > shop.sandbox.book()[0].at.0);
}

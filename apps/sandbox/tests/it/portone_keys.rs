use reqwest::Method;
use sandbox::PORTONE_STORE_ID;
use serde_json::json;

use crate::merchant::{CUSTOMER, EMPTY_CARD, GOOD_CARD, Merchant, SUSPENDED_CARD, answer};

#[tokio::test]
async fn the_browser_brings_a_key_that_can_be_read() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    assert!(key.starts_with("billing-key-") && key.len() == "billing-key-".len() + 36);
    let info = shop.portone_get(&format!("/billing-keys/{key}?storeId={PORTONE_STORE_ID}")).await.json();
    assert_eq!((&info["status"], &info["customer"]["id"]), (&json!("ISSUED"), &json!(CUSTOMER)));
    assert_eq!(info["channels"][0]["type"], "LIVE");
    assert_eq!(info["methods"][0]["type"], "BillingKeyPaymentMethodCard");
    assert_eq!(info["methods"][0]["card"]["issuer"], "SAMSUNG_CARD");
    let unknown = shop.portone_get("/billing-keys/billing-key-invented").await;
    assert_eq!(unknown.portone_refusal(), "404 BILLING_KEY_NOT_FOUND");
    let foreign = shop.portone_get(&format!("/billing-keys/{key}?storeId=store-of-others")).await;
    assert_eq!(foreign.portone_refusal(), "403 FORBIDDEN");
}

#[tokio::test]
async fn with_manual_confirmation_a_token_becomes_one_key() {
    let shop = Merchant::opens().await;
    shop.switch_portone(|switches| switches.manual_confirmation = true);
    let brought = shop.window("billing-auth", json!({"cardNumber": GOOD_CARD})).await;
    assert_eq!(brought["billingKey"], "NEEDS_CONFIRMATION");
    let confirm = |extra: serde_json::Value| {
        let mut body = json!({"billingIssueToken": brought["billingIssueToken"]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let shop = &shop;
        async move { shop.portone_post("/billing-keys/confirm", body).await }
    };
    assert_eq!(confirm(json!({"isTest": true})).await.portone_refusal(), "409 INFORMATION_MISMATCH");
    let key = confirm(json!({"isTest": false})).await.json()["billingKey"].as_str().unwrap().to_owned();
    assert_eq!(shop.portone_charges(&key, "confirmed", 1_000).await.status, 200);
    assert_eq!(confirm(json!({})).await.portone_refusal(), "409 BILLING_KEY_ALREADY_ISSUED");
    let invented = json!({"billingIssueToken": "invented"});
    let invented = shop.portone_post("/billing-keys/confirm", invented).await;
    assert_eq!(invented.portone_refusal(), "404 BILLING_KEY_NOT_FOUND");
}

#[tokio::test]
async fn a_deleted_key_says_so_and_pays_no_more() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let delete = || async {
        answer(shop.portone(Method::DELETE, &format!("/billing-keys/{key}?reason=x&requester=ADMIN"))).await
    };
    assert!(delete().await.json()["deletedAt"].is_string());
    assert_eq!(delete().await.portone_refusal(), "409 BILLING_KEY_ALREADY_DELETED");
    assert_eq!(shop.portone_get(&format!("/billing-keys/{key}")).await.json()["status"], "DELETED");
    let refused = shop.portone_charges(&key, "deleted", 1_000).await;
    assert_eq!(refused.portone_refusal(), "409 BILLING_KEY_ALREADY_DELETED");
    let invented = answer(shop.portone(Method::DELETE, "/billing-keys/invented")).await;
    assert_eq!(invented.portone_refusal(), "404 BILLING_KEY_NOT_FOUND");
}

#[tokio::test]
async fn a_good_card_goes_bad_and_good_again() {
    let shop = Merchant::opens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let change = |card: &str| shop.window("cards", json!({"customerKey": CUSTOMER, "cardNumber": card}));
    assert_eq!(change(SUSPENDED_CARD).await["changed"], 1);
    let declined = shop.portone_charges(&key, "renewal", 1_000).await;
    assert_eq!(declined.json()["pgCode"], "INVALID_STOPPED_CARD");
    change(GOOD_CARD).await;
    assert_eq!(shop.portone_charges(&key, "renewal", 1_000).await.status, 200);
}

/// Examples in documentation have to work as they are, each time.
#[tokio::test]
async fn keys_that_name_a_test_card_are_always_there_on_the_test_channel() {
    let shop = Merchant::opens().await;
    let key = "billing-key-test-4300000000000001";
    let info = shop.portone_get(&format!("/billing-keys/{key}")).await.json();
    assert_eq!((&info["status"], &info["channels"][0]["type"]), (&json!("ISSUED"), &json!("TEST")));
    assert_eq!(info["customer"], json!({}));
    assert_eq!(shop.portone_charges(key, "example1", 1_000).await.status, 200);
    let deleted = answer(shop.portone(Method::DELETE, &format!("/billing-keys/{key}"))).await;
    assert_eq!(deleted.status, 200);
    assert_eq!(shop.portone_charges(key, "example2", 1_000).await.status, 200);
    let bad = format!("billing-key-test-{}", EMPTY_CARD.replace('-', ""));
    assert_eq!(shop.portone_charges(&bad, "example3", 1_000).await.portone_refusal(), "502 PG_PROVIDER");
    let odd = shop.portone_charges("billing-key-test-4300-0000-0000-0001", "example4", 1_000).await;
    assert_eq!(odd.portone_refusal(), "404 BILLING_KEY_NOT_FOUND");

    let confirm =
        json!({"paymentToken": "test_pay_4300000000000001", "totalAmount": 2_000, "currency": "KRW"});
    let paid = shop.portone_post("/payments/example5/confirm", confirm.clone()).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    let again = shop.portone_post("/payments/example5/confirm", confirm).await;
    assert_eq!(again.portone_refusal(), "409 ALREADY_PAID");
    assert_eq!(shop.portone_payment("example5").await["amount"]["total"], 2_000);
}

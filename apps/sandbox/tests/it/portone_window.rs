use reqwest::Method;
use serde_json::{Value, json};

use crate::merchant::{EMPTY_CARD, GOOD_CARD, Merchant};

fn pays(order: &str, card: &str) -> Value {
    json!({"orderId": order, "amount": 5_000, "cardNumber": card})
}

#[tokio::test]
async fn a_payment_in_the_window_is_paid_at_once() {
    let shop = Merchant::opens().await;
    let brought = shop.window("payment-auth", pays("window", GOOD_CARD)).await;
    assert_eq!((&brought["paymentId"], brought.get("paymentToken")), (&json!("window"), None));
    let payment = shop.portone_payment("window").await;
    assert_eq!((&payment["status"], &payment["transactionId"]), (&json!("PAID"), &brought["txId"]));
    let again = shop.control(Method::POST, "/portone/payment-auth", pays("window", GOOD_CARD)).await;
    assert_eq!(again.refusal(), "400 PaymentAlreadyPaid");

    let brought = shop.window("payment-auth", pays("empty", EMPTY_CARD)).await;
    assert_eq!(
        (&brought["code"], &brought["pgCode"]),
        (&json!("PGProviderError"), &json!("REJECT_CARD_PAYMENT"))
    );
    assert_eq!(shop.portone_payment("empty").await["status"], "FAILED");
    // The payer takes another card.
    shop.window("payment-auth", pays("empty", GOOD_CARD)).await;
    assert_eq!(shop.portone_payment("empty").await["status"], "PAID");
}

#[tokio::test]
async fn with_manual_confirmation_the_server_has_the_last_word() {
    let shop = Merchant::opens().await;
    shop.switch_portone(|switches| switches.manual_confirmation = true);
    let brought = shop.window("payment-auth", pays("manual", GOOD_CARD)).await;
    assert_eq!(shop.portone_payment("manual").await["status"], "READY");
    assert_eq!(shop.sandbox.book(), []);
    let token = brought["paymentToken"].clone();
    let confirm = |order: &str, body: Value| {
        let (shop, path) = (&shop, format!("/payments/{order}/confirm"));
        async move { shop.portone_post(&path, body).await }
    };
    let refusal = confirm("manual", json!({"paymentToken": token, "totalAmount": 100})).await;
    assert_eq!(refusal.portone_refusal(), "409 INFORMATION_MISMATCH");
    let refusal = confirm("manual", json!({"paymentToken": token, "isTest": true})).await;
    assert_eq!(refusal.portone_refusal(), "409 INFORMATION_MISMATCH");
    let refusal = confirm("manual", json!({"paymentToken": "invented"})).await;
    assert_eq!(refusal.portone_refusal(), "400 INVALID_PAYMENT_TOKEN");
    assert_eq!(
        confirm("other", json!({"paymentToken": token})).await.portone_refusal(),
        "404 PAYMENT_NOT_FOUND"
    );

    let checked = json!({"paymentToken": token, "totalAmount": 5_000, "currency": "KRW", "isTest": false});
    let confirmed = confirm("manual", checked.clone()).await.json();
    assert!(confirmed["pgTxId"].is_string() && confirmed["paidAt"].is_string(), "{confirmed}");
    assert_eq!(confirm("manual", checked).await.portone_refusal(), "409 ALREADY_PAID");
    assert_eq!(shop.sandbox.book().len(), 1);

    let token = shop.window("payment-auth", pays("declined", EMPTY_CARD)).await["paymentToken"].clone();
    let body = json!({"paymentToken": token});
    assert_eq!(confirm("declined", body.clone()).await.portone_refusal(), "502 PG_PROVIDER");
    assert_eq!(confirm("declined", body).await.portone_refusal(), "400 INVALID_PAYMENT_TOKEN");
}

#[tokio::test]
async fn a_pre_registered_amount_is_the_only_one_that_the_window_takes() {
    let shop = Merchant::opens().await;
    let registered = shop.portone_post("/payments/fixed/pre-register", json!({"totalAmount": 7_000})).await;
    assert_eq!(registered.json(), json!({}));
    let refused = shop.control(Method::POST, "/portone/payment-auth", pays("fixed", GOOD_CARD)).await;
    assert_eq!(refused.refusal(), "400 AmountNotEqualToPredefined");
    shop.portone_post("/payments/fixed/pre-register", json!({"totalAmount": 5_000})).await;
    shop.window("payment-auth", pays("fixed", GOOD_CARD)).await;
    let late = shop.portone_post("/payments/fixed/pre-register", json!({})).await;
    assert_eq!(late.portone_refusal(), "409 ALREADY_PAID");
}

#[tokio::test]
async fn surprises_and_gaps_come_on_demand() {
    let shop = Merchant::opens().await;
    shop.portone_paid("odd").await;
    shop.switch_portone(|switches| {
        (switches.unknown_fields, switches.unknown_enum_values, switches.sparse) = (true, true, true);
    });
    let payment = shop.portone_payment("odd").await;
    assert!(payment.get("sandboxUnknownField").is_some());
    assert_eq!((payment.get("origin"), payment.get("method")), (None, None));
    let patch = json!({"sparse": false});
    let switches = shop.control(Method::PATCH, "/portone/switches", patch).await.json();
    assert_eq!((&switches["sparse"], &switches["unknownFields"]), (&json!(false), &json!(true)));
    assert_eq!(shop.portone_payment("odd").await["method"]["card"]["brand"], "SANDBOX_NEW_BRAND");
}

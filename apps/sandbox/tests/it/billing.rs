use reqwest::Method;
use sandbox::{BookStatus, RepeatedDelete, TossSwitches};
use serde_json::{Value, json};

use crate::merchant::{CUSTOMER, EMPTY_CARD, GOOD_CARD, Merchant, SUSPENDED_CARD, answer, charge_body};

#[tokio::test]
async fn a_charge_answers_the_payment_with_every_field() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    let payment = shop.charges(&key, "order-fields", 9_900).await.json();

    for (field, expected) in [
        ("type", json!("BILLING")),
        ("status", json!("DONE")),
        ("method", json!("카드")),
        ("totalAmount", json!(9_900)),
        ("balanceAmount", json!(9_900)),
        ("suppliedAmount", json!(9_000)),
        ("vat", json!(900)),
        ("currency", json!("KRW")),
        ("version", json!("2022-11-16")),
        ("isPartialCancelable", json!(true)),
    ] {
        assert_eq!(payment[field], expected, "{field}");
    }
    let nothing = [
        "virtualAccount",
        "transfer",
        "mobilePhone",
        "giftCertificate",
        "cashReceipt",
        "cashReceipts",
        "discount",
        "cancels",
        "easyPay",
        "failure",
        "metadata",
    ];
    for field in nothing {
        assert_eq!(payment.get(field), Some(&Value::Null), "{field} is there, and null");
    }
    assert_eq!(payment["card"]["number"], "43000000****000*");
    assert_eq!(payment["card"]["issuerCode"], "51");
    assert!(payment["secret"].as_str().unwrap().starts_with("ps_"));
    assert!(payment["approvedAt"].as_str().unwrap().ends_with("+09:00"));
    assert!(payment["receipt"]["url"].as_str().unwrap().starts_with("https://"));
}

#[tokio::test]
async fn a_billing_key_has_44_characters_and_ends_in_an_equals_sign_that_may_be_encoded() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    assert_eq!(key.len(), 44);
    assert!(key.ends_with('='));
    let encoded = key.replace('=', "%3D");
    assert_eq!(shop.charges(&encoded, "order-encoded", 1_000).await.status, 200);
}

#[tokio::test]
async fn an_auth_key_is_good_for_one_exchange() {
    let shop = Merchant::opens().await;
    let auth_key = shop.sandbox.billing_auth(CUSTOMER, GOOD_CARD).unwrap();
    let issue = |auth: String, customer: &str| {
        shop.post("/v1/billing/authorizations/issue", json!({"authKey": auth, "customerKey": customer}))
    };
    assert_eq!(issue(auth_key.clone(), "somebody-else").await.refusal(), "400 NOT_MATCHES_CUSTOMER_KEY");
    assert_eq!(issue(auth_key.clone(), CUSTOMER).await.status, 200);
    assert_eq!(issue(auth_key, CUSTOMER).await.refusal(), "404 NOT_FOUND_BILLING");
    assert_eq!(issue("invented".into(), CUSTOMER).await.refusal(), "404 NOT_FOUND_BILLING");
}

#[tokio::test]
async fn several_billing_keys_of_one_customer_stay_valid() {
    let shop = Merchant::opens().await;
    let (first, second) = (shop.billing_key(GOOD_CARD).await, shop.billing_key(GOOD_CARD).await);
    assert_eq!(shop.charges(&first, "order-first", 1_000).await.status, 200);
    assert_eq!(shop.charges(&second, "order-second", 1_000).await.status, 200);
}

#[tokio::test]
async fn a_charge_that_breaks_a_rule_is_refused_and_leaves_no_trace() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    let with = |field: &str, value: Value| {
        let mut body = charge_body("order-rules", 1_000);
        body[field] = value;
        let (shop, path) = (&shop, format!("/v1/billing/{key}"));
        async move { shop.post(&path, body).await }
    };
    assert_eq!(with("customerKey", json!("other")).await.refusal(), "400 NOT_MATCHES_CUSTOMER_KEY");
    assert_eq!(with("amount", json!(99)).await.refusal(), "400 BELOW_MINIMUM_AMOUNT");
    assert_eq!(with("amount", json!("1000")).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("amount", json!(1000.5)).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("orderId", json!("short")).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("orderId", json!("order with spaces")).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("orderId", json!("x".repeat(65))).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("orderName", json!("")).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(with("orderName", json!("가".repeat(101))).await.refusal(), "400 INVALID_REQUEST");
    assert_eq!(
        shop.charges("invented=", "order-rules", 1_000).await.refusal(),
        "400 INVALID_BILL_KEY_REQUEST"
    );
    assert_eq!(shop.sandbox.book(), []);
    assert_eq!(shop.get("/v1/payments/orders/order-rules").await.refusal(), "404 NOT_FOUND_PAYMENT");
    assert_eq!(with("orderName", json!("가".repeat(100))).await.status, 200);
}

#[tokio::test]
async fn an_order_is_approved_once_whatever_idempotency_keys_it_comes_with() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let tries = (0..20).map(|n| {
        let (shop, path) = (&shop, &path);
        async move { shop.post_once(&format!("key-{n}"), path, charge_body("order-race", 1_000)).await }
    });
    let answers = futures::future::join_all(tries).await;
    let approved = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(approved, 1);
    for refused in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refused.refusal(), "400 DUPLICATED_ORDER_ID");
    }
    assert_eq!(shop.sandbox.book().len(), 1);
}

#[tokio::test]
async fn a_cancelled_order_cannot_be_charged_again() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    let payment = shop.charges(&key, "order-cancelled", 1_000).await.json();
    let payment_key = payment["paymentKey"].as_str().unwrap();
    shop.cancels(payment_key, json!({"cancelReason": "환불"})).await;
    assert_eq!(shop.charges(&key, "order-cancelled", 1_000).await.refusal(), "400 DUPLICATED_ORDER_ID");
}

#[tokio::test]
async fn bad_cards_get_their_key_but_no_money() {
    let shop = Merchant::opens().await;
    for (card, refusal) in [
        (EMPTY_CARD, "403 REJECT_CARD_PAYMENT"),
        ("4300-0000-0000-0003", "400 EXCEED_MAX_DAILY_PAYMENT_COUNT"),
        (SUSPENDED_CARD, "400 INVALID_STOPPED_CARD"),
    ] {
        let key = shop.billing_key(card).await;
        assert_eq!(shop.charges(&key, &format!("order-{}", &card[18..]), 1_000).await.refusal(), refusal);
    }
    let book = shop.sandbox.book();
    assert!(book.iter().all(|line| line.status == BookStatus::Declined));
    assert_eq!(book[0].code.as_deref(), Some("REJECT_CARD_PAYMENT"));
}

#[tokio::test]
async fn a_declined_charge_is_not_found_by_its_order_unless_a_switch_says_so() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(EMPTY_CARD).await;
    shop.charges(&key, "order-declined", 1_000).await;
    let order = "/v1/payments/orders/order-declined";
    assert_eq!(shop.get(order).await.refusal(), "404 NOT_FOUND_PAYMENT");

    shop.sandbox
        .set_toss_switches(TossSwitches { declined_charges_readable: true, ..TossSwitches::default() });
    let payment = shop.get(order).await.json();
    assert_eq!(payment["status"], "ABORTED");
    assert_eq!(payment["failure"]["code"], "REJECT_CARD_PAYMENT");
    assert_eq!(payment["approvedAt"], Value::Null);
}

#[tokio::test]
async fn a_good_card_goes_bad_and_good_again() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    let change = |card: &str| {
        shop.control(Method::POST, "/toss/cards", json!({"customerKey": CUSTOMER, "cardNumber": card}))
    };
    assert_eq!(change(SUSPENDED_CARD).await.json()["changed"], 1);
    assert_eq!(shop.charges(&key, "order-renewal", 1_000).await.refusal(), "400 INVALID_STOPPED_CARD");
    change(GOOD_CARD).await;
    assert_eq!(shop.charges(&key, "order-renewal", 1_000).await.status, 200);
}

#[tokio::test]
async fn a_deleted_key_is_gone_for_good() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    let path = format!("/v1/billing/{key}");
    let deleted = shop.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (200, ""));
    assert_eq!(deleted.header("content-length"), "0");
    assert_eq!(shop.charges(&key, "order-deleted", 1_000).await.refusal(), "400 ALREADY_REMOVED_BILLING_KEY");
    assert_eq!(shop.delete("/v1/billing/invented").await.refusal(), "404 NOT_FOUND_BILLING");

    let mut again = Vec::new();
    for repeated_delete in [RepeatedDelete::AlreadyRemoved, RepeatedDelete::NotFound] {
        shop.sandbox.set_toss_switches(TossSwitches { repeated_delete, ..TossSwitches::default() });
        again.push(shop.delete(&path).await.refusal());
    }
    assert_eq!(again, ["400 ALREADY_REMOVED_BILLING_KEY", "400 BILLING_KEY_NOT_FOUND"]);
    shop.sandbox
        .set_toss_switches(TossSwitches { repeated_delete: RepeatedDelete::Ok, ..TossSwitches::default() });
    assert_eq!(shop.delete(&path).await.status, 200);
}

#[tokio::test]
async fn secret_keys_need_their_form_and_family() {
    let shop = Merchant::opens().await;
    let url = format!("{}/v1/payments/whatever", shop.sandbox.toss_base_url());
    let with = |header: &str| answer(shop.client.get(&url).header("authorization", header));
    // base64 of "test_sk_story" without its colon, and of "wrong:"
    assert_eq!(with("Basic dGVzdF9za19zdG9yeQ==").await.refusal(), "403 INCORRECT_BASIC_AUTH_FORMAT");
    assert_eq!(with("Basic d3Jvbmc6").await.refusal(), "401 UNAUTHORIZED_KEY");
    assert_eq!(answer(shop.client.get(&url)).await.refusal(), "401 UNAUTHORIZED_KEY");
    let known = shop.get("/v1/payments/whatever").await;
    assert_eq!(known.refusal(), "404 NOT_FOUND_PAYMENT");
    assert_eq!(known.header("x-tosspayments-trace-id").len(), 32);
}

#[tokio::test]
async fn an_unknown_url_and_a_wrong_method_are_one_error() {
    let shop = Merchant::opens().await;
    assert_eq!(shop.get("/v2/payments/x").await.refusal(), "404 NOT_FOUND_HTTP_METHOD");
    assert_eq!(shop.get("/v1/billing/x").await.refusal(), "404 NOT_FOUND_HTTP_METHOD");
    assert_eq!(shop.get("").await.refusal(), "404 NOT_FOUND_HTTP_METHOD");
}

#[tokio::test]
async fn a_test_code_forces_its_error_before_anything_is_looked_at() {
    let shop = Merchant::opens().await;
    let force = |code: &str| {
        let request =
            shop.request(Method::POST, "/v1/payments/confirm").header("tosspayments-test-code", code);
        answer(request.json(&json!({"paymentKey": "invented", "orderId": "order-1", "amount": 1})))
    };
    assert_eq!(force("REJECT_CARD_PAYMENT").await.refusal(), "403 REJECT_CARD_PAYMENT");
    assert_eq!(force("IDEMPOTENT_REQUEST_PROCESSING").await.refusal(), "409 IDEMPOTENT_REQUEST_PROCESSING");
    assert_eq!(force("COMMON_ERROR").await.refusal(), "500 COMMON_ERROR");
    assert_eq!(force("NO_SUCH_CODE").await.refusal(), "400 INVALID_TEST_CODE");

    let live = Merchant { secret_key: "live_sk_story".into(), ..shop };
    let request = live.request(Method::POST, "/v1/payments/confirm");
    let request = request.header("tosspayments-test-code", "REJECT_CARD_PAYMENT");
    let ignored = answer(request.json(&json!({"paymentKey": "invented", "orderId": "order-1", "amount": 1})));
    assert_eq!(ignored.await.refusal(), "404 NOT_FOUND_PAYMENT");
}

#[tokio::test]
async fn surprises_come_on_demand() {
    let shop = Merchant::opens().await;
    let switches =
        TossSwitches { unknown_fields: true, unknown_enum_values: true, ..TossSwitches::default() };
    shop.sandbox.set_toss_switches(switches);
    let key = shop.billing_key(GOOD_CARD).await;
    let payment = shop.charges(&key, "order-surprise", 1_000).await.json();
    assert!(payment.get("sandboxUnknownField").is_some());
    assert_eq!(payment["card"]["acquireStatus"], "SANDBOX_NEW_STATUS");
}

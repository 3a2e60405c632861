use reqwest::Method;
use serde_json::{Value, json};

use crate::merchant::{CUSTOMER, EMPTY_CARD, GOOD_CARD, Merchant};

#[tokio::test]
async fn the_book_is_read_whole_or_in_part() {
    let shop = Merchant::opens().await;
    let (good, bad) = (shop.billing_key(GOOD_CARD).await, shop.billing_key(EMPTY_CARD).await);
    let path = format!("/v1/billing/{good}");
    shop.post_once("key-1", &path, crate::merchant::charge_body("order-good", 1_000)).await;
    shop.charges(&bad, "order-bad", 2_000).await;
    let book = |query: &str| {
        let path = format!("/book{query}");
        let shop = &shop;
        async move { shop.control(Method::GET, &path, Value::Null).await.json() }
    };
    let all = book("").await;
    let line = &all[0];
    assert_eq!(
        [&line["provider"], &line["kind"], &line["status"], &line["amount"], &line["idempotencyKey"]],
        [&json!("TOSS"), &json!("CHARGE"), &json!("APPROVED"), &json!(1_000), &json!("key-1")]
    );
    assert_eq!(serde_json::to_value(shop.sandbox.book()).unwrap(), all);
    assert_eq!(book("?orderId=order-bad").await[0]["status"], "DECLINED");
    assert_eq!(book("?status=APPROVED&kind=CHARGE").await.as_array().unwrap().len(), 1);
    assert_eq!(book("?afterSeq=1").await[0]["orderId"], "order-bad");
    assert_eq!(book("?since=2099-01-01T00:00:00Z").await, json!([]));
    assert_eq!(book("?colour=red").await["code"], "INVALID_REQUEST");
}

#[tokio::test]
async fn the_browsers_part_can_be_played_over_http() {
    let shop = Merchant::opens().await;
    let card = json!({"customerKey": CUSTOMER, "cardNumber": GOOD_CARD});
    let auth = shop.control(Method::POST, "/toss/billing-auth", card).await.json();
    let body = json!({"authKey": auth["authKey"], "customerKey": CUSTOMER});
    assert_eq!(shop.post("/v1/billing/authorizations/issue", body).await.status, 200);

    let payment = json!({"orderId": "order-widget", "amount": 1_000, "cardNumber": GOOD_CARD});
    let auth = shop.control(Method::POST, "/toss/payment-auth", payment.clone()).await.json();
    let body = json!({"paymentKey": auth["paymentKey"], "orderId": "order-widget", "amount": 1_000});
    assert_eq!(shop.post("/v1/payments/confirm", body).await.status, 200);
    let again = shop.control(Method::POST, "/toss/payment-auth", payment).await;
    assert_eq!(again.refusal(), "400 DUPLICATED_ORDER_ID");

    let six_digits = json!({"customerKey": CUSTOMER, "cardNumber": "430000"});
    let refused = shop.control(Method::POST, "/toss/billing-auth", six_digits).await;
    assert_eq!(refused.refusal(), "400 INVALID_CARD_NUMBER");
}

#[tokio::test]
async fn switches_are_patched_one_by_one() {
    let shop = Merchant::opens().await;
    shop.control(Method::PATCH, "/toss/switches", json!({"unknownFields": true})).await;
    let both = shop.control(Method::PATCH, "/toss/switches", json!({"repeatedDelete": "OK"})).await.json();
    assert_eq!((&both["unknownFields"], &both["repeatedDelete"]), (&json!(true), &json!("OK")));
    let typo = shop.control(Method::PATCH, "/toss/switches", json!({"unknwonFields": true})).await;
    assert_eq!(typo.status, 400);
    let reset = shop.control(Method::PUT, "/toss/switches", json!({})).await.json();
    assert_eq!(reset["unknownFields"], false);
}

#[tokio::test]
async fn it_is_healthy_and_open_to_browsers() {
    let shop = Merchant::opens().await;
    let url = format!("{}/_sandbox/health", shop.sandbox.base_url());
    let answer =
        crate::merchant::answer(shop.client.get(url).header("origin", "http://localhost:3000")).await;
    assert_eq!(answer.json(), json!({"status": "UP"}));
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(shop.control(Method::GET, "/nothing", Value::Null).await.refusal(), "404 NOT_FOUND");
}

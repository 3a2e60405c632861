use serde_json::{Value, json};

use crate::merchant::{EMPTY_CARD, Merchant, answer};

async fn list(shop: &Merchant, path: &str, parameters: Value) -> Value {
    let request = shop.portone(reqwest::Method::GET, path);
    answer(request.query(&[("requestBody", parameters.to_string())])).await.json()
}

#[tokio::test]
async fn events_tell_every_movement_of_money_once() {
    let shop = Merchant::opens().await;
    shop.portone_paid("one").await;
    shop.portone_paid("two").await;
    shop.portone_charges(&shop.portone_key(EMPTY_CARD).await, "declined", 1_000).await;
    shop.paid(1_000).await;
    shop.portone_post("/payments/one/cancel", json!({"reason": "부분", "amount": 4_000})).await;
    shop.portone_post("/payments/one/cancel", json!({"reason": "나머지"})).await;

    let all = list(&shop, "/payment-events-by-cursor", json!({})).await["items"].clone();
    let told: Vec<_> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["paymentEvent"])
        .map(|event| json!([event["type"], event["paymentId"], event["eventAmount"]]))
        .collect();
    let expected = [
        json!(["PAID", "one", 10_000]),
        json!(["PAID", "two", 10_000]),
        json!(["PARTIAL_CANCELLED", "one", -4_000]),
        json!(["CANCELLED", "one", -6_000]),
    ];
    assert_eq!(told, expected);

    let (mut paged, mut parameters) = (Vec::new(), json!({"size": 3}));
    loop {
        let page = list(&shop, "/payment-events-by-cursor", parameters.clone()).await["items"].clone();
        let page = page.as_array().unwrap().clone();
        if page.is_empty() {
            break;
        }
        parameters["cursor"] = page.last().unwrap()["cursor"].clone();
        paged.extend(page);
    }
    assert_eq!(Value::Array(paged), all);
}

#[tokio::test]
async fn lists_read_their_window_from_the_body_too() {
    let shop = Merchant::opens().await;
    shop.portone_paid("one").await;
    let none = json!({"from": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00+09:00"});
    for path in ["/payments-by-cursor", "/payment-events-by-cursor"] {
        assert_eq!(list(&shop, path, none.clone()).await["items"], json!([]));
        let by_body = answer(shop.portone(reqwest::Method::GET, path).json(&json!({"size": 1}))).await;
        assert_eq!(by_body.json()["items"].as_array().unwrap().len(), 1);
        for wrong in
            [json!({"size": 1_001}), json!({"size": 0}), json!({"cursor": "x"}), json!({"from": "x"})]
        {
            assert_eq!(list(&shop, path, wrong).await["type"], "INVALID_REQUEST");
        }
        assert_eq!(list(&shop, path, json!({"storeId": "store-of-others"})).await["type"], "FORBIDDEN");
        shop.switch_portone(|switches| switches.lists_lag_seconds = 60);
        assert_eq!(list(&shop, path, json!({})).await["items"], json!([]));
        shop.switch_portone(|switches| switches.lists_lag_seconds = 0);
    }
    assert_eq!(list(&shop, "/payments-by-cursor", json!({})).await["items"][0]["payment"]["id"], "one");
}

use reqwest::{StatusCode, redirect};
use serde_json::json;

use crate::merchant::{Answer, CUSTOMER, GOOD_CARD, Merchant, answer};

async fn page(shop: &Merchant, path: &str, query: &[(&str, &str)]) -> Answer {
    answer(shop.client.get(format!("{}/_sandbox{path}", shop.sandbox.base_url())).query(query)).await
}

/// Sends a form as a browser would, and returns where it is sent on to.
async fn submit(shop: &Merchant, path: &str, form: &[(&str, &str)]) -> (StatusCode, String, String) {
    let browser = reqwest::Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let sent = answer(browser.post(format!("{}/_sandbox{path}", shop.sandbox.base_url())).form(form)).await;
    (sent.status, sent.header("location").to_owned(), sent.text)
}

fn parameter(location: &str, name: &str) -> String {
    let url = reqwest::Url::parse(location).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[tokio::test]
async fn the_card_page_escapes_whatever_it_is_given() {
    let shop = Merchant::opens().await;
    let evil = r#""><script>alert('x')</script>"#;
    let shown =
        page(&shop, "/toss/card", &[("customerKey", evil), ("successUrl", "http://shop.test/?a=\"<b>")])
            .await;
    assert_eq!(shown.status, 200);
    assert!(!shown.text.contains("<script>") && !shown.text.contains("<b>"), "{}", shown.text);
    assert!(shown.text.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"));
    let shown = page(&shop, "/toss/pay", &[("orderId", evil), ("orderName", evil), ("amount", "1000")]).await;
    assert!(!shown.text.contains("<script>"), "{}", shown.text);
    assert!(shown.text.contains("1,000원"));
}

#[tokio::test]
async fn a_placeholder_in_a_value_stays_text() {
    let shop = Merchant::opens().await;
    let shown = page(&shop, "/toss/card", &[("customerKey", "{{style}}{{cards}}")]).await;
    assert!(shown.text.contains(r#"value="{{style}}{{cards}}""#));
}

#[tokio::test]
async fn pages_lead_to_web_addresses_only() {
    let shop = Merchant::opens().await;
    for name in ["successUrl", "failUrl"] {
        let shown = page(&shop, "/toss/card", &[("customerKey", "x"), (name, "javascript:alert(1)")]).await;
        assert_eq!(shown.status, 400);
        assert!(!shown.text.contains("javascript:"));
    }
}

#[tokio::test]
async fn a_registered_card_comes_back_as_an_auth_key() {
    let shop = Merchant::opens().await;
    let form = [
        ("customerKey", CUSTOMER),
        ("cardNumber", GOOD_CARD),
        ("successUrl", "http://shop.test/done?step=2"),
    ];
    let (status, location, _) = submit(&shop, "/toss/card", &form).await;
    assert_eq!(status, 303);
    assert!(location.starts_with("http://shop.test/done?step=2&customerKey="), "{location}");
    let body = json!({"authKey": parameter(&location, "authKey"), "customerKey": CUSTOMER});
    assert_eq!(shop.post("/v1/billing/authorizations/issue", body).await.status, 200);

    let form = [("customerKey", CUSTOMER), ("cardNumber", GOOD_CARD)];
    let (status, _, text) = submit(&shop, "/toss/card", &form).await;
    assert!(status == 200 && text.contains("bln_"), "{text}");
}

#[tokio::test]
async fn a_paid_window_comes_back_as_a_payment_key() {
    let shop = Merchant::opens().await;
    let form = [
        ("orderId", "order-window"),
        ("amount", "1000"),
        ("cardNumber", GOOD_CARD),
        ("successUrl", "http://shop.test/done"),
    ];
    let (_, location, _) = submit(&shop, "/toss/pay", &form).await;
    assert_eq!(parameter(&location, "paymentType"), "NORMAL");
    let body =
        json!({"paymentKey": parameter(&location, "paymentKey"), "orderId": "order-window", "amount": 1_000});
    assert_eq!(shop.post("/v1/payments/confirm", body).await.status, 200);
}

#[tokio::test]
async fn failures_and_second_thoughts_lead_to_the_fail_url() {
    let shop = Merchant::opens().await;
    let shown =
        page(&shop, "/toss/card", &[("customerKey", "x"), ("failUrl", "http://shop.test/fail")]).await;
    assert!(shown.text.contains("http://shop.test/fail?code=PAY_PROCESS_CANCELED&amp;message="));
    let form = [("customerKey", "x"), ("otherCardNumber", "123"), ("failUrl", "http://shop.test/fail")];
    let (_, location, _) = submit(&shop, "/toss/card", &form).await;
    assert_eq!(parameter(&location, "code"), "INVALID_CARD_NUMBER");
}

#[tokio::test]
async fn the_index_greets_people() {
    let shop = Merchant::opens().await;
    assert!(page(&shop, "", &[]).await.text.contains("/_sandbox/book"));
    let root = answer(shop.client.get(shop.sandbox.base_url())).await;
    assert!(root.text.contains("/_sandbox/book"));
}

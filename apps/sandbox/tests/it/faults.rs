use std::time::{Duration, Instant};

use reqwest::Method;
use sandbox::{Fault, FaultKind, Moment, Operation};
use serde_json::{Value, json};

use crate::merchant::{GOOD_CARD, Merchant, charge_body};

async fn set(shop: &Merchant, fault: Value) {
    assert_eq!(shop.control(Method::POST, "/faults", fault).await.status, 201);
}

fn charge(shop: &Merchant, path: &str, order: &str) -> reqwest::RequestBuilder {
    shop.request(Method::POST, path).header("idempotency-key", order).json(&charge_body(order, 1_000))
}

#[tokio::test]
async fn a_dropped_response_charges_and_says_nothing() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    set(&shop, json!({"fault": "drop_response", "operation": "charge"})).await;

    let error = charge(&shop, &path, "order-lost").send().await.unwrap_err();
    assert!(error.is_request() && !error.is_timeout() && error.status().is_none(), "{error:?}");
    assert_eq!(shop.sandbox.book().len(), 1);

    // The same key finds the charge that was made.
    let found = shop.post_once("order-lost", &path, charge_body("order-lost", 1_000)).await;
    assert_eq!(found.json()["status"], "DONE");
    assert_eq!(shop.sandbox.book().len(), 1);
}

#[tokio::test]
async fn not_one_byte_of_an_answer_reaches_a_client_that_is_cut_off() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let shop = Merchant::opens().await;
    shop.sandbox.set_faults([Fault::new(FaultKind::DropResponse).on(Operation::Lookup)]);
    let mut socket = tokio::net::TcpStream::connect(shop.sandbox.addr()).await.unwrap();
    let request =
        "GET /toss/v1/payments/x HTTP/1.1\r\nhost: x\r\nauthorization: Basic dGVzdF9za19zdG9yeTo=\r\n\r\n";
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let _ = socket.read_to_end(&mut received).await;
    assert_eq!(received, b"");
}

#[tokio::test]
async fn a_refused_connection_charges_nothing() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    set(&shop, json!({"fault": "refuse", "operation": "charge"})).await;
    assert!(charge(&shop, &path, "order-refused").send().await.is_err());
    assert!(shop.sandbox.book().is_empty());
    assert_eq!(charge(&shop, &path, "order-refused").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_server_error_strikes_before_or_after_the_charge() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    let mut held = Vec::new();
    for (moment, order) in
        [(Moment::BeforeProcessing, "order-before"), (Moment::AfterProcessing, "order-after")]
    {
        shop.sandbox.set_faults([Fault::new(FaultKind::Error500(moment))]);
        let failed = shop.post_once(order, &path, charge_body(order, 1_000)).await;
        assert_eq!(failed.refusal(), "500 FAILED_INTERNAL_SYSTEM_PROCESSING");
        held.push(shop.sandbox.book().len());
    }
    assert_eq!(held, [0, 1]);
    let found = shop.post_once("order-after", &path, charge_body("order-after", 1_000)).await;
    assert_eq!(found.json()["status"], "DONE");
}

#[tokio::test]
async fn answers_come_late_broken_or_as_a_web_page() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);

    set(&shop, json!({"fault": "delay_ms", "value": 120})).await;
    let start = Instant::now();
    assert_eq!(charge(&shop, &path, "order-late").send().await.unwrap().status(), 200);
    assert!(start.elapsed() >= Duration::from_millis(120));

    set(&shop, json!({"fault": "truncated"})).await;
    let response = charge(&shop, &path, "order-broken").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());

    set(&shop, json!({"fault": "html_502", "value": "after"})).await;
    let page = shop.charges(&path["/v1/billing/".len()..], "order-page", 1_000).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (502, "text/html"));

    set(&shop, json!({"fault": "rate_limited"})).await;
    assert_eq!(charge(&shop, &path, "order-limited").send().await.unwrap().status(), 429);
    assert_eq!(shop.sandbox.book().len(), 3);
}

#[tokio::test]
async fn a_decline_is_the_providers_word_and_stands_in_the_book() {
    let shop = Merchant::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    set(&shop, json!({"fault": "decline", "operation": "charge"})).await;
    assert_eq!(shop.charges(&key, "order-declined", 1_000).await.refusal(), "403 REJECT_CARD_PAYMENT");
    set(&shop, json!({"fault": "decline", "value": "INVALID_CARD_EXPIRATION"})).await;
    assert_eq!(shop.charges(&key, "order-expired", 1_000).await.refusal(), "400 INVALID_CARD_EXPIRATION");
    set(&shop, json!({"fault": "decline", "value": "CODE_OF_TOMORROW"})).await;
    assert_eq!(shop.charges(&key, "order-new-code", 1_000).await.refusal(), "400 CODE_OF_TOMORROW");
    assert_eq!(shop.sandbox.book().len(), 3);
}

#[tokio::test]
async fn a_client_that_hangs_up_is_charged_all_the_same() {
    let shop = Merchant::opens().await;
    let path = format!("/v1/billing/{}", shop.billing_key(GOOD_CARD).await);
    set(&shop, json!({"fault": "delay_ms", "value": {"before": 200}})).await;
    let impatient = charge(&shop, &path, "order-impatient").timeout(Duration::from_millis(50));
    assert!(impatient.send().await.unwrap_err().is_timeout());
    crate::merchant::eventually("the charge", || shop.sandbox.book().pop()).await;
}

#[tokio::test]
async fn faults_are_listed_and_cleared_and_nonsense_is_refused() {
    let shop = Merchant::opens().await;
    set(&shop, json!({"fault": "decline", "operation": "cancel", "times": 0, "probability": 0.5})).await;
    let listed = shop.control(Method::GET, "/faults", Value::Null).await.json();
    assert_eq!(listed[0]["value"], "REJECT_CARD_PAYMENT");
    assert_eq!(listed[0]["times"], 0);
    assert_eq!(shop.control(Method::DELETE, "/faults", Value::Null).await.status, 204);
    assert_eq!(shop.control(Method::GET, "/faults", Value::Null).await.json(), json!([]));
    for nonsense in [json!({"fault": "flood"}), json!({"fault": "refuse", "tiems": 3}), json!([])] {
        assert_eq!(shop.control(Method::POST, "/faults", nonsense).await.refusal(), "400 INVALID_REQUEST");
    }
}

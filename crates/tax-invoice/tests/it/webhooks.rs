//! Webhooks, from the sandbox to the adapter.

use reqwest::{
    Method,
    header::{HeaderMap, HeaderName},
};
use serde_json::json;
use tax_invoice::{Lookup, TaxInvoiceIssuer as _, WebhookRefused};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};

use crate::{
    canned::{raw, read_request},
    rig::{Rig, document_key},
};

/// What arrives at an address when the sandbox sends a webhook about `key` to it.
async fn delivery(rig: &Rig, key: &str, api_key: &str) -> (HeaderMap, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/popbill", listener.local_addr().unwrap());
    let order = json!({"mgtKey": key, "url": url, "messageId": "m-1", "apiKey": api_key});
    let receive = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        stream.write_all(&raw("200 OK", "", b"")).await.unwrap();
        request
    };
    let ((), request) = tokio::join!(rig.control(Method::POST, "webhooks", order), receive);
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    let headers = pairs
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?)))
        .collect();
    (headers, body.as_bytes().to_vec())
}

#[tokio::test]
async fn a_webhook_is_a_reason_to_look_the_document_up() {
    let rig = Rig::start().await;
    let popbill = rig.with(|config| config.webhook_api_key = Some("agreed".to_owned().into()));
    let number = rig.issued(&rig.invoice("INV-1")).await.confirmation_number;
    rig.accepts("INV-1").await;

    let (headers, body) = delivery(&rig, "INV-1", "agreed").await;
    let webhook = popbill.read_webhook(&headers, &body).unwrap();
    assert_eq!((webhook.id.as_str(), webhook.kind.as_str()), ("m-1", "NTS"));
    assert_eq!(webhook.confirmation_number, Some(number));
    assert_eq!(popbill.read_webhook(&headers, &body).unwrap(), webhook, "a repeat is told by its id");
    assert!(matches!(popbill.find(&document_key("INV-1")).await, Lookup::Found(_)));
}

#[tokio::test]
async fn a_webhook_of_somebody_else_is_refused() {
    let rig = Rig::start().await;
    rig.issued(&rig.invoice("INV-1")).await;
    let (headers, body) = delivery(&rig, "INV-1", "guessed").await;
    let agreed = rig.with(|config| config.webhook_api_key = Some("agreed".to_owned().into()));
    assert!(matches!(agreed.read_webhook(&headers, &body), Err(WebhookRefused::BadKey)));
    let stranger = rig.with(|config| config.corp_number = "222-22-22227".parse().unwrap());
    assert!(matches!(stranger.read_webhook(&headers, &body), Err(WebhookRefused::NotOurs)));
}

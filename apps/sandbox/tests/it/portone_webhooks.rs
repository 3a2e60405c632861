use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use aws_lc_rs::hmac;
use axum::{Router, extract::State, http::HeaderMap, routing::post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use reqwest::{Method, StatusCode};
use sandbox::{CancelOutcome, PORTONE_STORE_ID, PORTONE_WEBHOOK_SECRET, WebhookTiming};
use serde_json::{Value, json};

use crate::{
    merchant::{EMPTY_CARD, GOOD_CARD, Merchant, answer, eventually},
    portone_shop::charge_of,
};

/// The merchant's webhook endpoint: remembers what came, answers what it was told to, then 200.
#[derive(Clone, Default)]
struct Mailbox {
    letters: Arc<Mutex<Vec<Letter>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone)]
struct Letter {
    headers: HeaderMap,
    text: String,
}

impl Letter {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn event(&self) -> String {
        self.json()["type"].as_str().unwrap_or_default().to_owned()
    }

    fn is_signed(&self) -> bool {
        let secret = STANDARD.decode(PORTONE_WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signed =
            format!("{}.{}.{}", self.header("webhook-id"), self.header("webhook-timestamp"), self.text);
        let signature = self.header("webhook-signature").strip_prefix("v1,").unwrap();
        hmac::verify(&key, signed.as_bytes(), &STANDARD.decode(signature).unwrap()).is_ok()
    }
}

impl Mailbox {
    async fn opens() -> (Self, Merchant) {
        let mailbox = Self::default();
        let url = mailbox.listens().await;
        let shop = Merchant::opens().await;
        shop.sandbox.set_portone_webhook_url(Some(url));
        (mailbox, shop)
    }

    async fn listens(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(self.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    async fn has(&self, count: usize) -> Vec<Letter> {
        let letters = || self.letters.lock().unwrap().clone();
        let what = format!("{count} webhooks");
        eventually(&what, || Some(letters()).filter(|letters| letters.len() >= count)).await
    }
}

async fn receive(State(mailbox): State<Mailbox>, headers: HeaderMap, text: String) -> StatusCode {
    mailbox.letters.lock().unwrap().push(Letter { headers, text });
    StatusCode::from_u16(mailbox.answers.lock().unwrap().pop_front().unwrap_or(200)).unwrap()
}

#[tokio::test]
async fn a_charge_is_told_without_its_amount_and_signed() {
    let (mailbox, shop) = Mailbox::opens().await;
    shop.portone_paid("told").await;
    let letters = mailbox.has(2).await;
    assert_eq!([letters[0].event(), letters[1].event()], ["BillingKey.Issued", "Transaction.Paid"]);
    assert!(letters.iter().all(Letter::is_signed));
    let payment = shop.portone_payment("told").await;
    let expected =
        json!({"storeId": PORTONE_STORE_ID, "paymentId": "told", "transactionId": payment["transactionId"]});
    assert_eq!(letters[1].json()["data"], expected);
    let timestamp = letters[1].json()["timestamp"].as_str().unwrap().to_owned();
    assert!(timestamp.ends_with('Z') && timestamp.len() == 24, "{timestamp}");
}

#[tokio::test]
async fn every_change_has_its_event() {
    let (mailbox, shop) = Mailbox::opens().await;
    let bad = shop.portone_key(EMPTY_CARD).await;
    shop.portone_charges(&bad, "declined", 1_000).await;
    answer(shop.portone(Method::DELETE, &format!("/billing-keys/{bad}"))).await;
    shop.window("payment-auth", json!({"orderId": "window", "amount": 5_000, "cardNumber": GOOD_CARD})).await;
    let cancel = |amount: i64| {
        shop.portone_post("/payments/window/cancel", json!({"reason": "부분", "amount": amount}))
    };
    cancel(1_000).await;
    shop.switch_portone(|switches| switches.cancel_outcome = CancelOutcome::Requested);
    let pending = cancel(4_000).await.json()["cancellation"]["id"].clone();
    shop.window("cancels/settle", json!({"paymentId": "window", "status": "SUCCEEDED"})).await;
    let letters = mailbox.has(8).await;
    let mut events: Vec<_> = letters.iter().map(Letter::event).collect();
    events.sort();
    let expected = [
        "BillingKey.Deleted",
        "BillingKey.Issued",
        "Transaction.CancelPending",
        "Transaction.Cancelled",
        "Transaction.Failed",
        "Transaction.Paid",
        "Transaction.PartialCancelled",
        "Transaction.Ready",
    ];
    assert_eq!(events, expected);
    let last = letters.iter().find(|letter| letter.event() == "Transaction.Cancelled").unwrap();
    assert_eq!(last.json()["data"]["cancellationId"], pending);
}

#[tokio::test]
async fn webhooks_can_be_silenced_and_sent_elsewhere() {
    let (mailbox, shop) = Mailbox::opens().await;
    let elsewhere = Mailbox::default();
    let url = elsewhere.listens().await;
    let key = shop.portone_key(GOOD_CARD).await;
    let mut body = charge_of(&key, 1_000);
    body["skipWebhook"] = json!(true);
    shop.portone_post("/payments/silent/billing-key", body).await;
    let mut body = charge_of(&key, 1_000);
    body["noticeUrls"] = json!([url]);
    shop.portone_post("/payments/elsewhere/billing-key", body).await;
    assert_eq!(elsewhere.has(1).await[0].json()["data"]["paymentId"], "elsewhere");
    assert_eq!(mailbox.has(1).await.len(), 1, "only the key");
}

#[tokio::test]
async fn a_failed_webhook_comes_again_with_its_id_and_a_new_timestamp() {
    let (mailbox, shop) = Mailbox::opens().await;
    mailbox.answers.lock().unwrap().extend([500, 302]);
    shop.portone_key(GOOD_CARD).await;
    let mut letters = mailbox.has(1).await;
    for (minutes, count) in [(1, 2), (4, 3)] {
        eventually("the attempt is booked", || {
            shop.sandbox.portone_webhooks().pop().filter(|told| told.attempts.len() == count - 1)
        })
        .await;
        shop.clock.advance(TimeDelta::minutes(minutes));
        letters = mailbox.has(count).await;
    }
    assert!(letters.iter().all(Letter::is_signed));
    assert!(letters.iter().all(|letter| letter.header("webhook-id") == letters[0].header("webhook-id")));
    assert!(letters.iter().all(|letter| letter.text == letters[0].text));
    assert_ne!(letters[0].header("webhook-timestamp"), letters[2].header("webhook-timestamp"));
    let told = eventually("it is delivered", || {
        shop.sandbox.portone_webhooks().pop().filter(|told| told.next_attempt_at.is_none())
    });
    assert!(told.await.is_delivered());
}

#[tokio::test]
async fn a_webhook_can_overtake_the_answer_or_be_held_back() {
    let (mailbox, shop) = Mailbox::opens().await;
    shop.switch_portone(|switches| switches.webhook_timing = WebhookTiming::BeforeAnswer);
    let key = shop.portone_key(GOOD_CARD).await;
    mailbox.has(1).await;
    shop.portone_charges(&key, "early", 1_000).await;
    assert_eq!(mailbox.letters.lock().unwrap().len(), 2);

    shop.switch_portone(|switches| switches.webhook_timing = WebhookTiming::Held);
    shop.portone_charges(&key, "held", 1_000).await;
    assert_eq!(mailbox.letters.lock().unwrap().len(), 2);
    let held = shop.sandbox.portone_webhooks().pop().unwrap();
    let sent = shop.window("webhooks/redeliver", json!({"webhookId": held.webhook_id})).await;
    assert_eq!(sent["delivered"], true);
    assert_eq!(mailbox.has(3).await[2].json()["data"]["paymentId"], "held");
}

#[tokio::test]
async fn webhooks_wait_for_an_address_and_any_can_be_made() {
    let shop = Merchant::opens().await;
    shop.portone_key(GOOD_CARD).await;
    let mailbox = Mailbox::default();
    let url = json!({"url": mailbox.listens().await});
    shop.control(Method::PUT, "/portone/webhook-url", url).await;
    assert_eq!(mailbox.has(1).await[0].event(), "BillingKey.Issued");

    let order = json!({"type": "Transaction.NextYear", "data": {"paymentId": "x"}, "webhookId": "msg_mine"});
    assert_eq!(shop.window("webhooks", order.clone()).await["delivered"], true);
    let twice = shop.control(Method::POST, "/portone/webhooks", order).await;
    assert_eq!(twice.refusal(), "400 DUPLICATED_WEBHOOK_ID");
    shop.window("webhooks", json!({"body": {"anything": "goes"}})).await;
    let letters = mailbox.has(3).await;
    assert_eq!(
        (letters[1].event().as_str(), letters[1].header("webhook-id")),
        ("Transaction.NextYear", "msg_mine")
    );
    assert_eq!(letters[2].json(), json!({"anything": "goes"}));

    shop.switch_portone(|switches| switches.old_webhooks = true);
    shop.portone_paid("old").await;
    let old = mailbox.has(4).await[3].json();
    assert_eq!((&old["payment_id"], &old["status"]), (&json!("old"), &json!("Paid")));
}

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use axum::{Router, extract::State, http::HeaderMap, routing::post};
use chrono::TimeDelta;
use kernel::Krw;
use reqwest::{Method, StatusCode};
use sandbox::{PaymentAuth, TossSwitches, WebhookTiming};
use serde_json::{Value, json};

use crate::merchant::{GOOD_CARD, Merchant, eventually};

/// The merchant's webhook endpoint: remembers what came, answers what it was told to, then 200.
#[derive(Clone, Default)]
struct Mailbox {
    letters: Arc<Mutex<Vec<Letter>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

#[derive(Clone)]
struct Letter {
    headers: HeaderMap,
    body: Value,
}

impl Letter {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn event(&self) -> &str {
        self.body["eventType"].as_str().unwrap_or_default()
    }
}

impl Mailbox {
    async fn opens() -> (Self, Merchant) {
        let mailbox = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let router = Router::new().route("/hook", post(receive)).with_state(mailbox.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (mailbox, Merchant::with(None, Some(url)).await)
    }

    fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    async fn has(&self, count: usize) -> Vec<Letter> {
        let what = format!("{count} webhooks");
        eventually(&what, || Some(self.letters()).filter(|letters| letters.len() >= count)).await
    }

    fn answers(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }
}

async fn receive(State(mailbox): State<Mailbox>, headers: HeaderMap, body: String) -> StatusCode {
    let body = serde_json::from_str(&body).unwrap();
    mailbox.letters.lock().unwrap().push(Letter { headers, body });
    let status = mailbox.answers.lock().unwrap().pop_front().unwrap_or(200);
    StatusCode::from_u16(status).unwrap()
}

fn whole() -> Value {
    json!({"cancelReason": "전액"})
}

#[tokio::test]
async fn a_cancel_is_told_with_the_whole_payment_and_a_billing_charge_is_not_told_at_all() {
    let (mailbox, shop) = Mailbox::opens().await;
    let payment = shop.paid(1_000).await;
    let canceled = shop.cancels(&payment, whole()).await.json();
    let letters = mailbox.has(1).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].event(), "PAYMENT_STATUS_CHANGED");
    assert_eq!(letters[0].body["data"], canceled);
    assert!(letters[0].header("tosspayments-webhook-transmission-id").starts_with("whtrans_"));
    assert_eq!(letters[0].header("tosspayments-webhook-transmission-retried-count"), "0");
    assert!(letters[0].header("tosspayments-webhook-transmission-time").ends_with("+09:00"));
    assert_eq!(letters[0].header("tosspayments-webhook-signature"), "");
    let created_at = letters[0].body["createdAt"].as_str().unwrap();
    assert!((25..=26).contains(&created_at.len()) && !created_at.contains('+'), "{created_at}");
}

#[tokio::test]
async fn a_deleted_key_a_confirm_and_an_expiry_are_told() {
    let (mailbox, shop) = Mailbox::opens().await;
    let key = shop.billing_key(GOOD_CARD).await;
    shop.delete(&format!("/v1/billing/{key}")).await;
    let deleted = mailbox.has(1).await[0].clone();
    assert_eq!((deleted.event(), &deleted.body["data"]["billingKey"]), ("BILLING_DELETED", &json!(key)));

    let authenticated = |order: &str| {
        let payment = PaymentAuth {
            order_id: order.into(),
            amount: Krw::won(1_000),
            card_number: GOOD_CARD.into(),
            order_name: None,
            customer_key: None,
        };
        shop.sandbox.payment_auth(payment).unwrap()
    };
    let payment = authenticated("order-told");
    shop.post(
        "/v1/payments/confirm",
        json!({"paymentKey": payment, "orderId": "order-told", "amount": 1_000}),
    )
    .await;
    assert_eq!(mailbox.has(2).await[1].body["data"]["status"], "DONE");

    authenticated("order-expires");
    shop.clock.advance(TimeDelta::minutes(11));
    assert_eq!(mailbox.has(3).await[2].body["data"]["status"], "EXPIRED");
}

#[tokio::test]
async fn a_failed_webhook_comes_again_after_one_minute_and_then_after_four() {
    let (mailbox, shop) = Mailbox::opens().await;
    // Another success than 200 is not known to count.
    mailbox.answers(&[500, 204]);
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, whole()).await;
    let attempts = |count: usize| {
        let shop = &shop;
        eventually("the attempt is booked", move || {
            shop.sandbox.webhooks().pop().filter(|delivery| delivery.attempts.len() == count)
        })
    };
    let planned = attempts(1).await;
    assert_eq!(planned.next_attempt_at, Some(planned.attempts[0].at + TimeDelta::minutes(1)));

    shop.clock.advance(TimeDelta::minutes(1));
    let planned = attempts(2).await;
    assert_eq!(planned.next_attempt_at, Some(planned.attempts[1].at + TimeDelta::minutes(4)));

    shop.clock.advance(TimeDelta::minutes(4));
    let delivered = attempts(3).await;
    assert!(delivered.is_delivered() && delivered.next_attempt_at.is_none());

    let letters = mailbox.letters();
    let counts: Vec<_> = letters
        .iter()
        .map(|letter| letter.header("tosspayments-webhook-transmission-retried-count"))
        .collect();
    assert_eq!(counts, ["0", "1", "2"]);
    let ids: Vec<_> =
        letters.iter().map(|letter| letter.header("tosspayments-webhook-transmission-id")).collect();
    assert!(ids.iter().all(|id| *id == delivered.transmission_id));
    assert_eq!(letters[0].body, letters[2].body);
}

#[tokio::test]
async fn a_webhook_may_come_before_the_answer() {
    let (mailbox, shop) = Mailbox::opens().await;
    let timing = WebhookTiming::BeforeAnswer;
    shop.sandbox.set_toss_switches(TossSwitches { webhook_timing: timing, ..TossSwitches::default() });
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, whole()).await;
    assert_eq!(mailbox.letters().len(), 1);
}

#[tokio::test]
async fn held_webhooks_come_by_hand_in_any_order_and_as_often_as_wanted() {
    let (mailbox, shop) = Mailbox::opens().await;
    let timing = json!({"webhookTiming": "HELD"});
    assert_eq!(shop.control(Method::PATCH, "/toss/switches", timing).await.status, 200);
    let payment = shop.paid(1_000).await;
    for amount in [100, 200] {
        shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": amount})).await;
    }
    let ids: Vec<_> = shop.sandbox.webhooks().into_iter().map(|delivery| delivery.transmission_id).collect();
    for id in [&ids[1], &ids[0], &ids[1]] {
        let sent =
            shop.control(Method::POST, "/toss/webhooks/redeliver", json!({"transmissionId": id})).await;
        assert_eq!(sent.json()["delivered"], true);
    }
    let balances: Vec<_> =
        mailbox.letters().iter().map(|letter| letter.body["data"]["balanceAmount"].clone()).collect();
    assert_eq!(balances, [700, 900, 700]);
    let unknown = json!({"transmissionId": "whtrans_unknown"});
    assert_eq!(shop.control(Method::POST, "/toss/webhooks/redeliver", unknown).await.status, 404);
}

#[tokio::test]
async fn forged_webhooks_of_every_shape_can_be_sent() {
    let (mailbox, shop) = Mailbox::opens().await;
    let key = "00".repeat(32);
    for order in [
        json!({"eventType": "PAYMENT_STATUS_CHANGED", "data": {"status": "DONE"}}),
        json!({"eventType": "DEPOSIT_CALLBACK", "data": {"secret": "ps_forged"}}),
        json!({"eventType": "payout.changed", "data": {"id": "p"}, "securityKey": key}),
        json!({"body": {"anything": "goes"}, "transmissionId": "whtrans_mine"}),
    ] {
        assert_eq!(shop.control(Method::POST, "/toss/webhooks", order).await.json()["delivered"], true);
    }
    let letters = mailbox.letters();
    assert_eq!(letters[0].body["data"]["status"], "DONE");
    assert_eq!(letters[1].body["secret"], "ps_forged");
    assert_eq!(letters[2].body["entityBody"]["id"], "p");
    assert!(letters[2].header("tosspayments-webhook-signature").starts_with("v1:"));
    assert_eq!(letters[3].body, json!({"anything": "goes"}));
    assert_eq!(letters[3].header("tosspayments-webhook-transmission-id"), "whtrans_mine");
}

#[tokio::test]
async fn the_webhook_url_can_be_changed_and_removed() {
    let (mailbox, shop) = Mailbox::opens().await;
    let url = shop.control(Method::GET, "/toss/webhook-url", Value::Null).await.json()["url"].clone();
    shop.control(Method::PUT, "/toss/webhook-url", json!({"url": null})).await;
    let payment = shop.paid(1_000).await;
    shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": 100})).await;
    eventually("it is given up", || {
        shop.sandbox.webhooks().pop().filter(|delivery| delivery.next_attempt_at.is_none())
    })
    .await;
    shop.control(Method::PUT, "/toss/webhook-url", json!({"url": url})).await;
    shop.cancels(&payment, json!({"cancelReason": "부분", "cancelAmount": 200})).await;
    assert_eq!(mailbox.has(1).await[0].body["data"]["balanceAmount"], 700);
    let nonsense = json!({"url": "not a url"});
    assert_eq!(shop.control(Method::PUT, "/toss/webhook-url", nonsense).await.status, 400);
}

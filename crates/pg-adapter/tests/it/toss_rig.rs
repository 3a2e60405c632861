//! The sandbox as Toss, and the adapter that speaks to it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    Confirm, DeclineClass, Outcome, PaymentGateway,
    contract::{Delivery, Fault, Moment, Movement, Operation, Rig, TestCard, Webhooks},
    toss::{TossConfig, TossGateway},
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use sandbox::{Sandbox, SandboxConfig};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::canned::{raw, read_request};

/// Long enough for a busy machine, short enough for the cases that use it up.
const PATIENCE: Duration = Duration::from_millis(750);
/// The gateway waits this long for the connection and again for the answer.
const TOO_LONG: u64 = 2_200;
const SECRET_KEY: &str = "test_sk_conformance";
const SECURITY_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub(crate) struct TossRig {
    sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    gateway: TossGateway,
    control: reqwest::Client,
    /// What the sandbox delivered as webhooks so far.
    delivered: Arc<Mutex<Vec<Delivery>>>,
    orders: AtomicUsize,
}

fn gateway(base_url: &str, secret_key: &str) -> TossGateway {
    let mut config = TossConfig::new(base_url, secret_key.to_owned().into());
    config.webhook_security_key = Some(SECURITY_KEY.to_owned().into());
    config.connect_timeout = PATIENCE;
    config.read_timeout = PATIENCE;
    config.transactions_per_page = 3;
    TossGateway::new(config).unwrap()
}

impl TossRig {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(MovableClock::default());
        let (webhook_url, delivered) = mailbox().await;
        let config = SandboxConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            data_dir: None,
            clock: clock.clone(),
            webhook_url: Some(webhook_url),
            latency: Duration::ZERO,
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        let gateway = gateway(&sandbox.toss_base_url(), SECRET_KEY);
        Self {
            sandbox,
            clock,
            gateway,
            control: reqwest::Client::new(),
            delivered,
            orders: AtomicUsize::new(0),
        }
    }

    /// The same merchant after a new secret key was issued: Toss keeps idempotency keys per secret key.
    pub(crate) fn with_another_secret_key(&self) -> TossGateway {
        gateway(&self.sandbox.toss_base_url(), "test_sk_rotated")
    }

    pub(crate) async fn switch(&self, switches: Value) {
        let answer =
            self.control.patch(self.control_url("toss/switches")).json(&switches).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    fn control_url(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.sandbox.base_url())
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.control.post(self.control_url(path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }
}

fn card_number(card: TestCard) -> &'static str {
    match card {
        TestCard::Good => "4300000000000001",
        TestCard::InsufficientFunds => "4300000000000002",
        TestCard::OverLimit => "4300000000000003",
        TestCard::Suspended => "4300000000000004",
    }
}

fn operation_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Issue => "issue",
        Operation::Delete => "delete",
        Operation::Charge => "charge",
        Operation::Confirm => "confirm",
        Operation::Cancel => "cancel",
        Operation::LookUp => "lookup",
        Operation::List => "transactions",
    }
}

fn moment_name(moment: Moment) -> &'static str {
    match moment {
        Moment::BeforeActing => "before",
        Moment::AfterActing => "after",
    }
}

fn code(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::RetryLater => "REJECT_CARD_PAYMENT",
        DeclineClass::NewCard => "INVALID_CARD_LOST_OR_STOLEN",
        DeclineClass::Fraud => "FDS_ERROR",
        DeclineClass::Temporary => "NOT_AVAILABLE_BANK",
        DeclineClass::OurBug => "NOT_SUPPORTED_METHOD",
    }
}

#[async_trait]
impl Rig for TossRig {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    fn unreachable(&self) -> Box<dyn PaymentGateway> {
        // The port of a listener that is gone again.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Box::new(gateway(&format!("http://{}", listener.local_addr().unwrap()), SECRET_KEY))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        let body = json!({"customerKey": customer_key, "cardNumber": card_number(card)});
        let answer = self.post("toss/billing-auth", body).await;
        answer["authKey"].as_str().unwrap().to_owned().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let body = json!({"orderId": order_id, "amount": amount, "cardNumber": card_number(card)});
        let answer = self.post("toss/payment-auth", body).await;
        answer["paymentKey"].as_str().unwrap().to_owned()
    }

    async fn break_next(&self, operation: Operation, fault: Fault) {
        let (name, value) = match fault {
            Fault::DropResponse => ("drop_response", Value::Null),
            Fault::Refuse => ("refuse", Value::Null),
            Fault::Late(moment) => ("delay_ms", json!({(moment_name(moment)): TOO_LONG})),
            Fault::ServerError(moment) => ("error_500", json!(moment_name(moment))),
            Fault::HtmlError(moment) => ("html_502", json!(moment_name(moment))),
            Fault::Truncated => ("truncated", Value::Null),
            Fault::WrongCharset => ("wrong_charset", Value::Null),
            Fault::Redirect => ("redirect", Value::Null),
            Fault::RateLimited => ("rate_limited", Value::Null),
            Fault::Decline(class) => ("decline", json!(code(class))),
        };
        let mut body = json!({"fault": name, "operation": operation_name(operation), "times": 1});
        if !value.is_null() {
            body["value"] = value;
        }
        self.post("faults", body).await;
    }

    async fn heal(&self) {
        let answer = self.control.delete(self.control_url("faults")).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    async fn book(&self, order_id: &str) -> Vec<Movement> {
        let answer = self.control.get(self.control_url("book")).send().await.unwrap();
        let book: Vec<Value> = answer.json().await.unwrap();
        book.iter()
            .filter(|line| line["orderId"] == order_id && line["status"] != "DECLINED")
            .map(|line| {
                let amount = Krw::won(line["amount"].as_i64().unwrap());
                match line["kind"].as_str() {
                    Some("CHARGE") => Movement::Charge(amount),
                    Some("CANCEL") => Movement::Cancel(amount),
                    other => panic!("the book has a line of the kind {other:?}"),
                }
            })
            .collect()
    }

    fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    async fn webhooks(&self) -> Webhooks {
        let order_id = format!("webhook-{}", self.orders.fetch_add(1, Ordering::SeqCst));
        let amount = Krw::won(1_000);
        let payment_key = self.authenticate(&order_id, amount, TestCard::Good).await;
        let confirm = Confirm { payment_key, order_id: order_id.clone(), amount };
        assert!(matches!(self.gateway.confirm(&confirm).await, Outcome::Approved(_)));
        let payment = self.delivery_containing(&order_id).await;
        let delivery_id =
            payment.headers["tosspayments-webhook-transmission-id"].to_str().unwrap().to_owned();

        let unknown =
            json!({"eventType": "SOMETHING_NEW", "createdAt": "2026-11-20T10:00:05.12345", "data": {}});
        let payout = json!({"eventType": "payout.changed", "entityType": "payout", "entityBody": {}});
        let mut forged = payment.headers.clone();
        forged.insert("tosspayments-webhook-signature", HeaderValue::from_static("v1:Zm9yZ2Vk"));
        Webhooks {
            unknown: Delivery { headers: payment.headers.clone(), body: unknown.to_string().into_bytes() },
            forged: vec![Delivery { headers: forged, body: payout.to_string().into_bytes() }],
            stale: Vec::new(),
            payment,
            order_id,
            delivery_id,
        }
    }
}

impl TossRig {
    async fn delivery_containing(&self, text: &str) -> Delivery {
        for _ in 0..100 {
            let found = self
                .delivered
                .lock()
                .unwrap()
                .iter()
                .find(|it| String::from_utf8_lossy(&it.body).contains(text))
                .cloned();
            if let Some(delivery) = found {
                return delivery;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no webhook about {text} was delivered");
    }
}

/// A merchant's webhook address that takes everything.
async fn mailbox() -> (String, Arc<Mutex<Vec<Delivery>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/webhooks/toss", listener.local_addr().unwrap());
    let delivered = Arc::new(Mutex::new(Vec::new()));
    let inbox = Arc::clone(&delivered);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let request = read_request(&mut stream).await;
            if let Some((head, body)) = request.split_once("\r\n\r\n") {
                let delivery = Delivery { headers: headers(head), body: body.as_bytes().to_vec() };
                inbox.lock().unwrap().push(delivery);
            }
            let _ = stream.write_all(&raw("200 OK", "", b"")).await;
            let _ = stream.shutdown().await;
        }
    });
    (url, delivered)
}

fn headers(head: &str) -> HeaderMap {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?))).collect()
}

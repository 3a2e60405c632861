//! The sandbox as any provider's rig has it: the outside world, its control surface and a mailbox.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use kernel::{Krw, MovableClock};
use pg_adapter::{
    Acknowledgement, IssueCashReceipt,
    contract::{Delivery, Fault, Moment, Movement, Operation, Paper, TestCard},
};
use reqwest::header::{HeaderMap, HeaderName};
use sandbox::{Sandbox, SandboxConfig, WebhookUrls};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpListener};

use crate::canned::{raw, read_request};

/// Long enough for a busy machine, short enough for the cases that use it up.
pub(crate) const PATIENCE: Duration = Duration::from_millis(750);
/// A gateway waits this long for the connection and again for the answer.
const TOO_LONG: u64 = 2_200;

pub(crate) struct Outside {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    control: reqwest::Client,
    mailbox: Arc<Mailbox>,
}

/// A merchant's webhook address that takes everything.
#[derive(Default)]
struct Mailbox {
    delivered: Mutex<Vec<Delivery>>,
    acknowledgement: Mutex<Option<Acknowledgement>>,
}

impl Outside {
    pub(crate) async fn start() -> Self {
        let clock = Arc::new(MovableClock::default());
        let mailbox = Arc::new(Mailbox::default());
        let url = mailbox.clone().open().await;
        let config = SandboxConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            data_dir: None,
            clock: clock.clone(),
            webhook_urls: WebhookUrls {
                toss: Some(url.clone()),
                portone: Some(url.clone()),
                kcp: Some(url.clone()),
                bootpay: Some(url),
                ..WebhookUrls::default()
            },
            latency: Duration::ZERO,
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        Self { sandbox, clock, control: reqwest::Client::new(), mailbox }
    }

    /// From now on the mailbox answers as this provider wants it.
    pub(crate) fn acknowledges(&self, with: Acknowledgement) {
        *self.mailbox.acknowledgement.lock().unwrap() = Some(with);
    }

    fn control_url(&self, path: &str) -> String {
        format!("{}/_sandbox/{path}", self.sandbox.base_url())
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Value {
        let answer = self.control.post(self.control_url(path)).json(&body).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Turns the named switches of a provider and leaves the others.
    pub(crate) async fn switch(&self, provider: &str, switches: Value) {
        let url = self.control_url(&format!("{provider}/switches"));
        let answer = self.control.patch(url).json(&switches).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    }

    /// `decline` is the provider's code for the class that a declining fault is of.
    pub(crate) async fn break_next(&self, operation: Operation, fault: Fault, decline: &str) {
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
            Fault::Decline(_) => ("decline", json!(decline)),
        };
        let mut body = json!({"fault": name, "operation": operation_name(operation), "times": 1});
        if !value.is_null() {
            body["value"] = value;
        }
        self.post("faults", body).await;
    }

    pub(crate) async fn heal(&self) {
        let answer = self.control.delete(self.control_url("faults")).send().await.unwrap();
        assert!(answer.status().is_success());
    }

    /// The money that really moved for an order.
    pub(crate) async fn book(&self, order_id: &str) -> Vec<Movement> {
        let book = self.lines(&[order_id]).await;
        book.into_iter()
            .filter_map(|(kind, amount)| match kind.as_str() {
                "CHARGE" => Some(Movement::Charge(amount)),
                "CANCEL" => Some(Movement::Cancel(amount)),
                "CASH_RECEIPT" | "CASH_RECEIPT_CANCEL" => None,
                other => panic!("the book has a line of the kind {other:?}"),
            })
            .collect()
    }

    /// The cash receipts that there really are: some providers keep them by the payment's order, others by
    /// our reference.
    pub(crate) async fn papers(&self, request: &IssueCashReceipt) -> Vec<Paper> {
        let book = self.lines(&[&request.order_id, &request.reference]).await;
        book.into_iter()
            .filter_map(|(kind, amount)| match kind.as_str() {
                "CASH_RECEIPT" => Some(Paper::Issued(amount)),
                "CASH_RECEIPT_CANCEL" => Some(Paper::TakenBack(amount)),
                _ => None,
            })
            .collect()
    }

    /// The lines of the book under these names, but for what was declined.
    async fn lines(&self, names: &[&str]) -> Vec<(String, Krw)> {
        let answer = self.control.get(self.control_url("book")).send().await.unwrap();
        let book: Vec<Value> = answer.json().await.unwrap();
        book.iter()
            .filter(|line| names.iter().any(|name| line["orderId"] == *name) && line["status"] != "DECLINED")
            .map(|line| {
                let amount = Krw::won(line["amount"].as_i64().unwrap());
                (line["kind"].as_str().unwrap().to_owned(), amount)
            })
            .collect()
    }

    pub(crate) async fn delivery_containing(&self, text: &str) -> Delivery {
        for _ in 0..100 {
            let found = self
                .mailbox
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

/// The address of a listener that is gone again.
pub(crate) fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

pub(crate) fn card_number(card: TestCard) -> &'static str {
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
        Operation::IssueReceipt => "issue_cash_receipt",
        Operation::CancelReceipt => "cancel_cash_receipt",
        Operation::LookUpReceipt => "lookup_cash_receipt",
    }
}

fn moment_name(moment: Moment) -> &'static str {
    match moment {
        Moment::BeforeActing => "before",
        Moment::AfterActing => "after",
    }
}

impl Mailbox {
    async fn open(self: Arc<Self>) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks", listener.local_addr().unwrap());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                self.take(&read_request(&mut stream).await);
                let _ = stream.write_all(&self.answer()).await;
                let _ = stream.shutdown().await;
            }
        });
        url
    }

    fn take(&self, request: &str) {
        if let Some((head, body)) = request.split_once("\r\n\r\n") {
            let delivery = Delivery { headers: headers(head), body: body.as_bytes().to_vec() };
            self.delivered.lock().unwrap().push(delivery);
        }
    }

    fn answer(&self) -> Vec<u8> {
        match *self.acknowledgement.lock().unwrap() {
            None => raw("200 OK", "", b""),
            Some(Acknowledgement { content_type, body }) => {
                raw("200 OK", &format!("content-type: {content_type}\r\n"), body.as_bytes())
            }
        }
    }
}

fn headers(head: &str) -> HeaderMap {
    let pairs = head.lines().filter_map(|line| line.split_once(": "));
    pairs.filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?))).collect()
}

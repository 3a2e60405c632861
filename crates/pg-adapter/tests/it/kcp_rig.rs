//! The sandbox as KCP, and the adapter that speaks to it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    DeclineClass, PaymentGateway,
    contract::{Delivery, Fault, Moment, Movement, Operation, Rig, TestCard, Webhooks},
    kcp::{KcpConfig, KcpGateway},
};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use sandbox::{BookKind, BookStatus, FaultKind, KcpPaymentAuth, KcpSwitches, Sandbox, SandboxConfig};
use secrecy::SecretString;
use tokio::{io::AsyncWriteExt, net::TcpListener, sync::mpsc};

use crate::{
    canned::{raw, read_request},
    kcp_canned::credentials,
};

/// Long enough for a busy machine, short enough for the cases that use it up.
const PATIENCE: Duration = Duration::from_millis(750);
/// The gateway waits this long for the connection and again for the answer.
const TOO_LONG: Duration = Duration::from_millis(2_200);

pub(crate) struct KcpRig {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    gateway: KcpGateway,
    orders: AtomicUsize,
}

fn gateway(base_url: &str, clock: Arc<MovableClock>) -> KcpGateway {
    let mut config = KcpConfig::new(base_url, base_url, credentials());
    config.connect_timeout = PATIENCE;
    config.read_timeout = PATIENCE;
    KcpGateway::new(config, clock).unwrap()
}

impl KcpRig {
    pub(crate) async fn start(switches: KcpSwitches) -> Self {
        let clock = Arc::new(MovableClock::default());
        let config = SandboxConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            data_dir: None,
            clock: clock.clone(),
            webhook_url: None,
            latency: Duration::ZERO,
        };
        let sandbox = Sandbox::start(config).await.unwrap();
        sandbox.set_kcp_switches(switches);
        let gateway = gateway(&sandbox.kcp_base_url(), clock.clone());
        Self { sandbox, clock, gateway, orders: AtomicUsize::new(0) }
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

fn operation(operation: Operation) -> sandbox::Operation {
    match operation {
        Operation::Issue => sandbox::Operation::Issue,
        Operation::Delete => sandbox::Operation::Delete,
        Operation::Charge => sandbox::Operation::Charge,
        Operation::Confirm => sandbox::Operation::Confirm,
        Operation::Cancel => sandbox::Operation::Cancel,
        Operation::LookUp => sandbox::Operation::Lookup,
        Operation::List => sandbox::Operation::Transactions,
    }
}

fn moment(moment: Moment) -> sandbox::Moment {
    match moment {
        Moment::BeforeActing => sandbox::Moment::BeforeProcessing,
        Moment::AfterActing => sandbox::Moment::AfterProcessing,
    }
}

fn fault(fault: Fault) -> FaultKind {
    match fault {
        Fault::DropResponse => FaultKind::DropResponse,
        Fault::Refuse => FaultKind::Refuse,
        Fault::Late(Moment::BeforeActing) => FaultKind::Delay { before: TOO_LONG, after: Duration::ZERO },
        Fault::Late(Moment::AfterActing) => FaultKind::Delay { before: Duration::ZERO, after: TOO_LONG },
        Fault::ServerError(at) => FaultKind::Error500(moment(at)),
        Fault::HtmlError(at) => FaultKind::Html502(moment(at)),
        Fault::Truncated => FaultKind::Truncated,
        Fault::WrongCharset => FaultKind::WrongCharset,
        Fault::Redirect => FaultKind::Redirect,
        Fault::RateLimited => FaultKind::RateLimited,
        Fault::Decline(class) => FaultKind::Decline { code: code(class).to_owned() },
    }
}

fn code(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::RetryLater => "CC10",
        DeclineClass::NewCard => "CC43",
        DeclineClass::Fraud => "8181",
        DeclineClass::Temporary => "CC75",
        DeclineClass::OurBug => "8024",
    }
}

#[async_trait]
impl Rig for KcpRig {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    fn unreachable(&self) -> Box<dyn PaymentGateway> {
        // The port of a listener that is gone again.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Box::new(gateway(&format!("http://{}", listener.local_addr().unwrap()), self.clock.clone()))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        self.sandbox.kcp_billing_auth(customer_key, card_number(card)).unwrap().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let payment = KcpPaymentAuth {
            order_id: order_id.to_owned(),
            amount,
            card_number: card_number(card).to_owned(),
            order_name: None,
        };
        self.sandbox.kcp_payment_auth(payment).unwrap()
    }

    async fn break_next(&self, what: Operation, how: Fault) {
        self.sandbox.add_fault(sandbox::Fault::new(fault(how)).on(operation(what)));
    }

    async fn heal(&self) {
        self.sandbox.clear_faults();
    }

    async fn book(&self, order_id: &str) -> Vec<Movement> {
        let book = self.sandbox.book();
        let moved =
            book.iter().filter(|line| line.order_id == order_id && line.status != BookStatus::Declined);
        moved
            .map(|line| match line.kind {
                BookKind::Charge => Movement::Charge(line.amount),
                BookKind::Cancel => Movement::Cancel(line.amount),
            })
            .collect()
    }

    fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// KCP tells no id of a cancel's notice, so what the adapter makes of it is what repeats have to share.
    async fn webhooks(&self) -> Webhooks {
        let order_id = format!("webhook{}", self.orders.fetch_add(1, Ordering::SeqCst));
        let deposit = serde_json::json!({"txCd": "TX00", "orderNo": order_id, "tno": "26112000000001",
            "fields": {"noti_id": format!("N{order_id}"), "op_cd": "50", "ipgm_mnyx": "29000", "remitter": "홍길동"}});
        let payment = self.delivered(deposit).await;
        let unknown = self.delivered(serde_json::json!({"txCd": "TX99", "orderNo": order_id})).await;
        let delivery_id = format!("N{order_id}");
        Webhooks { payment, order_id, delivery_id, unknown, forged: Vec::new(), stale: Vec::new() }
    }
}

impl KcpRig {
    /// Has the sandbox send a notification, and answers it as the gateway wants it answered.
    async fn delivered(&self, order: serde_json::Value) -> Delivery {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/kcp", listener.local_addr().unwrap());
        self.sandbox.set_kcp_webhook_url(Some(url));
        let acknowledgement = self.gateway.acknowledgement();
        let (letters, mut inbox) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            // Notices of earlier cancels may have waited for an address, and come as well.
            while let Ok((mut stream, _)) = listener.accept().await {
                let request = read_request(&mut stream).await;
                let content_type = format!("content-type: {}\r\n", acknowledgement.content_type);
                let _ =
                    stream.write_all(&raw("200 OK", &content_type, acknowledgement.body.as_bytes())).await;
                let _ = letters.send(request);
            }
        });
        let control = format!("{}/_sandbox/kcp/notifications", self.sandbox.base_url());
        let sent = reqwest::Client::new().post(control).json(&order).send().await.unwrap();
        let sent: serde_json::Value = sent.json().await.unwrap();
        assert_eq!(sent["delivered"], true, "the acknowledgement is accepted: {sent}");
        let kind = format!("tx_cd={}", order["txCd"].as_str().unwrap());
        let request = loop {
            let request = inbox.recv().await.unwrap();
            if request.contains(&kind) {
                break request;
            }
        };
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        let content_type = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap();
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())]);
        Delivery { headers, body: body.as_bytes().to_vec() }
    }
}

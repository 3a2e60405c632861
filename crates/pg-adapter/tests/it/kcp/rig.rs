//! The sandbox as KCP, and the adapter that speaks to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    DeclineClass, IssueCashReceipt, PaymentGateway,
    contract::{Delivery, Fault, Movement, Operation, Paper, Rig, TestCard, Webhooks},
    kcp::{KcpConfig, KcpGateway},
};
use sandbox::KcpSwitches;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::canned::credentials;
use crate::outside::{Outside, PATIENCE, card_number, nowhere};

pub(crate) struct KcpRig {
    pub(crate) outside: Outside,
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
        let outside = Outside::start().await;
        outside.sandbox.set_kcp_switches(switches);
        let clock = outside.clock.clone();
        let gateway = gateway(&outside.sandbox.kcp_base_url(), clock.clone());
        outside.acknowledges(gateway.acknowledgement());
        Self { outside, clock, gateway, orders: AtomicUsize::new(0) }
    }

    /// Has KCP send a notification, which stops its repeats only if our acknowledgement is what it wants.
    async fn delivered(&self, order: Value, containing: &str) -> Delivery {
        let sent = self.outside.post("kcp/notifications", order).await;
        assert_eq!(sent["delivered"], true, "the acknowledgement is accepted: {sent}");
        self.outside.delivery_containing(containing).await
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
        Box::new(gateway(&nowhere(), self.clock.clone()))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        let body = json!({"customerKey": customer_key, "cardNumber": card_number(card)});
        let answer = self.outside.post("kcp/billing-auth", body).await;
        answer["authKey"].as_str().unwrap().to_owned().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let body = json!({"orderId": order_id, "amount": amount, "cardNumber": card_number(card)});
        let answer = self.outside.post("kcp/payment-auth", body).await;
        answer["paymentKey"].as_str().unwrap().to_owned()
    }

    async fn break_next(&self, operation: Operation, fault: Fault) {
        let decline = match fault {
            Fault::Decline(class) => code(class),
            _ => "",
        };
        self.outside.break_next(operation, fault, decline).await;
    }

    async fn heal(&self) {
        self.outside.heal().await;
    }

    async fn book(&self, order_id: &str) -> Vec<Movement> {
        self.outside.book(order_id).await
    }

    async fn papers(&self, request: &IssueCashReceipt) -> Vec<Paper> {
        self.outside.papers(request).await
    }

    fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// A deposit is the one kind that tells an id.
    async fn webhooks(&self) -> Webhooks {
        let order_id = format!("webhook{:04}", self.orders.fetch_add(1, Ordering::SeqCst));
        let noti_id = format!("N{order_id}");
        let deposit = json!({"txCd": "TX00", "orderNo": order_id, "tno": "26112000000001",
            "fields": {"noti_id": noti_id, "op_cd": "50", "ipgm_mnyx": "29000", "remitter": "홍길동"}});
        let payment = self.delivered(deposit, &format!("noti_id={noti_id}")).await;
        let unknown = json!({"txCd": "TX99", "orderNo": format!("{order_id}unknown")});
        let unknown = self.delivered(unknown, &format!("{order_id}unknown")).await;
        let delivery_id = format!("{noti_id}:{order_id}:26112000000001");
        Webhooks { payment, order_id, delivery_id, unknown, forged: Vec::new(), stale: Vec::new() }
    }
}

//! The sandbox as Bootpay, and the adapter that speaks to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    DeclineClass, IssueCashReceipt, PaymentGateway,
    bootpay::{BootpayConfig, BootpayGateway},
    contract::{Delivery, Fault, Movement, Operation, Paper, Rig, TestCard, Webhooks},
};
use sandbox::BootpaySwitches;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::outside::{Outside, PATIENCE, card_number, nowhere};

pub(crate) struct BootpayRig {
    pub(crate) outside: Outside,
    pub(crate) clock: Arc<MovableClock>,
    gateway: BootpayGateway,
    orders: AtomicUsize,
}

/// `accept_sandbox` as it is in production: not.
pub(crate) fn gateway(base_url: &str, clock: Arc<MovableClock>) -> BootpayGateway {
    let mut config = BootpayConfig::new(base_url, "application-of-the-suite", "private-key".into());
    config.connect_timeout = PATIENCE;
    config.read_timeout = PATIENCE;
    BootpayGateway::new(&config, clock).unwrap()
}

impl BootpayRig {
    pub(crate) async fn start(switches: BootpaySwitches) -> Self {
        let outside = Outside::start().await;
        outside.sandbox.set_bootpay_switches(switches);
        let clock = outside.clock.clone();
        let gateway = gateway(&outside.sandbox.bootpay_base_url(), clock.clone());
        outside.acknowledges(gateway.acknowledgement());
        Self { outside, clock, gateway, orders: AtomicUsize::new(0) }
    }

    /// Has Bootpay send a webhook, which stops its repeats only if our acknowledgement is what it wants.
    async fn delivered(&self, body: Value, containing: &str) -> Delivery {
        let sent = self.outside.post("bootpay/webhooks", json!({"body": body})).await;
        assert_eq!(sent["delivered"], true, "the acknowledgement is accepted: {sent}");
        self.outside.delivery_containing(containing).await
    }
}

/// The words of a PG: Bootpay's codes say nothing.
fn words(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::RetryLater => "1일 한도초과",
        DeclineClass::NewCard => "분실신고 카드",
        DeclineClass::Fraud => "이상거래로 의심되어 거절되었습니다.",
        DeclineClass::Temporary => "카드사 점검 시간입니다.",
        DeclineClass::OurBug => "미등록 가맹점입니다.",
    }
}

#[async_trait]
impl Rig for BootpayRig {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    fn unreachable(&self) -> Box<dyn PaymentGateway> {
        Box::new(gateway(&nowhere(), self.clock.clone()))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        let body = json!({"customerKey": customer_key, "cardNumber": card_number(card)});
        let event = self.outside.post("bootpay/billing-auth", body).await;
        event["receiptId"].as_str().unwrap().to_owned().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let body = json!({"orderId": order_id, "amount": amount, "cardNumber": card_number(card)});
        let event = self.outside.post("bootpay/payment-auth", body).await;
        event["receiptId"].as_str().unwrap().to_owned()
    }

    async fn break_next(&self, operation: Operation, fault: Fault) {
        // The receipt is what a payment is asked by, and its cash receipt too.
        let operation = if operation == Operation::LookUpReceipt { Operation::LookUp } else { operation };
        let decline = match fault {
            Fault::Decline(class) => words(class),
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

    async fn webhooks(&self) -> Webhooks {
        let order_id = format!("webhook{:04}", self.orders.fetch_add(1, Ordering::SeqCst));
        let receipt_id = format!("65f0{order_id}");
        let body = |kind: &str| {
            json!({"receipt_id": receipt_id, "order_id": order_id, "price": 29_000, "cancelled_price": 0,
                "status": 1, "webhook_type": kind})
        };
        let payment = self.delivered(body("PAYMENT_COMPLETED"), &receipt_id).await;
        let news = json!({"receipt_id": format!("{receipt_id}unknown"), "webhook_type": "PAYMENT_DREAMT_OF"});
        let unknown = self.delivered(news, &format!("{receipt_id}unknown")).await;
        let delivery_id = format!("{receipt_id}:{order_id}:PAYMENT_COMPLETED:0");
        Webhooks { payment, order_id, delivery_id, unknown, forged: Vec::new(), stale: Vec::new() }
    }
}

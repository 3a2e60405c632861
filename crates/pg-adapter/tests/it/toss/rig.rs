//! The sandbox as Toss, and the adapter that speaks to it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    Confirm, DeclineClass, IssueCashReceipt, Outcome, PaymentGateway,
    contract::{Delivery, Fault, Movement, Operation, Paper, Rig, TestCard, Webhooks},
    toss::{TossConfig, TossGateway},
};
use reqwest::header::HeaderValue;
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::outside::{Outside, PATIENCE, card_number, nowhere};

const SECRET_KEY: &str = "test_sk_conformance";
const SECURITY_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

pub(crate) struct TossRig {
    outside: Outside,
    pub(crate) clock: Arc<MovableClock>,
    gateway: TossGateway,
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
        let outside = Outside::start().await;
        let gateway = gateway(&outside.sandbox.toss_base_url(), SECRET_KEY);
        let clock = outside.clock.clone();
        Self { outside, clock, gateway, orders: AtomicUsize::new(0) }
    }

    /// The same merchant after a new secret key was issued: Toss keeps idempotency keys per secret key.
    pub(crate) fn with_another_secret_key(&self) -> TossGateway {
        gateway(&self.outside.sandbox.toss_base_url(), "test_sk_rotated")
    }

    pub(crate) async fn switch(&self, switches: Value) {
        self.outside.switch("toss", switches).await;
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
        Box::new(gateway(&nowhere(), SECRET_KEY))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        let body = json!({"customerKey": customer_key, "cardNumber": card_number(card)});
        let answer = self.outside.post("toss/billing-auth", body).await;
        answer["authKey"].as_str().unwrap().to_owned().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let body = json!({"orderId": order_id, "amount": amount, "cardNumber": card_number(card)});
        let answer = self.outside.post("toss/payment-auth", body).await;
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

    async fn webhooks(&self) -> Webhooks {
        let order_id = format!("webhook-{}", self.orders.fetch_add(1, Ordering::SeqCst));
        let amount = Krw::won(1_000);
        let payment_key = self.authenticate(&order_id, amount, TestCard::Good).await;
        let confirm = Confirm { payment_key, order_id: order_id.clone(), amount };
        assert!(matches!(self.gateway.confirm(&confirm).await, Outcome::Approved(_)));
        let payment = self.outside.delivery_containing(&order_id).await;
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

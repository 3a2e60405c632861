//! The sandbox as PortOne, and the adapter that speaks to it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::NaiveDate;
use kernel::{Clock as _, Krw, MovableClock};
use pg_adapter::{
    Confirm, DeclineClass, IssueCashReceipt, Outcome, PaymentGateway,
    contract::{Delivery, Fault, Movement, Operation, Paper, Rig, TestCard, Webhooks},
    portone::{PortOneConfig, PortOneGateway},
};
use reqwest::header::{HeaderMap, HeaderValue};
use sandbox::{PORTONE_STORE_ID, PORTONE_WEBHOOK_SECRET};
use secrecy::SecretString;
use serde_json::{Value, json};

use crate::outside::{Outside, PATIENCE, card_number, nowhere};

pub(crate) const TOSS: &str = sandbox::PORTONE_CHANNEL_KEY;
pub(crate) const TOSS_TEST: &str = "channel-key-00000000-0000-4000-8000-000000000002";
pub(crate) const KCP: &str = "channel-key-00000000-0000-4000-8000-000000000003";

pub(crate) struct PortOneRig {
    pub(crate) outside: Outside,
    pub(crate) clock: Arc<MovableClock>,
    gateway: PortOneGateway,
    channel_key: &'static str,
    /// Whether cards are registered on a channel with manual confirmation.
    confirms_keys: AtomicBool,
    orders: AtomicUsize,
}

fn gateway(base_url: &str, channel_key: &str, clock: Arc<MovableClock>) -> PortOneGateway {
    let secret = "secret-of-the-conformance-suite".to_owned().into();
    let mut config = PortOneConfig::new(base_url, secret, PORTONE_STORE_ID, channel_key);
    // In the middle of a rotation.
    config.webhook_secrets = vec!["whsec_b2xkLXNlY3JldA==".into(), PORTONE_WEBHOOK_SECRET.into()];
    config.connect_timeout = PATIENCE;
    config.read_timeout = PATIENCE;
    config.events_per_page = 3;
    PortOneGateway::new(config, clock).unwrap()
}

impl PortOneRig {
    pub(crate) async fn start() -> Self {
        Self::start_with(TOSS).await
    }

    pub(crate) async fn start_with(channel_key: &'static str) -> Self {
        let outside = Outside::start().await;
        let clock = outside.clock.clone();
        Self {
            gateway: gateway(&outside.sandbox.portone_base_url(), channel_key, clock.clone()),
            outside,
            clock,
            channel_key,
            confirms_keys: AtomicBool::new(false),
            orders: AtomicUsize::new(0),
        }
    }

    pub(crate) fn confirms_keys(&self) {
        self.confirms_keys.store(true, Ordering::SeqCst);
    }

    pub(crate) async fn switch(&self, switches: Value) {
        self.outside.switch("portone", switches).await;
    }

    /// The payer pays in the window; `manual_confirmation` leaves the last word to us.
    pub(crate) async fn pays(
        &self,
        order_id: &str,
        card: TestCard,
        channel_key: &str,
        manual: bool,
    ) -> Value {
        let body = json!({
            "orderId": order_id, "amount": 29_000, "cardNumber": card_number(card),
            "channelKey": channel_key, "manualConfirmation": manual,
        });
        self.outside.post("portone/payment-auth", body).await
    }

    fn code(&self, class: DeclineClass) -> &'static str {
        let (toss, kcp) = match class {
            DeclineClass::RetryLater => ("REJECT_CARD_PAYMENT", "8186"),
            DeclineClass::NewCard => ("INVALID_CARD_LOST_OR_STOLEN", "CC04"),
            DeclineClass::Fraud => ("FDS_ERROR", "8181"),
            DeclineClass::Temporary => ("NOT_AVAILABLE_BANK", "CC75"),
            DeclineClass::OurBug => ("CHANNEL_NOT_FOUND", "CC62"),
        };
        if self.channel_key == KCP { kcp } else { toss }
    }
}

#[async_trait]
impl Rig for PortOneRig {
    fn gateway(&self) -> &dyn PaymentGateway {
        &self.gateway
    }

    fn unreachable(&self) -> Box<dyn PaymentGateway> {
        Box::new(gateway(&nowhere(), self.channel_key, self.clock.clone()))
    }

    async fn register(&self, customer_key: &str, card: TestCard) -> SecretString {
        let manual = self.confirms_keys.load(Ordering::SeqCst);
        let body = json!({
            "customerKey": customer_key, "cardNumber": card_number(card),
            "channelKey": self.channel_key, "manualConfirmation": manual,
        });
        let brought = self.outside.post("portone/billing-auth", body).await;
        let field = if manual { "billingIssueToken" } else { "billingKey" };
        brought[field].as_str().unwrap().to_owned().into()
    }

    async fn authenticate(&self, order_id: &str, amount: Krw, card: TestCard) -> String {
        let body = json!({
            "orderId": order_id, "amount": amount, "cardNumber": card_number(card),
            "channelKey": self.channel_key, "manualConfirmation": true,
        });
        let brought = self.outside.post("portone/payment-auth", body).await;
        brought["paymentToken"].as_str().unwrap().to_owned()
    }

    async fn break_next(&self, operation: Operation, fault: Fault) {
        let decline = match fault {
            Fault::Decline(class) => self.code(class),
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
        let order_id = format!("webhook{}", self.orders.fetch_add(1, Ordering::SeqCst));
        let amount = Krw::won(1_000);
        let payment_key = self.authenticate(&order_id, amount, TestCard::Good).await;
        let confirm = Confirm { payment_key, order_id: order_id.clone(), amount };
        assert!(matches!(self.gateway.confirm(&confirm).await, Outcome::Approved(_)));
        let payment = self.outside.delivery_containing(&format!("\"{order_id}\"")).await;
        let delivery_id = payment.headers["webhook-id"].to_str().unwrap().to_owned();

        let now = self.clock.now().timestamp();
        let unknown = json!({"type": "Something.New", "timestamp": "2026-11-20T10:00:05.123Z", "data": {}});
        let mut forged = payment.clone();
        forged.headers.insert("webhook-signature", HeaderValue::from_static("v1,Zm9yZ2Vk"));
        let mut other_body = payment.clone();
        other_body.body.push(b' ');
        let mut other_time = payment.clone();
        other_time.headers.insert("webhook-timestamp", HeaderValue::from(now + 7));
        Webhooks {
            unknown: signed(unknown.to_string().into_bytes(), now),
            forged: vec![forged, other_body, other_time],
            stale: vec![signed(payment.body.clone(), now - 400), signed(payment.body.clone(), now + 400)],
            payment,
            order_id,
            delivery_id,
        }
    }
}

/// As PortOne signs, at any time.
fn signed(body: Vec<u8>, at: i64) -> Delivery {
    let secret = STANDARD.decode(PORTONE_WEBHOOK_SECRET.trim_start_matches("whsec_")).unwrap();
    let text = [format!("msg_rig.{at}.").as_bytes(), &body].concat();
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), &text);
    let mut headers = HeaderMap::new();
    headers.insert("webhook-id", HeaderValue::from_static("msg_rig"));
    headers.insert("webhook-timestamp", HeaderValue::from(at));
    headers.insert("webhook-signature", format!("v1,{}", STANDARD.encode(tag)).parse().unwrap());
    Delivery { headers, body }
}

//! The merchant of these stories: a sandbox of its own and the API in plain requests.

use std::{path::Path, sync::Arc, time::Duration};

use kernel::MovableClock;
use reqwest::{Method, StatusCode, header::HeaderMap};
use sandbox::{Sandbox, SandboxConfig, WebhookUrls};
use serde_json::{Value, json};

pub(crate) const GOOD_CARD: &str = "4300-0000-0000-0001";
pub(crate) const EMPTY_CARD: &str = "4300-0000-0000-0002";
pub(crate) const SUSPENDED_CARD: &str = "4300-0000-0000-0004";
pub(crate) const CUSTOMER: &str = "c6b8a1d2-customer";

pub(crate) struct Merchant {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) client: reqwest::Client,
    pub(crate) secret_key: String,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }

    /// `"403 REJECT_CARD_PAYMENT"`
    pub(crate) fn refusal(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.json()["code"].as_str().unwrap_or("without a code"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Merchant {
    pub(crate) async fn opens() -> Self {
        Self::with(None, None).await
    }

    pub(crate) async fn opens_in(folder: &Path) -> Self {
        Self::with(Some(folder), None).await
    }

    pub(crate) async fn with(folder: Option<&Path>, webhook_url: Option<String>) -> Self {
        let clock = Arc::new(MovableClock::default());
        let sandbox = Sandbox::start(SandboxConfig {
            addr: "127.0.0.1:0".parse().unwrap(),
            data_dir: folder.map(Path::to_owned),
            clock: clock.clone(),
            webhook_urls: WebhookUrls { toss: webhook_url, ..WebhookUrls::default() },
            latency: Duration::ZERO,
        })
        .await
        .unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { sandbox, clock, client, secret_key: "test_sk_story".into() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sandbox.toss_base_url());
        self.client.request(method, url).basic_auth(&self.secret_key, Some(""))
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn post_once(&self, key: &str, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).header("idempotency-key", key).json(&body)).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        answer(self.request(Method::DELETE, path)).await
    }

    /// The control surface.
    pub(crate) async fn control(&self, method: Method, path: &str, body: Value) -> Answer {
        let url = format!("{}/_sandbox{path}", self.sandbox.base_url());
        answer(self.client.request(method, url).json(&body)).await
    }

    /// Registers a card and returns its billing key.
    pub(crate) async fn billing_key(&self, card: &str) -> String {
        let auth_key = self.sandbox.billing_auth(CUSTOMER, card).unwrap();
        let body = json!({"authKey": auth_key, "customerKey": CUSTOMER});
        let issued = self.post("/v1/billing/authorizations/issue", body).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
        issued.json()["billingKey"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn charges(&self, billing_key: &str, order: &str, amount: i64) -> Answer {
        self.post(&format!("/v1/billing/{billing_key}"), charge_body(order, amount)).await
    }

    /// Charges and returns the payment key.
    pub(crate) async fn paid(&self, amount: i64) -> String {
        let order = format!("order-{}", uuid::Uuid::new_v4());
        let charged = self.charges(&self.billing_key(GOOD_CARD).await, &order, amount).await;
        assert_eq!(charged.status, 200, "{}", charged.text);
        charged.json()["paymentKey"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn cancels(&self, payment_key: &str, body: Value) -> Answer {
        self.post(&format!("/v1/payments/{payment_key}/cancel"), body).await
    }
}

pub(crate) async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { status, headers, text: response.text().await.unwrap() }
}

pub(crate) fn charge_body(order: &str, amount: i64) -> Value {
    json!({"customerKey": CUSTOMER, "amount": amount, "orderId": order, "orderName": "프로 요금제"})
}

/// Waits for a condition, never for a time.
pub(crate) async fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1000 {
        if let Some(found) = look() {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("never happened: {what}");
}

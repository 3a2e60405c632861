//! The same merchant at PortOne: the API in plain requests.

use reqwest::Method;
use sandbox::{PORTONE_STORE_ID, PortOneSwitches};
use serde_json::{Value, json};

use crate::merchant::{Answer, CUSTOMER, GOOD_CARD, Merchant, answer};

pub(crate) const KCP: &str = "channel-key-00000000-0000-4000-8000-000000000003";
pub(crate) const SMARTRO: &str = "channel-key-00000000-0000-4000-8000-000000000004";

impl Merchant {
    pub(crate) fn portone(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = format!("{}{path}", self.sandbox.portone_base_url());
        self.client.request(method, url).header("authorization", "PortOne secret-of-a-story")
    }

    pub(crate) async fn portone_post(&self, path: &str, body: Value) -> Answer {
        answer(self.portone(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn portone_post_once(&self, key: &str, path: &str, body: Value) -> Answer {
        let request = self.portone(Method::POST, path).header("idempotency-key", format!("\"{key}\""));
        answer(request.json(&body)).await
    }

    pub(crate) async fn portone_get(&self, path: &str) -> Answer {
        answer(self.portone(Method::GET, path)).await
    }

    /// What a payer's browser brings back from the window.
    pub(crate) async fn window(&self, path: &str, body: Value) -> Value {
        let answer = self.control(Method::POST, &format!("/portone/{path}"), body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    pub(crate) async fn portone_key(&self, card: &str) -> String {
        self.portone_key_at(card, sandbox::PORTONE_CHANNEL_KEY).await
    }

    pub(crate) async fn portone_key_at(&self, card: &str, channel: &str) -> String {
        let body = json!({"customerKey": CUSTOMER, "cardNumber": card, "channelKey": channel});
        self.window("billing-auth", body).await["billingKey"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn portone_charges(&self, key: &str, order: &str, amount: i64) -> Answer {
        self.portone_post(&format!("/payments/{order}/billing-key"), charge_of(key, amount)).await
    }

    /// Charges 10,000 won.
    pub(crate) async fn portone_paid(&self, order: &str) {
        let charged = self.portone_charges(&self.portone_key(GOOD_CARD).await, order, 10_000).await;
        assert_eq!(charged.status, 200, "{}", charged.text);
    }

    pub(crate) async fn portone_payment(&self, order: &str) -> Value {
        self.portone_get(&format!("/payments/{order}?storeId={PORTONE_STORE_ID}")).await.json()
    }

    pub(crate) fn switch_portone(&self, switch: impl FnOnce(&mut PortOneSwitches)) {
        let mut switches = self.sandbox.portone_switches();
        switch(&mut switches);
        self.sandbox.set_portone_switches(switches);
    }
}

impl Answer {
    /// `"502 PG_PROVIDER"`
    pub(crate) fn portone_refusal(&self) -> String {
        format!("{} {}", self.status.as_u16(), self.json()["type"].as_str().unwrap_or("without a type"))
    }
}

pub(crate) fn charge_of(key: &str, amount: i64) -> Value {
    json!({"billingKey": key, "orderName": "프로 요금제", "amount": {"total": amount}, "currency": "KRW"})
}

//! The owner of a business, who talks to a server that may die in the middle of a sentence.

use std::net::SocketAddr;

use chrono::TimeDelta;
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Membership, Principal, Role};
use reqwest::Method;
use sandbox::Provider;
use serde_json::{Value, json};

use crate::world::World;

pub(crate) const PLAN: &str = "BASIC";
pub(crate) const PRICE: i64 = 29_000;

pub(crate) struct Owner<'w> {
    world: &'w World,
    pub(crate) business: i64,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        body: Value,
    },
    /// The connection broke, or there was none.
    Silence,
}

impl Reply {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer { status, .. } => Some(*status),
            Self::Silence => None,
        }
    }

    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Answer { body, .. } => body["code"].as_str().unwrap_or_default(),
            Self::Silence => "",
        }
    }
}

impl World {
    pub(crate) fn owner(&self, business: i64) -> Owner<'_> {
        let principal = Principal {
            subject: format!("owner_of_{business}"),
            memberships: vec![Membership { business_id: BusinessId(business), role: Role::Owner }],
            is_platform_admin: false,
        };
        let token = self.tokens.issue(&principal, SystemClock.now(), TimeDelta::hours(1));
        Owner { world: self, business, token }
    }

    /// What the provider knows the owner of a business by.
    pub(crate) fn customer_key(business: i64) -> String {
        format!("owner_of_{business}")
    }
}

impl Owner<'_> {
    /// Registers a good card and subscribes. A card is authenticated anew each time, as in the browser.
    pub(crate) async fn subscribes(&self, server: SocketAddr) -> Reply {
        self.subscribes_to(server, PLAN).await
    }

    pub(crate) async fn subscribes_to(&self, server: SocketAddr, plan: &str) -> Reply {
        let customer = World::customer_key(self.business);
        let auth_key = self.world.card_in_the_window(self.world.provider, &customer).await;
        let body = json!({"plan": plan, "authKey": auth_key, "customerKey": customer});
        self.asks(server, Method::POST, "/api/payments/billing-key", None, &body).await
    }

    /// Puts another good card on file, which pays what is owed.
    pub(crate) async fn replaces_the_card(&self, server: SocketAddr) -> Reply {
        let customer = World::customer_key(self.business);
        let auth_key = self.world.card_in_the_window(self.world.provider, &customer).await;
        let body = json!({"authKey": auth_key, "customerKey": customer});
        self.asks(server, Method::PUT, "/api/subscriptions/payment-method", None, &body).await
    }

    /// Adds a good card at another provider, to fall back on.
    pub(crate) async fn adds_a_backup(&self, server: SocketAddr, provider: Provider) -> Reply {
        let customer = World::customer_key(self.business);
        let auth_key = self.world.card_in_the_window(provider, &customer).await;
        let body = json!({"authKey": auth_key, "customerKey": customer, "provider": testkit::name(provider)});
        self.asks(server, Method::POST, "/api/subscriptions/payment-methods", None, &body).await
    }

    /// Confirms a payment that was authenticated in the provider's window.
    pub(crate) async fn confirms(&self, server: SocketAddr, order: &str, payment_key: &str) -> Reply {
        let body = json!({"paymentKey": payment_key, "orderId": order, "amount": PRICE, "plan": PLAN});
        self.asks(server, Method::POST, "/api/payments/confirm", None, &body).await
    }

    pub(crate) async fn refunds(&self, server: SocketAddr, payment: i64, amount: i64, key: &str) -> Reply {
        let path = format!("/api/payments/{payment}/partial-refund");
        let body = json!({"amount": amount, "reason": "부분 환불 요청"});
        self.asks(server, Method::PATCH, &path, Some(key), &body).await
    }

    pub(crate) async fn asks_for_a_tax_invoice(&self, server: SocketAddr, payment: i64, key: &str) -> Reply {
        let path = format!("/api/payments/{payment}/tax-invoice");
        let body = json!({
            "businessNumber": "222-22-22227", "companyName": "미소헤어", "ownerName": "김미소", "email": "tax@misohair.com",
        });
        self.asks(server, Method::POST, &path, Some(key), &body).await
    }

    pub(crate) async fn asks_for_a_cash_receipt(&self, server: SocketAddr, payment: i64, key: &str) -> Reply {
        let path = format!("/api/payments/{payment}/cash-receipt");
        let body = json!({"type": "INCOME_DEDUCTION", "identityNumber": "010-1234-5678"});
        self.asks(server, Method::POST, &path, Some(key), &body).await
    }

    pub(crate) async fn asks_for_an_export(&self, server: SocketAddr, format: &str) -> Reply {
        let path = format!("/api/businesses/{}/exports", self.business);
        let body = json!({"type": "RESERVATIONS", "format": format, "startDate": "2026-01-01", "endDate": "2026-12-31"});
        self.asks(server, Method::POST, &path, None, &body).await
    }

    /// Makes something of the business's own; as it was made.
    pub(crate) async fn makes(&self, server: SocketAddr, what: &str, body: &Value) -> Value {
        let path = format!("/api/businesses/{}/{what}", self.business);
        match self.asks(server, Method::POST, &path, None, body).await {
            Reply::Answer { status: 201, body } => body["data"].clone(),
            other => panic!("{what}: {other:?}"),
        }
    }

    pub(crate) async fn looks_at(&self, server: SocketAddr, what: &str) -> Value {
        let path = format!("/api/businesses/{}/{what}", self.business);
        match self.asks(server, Method::GET, &path, None, &Value::Null).await {
            Reply::Answer { status: 200, body } => body["data"].clone(),
            other => panic!("{what}: {other:?}"),
        }
    }

    /// The bytes of an export's file.
    pub(crate) async fn downloads(&self, server: SocketAddr, export: &str) -> Vec<u8> {
        let url = format!("http://{server}/api/businesses/{}/exports/{export}/download", self.business);
        let answer = self.world.http.get(url).bearer_auth(&self.token).send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.bytes().await.expect("the whole file").to_vec()
    }

    async fn asks(
        &self,
        server: SocketAddr,
        method: Method,
        path: &str,
        idempotency_key: Option<&str>,
        body: &Value,
    ) -> Reply {
        let url = format!("http://{server}{path}");
        let mut request = self.world.http.request(method, url).bearer_auth(&self.token).json(body);
        if let Some(key) = idempotency_key {
            request = request.header("Idempotency-Key", key);
        }
        let Ok(response) = request.send().await else { return Reply::Silence };
        let status = response.status().as_u16();
        match response.json().await {
            Ok(body) => Reply::Answer { status, body },
            Err(_) => Reply::Silence,
        }
    }
}

//! The windows of all providers, and what their issuers do, over the sandbox's control surface.

use sandbox::{Fault, FaultKind, Operation, PortOneDelivery, Provider, Sandbox};
use serde_json::{Value, json};

use crate::{Answer, Card, TestApp};

/// A payer registers a card in a provider's window: what that hands over to the page.
pub async fn card_in_the_window(
    sandbox: &Sandbox,
    provider: Provider,
    customer_key: &str,
    card: Card,
) -> String {
    let payer = json!({"customerKey": customer_key, "cardNumber": card.number()});
    let answer = control(sandbox, provider, "billing-auth", payer).await;
    let handed_over = ["authKey", "billingKey", "receiptId"].iter().find_map(|name| answer.get(name));
    handed_over.and_then(Value::as_str).unwrap_or_else(|| panic!("no card: {answer}")).to_owned()
}

/// A payer agrees to pay an order in a provider's window: what is to be confirmed.
pub async fn payment_in_the_window(
    sandbox: &Sandbox,
    provider: Provider,
    order_id: &str,
    amount: i64,
    card: Card,
) -> String {
    let mut payer = json!({"orderId": order_id, "amount": amount, "cardNumber": card.number()});
    if provider == Provider::PortOne {
        payer["manualConfirmation"] = json!(true);
    }
    let answer = control(sandbox, provider, "payment-auth", payer).await;
    let handed_over = ["paymentKey", "paymentToken", "receiptId"].iter().find_map(|name| answer.get(name));
    handed_over.and_then(Value::as_str).unwrap_or_else(|| panic!("no payment: {answer}")).to_owned()
}

/// From now on the cards that a customer registered at a provider behave as `card` does.
pub async fn cards_become(sandbox: &Sandbox, provider: Provider, customer_key: &str, card: Card) {
    let change = json!({"customerKey": customer_key, "cardNumber": card.number()});
    control(sandbox, provider, "cards", change).await;
}

async fn control(sandbox: &Sandbox, provider: Provider, what: &str, body: Value) -> Value {
    let provider = name(provider).to_lowercase();
    let url = format!("{}/_sandbox/{provider}/{what}", sandbox.base_url());
    let answer = reqwest::Client::new().post(url).json(&body).send().await.expect("the sandbox answers");
    let status = answer.status();
    let answer = answer.text().await.expect("an answer");
    assert!(status.is_success(), "{what} at {provider}: {status} {answer}");
    serde_json::from_str(&answer).unwrap_or_default()
}

/// As the API spells it.
pub fn name(provider: Provider) -> &'static str {
    match provider {
        Provider::Toss => "TOSS",
        Provider::PortOne => "PORTONE",
        Provider::Kcp => "KCP",
        Provider::Bootpay => "BOOTPAY",
        Provider::Popbill => "POPBILL",
        Provider::Solapi => "SOLAPI",
        Provider::Nhn => "NHN",
        Provider::Smtp => "SMTP",
    }
}

impl TestApp {
    /// The body that registers a card at a provider and subscribes to BASIC.
    pub async fn registration_at(&self, provider: Provider, card: Card) -> Value {
        let auth_key = card_in_the_window(&self.sandbox, provider, "user_1", card).await;
        json!({"plan": "BASIC", "authKey": auth_key, "customerKey": "user_1", "provider": name(provider)})
    }

    /// The body that puts another card in the place of the present one, or beside it.
    pub async fn new_card_at(&self, provider: Provider, card: Card) -> Value {
        let auth_key = card_in_the_window(&self.sandbox, provider, "user_1", card).await;
        json!({"authKey": auth_key, "customerKey": "user_1", "provider": name(provider)})
    }

    /// The owner of business 1 subscribes at a provider with a good card.
    pub async fn subscribes_at(&self, provider: Provider) -> Value {
        let registration = self.registration_at(provider, Card::Good).await;
        self.owner().post("/api/payments/billing-key", registration).await.data().clone()
    }

    /// The owner of business 1 adds a card to fall back on.
    pub async fn adds_backup_at(&self, provider: Provider, card: Card) -> Answer {
        let card = self.new_card_at(provider, card).await;
        self.owner().post("/api/subscriptions/payment-methods", card).await
    }

    /// From now on the cards of business 1 at a provider behave as `card` does.
    pub async fn cards_become_at(&self, provider: Provider, card: Card) {
        cards_become(&self.sandbox, provider, "user_1", card).await;
    }

    /// From now on, until faults are cleared, this happens to charges at a provider.
    pub fn charges_meet(&self, provider: Provider, kind: FaultKind) {
        let fault = Fault::new(kind).on(Operation::Charge).until_cleared();
        self.sandbox.add_fault(Fault { provider: Some(provider), ..fault });
    }

    /// The providers that approved a charge, in this order.
    pub fn charged_at(&self) -> Vec<&'static str> {
        self.approved().iter().map(|entry| name(entry.provider)).collect()
    }

    /// How many billing keys were deleted at `PortOne`.
    pub fn deleted_portone_keys(&self) -> usize {
        let is_deletion = |webhook: &&PortOneDelivery| webhook.body.contains("BillingKey.Deleted");
        self.sandbox.portone_webhooks().iter().filter(is_deletion).count()
    }

    /// Operators set the rules that lead businesses to providers: one's, or the platform's.
    pub async fn rules_are(&self, business: Option<i64>, rules: &[(Provider, i32, i32)]) {
        let query = business.map(|id| format!("?businessId={id}")).unwrap_or_default();
        let rule = |(provider, rank, weight): &(Provider, i32, i32)| json!({"provider": name(*provider), "rank": rank, "weight": weight});
        let routes: Vec<Value> = rules.iter().map(rule).collect();
        let set =
            self.platform_admin().put(&format!("/api/admin/routes{query}"), json!({"routes": routes})).await;
        set.data();
    }

    /// Where the rules lead a business.
    pub async fn led_to(&self, business: i64) -> Value {
        self.owner_of(business).get("/api/payments/route").await.data()["provider"].clone()
    }

    /// How a provider is doing, as operators see it.
    pub async fn provider_view(&self, provider: Provider) -> Value {
        let list = self.platform_admin().get("/api/admin/providers").await;
        let mut views = list.data().as_array().expect("a list").iter();
        views.find(|view| view["provider"] == name(provider)).expect("every provider is listed").clone()
    }
}

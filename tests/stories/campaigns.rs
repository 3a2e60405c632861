//! One sentence reaches the right people once, at a lawful hour, and the owner sees what it brought in.

mod auto;
mod figures;
mod following;
mod hostile;
mod links;
mod sending;
mod stopping;

use sandbox::Parcel;
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

use crate::messages::forgets_what_was_said;

const CAMPAIGNS: &str = "/api/businesses/2/campaigns";
const CUSTOMERS: &str = "/api/businesses/2/customers";

/// Business 2 has CRM in its plan and a segment of everybody. It is noon of an ordinary day.
struct Shop {
    app: TestApp,
    owner: Actor,
    segment: Value,
}

async fn shop() -> Shop {
    let app = TestApp::start().await;
    app.it_is("2026-02-14T12:00");
    let owner = app.owner_of(2);
    owner.post("/api/payments/billing-key", app.registration("PRO", Card::Good)).await.data();
    let segment = owner.post("/api/businesses/2/segments", json!({"name": "모두", "conditions": []})).await;
    let segment = segment.data()["segmentId"].clone();
    Shop { app, owner, segment }
}

/// Somebody's number in these tests.
fn number(customer: usize) -> String {
    format!("010{:08}", 30_000_000 + customer)
}

impl Shop {
    /// Customers with numbers, of whom all agreed to texts and KakaoTalk; their ids.
    async fn has_customers(&self, names: &[&str]) -> Vec<i64> {
        let mut ids = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let email = format!("c{at}@example.com");
            let customer = json!({"name": name, "phone": number(at), "email": email});
            let added = self.owner.post(CUSTOMERS, customer).await;
            let id = added.data()["customerId"].as_i64().expect("an id");
            self.agrees(id, "GIVEN").await;
            ids.push(id);
        }
        // They are told what they agreed to, which these tests do not count.
        self.sends().await;
        forgets_what_was_said(&self.app).await;
        ids
    }

    async fn agrees(&self, customer: i64, act: &str) {
        let said = json!({"act": act, "channels": ["SMS", "KAKAO", "EMAIL"], "purposes": ["MARKETING"], "method": "PAPER", "wording": "v1"});
        let answer = self.owner.post(&format!("{CUSTOMERS}/{customer}/consents"), said).await;
        assert_eq!(answer.status, 204, "{}", answer.body);
    }

    fn body(&self, message: &str) -> Value {
        json!({
            "name": "봄맞이", "segmentId": self.segment, "channel": "SMS", "templateType": "REVISIT",
            "message": message, "scheduledAt": null,
        })
    }

    /// So many customers who agreed to texts, and a campaign to all of them; its path.
    async fn has_a_crowd_and_a_campaign(&self, customers: usize) -> String {
        let rows: Vec<_> = (0..customers)
            .map(|at| json!({"externalId": format!("c{at}"), "name": "고객", "phone": number(at)}))
            .collect();
        let fed = self.owner.put("/api/businesses/2/customers/bulk", json!(rows)).await;
        assert_eq!(fed.data()["failed"], 0, "{}", fed.body);
        self.app
        .sql(
            "insert into messaging.consent
                 (business_id, customer_id, channel, purpose, act, acted_at, recorded_at, method, wording)
             select business_id, customer_id, 'SMS', 'MARKETING', 'GIVEN', '2026-02-01', '2026-02-01', 'PAPER', 'v1'
             from booking.customer where business_id = 2",
        )
        .await;
        self.campaign(self.body("새봄 할인")).await
    }

    async fn creates(&self, body: Value) -> Answer {
        self.owner.post(CAMPAIGNS, body).await
    }

    /// A campaign of this body; its path.
    async fn campaign(&self, body: Value) -> String {
        let created = self.creates(body).await;
        assert_eq!(created.status, 201, "{}", created.body);
        format!("{CAMPAIGNS}/{}", created.data()["campaignId"])
    }

    /// What is due is done, as the worker does every second.
    async fn sends(&self) {
        self.app.app.crm.sweep().await.expect("recipients are written down");
        self.app.app.messaging.sweep().await.expect("messages are sent");
        self.app.app.crm.sweep().await.expect("what is over is finished");
    }

    async fn stands(&self, path: &str) -> Value {
        self.owner.get(path).await.data().clone()
    }

    /// The advertisements that went to a customer.
    fn received(&self, customer: usize) -> Vec<Parcel> {
        let to = [number(customer), format!("c{customer}@example.com")];
        let is_advert = |parcel: &Parcel| {
            parcel.text.starts_with("(광고)")
                || parcel.text.contains("무료수신거부")
                || parcel.text.contains("수신거부(무료)")
        };
        let inbox = self.app.sandbox.inbox();
        inbox.into_iter().filter(|parcel| to.contains(&parcel.to) && is_advert(parcel)).collect()
    }
}

fn but(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}

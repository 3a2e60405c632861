//! A business that has a contract with a provider itself, beside the platform's.

mod charging;
mod credentials;
mod webhooks;

use axum::http::Method;
use sandbox::Provider;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

/// A key of the merchant `salon` at Toss, to whom the platform's key shows nothing.
const SALON: &str = "test_sk_salon.0000";

async fn registers(app: &TestApp, business: i64, provider: &str, credentials: Value) -> Answer {
    let contract = json!({"businessId": business, "provider": provider, "credentials": credentials});
    app.platform_admin().post("/api/admin/merchant-accounts", contract).await
}

/// Business 1 has a contract of its own with Toss.
async fn with_a_contract() -> (TestApp, Value) {
    let app = TestApp::start().await;
    let contract = at_toss(&app).await;
    (app, contract)
}

async fn at_toss(app: &TestApp) -> Value {
    let credentials = json!({"secretKey": SALON, "clientKey": "test_ck_salon.0000"});
    registers(app, 1, "TOSS", credentials).await.data().clone()
}

fn id(contract: &Value) -> &str {
    contract["merchantAccountId"].as_str().expect("an id")
}

async fn changes_credentials(app: &TestApp, contract: &Value, credentials: Value) -> Answer {
    let path = format!("/api/admin/merchant-accounts/{}/credentials", id(contract));
    app.platform_admin().put(&path, json!({"credentials": credentials})).await
}

async fn retires(app: &TestApp, contract: &Value) -> Answer {
    let path = format!("/api/admin/merchant-accounts/{}", id(contract));
    app.platform_admin().send(Method::DELETE, &path, None).await
}

/// For each payment of Toss's book, oldest first, whose it is: what the keys of both merchants see.
async fn whose(app: &TestApp) -> Vec<&'static str> {
    let mut whose = Vec::new();
    for entry in app.approved().into_iter().filter(|entry| entry.provider == Provider::Toss) {
        let mut seen_by = Vec::new();
        for (merchant, key) in [("salon", SALON), ("platform", "test_sk_console")] {
            let url = format!("{}/v1/payments/{}", app.sandbox.toss_base_url(), entry.payment_key);
            let answer = reqwest::Client::new().get(url).basic_auth(key, Some("")).send().await;
            if answer.expect("the provider answers").status() == 200 {
                seen_by.push(merchant);
            }
        }
        assert_eq!(seen_by.len(), 1, "{entry:?} is seen by {seen_by:?}");
        whose.append(&mut seen_by);
    }
    whose
}

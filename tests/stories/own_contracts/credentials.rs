//! What is registered, what is refused, and what is never shown.

use serde_json::{Value, json};
use testkit::TestApp;

use super::{SALON, at_toss, changes_credentials, id, registers, retires, with_a_contract};

#[tokio::test]
async fn a_contract_is_shown_without_its_secrets() {
    let (app, contract) = with_a_contract().await;
    assert_eq!(contract["publicValues"], json!({"clientKey": "test_ck_salon.0000"}));
    assert_eq!(contract["webhookPath"], format!("/api/webhooks/toss/{}", id(&contract)));
    assert_eq!((&contract["status"], &contract["cards"]), (&json!("ACTIVE"), &json!(0)));
    let listed = app.platform_admin().get("/api/admin/merchant-accounts?businessId=1").await;
    assert_eq!(listed.data(), &json!([contract]));
    let changed = changes_credentials(&app, &contract, json!({"secretKey": SALON})).await;
    for answer in [&listed, &changed] {
        assert!(!answer.body.to_string().contains("test_sk_"), "{}", answer.body);
    }
    let of_another = app.platform_admin().get("/api/admin/merchant-accounts?businessId=2").await;
    assert_eq!(of_another.data(), &json!([]));
    assert_eq!(app.count("billing.merchant_account where credentials like '%test_sk%'").await, 0, "sealed");
}

#[tokio::test]
async fn what_a_contract_comes_with_is_asked_for_by_name() {
    let app = TestApp::start().await;
    for provider in ["TOSS", "PORTONE", "KCP", "BOOTPAY"] {
        let view = app.platform_admin().get("/api/admin/providers").await;
        let mut views = view.data().as_array().expect("a list").iter();
        let fields =
            views.find(|view| view["provider"] == provider).expect("listed")["credentialFields"].clone();
        let required = fields.as_array().expect("fields").iter().filter(|field| field["isRequired"] == true);
        let names: Vec<String> =
            required.map(|field| field["name"].as_str().expect("a name").to_owned()).collect();
        // One by one they are missed, until all are there.
        let mut credentials = json!({});
        for name in &names {
            let refused = registers(&app, 1, provider, credentials.clone()).await;
            refused.invalid(&format!("credentials.{name}"), "REQUIRED");
            credentials[name] = json!("A52Q7");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_a_contract_is_refused_and_named() {
    let app = TestApp::start().await;
    let toss = |secret: &str| json!({"secretKey": secret});
    registers(&app, 1, "NOVA", toss(SALON)).await.invalid("provider", "UNKNOWN_PROVIDER");
    registers(&app, 999, "TOSS", toss(SALON)).await.invalid("businessId", "UNKNOWN_BUSINESS");
    registers(&app, 1, "TOSS", toss(" ")).await.invalid("credentials.secretKey", "REQUIRED");
    let portone = json!({"apiSecret": "secret", "storeId": "store-1", "channelKey": "channel-key-1", "webhookSecret": "no base64!"});
    registers(&app, 1, "PORTONE", portone).await.invalid("credentials", "INVALID_CREDENTIALS");
    registers(&app, 1, "TOSS", toss(&"x".repeat(20_001)))
        .await
        .invalid("credentials.secretKey", "INVALID_LENGTH");
    let foreign = json!({"secretKey": SALON, "storeId": "store-1"});
    registers(&app, 1, "TOSS", foreign).await.invalid("credentials.storeId", "UNKNOWN_FIELD");
    let kcp = json!({
        "siteCd": "A52Q7", "groupId": "A52Q71000489", "certificate": "-----BEGIN CERTIFICATE-----",
        "privateKey": "topsecret", "privateKeyPassword": "changeit",
    });
    let unreadable = registers(&app, 1, "KCP", kcp).await;
    unreadable.invalid("credentials", "INVALID_CREDENTIALS");
    assert!(!unreadable.body.to_string().contains("topsecret"), "{}", unreadable.body);
    assert_eq!(app.count("billing.merchant_account").await, 0);
}

#[tokio::test]
async fn a_business_has_one_contract_with_a_provider_at_a_time() {
    let (app, contract) = with_a_contract().await;
    registers(&app, 1, "TOSS", json!({"secretKey": SALON})).await.problem(409, "MERCHANT_ACCOUNT_EXISTS");
    registers(&app, 2, "TOSS", json!({"secretKey": SALON})).await.data();
    let bootpay = json!({"applicationId": "0123456789abcdef01234567", "privateKey": "key"});
    registers(&app, 1, "BOOTPAY", bootpay).await.data();
    retires(&app, &contract).await.data();
    at_toss(&app).await;
    let listed = app.platform_admin().get("/api/admin/merchant-accounts?limit=2").await;
    assert_eq!(listed.data().as_array().map(Vec::len), Some(2));
    let cursor = listed.body["page"]["nextCursor"].as_str().expect("more");
    let rest = app.platform_admin().get(&format!("/api/admin/merchant-accounts?cursor={cursor}")).await;
    assert_eq!(rest.data().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn a_contract_that_is_nobodys_is_not_found() {
    let app = TestApp::start().await;
    let nobodys = json!({"merchantAccountId": "ma_0199f6b2c0de7a52a0f1d2c3b4a59687"});
    changes_credentials(&app, &nobodys, json!({"secretKey": SALON})).await.problem(404, "NOT_FOUND");
    retires(&app, &nobodys).await.problem(404, "NOT_FOUND");
    let day = json!({"provider": "TOSS", "day": "2026-01-31", "merchantAccountId": id(&nobodys)});
    app.platform_admin().post("/api/admin/reconciliations", day).await.problem(404, "NOT_FOUND");
    assert_eq!(app.cases().await, Vec::<Value>::new());
}

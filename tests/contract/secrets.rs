//! Secrets are in neither the logs nor the database, whatever happens.

mod log;

use base64::{Engine, engine::general_purpose::STANDARD};
use sandbox::{Fault, FaultKind, Operation};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use testkit::{Actor, Answer, Card, TestApp};

use crate::tables;

/// Valid by its check digit, as real ones are; and how else people write it.
const CARD_NUMBERS: [&str; 4] =
    ["5555555555554444", "5555-5555-5555-4444", "5555 5555 5555 4444", "4012888888881881"];

const BUSINESS_NUMBER: &str = "987-65-43210";
const TELEPHONE: &str = "010-5829-1746";

/// Everything that must not be found, by what it is.
struct Secrets(Vec<(String, String)>);

impl Secrets {
    fn add(&mut self, what: &str, secret: impl Into<String>) {
        let secret = secret.into();
        assert!(secret.len() >= 12, "{what} is too short to be looked for: {secret}");
        self.0.push((what.to_owned(), secret));
    }

    /// Fails if one of them can be read in `text`; in hexadecimal it can be read as well.
    fn must_not_be_in(&self, place: &str, text: &str) {
        let lower = text.to_lowercase();
        for (what, secret) in &self.0 {
            let hex: Vec<_> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            for written in [secret.to_lowercase(), hex.concat()] {
                let Some(at) = lower.find(&written) else { continue };
                let around: String = lower[..at].chars().rev().take(200).collect();
                let around: String = around.chars().rev().collect();
                panic!("{what} is in {place}, behind:\n{around}");
            }
        }
    }
}

/// The registration that the owner of a business sends; what the SDK returned becomes a secret.
async fn registers(actor: &Actor, app: &TestApp, card: Card, secrets: &mut Secrets) -> Answer {
    let registration = app.registration("BASIC", card);
    secrets.add("an auth key", registration["cardNumber"].as_str().expect("a key"));
    actor
        .clone()
        .with_header("idempotency-key", "first")
        .post("/api/payments/billing-key", registration)
        .await
}

/// Cards come and go, money moves both ways, and the provider tells about all of it.
async fn a_full_story(app: &TestApp, owner: &Actor, secrets: &mut Secrets) {
    registers(owner, app, Card::Suspended, secrets).await.problem(402, "CARD_DECLINED");
    let owner = owner.clone();
    let registration = app.registration("BASIC", Card::Good);
    secrets.add("an auth key", registration["cardNumber"].as_str().expect("a key"));
    owner.post("/api/payments/billing-key", registration).await.data();
    // The declined first try was 101, so the first that was paid is 102.
    asks_for_a_tax_invoice(&owner, secrets).await;
    app.card_becomes(Card::InsufficientFunds);
    app.time_passes_until("2026-03-01T12:00").await;
    let replacement = app.auth_key(Card::Good);
    secrets.add("an auth key", &replacement);
    let replacement = json!({"authKey": replacement, "customerKey": "user_1"});
    owner.put("/api/subscriptions/payment-method", replacement).await.data();
    app.time_passes_until("2026-04-01T12:00").await;
    asks_for_a_cash_receipt(app, &owner, secrets).await;
    owner.post("/api/payments/102/refund", json!({"reason": "고객 요청"})).await.data();
    owner.post("/api/subscriptions/cancel", json!({})).await.data();
    app.time_passes_until("2026-05-02T12:00").await;
    app.deliver(&app.sandbox.webhooks()).await;
    app.sweep().await;
}

/// The shop says who it is, once wrongly.
async fn asks_for_a_tax_invoice(owner: &Actor, secrets: &mut Secrets) {
    let (company, name, address) = ("비밀스러운 미소헤어", "김비밀미소", "secret.tax@misohair.example");
    secrets.add("a company's name", company);
    secrets.add("somebody's name", name);
    secrets.add("a mail address", address);
    secrets.add("a business number", BUSINESS_NUMBER);
    let asks = |email: String| {
        let buyer = json!({
            "businessNumber": BUSINESS_NUMBER, "companyName": company, "ownerName": name, "email": email,
        });
        let owner = owner.clone().with_header("idempotency-key", format!("tax-invoice-{}", email.len()));
        async move { owner.post("/api/payments/102/tax-invoice", buyer).await }
    };
    asks(format!("{address}@")).await.problem(422, "VALIDATION_FAILED");
    let answer = asks(address.to_owned()).await;
    assert_eq!(answer.data()["status"], "ISSUED");
    let path = answer.data()["downloadUrl"].as_str().expect("a path").to_owned();
    assert!(owner.get(&path).await.body.to_string().contains(company), "the document says who it is for");
}

/// Once in vain, once while the provider is not listening, and then it is.
async fn asks_for_a_cash_receipt(app: &TestApp, owner: &Actor, secrets: &mut Secrets) {
    secrets.add("a telephone number", TELEPHONE);
    let last = app.payments().await.last().expect("a payment")["paymentId"].clone();
    let path = format!("/api/payments/{last}/cash-receipt");
    let wanted = json!({"type": "INCOME_DEDUCTION", "identityNumber": TELEPHONE});
    let keyed = |key: &str| owner.clone().with_header("idempotency-key", key);
    keyed("receipt-of-a-card").post(&path, wanted.clone()).await.problem(409, "CARD_SLIP_ALREADY_ISSUED");
    let mut for_a_business = wanted.clone();
    for_a_business["type"] = json!("EXPENSE_PROOF");
    keyed("receipt-of-a-business").post(&path, for_a_business).await.problem(422, "VALIDATION_FAILED");
    app.sql(&format!("update billing.payment set paid_with = 'TRANSFER' where payment_id = {last}")).await;
    app.sandbox.add_fault(Fault::new(FaultKind::DropResponse).on(Operation::IssueCashReceipt));
    let asked = keyed("receipt").post(&path, wanted).await;
    assert_eq!(asked.data()["status"], "REQUESTED");
    // It is needed until the provider has it, and sealed.
    assert!(!tables::everything(app).await.contains(&TELEPHONE.replace('-', "")));
}

/// A webhook that says which key was deleted comes for a card that is still in use.
async fn the_card_company_withdraws_the_card(app: &TestApp, secrets: &mut Secrets) {
    let key = "a9T5nCz0Rvd2W7uXbQ1mJk4LpEy8sHf6";
    secrets.add("a billing key", key);
    let body = json!({"eventType": "BILLING_DELETED", "createdAt": "2026-05-02T12:00:00.000000", "data": {"billingKey": key}});
    assert_eq!(app.webhook("whtrans_deleted", &body.to_string()).await.status, 200);
    let malformed = json!({"eventType": "BILLING_DELETED", "data": {"billingKey": [key]}});
    app.webhook("whtrans_malformed", &malformed.to_string()).await.problem(400, "MALFORMED_WEBHOOK");
    let truncated = format!(r#"{{"eventType": "BILLING_DELETED", "data": {{"billingKey": "{key}"#);
    app.webhook("whtrans_truncated", &truncated).await.problem(400, "MALFORMED_WEBHOOK");
}

/// Requests with a card number where none belongs: path, body, and what may be in it.
fn misplaced(number: &str) -> Vec<(&'static str, &'static str, Value)> {
    let (register, replace) = ("/api/payments/billing-key", "/api/subscriptions/payment-method");
    let digits: u64 =
        number.chars().filter(char::is_ascii_digit).collect::<String>().parse().expect("digits");
    let all = |member: &str, value: &Value| {
        let mut registration = json!({"plan": "BASIC", "customerKey": "user_1"});
        registration[member] = value.clone();
        registration
    };
    let mut requests = Vec::new();
    for member in ["cardNumber", "authKey", "pan", "plan", "provider", "billingCycle", "paymentMethod"] {
        for value in [json!(number), json!(digits), json!({"number": number}), json!([number])] {
            requests.push(("POST", register, all(member, &value)));
            requests.push(("PUT", replace, all(member, &value)));
        }
    }
    let sentence = format!("카드 {number} 환불 부탁드립니다");
    requests.push(("POST", "/api/payments/101/refund", json!({"reason": sentence})));
    requests.push((
        "PATCH",
        "/api/payments/101/partial-refund",
        json!({"amount": 1_000, "reason": sentence}),
    ));
    requests.push((
        "PATCH",
        "/api/payments/101/partial-refund",
        json!({"amount": number, "reason": "고객 요청"}),
    ));
    requests.push(("POST", "/api/subscriptions/cancel", json!({"reason": sentence})));
    requests.push(("POST", "/api/subscriptions/cancel", json!({"subscriptionId": number})));
    requests.push(("POST", "/api/payments/toss/order", json!({"plan": "BASIC", "currency": number})));
    requests.push(("POST", "/api/payments/billing/retry", json!({"paymentId": number})));
    requests
}

#[tokio::test]
async fn secrets_are_in_neither_the_logs_nor_the_database() {
    let log = log::begin();
    let mut secrets = Secrets(Vec::new());
    let app = TestApp::start_with(&["--toss-secret-key=test_sk_Secret0fTheMerchant"]).await;
    secrets.add("the provider's secret key", "Secret0fTheMerchant");
    let as_it_is_sent = STANDARD.encode("test_sk_Secret0fTheMerchant:");
    secrets.add("the provider's secret key, as it is sent", as_it_is_sent);
    secrets.add("the scheduler's secret", app.app.billing.settings.cron_secret.expose_secret());
    let principal = platform::Principal {
        subject: "user_1".to_owned(),
        memberships: vec![platform::Membership {
            business_id: kernel::BusinessId(1),
            role: platform::Role::Owner,
        }],
        is_platform_admin: false,
    };
    let token = app.app.identity.dev_token(&principal);
    secrets.add("the bearer token", &token);
    let owner = app.anonymous().with_header("authorization", format!("Bearer {token}"));
    assert_eq!(app.scheduler().post("/api/payments/billing/auto", json!({})).await.status, 200);

    a_full_story(&app, &owner, &mut secrets).await;
    the_card_company_withdraws_the_card(&app, &mut secrets).await;
    for webhook in app.sandbox.webhooks() {
        let body: Value = serde_json::from_str(&webhook.body).expect("a webhook is JSON");
        if let Some(key) = body["data"]["billingKey"].as_str() {
            secrets.add("a billing key", key);
        }
    }
    let billing_keys = secrets.0.iter().filter(|(what, _)| what == "a billing key").count();
    assert!(billing_keys >= 4, "three cards were registered, {billing_keys} keys are known");

    for (spelling, number) in CARD_NUMBERS.into_iter().enumerate() {
        secrets.add("a card number", number);
        for (request, (method, path, body)) in misplaced(number).into_iter().enumerate() {
            // With a key the answer is stored, so it must not repeat what was sent.
            let actor =
                owner.clone().with_header("idempotency-key", format!("misplaced-{spelling}-{request}"));
            let answer = actor
                .send(method.parse().expect("a method"), path, Some(body.to_string().into_bytes()))
                .await;
            assert!(answer.status.is_client_error(), "{method} {path} {body}: {}", answer.body);
            if body["reason"].as_str().is_some_and(|reason| reason.contains(number)) {
                answer.problem(400, "RAW_CARD_NUMBER_REFUSED");
            }
            secrets
                .must_not_be_in(&format!("the answer to {method} {path} {body}"), &answer.body.to_string());
        }
    }

    let lines = log.end();
    assert!(lines.contains("webhook stored") && lines.contains("toss accepted"), "the log was listened to");
    secrets.must_not_be_in("the log", &lines);
    let rows = tables::everything(&app).await;
    assert!(rows.contains("payment.succeeded") && rows.contains("billing.webhook"), "the database was read");
    secrets.must_not_be_in("the database", &rows);
    let digits = BUSINESS_NUMBER.replace('-', "");
    assert!(
        rows.contains("billing.tax_invoice\n(1,INV-") && !rows.contains(&digits),
        "a business number's digits"
    );
    assert!(!lines.contains(&digits), "a business number's digits");
    let digits = TELEPHONE.replace('-', "");
    assert!(
        rows.contains("billing.cash_receipt\n") && !rows.contains(&digits),
        "a telephone number's digits"
    );
    assert!(!lines.contains(&digits), "a telephone number's digits");
    // What identifies a card to its holder is there, and no more of it.
    assert!(rows.contains("****"), "masked numbers are kept");
    for card in [Card::Good, Card::Suspended] {
        let digits = card.number().replace('-', "");
        assert!(!rows.contains(&digits) && !lines.contains(&digits), "a test card's whole number");
    }
}

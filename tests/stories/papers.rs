//! The papers of a payment: receipts, tax invoices, cash receipts.

mod cash_receipts;
mod lost_receipts;
mod modified;
mod numbers;
mod policies;
mod receipts;
mod receipts_on_request;
mod tax_invoices;
mod tax_office;

use axum::http::Method;
use serde_json::{Value, json};
use testkit::{Answer, TestApp};

/// The request of the specification, word for word.
fn misohair() -> Value {
    json!({"businessNumber": "123-45-67890", "companyName": "미소헤어", "ownerName": "김미소", "email": "tax@misohair.com"})
}

/// The owner of business 1 asks for the tax invoice of a payment.
async fn asks(app: &TestApp, payment: i64) -> Answer {
    app.owner().post(&format!("/api/payments/{payment}/tax-invoice"), misohair()).await
}

/// And gets it; answers with its number.
async fn gets(app: &TestApp, payment: i64) -> String {
    let answer = asks(app, payment).await;
    assert_eq!(answer.data()["status"], "ISSUED", "{}", answer.body);
    answer.data()["invoiceId"].as_str().expect("a number").to_owned()
}

/// All tax invoices of a payment, in the order they were written down.
async fn invoices(app: &TestApp, payment: i64) -> Vec<Value> {
    let detail = app.owner().get(&format!("/api/payments/{payment}")).await;
    detail.data()["taxInvoices"].as_array().expect("a list").clone()
}

/// How each of them stands.
async fn statuses(app: &TestApp, payment: i64) -> Vec<String> {
    let invoices = invoices(app, payment).await;
    invoices.iter().map(|invoice| invoice["status"].as_str().expect("a status").to_owned()).collect()
}

async fn refunds(app: &TestApp, payment: i64, amount: i64) -> Answer {
    let part = json!({"amount": amount, "reason": "부분 환불 요청"});
    app.owner().patch(&format!("/api/payments/{payment}/partial-refund"), part).await
}

/// A paper as it is downloaded.
async fn downloads(app: &TestApp, number: &str, query: &str) -> Answer {
    let path = format!("/api/payments/tax-invoice/{number}/download{query}");
    app.owner().send(Method::GET, &path, None).await
}

/// What somebody does to the sandbox's Popbill.
async fn popbill(app: &TestApp, method: Method, path: &str, body: Value) {
    let url = format!("{}/_sandbox/popbill/{path}", app.sandbox.base_url());
    let answer = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client")
        .request(method, url)
        .json(&body)
        .send()
        .await
        .expect("the sandbox answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
}

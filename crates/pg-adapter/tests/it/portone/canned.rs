//! PortOne as a server that says exactly what a test tells it to.

use std::{sync::Arc, time::Duration};

use kernel::{Krw, SystemClock};
use pg_adapter::{
    Cancel, Charge, Confirm,
    portone::{PortOneConfig, PortOneGateway},
};
use serde_json::{Value, json};

use crate::canned::{Canned, SILENCE, ok, raw};

pub(crate) const ORDER: &str = "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e";
pub(crate) const KEY: &str = "billing-key-00000000-0000-4000-8000-000000000001";

pub(crate) async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Canned<PortOneGateway> {
    Canned::to(|base_url| PortOneGateway::new(config(base_url), Arc::new(SystemClock)).unwrap(), answers)
        .await
}

pub(crate) fn config(base_url: &str) -> PortOneConfig {
    let mut config = PortOneConfig::new(base_url, "secret-1".to_owned().into(), "store-1", "channel-key-1");
    config.connect_timeout = Duration::from_millis(500);
    config.read_timeout = Duration::from_millis(500);
    config
}

pub(crate) fn refusal(status: u16, kind: &str) -> Vec<u8> {
    let body = json!({"type": kind, "message": "메시지"}).to_string();
    raw(&format!("{status} Refused"), "content-type: application/json\r\n", body.as_bytes())
}

pub(crate) fn declined(code: &str) -> Vec<u8> {
    let body = json!({"type": "PG_PROVIDER", "message": "거절", "pgCode": code, "pgMessage": "거절"});
    raw("502 Bad Gateway", "content-type: application/json\r\n", body.to_string().as_bytes())
}

pub(crate) fn accepted() -> Vec<u8> {
    ok(&json!({"payment": {"pgTxId": "tviva1", "paidAt": "2026-11-20T01:00:06Z"}}))
}

pub(crate) fn payment(status: &str) -> Value {
    json!({
        "status": status, "id": ORDER, "transactionId": "t1", "merchantId": "m1", "storeId": "store-1",
        "version": "V2", "requestedAt": "2026-11-20T01:00:05Z", "paidAt": "2026-11-20T01:00:06.123456Z",
        "orderName": "Pro plan", "currency": "KRW", "aFieldOfNextYear": {"nested": [1, 2, 3]},
        "amount": {"total": 29_000, "taxFree": 0, "discount": 0, "paid": 29_000, "cancelled": 0,
            "cancelledTaxFree": 0},
        "channel": {"type": "LIVE", "key": "channel-key-1", "pgProvider": "NEW_PG_V9", "pgMerchantId": "m"},
        "method": {"type": "PaymentMethodCard", "card": {"issuer": "HYUNDAI_CARD", "number": "4330****123*"}},
        "receiptUrl": "https://receipt.example/1",
    })
}

pub(crate) fn with(pointer: &str, value: Value) -> Value {
    let mut payment = payment("PAID");
    *payment.pointer_mut(pointer).unwrap() = value;
    payment
}

pub(crate) fn without(field: &str) -> Value {
    let mut payment = payment("PAID");
    payment.as_object_mut().unwrap().remove(field).unwrap();
    payment
}

/// A failed payment of the PG `provider`.
pub(crate) fn failed(provider: &str, code: &str) -> Value {
    let mut failed = payment("FAILED");
    failed.as_object_mut().unwrap().remove("paidAt");
    failed["channel"]["pgProvider"] = json!(provider);
    failed["failure"] = json!({"pgCode": code, "pgMessage": "거절"});
    failed
}

pub(crate) fn holding(cancellations: Value, cancelled: i64) -> Value {
    let mut payment = payment("PARTIAL_CANCELLED");
    payment["amount"]["cancelled"] = json!(cancelled);
    payment["cancellations"] = cancellations;
    payment
}

pub(crate) fn cancellation(status: &str, amount: i64, reason: &str) -> Value {
    json!({"status": status, "id": "cancellation-1", "totalAmount": amount, "taxFreeAmount": 0, "vatAmount": 0,
        "reason": reason, "requestedAt": "2026-11-21T01:00:05Z"})
}

pub(crate) fn charge() -> Charge {
    Charge {
        billing_key: KEY.to_owned().into(),
        customer_key: "customer-1".to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: Krw::won(29_000),
    }
}

pub(crate) fn confirm(payment_key: &str) -> Confirm {
    Confirm { payment_key: payment_key.to_owned(), order_id: ORDER.to_owned(), amount: Krw::won(29_000) }
}

pub(crate) fn cancel() -> Cancel {
    Cancel {
        payment_key: ORDER.to_owned(),
        amount: Krw::won(9_000),
        reason: "고객 변심".to_owned(),
        reference: "refund-1".to_owned(),
        remaining_before: Krw::won(29_000),
    }
}

/// Everything that no gateway can understand, whatever it asked.
pub(crate) fn unclear() -> Vec<(&'static str, Vec<u8>)> {
    let whole = payment("PAID").to_string();
    let html = b"<html><body>502 Bad Gateway</body></html>";
    // 한도 in EUC-KR.
    let foreign = [b"{\"type\":\"PG_PROVIDER\",\"message\":\"".as_slice(), b"\xc7\xd1\xb5\xb5\"}"].concat();
    vec![
        ("no answer", Vec::new()),
        ("silence", SILENCE.to_vec()),
        ("half a head", b"HTTP/1.1 200 OK\r\ncontent-le".to_vec()),
        ("half a body", b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{\"payment\"".to_vec()),
        ("half a document", raw("200 OK", "", &whole.as_bytes()[..whole.len() / 2])),
        ("an html 200", raw("200 OK", "content-type: text/html\r\n", html)),
        ("a redirect", raw("302 Found", "location: /elsewhere\r\n", b"")),
        ("an error page", raw("502 Bad Gateway", "content-type: text/html\r\n", html)),
        ("too many requests", raw("429 Too Many Requests", "", b"slow down")),
        ("an error without a type", raw("400 Bad Request", "", b"{\"message\":\"no\"}")),
        ("an error in another charset", raw("502 Bad Gateway", "", &foreign)),
        ("half an error", raw("502 Bad Gateway", "", b"{\"type\":\"PG_PROVIDER\",\"pgCo")),
        ("an unknown type", refusal(409, "SOMETHING_NEW")),
        ("the name of a schema", refusal(404, "PaymentNotFoundError")),
        ("a wrong url", raw("404 Not Found", "", b"Not Found")),
        ("an internal error", refusal(500, "INTERNAL_SERVER_ERROR")),
        ("a no from a broken server", refusal(503, "BILLING_KEY_NOT_FOUND")),
        ("still running", refusal(409, "IDEMPOTENCY_OUTSTANDING_REQUEST")),
        ("a reserved id", refusal(409, "PAYMENT_SCHEDULE_ALREADY_EXISTS")),
        ("a word of the pg", declined("PROVIDER_ERROR")),
    ]
}

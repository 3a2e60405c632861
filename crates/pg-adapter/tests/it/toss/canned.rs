//! Toss as a server that says exactly what a test tells it to.

use std::time::Duration;

use pg_adapter::{
    Cancel, Charge, Confirm,
    toss::{TossConfig, TossGateway},
};

use crate::canned::{Canned, raw};

pub(crate) const ORDER: &str = "order-202611-000123";
pub(crate) const PAYMENT: &str = "tshop20261120100005aB3dE";
pub(crate) const BILLING_KEY: &str = "Zx1-abc_def=";

pub(crate) async fn answering(answers: impl IntoIterator<Item = Vec<u8>>) -> Canned<TossGateway> {
    Canned::to(gateway, answers).await
}

pub(crate) fn gateway(base_url: &str) -> TossGateway {
    let mut config = TossConfig::new(base_url, "test_sk_1".to_owned().into());
    config.connect_timeout = Duration::from_millis(500);
    config.read_timeout = Duration::from_millis(500);
    TossGateway::new(config).unwrap()
}

pub(crate) fn refusal(status: u16, code: &str) -> Vec<u8> {
    let body = serde_json::json!({"code": code, "message": "메시지"}).to_string();
    let headers = "content-type: application/json\r\nx-tosspayments-trace-id: 0123456789abcdef\r\n";
    raw(&format!("{status} Refused"), headers, body.as_bytes())
}

pub(crate) fn payment(status: &str) -> serde_json::Value {
    serde_json::json!({
        "mId": "tshop0001", "lastTransactionKey": "txrd_a01k", "paymentKey": PAYMENT, "orderId": ORDER,
        "orderName": "Pro plan", "status": status, "requestedAt": "2026-11-20T10:00:05+09:00",
        "approvedAt": "2026-11-20T10:00:06+09:00", "useEscrow": false, "cultureExpense": false,
        "card": {"issuerCode": "61", "acquirerCode": "31", "number": "43301234****123*", "cardType": "신용",
            "ownerType": "개인", "acquireStatus": "READY", "amount": 29_000},
        "virtualAccount": null, "transfer": null, "easyPay": null, "cancels": null, "secret": "ps_1",
        "type": "BILLING", "country": "KR", "failure": null, "isPartialCancelable": true,
        "receipt": {"url": "https://dashboard.tosspayments.com/receipt/redirection?transactionId=1"},
        "currency": "KRW", "totalAmount": 29_000, "balanceAmount": 29_000, "method": "카드",
        "metadata": null, "version": "2022-11-16", "aFieldOfNextYear": {"nested": [1, 2, 3]},
    })
}

pub(crate) fn charge() -> Charge {
    Charge {
        billing_key: BILLING_KEY.to_owned().into(),
        customer_key: "customer-1".to_owned(),
        order_id: ORDER.to_owned(),
        order_name: "단골 프로 요금제".to_owned(),
        amount: kernel::Krw::won(29_000),
    }
}

pub(crate) fn confirm() -> Confirm {
    Confirm { payment_key: PAYMENT.to_owned(), order_id: ORDER.to_owned(), amount: kernel::Krw::won(29_000) }
}

pub(crate) fn cancel() -> Cancel {
    Cancel {
        payment_key: PAYMENT.to_owned(),
        amount: kernel::Krw::won(9_000),
        reason: "고객 변심".to_owned(),
        reference: "refund-1".to_owned(),
        remaining_before: kernel::Krw::won(29_000),
    }
}

/// A payment of which 9,000 won were given back for this reason.
pub(crate) fn canceled(reason: &str) -> serde_json::Value {
    let mut payment = payment("PARTIAL_CANCELED");
    payment["balanceAmount"] = serde_json::json!(20_000);
    payment["cancels"] = serde_json::json!([{
        "cancelAmount": 9_000, "cancelReason": reason, "taxFreeAmount": 0, "refundableAmount": 20_000,
        "canceledAt": "2026-11-21T10:00:05+09:00", "transactionKey": "txrd_a01k", "receiptKey": null,
        "cancelStatus": "DONE", "cancelRequestId": null,
    }]);
    payment
}

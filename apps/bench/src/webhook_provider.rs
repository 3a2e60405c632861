//! A provider that is only asked what became of an order: Toss's look-up, made up for each order, so
//! that the figures are not the sandbox's.

use axum::{Json, Router, extract::Path, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    part::{answer, orphaned},
    seed::PRICE,
};

/// Answers with its base URL, and serves until nobody wants it any more.
pub(crate) async fn run() -> anyhow::Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    answer(&format!("http://{}", listener.local_addr()?))?;
    let router = Router::new().route("/v1/payments/orders/{order}", get(look_up));
    axum::serve(listener, router).with_graceful_shutdown(orphaned()).await?;
    Ok(())
}

async fn look_up(Path(order): Path<String>) -> Json<Value> {
    Json(payment(&order))
}

pub(crate) fn order_id(business: i64) -> String {
    format!("dgbench{business:08}")
}

/// One payment in fifty was refused.
pub(crate) const ONE_REFUSED_OF: i64 = 50;

fn is_refused(order: &str) -> bool {
    let business = order.trim_start_matches("dgbench").parse::<i64>();
    business.is_ok_and(|business| business % ONE_REFUSED_OF == 0)
}

/// The payment as Toss shows it, to whoever asks and in the webhook.
pub(crate) fn payment(order: &str) -> Value {
    let is_refused = is_refused(order);
    let failure = json!({"code": "NOT_ENOUGH_BALANCE", "message": "잔액이 부족합니다."});
    json!({
        "mId": "bench", "lastTransactionKey": null, "paymentKey": format!("pay_{order}"), "orderId": order,
        "orderName": "단골 베이직 (월간)", "taxExemptionAmount": 0, "requestedAt": "2026-11-20T10:00:00+09:00",
        "status": if is_refused { "ABORTED" } else { "DONE" },
        "approvedAt": if is_refused { Value::Null } else { json!("2026-11-20T10:00:01+09:00") },
        "failure": if is_refused { failure } else { Value::Null },
        "useEscrow": false, "cultureExpense": false, "virtualAccount": null, "transfer": null, "mobilePhone": null,
        "giftCertificate": null, "cashReceipt": null, "cashReceipts": null, "discount": null, "cancels": null,
        "secret": null, "type": "BILLING", "easyPay": null, "country": "KR", "isPartialCancelable": true,
        "card": {
            "issuerCode": "51", "acquirerCode": "51", "number": "43000000****0001", "installmentPlanMonths": 0,
            "approveNo": "00000000", "cardType": "신용", "ownerType": "개인", "amount": PRICE,
        },
        "receipt": {"url": format!("https://dashboard.example/receipt?transactionId={order}")},
        "checkout": null, "currency": "KRW", "totalAmount": PRICE, "balanceAmount": PRICE, "suppliedAmount": 26_364,
        "vat": 2_636, "taxFreeAmount": 0, "method": "카드", "version": "2022-11-16",
    })
}

//! The Payment object on the wire.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::{
    MERCHANT_ID, STORE_ID,
    payment::{Cancel, CancelState, Payment, PaymentState},
    switches::PortOneSwitches,
};

/// `2023-08-24T14:15:22Z`
pub(crate) fn time(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn payment(payment: &Payment, switches: PortOneSwitches) -> Value {
    let mut body = json!({
        "status": payment.status(),
        "id": payment.id,
        "transactionId": payment.transaction_id,
        "merchantId": MERCHANT_ID,
        "storeId": STORE_ID,
        "version": "V2",
        "requestedAt": time(payment.requested_at),
        "updatedAt": time(payment.status_changed_at),
        "statusChangedAt": time(payment.status_changed_at),
        "orderName": payment.order_name,
        "amount": amount(payment, switches),
        "currency": "KRW",
        "customer": payment.customer,
        "channel": payment.channel.body(),
        "origin": origin(payment, switches),
        "method": method(payment, switches),
    });
    if let Some(custom_data) = &payment.custom_data {
        body["customData"] = json!(custom_data);
    }
    if let Some(billing_key) = &payment.billing_key {
        body["billingKey"] = json!(billing_key);
    }
    match &payment.state {
        PaymentState::Waiting { .. } => {}
        PaymentState::Paid { at, pg_tx_id } => {
            body["paidAt"] = json!(time(*at));
            body["pgTxId"] = json!(pg_tx_id);
            body["receiptUrl"] = json!(format!("https://receipt.invalid/{}", payment.transaction_id));
            body["disputes"] = json!([]);
        }
        PaymentState::Failed { at, code, message } => {
            body["failedAt"] = json!(time(*at));
            body["failure"] = json!({"reason": message, "pgCode": code, "pgMessage": message});
        }
    }
    if !payment.cancels.is_empty() {
        body["cancellations"] = payment.cancels.iter().map(cancellation).collect();
    }
    let last_done = payment.cancels.iter().rev().find_map(|cancel| match &cancel.state {
        CancelState::Succeeded { at, .. } => Some(*at),
        CancelState::Requested | CancelState::Failed => None,
    });
    if let Some(at) = last_done {
        body["cancelledAt"] = json!(time(at));
    }
    surprise(&mut body, switches);
    if switches.sparse {
        thin_out(&mut body, &payment.state);
    }
    body
}

/// New output fields appear without notice.
pub(crate) fn surprise(body: &mut Value, switches: PortOneSwitches) {
    if switches.unknown_fields {
        body["sandboxUnknownField"] = json!("새 필드");
        body["sandboxUnknownObject"] = json!({"values": [1, null, "셋"]});
    }
}

/// What the schema allows to be absent, or demands only since lately.
fn thin_out(body: &mut Value, state: &PaymentState) {
    let Value::Object(fields) = body else { return };
    for field in ["origin", "method", "receiptUrl", "pgTxId", "customData"] {
        fields.remove(field);
    }
    if !matches!(state, PaymentState::Paid { .. }) {
        fields.remove("channel");
    } else if fields.contains_key("cancelledAt") {
        // Optional as soon as something was cancelled.
        fields.remove("paidAt");
    }
}

pub(crate) fn amount(payment: &Payment, switches: PortOneSwitches) -> Value {
    let cancelled = payment.cancelled();
    let paid =
        if switches.paid_shrinks { payment.total.get() - cancelled.get() } else { payment.total.get() };
    json!({
        "total": payment.total,
        "taxFree": payment.tax_free,
        "vat": payment.vat,
        "supply": payment.total.get() - payment.tax_free.get() - payment.vat.get(),
        "discount": 0,
        "paid": if payment.is_paid() { paid } else { 0 },
        "cancelled": cancelled,
        "cancelledTaxFree": payment.cancelled_tax_free(),
    })
}

pub(crate) fn cancellation(cancel: &Cancel) -> Value {
    let mut body = json!({
        "status": match cancel.state {
            CancelState::Requested => "REQUESTED",
            CancelState::Succeeded { .. } => "SUCCEEDED",
            CancelState::Failed => "FAILED",
        },
        "id": cancel.id,
        "totalAmount": cancel.amount,
        "taxFreeAmount": cancel.tax_free,
        "vatAmount": cancel.vat,
        "reason": cancel.reason,
        "requestedAt": time(cancel.requested_at),
        "trigger": "API",
    });
    if let CancelState::Succeeded { at, pg_cancellation_id } = &cancel.state {
        body["cancelledAt"] = json!(time(*at));
        body["pgCancellationId"] = json!(pg_cancellation_id);
    }
    body
}

fn origin(payment: &Payment, switches: PortOneSwitches) -> Value {
    let platform = match (&payment.billing_key, switches.unknown_enum_values) {
        (_, true) => "SANDBOX_NEW_PLATFORM",
        (Some(_), false) => "API",
        (None, false) => "PC",
    };
    json!({"platformType": platform, "ipAddress": "127.0.0.1"})
}

fn method(payment: &Payment, switches: PortOneSwitches) -> Value {
    let brand = if switches.unknown_enum_values { "SANDBOX_NEW_BRAND" } else { "LOCAL" };
    json!({
        "type": "PaymentMethodCard",
        "card": payment.card.body(brand),
        "approvalNumber": "00000000",
        "installment": {"month": 0, "isInterestFree": false},
        "pointUsed": false,
    })
}

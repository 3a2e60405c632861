//! The Payment object on the wire, in the field order of real samples.

use axum::body::Bytes;
use kernel::Krw;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    MERCHANT_ID,
    card::Card,
    payment::{Cancel, Payment, PaymentState, PaymentStatus, PaymentType},
    switches::Surprises,
    time,
    transfer::CashReceiptType,
};

/// A field that card payments never fill.
type Nothing = Option<()>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PaymentBody<'a> {
    m_id: &'a str,
    last_transaction_key: Option<&'a str>,
    payment_key: &'a str,
    order_id: &'a str,
    order_name: &'a str,
    tax_exemption_amount: Krw,
    status: PaymentStatus,
    requested_at: String,
    approved_at: Option<String>,
    use_escrow: bool,
    culture_expense: bool,
    card: Option<CardBody<'a>>,
    virtual_account: Nothing,
    transfer: Option<TransferBody<'a>>,
    mobile_phone: Nothing,
    gift_certificate: Nothing,
    cash_receipt: Option<CashReceiptBody<'a>>,
    cash_receipts: Nothing,
    discount: Nothing,
    cancels: Option<Vec<CancelBody<'a>>>,
    secret: &'a str,
    r#type: PaymentType,
    easy_pay: Nothing,
    country: &'static str,
    failure: Option<Failure<'a>>,
    is_partial_cancelable: bool,
    receipt: Option<Link>,
    checkout: Link,
    currency: &'static str,
    total_amount: Krw,
    balance_amount: Krw,
    supplied_amount: Krw,
    vat: Krw,
    tax_free_amount: Krw,
    metadata: Nothing,
    method: Option<&'static str>,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_unknown_field: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_unknown_object: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CardBody<'a> {
    issuer_code: &'a str,
    acquirer_code: &'a str,
    number: &'a str,
    installment_plan_months: u8,
    is_interest_free: bool,
    interest_payer: Nothing,
    approve_no: &'static str,
    use_card_point: bool,
    card_type: &'static str,
    owner_type: &'static str,
    acquire_status: &'static str,
    amount: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CancelBody<'a> {
    transaction_key: &'a str,
    cancel_reason: &'a str,
    tax_exemption_amount: i64,
    canceled_at: String,
    card_discount_amount: i64,
    transfer_discount_amount: i64,
    easy_pay_discount_amount: i64,
    receipt_key: Option<String>,
    cancel_status: &'static str,
    cancel_request_id: Nothing,
    cancel_amount: Krw,
    tax_free_amount: Krw,
    /// The balance left after this cancel.
    refundable_amount: Krw,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TransferBody<'a> {
    bank_code: &'a str,
    settlement_status: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CashReceiptBody<'a> {
    r#type: CashReceiptType,
    receipt_key: &'a str,
    issue_number: &'a str,
    receipt_url: String,
    /// Whether it follows the balance is not written anywhere.
    amount: Krw,
    tax_free_amount: i64,
}

#[derive(Serialize)]
struct Failure<'a> {
    code: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct Link {
    url: String,
}

/// The payment as it was after the first `cancels` of its cancels.
pub(crate) fn payment(payment: &Payment, cancels: usize, surprises: Surprises) -> Bytes {
    let mut bytes = Vec::with_capacity(2048);
    serde_json::to_writer(&mut bytes, &payment_body(payment, cancels, surprises))
        .expect("a payment is plain JSON");
    Bytes::from(bytes)
}

/// The payment as it is now, as a webhook carries it.
pub(crate) fn payment_value(payment: &Payment, surprises: Surprises) -> Value {
    serde_json::to_value(payment_body(payment, payment.cancels.len(), surprises))
        .expect("a payment is plain JSON")
}

fn payment_body(payment: &Payment, cancels: usize, surprises: Surprises) -> PaymentBody<'_> {
    let balance = payment.balance_after(cancels);
    let tax_free = payment.tax_free_after(cancels);
    let vat = vat(balance.get() - tax_free.get());
    let expired = matches!(payment.state, PaymentState::Expired);
    PaymentBody {
        m_id: payment.merchant.as_deref().unwrap_or(MERCHANT_ID),
        last_transaction_key: payment.last_transaction_after(cancels),
        payment_key: &payment.key,
        order_id: &payment.order_id,
        order_name: &payment.order_name,
        tax_exemption_amount: payment.tax_exemption_after(cancels),
        status: payment.status_after(cancels),
        requested_at: time::with_offset(payment.requested_at),
        approved_at: match &payment.state {
            PaymentState::Approved { at, .. } => Some(time::with_offset(*at)),
            _ => None,
        },
        use_escrow: false,
        culture_expense: false,
        card: payment.card.as_ref().map(|card| card_body(payment, card, surprises)),
        virtual_account: None,
        transfer: payment.transfer.as_ref().map(|transfer| TransferBody {
            bank_code: &transfer.bank_code,
            settlement_status: "INCOMPLETED",
        }),
        mobile_phone: None,
        gift_certificate: None,
        cash_receipt: cash_receipt(payment),
        cash_receipts: None,
        discount: None,
        cancels: (cancels > 0).then(|| cancel_bodies(payment, cancels)),
        // Measured: not null for billing payments by card either, whatever the documents tie it to.
        secret: &payment.secret,
        r#type: payment.kind,
        easy_pay: None,
        country: "KR",
        failure: failure(payment),
        is_partial_cancelable: true,
        receipt: payment.is_approved().then(|| Link {
            url: format!(
                "https://dashboard-sandbox.tosspayments.com/receipt/redirection?transactionId={}&ref=PX",
                payment.key
            ),
        }),
        checkout: Link { url: format!("https://api.tosspayments.com/v1/payments/{}/checkout", payment.key) },
        currency: "KRW",
        total_amount: payment.total,
        balance_amount: balance,
        supplied_amount: Krw::won(balance.get() - vat - tax_free.get()),
        vat: Krw::won(vat),
        tax_free_amount: tax_free,
        metadata: None,
        // An expired payment was seen with no method.
        method: (!expired).then_some(if payment.transfer.is_some() { "계좌이체" } else { "카드" }),
        version: "2022-11-16",
        sandbox_unknown_field: surprises.fields.then_some("새 필드"),
        sandbox_unknown_object: surprises.fields.then(|| json!({"values": [1, null, "셋"]})),
    }
}

/// An eleventh, rounded half up. Written out here and not shared with the product: a judge that uses
/// the defendant's arithmetic would agree with its mistakes.
fn vat(taxable: i64) -> i64 {
    (taxable * 2 + 11) / 22
}

/// From the approval on.
fn cash_receipt(payment: &Payment) -> Option<CashReceiptBody<'_>> {
    let receipt = payment.transfer.as_ref()?.cash_receipt.as_ref().filter(|_| payment.is_approved())?;
    Some(CashReceiptBody {
        r#type: receipt.kind,
        receipt_key: &receipt.key,
        issue_number: &receipt.issue_number,
        receipt_url: format!(
            "https://dashboard-sandbox.tosspayments.com/receipt/mids/si_{MERCHANT_ID}/cash-receipt/{}",
            receipt.key
        ),
        amount: payment.total,
        tax_free_amount: 0,
    })
}

fn card_body<'a>(payment: &'a Payment, card: &'a Card, surprises: Surprises) -> CardBody<'a> {
    CardBody {
        issuer_code: &card.issuer,
        acquirer_code: &card.issuer,
        number: &card.masked,
        installment_plan_months: payment.installment_months,
        is_interest_free: false,
        interest_payer: None,
        approve_no: "00000000",
        use_card_point: false,
        card_type: "신용",
        owner_type: "개인",
        acquire_status: if surprises.values { "SANDBOX_NEW_STATUS" } else { "READY" },
        amount: payment.total,
    }
}

fn cancel_bodies<'a>(payment: &'a Payment, cancels: usize) -> Vec<CancelBody<'a>> {
    let cash_receipt = payment.transfer.as_ref().and_then(|transfer| transfer.cash_receipt.as_ref());
    let one = |(index, cancel): (usize, &'a Cancel)| CancelBody {
        transaction_key: &cancel.transaction_key,
        cancel_reason: &cancel.reason,
        tax_exemption_amount: 0,
        canceled_at: time::with_offset(cancel.at),
        card_discount_amount: 0,
        transfer_discount_amount: 0,
        easy_pay_discount_amount: 0,
        receipt_key: cash_receipt.map(|receipt| format!("c_{}", receipt.key)),
        cancel_status: "DONE",
        cancel_request_id: None,
        cancel_amount: cancel.amount,
        tax_free_amount: cancel.tax_free,
        refundable_amount: payment.balance_after(index + 1),
    };
    payment.cancels[..cancels].iter().enumerate().map(one).collect()
}

fn failure(payment: &Payment) -> Option<Failure<'_>> {
    match &payment.state {
        PaymentState::Aborted { code, message } => Some(Failure { code, message }),
        PaymentState::Expired => Some(Failure {
            code: "EXPIRED_PAYMENT",
            message: "결제 유효 시간이 만료되었습니다.",
        }),
        PaymentState::InProgress { .. } | PaymentState::Approved { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::vat;

    #[test]
    fn vat_is_that_of_the_samples() {
        for (amount, expected) in [(163_020, 14_820), (30_000, 2_727), (9_026, 821), (1_000, 91), (0, 0)] {
            assert_eq!(vat(amount), expected, "{amount}");
        }
    }
}

//! Cash receipts (현금영수증) on request.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::{KoreanTime, Krw};
use platform::{
    BodyProblems, CommonProblems, Data, Json, Path, Problem, Tenant, TenantBilling, TenantTx,
    idempotency::IdempotencyKey,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{BusinessHeader, CardProblems, MoneyHeaders, free_text::without_card_number};
use crate::{
    Billing, BillingError,
    cash_receipt::{CashReceipt, CashReceiptId, CashReceiptStatus, IdentityNumber},
    payment::{CashReceiptKind, PaymentId},
    store,
    tax_invoice::NumberCheck,
};

/// Whose the receipt is, and for what.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"type": "INCOME_DEDUCTION", "identityNumber": "010-1234-5678"}))]
pub(crate) struct RequestCashReceipt {
    #[serde(rename = "type")]
    kind: CashReceiptKind,
    /// `INCOME_DEDUCTION`: a mobile telephone number or a cash-receipt card (13 to 19 digits).
    /// `EXPENSE_PROOF`: a business registration number or a cash-receipt card. With hyphens or without.
    /// A resident registration number (주민등록번호) is refused: it is not kept here.
    #[schema(value_type = String, min_length = 10, max_length = 30)]
    identity_number: SecretString,
}

/// A cash receipt that was asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RequestedCashReceiptView {
    /// Its number with the provider, too.
    pub cash_receipt_id: CashReceiptId,
    #[schema(example = 101)]
    pub payment_id: PaymentId,
    #[serde(rename = "type")]
    pub kind: CashReceiptKind,
    /// What it is about, VAT included.
    #[schema(example = 29000)]
    pub amount: Krw,
    /// How much of that was taken back.
    #[schema(example = 0)]
    pub canceled_amount: Krw,
    #[schema(example = "PROCESSING")]
    pub status: CashReceiptStatus,
    /// The tax service's number of it; null until the provider knows it.
    #[schema(example = "000000001")]
    pub issue_number: Option<String>,
    /// The provider's page of it.
    #[schema(example = "https://dashboard.tosspayments.com/receipt/mids/si_shop/cash-receipt/key")]
    pub url: Option<String>,
    /// Why there is none.
    pub refusal_message: Option<String>,
    pub requested_at: KoreanTime,
    pub issued_at: Option<KoreanTime>,
    /// When some of it was taken back last.
    pub canceled_at: Option<KoreanTime>,
}

impl From<CashReceipt> for RequestedCashReceiptView {
    fn from(receipt: CashReceipt) -> Self {
        Self {
            cash_receipt_id: receipt.id,
            payment_id: receipt.payment,
            kind: receipt.kind,
            amount: receipt.amount,
            canceled_amount: receipt.canceled,
            status: receipt.status,
            issue_number: receipt.issue_number,
            url: receipt.receipt_url,
            refusal_message: receipt.refusal.map(|refusal| refusal.message),
            requested_at: KoreanTime(receipt.created_at),
            issued_at: receipt.issued_at.map(KoreanTime),
            canceled_at: receipt.canceled_at.map(KoreanTime),
        }
    }
}

/// Issue a cash receipt for a payment
///
/// Through the provider, for what is left of a payment from an account, a virtual account or a wallet's money. Its
/// `status` is `PROCESSING` until the tax service has answered, after a day or two; then `ISSUED` or `REFUSED`. A
/// later refund takes it back by itself, wholly or in part.
///
/// A payment has one cash receipt, or a tax invoice. After one that was `REFUSED` or `CANCELED` another may be asked
/// for. `010-000-1234` issues one that names nobody. In the sandbox, an order confirmed with the `paymentKey`
/// `test_pay_account` is paid from an account.
#[utoipa::path(
    post, path = "/api/payments/{paymentId}/cash-receipt", operation_id = "requestCashReceipt", tag = "papers",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), MoneyHeaders),
    request_body = RequestCashReceipt,
    responses(
        (status = 200, description = "Issued", body = Data<RequestedCashReceiptView>),
        (status = 202, description = "Not known yet (`REQUESTED`), or with the tax service (`PROCESSING`)", body = Data<RequestedCashReceiptView>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_PAID`, `FULLY_REFUNDED`, `CARD_SLIP_ALREADY_ISSUED`: paid by card, \
            `CASH_RECEIPT_NOT_CALLED_FOR`: paid by telephone bill or gift certificate, or nobody knows how, \
            `CASH_RECEIPT_ALREADY_ISSUED`, `TAX_INVOICE_EXISTS` with `invoiceId`, `CASH_RECEIPTS_NOT_OFFERED`: not by this provider, \
            `NO_CASH_RECEIPT_FOR_THE_REST`: this provider issues none after a partial refund, `CASH_RECEIPT_REFUSED` with `providerCode`, \
            `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `INVALID_IDENTITY_NUMBER`, `RESIDENT_NUMBER_REFUSED`, \
            `PROVIDER_NOT_CONFIGURED`; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn request_cash_receipt(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    key: Option<Extension<IdempotencyKey>>,
    Path(id): Path<PaymentId>,
    Json(body): Json<RequestCashReceipt>,
) -> Result<Response, Problem> {
    without_card_number(body.identity_number.expose_secret())?;
    let check = billing.tax_invoicing.as_ref().map_or(NumberCheck::Format, |it| it.number_check);
    let identity = IdentityNumber::read(&body.identity_number, body.kind, check)?;
    without_card_number(identity.0.expose_secret())?;
    let key = key.as_ref().map(|Extension(key)| key.0.as_str());
    let receipt = billing.request_cash_receipt(tenant.business, id, body.kind, identity, key).await?;
    let code = match receipt.status {
        CashReceiptStatus::Requested | CashReceiptStatus::Processing => StatusCode::ACCEPTED,
        CashReceiptStatus::Issued | CashReceiptStatus::Canceled => StatusCode::OK,
        CashReceiptStatus::Refused => {
            let refusal = receipt.refusal.ok_or(BillingError::NotFound)?;
            return Err(BillingError::CashReceiptRefused(refusal).into());
        }
    };
    Ok((code, Data::json(RequestedCashReceiptView::from(receipt))).into_response())
}

/// Get the cash receipt of a payment
///
/// The one that was asked for last. One that the payer chose in the provider's window is on the payment itself.
#[utoipa::path(
    get, path = "/api/payments/{paymentId}/cash-receipt", operation_id = "getCashReceipt", tag = "papers",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), BusinessHeader),
    responses(
        (status = 200, description = "How it stands", body = Data<RequestedCashReceiptView>),
        (status = 404, description = "`NOT_FOUND`: none was asked for, or the payment is not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_cash_receipt(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(id): Path<PaymentId>,
) -> Result<Json<Data<RequestedCashReceiptView>>, Problem> {
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let all = store::cash_receipt::of_payment(&mut tx, tenant.business, id).await?;
    tx.commit().await?;
    let last = all.into_iter().next_back().ok_or(BillingError::NotFound)?;
    Ok(Data::json(last.into()))
}

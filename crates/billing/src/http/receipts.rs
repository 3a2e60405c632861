//! Receipts.

use axum::{
    extract::State,
    http::{HeaderName, header},
    response::{Html, IntoResponse},
};
use kernel::{KoreanTime, Krw};
use platform::{CommonProblems, Data, Json, Path, Problem, Tenant, TenantBilling};
use serde::Serialize;
use utoipa::ToSchema;

use super::{BusinessHeader, view::CashReceiptView};
use crate::{Billing, payment::PaymentId, receipt};

/// The receipt of a payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReceiptView {
    /// The provider's page, which shows refunds as well; a path of this API where the provider has none.
    #[schema(example = "https://dashboard.tosspayments.com/receipt/redirection?transactionId=tviva20260214")]
    receipt_url: String,
    #[schema(example = 101)]
    payment_id: PaymentId,
    #[schema(example = 29000)]
    amount: Krw,
    paid_at: KoreanTime,
    /// The issuer and the last digits of the card, as far as the provider leaves them readable.
    #[schema(example = "삼성카드 1234")]
    card_info: Option<String>,
    /// The cash receipt (현금영수증), where one was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    cash_receipt: Option<CashReceiptView>,
    /// What went back, oldest first; absent where nothing did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refunds: Vec<RefundOnReceipt>,
    /// What was paid and has not gone back; absent where nothing went back.
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_amount: Option<Krw>,
}

/// A refund, as a receipt shows it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RefundOnReceipt {
    #[schema(example = 15000)]
    amount: Krw,
    #[schema(example = "고객 요청")]
    reason: String,
    refunded_at: Option<KoreanTime>,
}

/// Get the receipt of a payment
///
/// The provider's receipt page; for whoever may see the payment, since it may show personal data.
#[utoipa::path(
    get, path = "/api/payments/{paymentId}/receipt", operation_id = "getReceipt", tag = "papers",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), BusinessHeader),
    responses(
        (status = 200, description = "The receipt", body = Data<ReceiptView>),
        (status = 404, description = "`NOT_FOUND`: no such payment, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_PAID`", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_receipt(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(id): Path<PaymentId>,
) -> Result<Json<Data<ReceiptView>>, Problem> {
    let receipt = billing.receipt(tenant.business, id).await?;
    let refunds: Vec<_> = receipt
        .refunds()
        .map(|refund| RefundOnReceipt {
            amount: refund.amount,
            reason: refund.reason.clone(),
            refunded_at: refund.settled_at,
        })
        .collect();
    Ok(Data::json(ReceiptView {
        receipt_url: receipt.url(),
        payment_id: id,
        amount: receipt.payment().amount,
        paid_at: KoreanTime(receipt.supply.paid_at),
        card_info: receipt.card_info(),
        remaining_amount: (!refunds.is_empty()).then(|| receipt.left()),
        refunds,
        cash_receipt: receipt.detail.payment.cash_receipt,
    }))
}

/// Get a receipt of our own, to print
///
/// A page in Korean, with refunds, for every payment. Fetch it with the token and show it as a document
/// of its own (a blob URL): a link in a browser carries no token.
#[utoipa::path(
    get, path = "/api/payments/{paymentId}/receipt/page", operation_id = "getReceiptPage", tag = "papers",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), BusinessHeader),
    responses(
        (status = 200, description = "The page", content_type = "text/html", body = String),
        (status = 404, description = "`NOT_FOUND`: no such payment, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_PAID`", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_receipt_page(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(id): Path<PaymentId>,
) -> Result<impl IntoResponse, Problem> {
    let receipt = billing.receipt(tenant.business, id).await?;
    Ok((PAPER_HEADERS, Html(receipt::html(&receipt, billing.settings.seller.as_ref()))))
}

/// A paper is somebody's own: it is kept nowhere on its way, and runs and loads nothing.
pub(super) const PAPER_HEADERS: [(HeaderName, &str); 3] = [
    (header::CACHE_CONTROL, "private, no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
];

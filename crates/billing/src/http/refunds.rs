//! Refunds: giving back all or part of a payment.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::Krw;
use platform::{
    BodyProblems, CommonProblems, Data, Json, Path, Problem, TenantBilling, TenantOrAdmin, TenantTx,
    idempotency::IdempotencyKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CardProblems, MoneyHeaders, free_text::without_card_number};
use crate::{
    Billing, BillingError,
    manage::RetryTarget,
    payment::{PaymentId, PaymentStatus},
    refund::{RefundAmount, RefundId, RefundStatus},
    store,
};

/// Why all of it is given back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"reason": "고객 요청"}))]
pub(crate) struct RefundPayment {
    /// 1 to 150 characters; the payer may see it.
    #[schema(min_length = 1, max_length = 150)]
    reason: String,
}

/// How much is given back, and why.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"amount": 15000, "reason": "부분 환불 요청"}))]
pub(crate) struct PartiallyRefundPayment {
    /// Won, VAT included; at most what is left of the payment.
    #[schema(minimum = 1)]
    amount: Krw,
    /// 1 to 150 characters; the payer may see it.
    #[schema(min_length = 1, max_length = 150)]
    reason: String,
}

/// A payment after a refund.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRefunded {
    #[schema(example = 101)]
    payment_id: PaymentId,
    refund_id: RefundId,
    #[schema(example = 29000)]
    original_amount: Krw,
    /// All refunds of the payment together.
    #[schema(example = 15000)]
    refunded_amount: Krw,
    #[schema(example = 14000)]
    remaining_amount: Krw,
    #[schema(example = "PARTIAL_REFUNDED")]
    status: PaymentStatus,
    refund_status: RefundStatus,
}

/// Refund a payment in full
///
/// Gives back all that is left of it. For the business itself, or a platform operator. A full refund of the current period ends the subscription's
/// paid access at once; of an earlier period it changes nothing else.
#[utoipa::path(
    post, path = "/api/payments/{paymentId}/refund", operation_id = "refundPayment", tag = "payments",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), MoneyHeaders),
    request_body = RefundPayment,
    responses(
        (status = 200, description = "Refunded", body = Data<PaymentRefunded>),
        (status = 202, description = "Not known yet (`refundStatus: PROCESSING`); settled later", body = Data<PaymentRefunded>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_REFUNDABLE`, `REFUND_REFUSED`, `REFUND_IN_PROGRESS`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn refund_payment(
    State(billing): State<Billing>,
    caller: TenantOrAdmin<TenantBilling>,
    key: Option<Extension<IdempotencyKey>>,
    Path(id): Path<PaymentId>,
    Json(body): Json<RefundPayment>,
) -> Result<Response, Problem> {
    billing.refund_and_answer(&caller, id, RefundAmount::Rest, &body.reason, key).await
}

/// Refund part of a payment
///
/// Several are possible until nothing is left; together they never exceed the payment. For the
/// business itself, or a platform operator.
#[utoipa::path(
    patch, path = "/api/payments/{paymentId}/partial-refund", operation_id = "partiallyRefundPayment", tag = "payments",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), MoneyHeaders),
    request_body = PartiallyRefundPayment,
    responses(
        (status = 200, description = "Refunded", body = Data<PaymentRefunded>),
        (status = 202, description = "Not known yet (`refundStatus: PROCESSING`); settled later", body = Data<PaymentRefunded>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_REFUNDABLE`, `REFUND_REFUSED`, `REFUND_IN_PROGRESS`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `REFUND_EXCEEDS_PAYMENT` with `refundableAmount`, `INVALID_AMOUNT`; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn partially_refund_payment(
    State(billing): State<Billing>,
    caller: TenantOrAdmin<TenantBilling>,
    key: Option<Extension<IdempotencyKey>>,
    Path(id): Path<PaymentId>,
    Json(body): Json<PartiallyRefundPayment>,
) -> Result<Response, Problem> {
    billing.refund_and_answer(&caller, id, RefundAmount::Part(body.amount), &body.reason, key).await
}

impl Billing {
    async fn refund_and_answer(
        &self,
        caller: &TenantOrAdmin<TenantBilling>,
        id: PaymentId,
        amount: RefundAmount,
        reason: &str,
        key: Option<Extension<IdempotencyKey>>,
    ) -> Result<Response, Problem> {
        let reason = reason.trim();
        if !(1..=150).contains(&reason.chars().count()) {
            return Err(Problem::invalid_field(
                "reason",
                "INVALID_LENGTH",
                "환불 사유는 1자에서 150자 사이여야 합니다.",
            ));
        }
        without_card_number(reason)?;
        let business = match caller {
            TenantOrAdmin::Tenant(tenant) => tenant.business,
            TenantOrAdmin::Admin(_) => self.owner_of(RetryTarget::Payment(id)).await?,
        };
        let key = key.as_ref().map(|Extension(key)| key.0.as_str());
        let refund = self.refund(business, id, amount, reason, key).await?;
        let code = match refund.status {
            RefundStatus::Success => StatusCode::OK,
            RefundStatus::Pending => StatusCode::ACCEPTED,
            RefundStatus::Failed => {
                return Err(refund
                    .failure
                    .map_or(BillingError::NotRefundable, BillingError::RefundRefused)
                    .into());
            }
        };
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let payment = store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let answer = PaymentRefunded {
            payment_id: id,
            refund_id: refund.id,
            original_amount: payment.amount,
            refunded_amount: payment.refunded,
            remaining_amount: payment.amount.checked_sub(payment.refunded).unwrap_or(Krw::ZERO),
            status: payment.status,
            refund_status: refund.status,
        };
        Ok((code, Data::json(answer)).into_response())
    }
}

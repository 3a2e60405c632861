//! Payments: the history, retries, and the billing run.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use kernel::BusinessId;
use platform::{
    AuthFailure, BearerToken, BodyProblems, CommonProblems, Data, DayRange, Json, List, PageQuery, Path,
    Problem, Query, SystemTx, Tenant, TenantBilling, TenantOrAdmin, TenantTx,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    BusinessHeader, MoneyHeaders,
    view::{PaymentDetail, PaymentView},
};
use crate::{
    Billing, BillingError, RunReport,
    manage::{PaidNow, RetryTarget},
    payment::{PaymentId, PaymentStatus},
    store::{self, view::PaymentFilter},
    subscription::SubscriptionId,
};

/// Which payments are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentQuery {
    status: Option<PaymentStatus>,
    /// Requested on this Korean day or later.
    #[param(example = "2026-02-01")]
    start_date: Option<NaiveDate>,
    /// Requested on this Korean day or earlier.
    #[param(example = "2026-02-28")]
    end_date: Option<NaiveDate>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List payments
///
/// Every attempt to collect money, newest first.
#[utoipa::path(
    get, path = "/api/payments", operation_id = "listPayments", tag = "payments",
    security(("bearer" = [])), params(PaymentQuery, BusinessHeader),
    responses((status = 200, description = "A page of payments", body = List<PaymentView>), CommonProblems),
)]
pub(crate) async fn list_payments(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Query(query): Query<PaymentQuery>,
) -> Result<Json<List<PaymentView>>, Problem> {
    let DayRange { from, until } = DayRange::new(query.start_date, query.end_date)?;
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = PaymentFilter {
        status: query.status,
        from,
        until,
        before: page.after()?.map(PaymentId),
        only: None,
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let payments = store::view::payments(&mut tx, tenant.business, &filter).await?;
    tx.commit().await?;
    Ok(Json(List::cut(payments, limit, |payment| payment.payment_id)))
}

/// Get a payment
///
/// With every attempt to pay the same invoice, and its refunds.
#[utoipa::path(
    get, path = "/api/payments/{paymentId}", operation_id = "getPayment", tag = "payments",
    security(("bearer" = [])), params(("paymentId" = i64, Path, example = 101), BusinessHeader),
    responses(
        (status = 200, description = "The payment", body = Data<PaymentDetail>),
        (status = 404, description = "`NOT_FOUND`: no such payment, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_payment(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(id): Path<PaymentId>,
) -> Result<Json<Data<PaymentDetail>>, Problem> {
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let payment = store::view::payment(&mut tx, tenant.business, id).await?;
    tx.commit().await?;
    Ok(Data::json(payment.ok_or(BillingError::NotFound)?))
}

/// What to try again: one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"paymentId": 101}))]
pub(crate) struct RetryPayment {
    /// A failed payment: its invoice is charged again.
    payment_id: Option<PaymentId>,
    /// A subscription: its open invoice is charged.
    subscription_id: Option<SubscriptionId>,
}

/// A charge that was tried again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentRetried {
    /// The new attempt.
    #[schema(example = 102)]
    payment_id: PaymentId,
    #[schema(example = "SUCCESS")]
    status: PaymentStatus,
}

/// Try a failed renewal again
///
/// Charges the open invoice with the card on file, now. For the business itself, or a platform
/// operator. The automatic retries keep their days.
#[utoipa::path(
    post, path = "/api/payments/billing/retry", operation_id = "retryPayment", tag = "payments",
    security(("bearer" = [])), params(MoneyHeaders), request_body = RetryPayment,
    responses(
        (status = 200, description = "Paid", body = Data<PaymentRetried>),
        (status = 202, description = "Not known yet (`PROCESSING`); settled later", body = Data<PaymentRetried>),
        (status = 402, description = "`CARD_DECLINED`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`PAYMENT_IN_PROGRESS`, `NOTHING_TO_PAY`, `CARD_UNUSABLE`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`PROVIDER_UNAVAILABLE`, `PAYMENT_SET_UP_WRONGLY`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn retry_payment(
    State(billing): State<Billing>,
    caller: TenantOrAdmin<TenantBilling>,
    Json(body): Json<RetryPayment>,
) -> Result<Response, Problem> {
    let target = match (body.payment_id, body.subscription_id) {
        (Some(payment), None) => RetryTarget::Payment(payment),
        (None, Some(subscription)) => RetryTarget::Subscription(subscription),
        _ => {
            let message = "paymentId와 subscriptionId 중 하나를 보내 주세요.";
            return Err(Problem::invalid_field("paymentId", "REQUIRED", message));
        }
    };
    let business = match caller {
        TenantOrAdmin::Tenant(tenant) => tenant.business,
        TenantOrAdmin::Admin(_) => billing.owner_of(target).await?,
    };
    let (code, payment_id, status) = match billing.retry(business, target).await? {
        PaidNow::Paid(payment) => (StatusCode::OK, payment, PaymentStatus::Success),
        PaidNow::Open(payment) => (StatusCode::ACCEPTED, payment, PaymentStatus::Pending),
        PaidNow::NothingOwed => return Err(BillingError::NothingToPay.into()),
    };
    Ok((code, Data::json(PaymentRetried { payment_id, status })).into_response())
}

impl Billing {
    pub(super) async fn owner_of(&self, target: RetryTarget) -> Result<BusinessId, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let owner = match target {
            RetryTarget::Payment(id) => store::view::owner_of_payment(&mut tx, id).await?,
            RetryTarget::Subscription(id) => store::view::owner_of_subscription(&mut tx, id).await?,
        };
        owner.ok_or(BillingError::NotFound)
    }
}

/// Run billing
///
/// Does all that is due now, as the worker does every minute: settles what is open, charges due
/// renewals and retries, ends what is over. Running it twice, or in two places at once, charges
/// nobody twice. For a scheduler that holds `CRON_SECRET`.
#[utoipa::path(
    post, path = "/api/payments/billing/auto", operation_id = "runBilling", tag = "operations",
    security(("cron" = [])),
    responses(
        (status = 200, description = "What was done", body = Data<RunReport>),
        (status = 401, description = "`AUTHENTICATION_REQUIRED`, `TOKEN_INVALID`: not the cron secret", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn run_billing(
    State(billing): State<Billing>,
    BearerToken(token): BearerToken,
) -> Result<Json<Data<RunReport>>, Problem> {
    let token = token.ok_or(AuthFailure::Missing)?;
    if !is_same_secret(&token, &billing.settings.cron_secret) {
        return Err(AuthFailure::Invalid.into());
    }
    Ok(Data::json(billing.sweep().await?))
}

/// Compares digests, so that the time taken tells nothing about where two secrets differ.
fn is_same_secret(given: &str, expected: &SecretString) -> bool {
    platform::digest(given.as_bytes()) == platform::digest(expected.expose_secret().as_bytes())
}

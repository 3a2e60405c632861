//! Paying in the provider's window: order, then confirm.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use kernel::Krw;
use platform::{BodyProblems, CommonProblems, Data, Json, Path, Problem, Tenant, TenantBilling, TenantTx};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CardProblems, MoneyHeaders, free_text::is_no_card_number, providers::ProviderName};
use crate::{
    Billing, BillingCycle, BillingError,
    charge::Settlement,
    checkout::{ConfirmRequest, Confirmed},
    payment::{PaymentId, PaymentStatus},
    store,
    subscription::{SubscriptionId, SubscriptionStatus},
};

/// What is to be paid for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"plan": "BASIC", "billingCycle": "MONTHLY", "amount": 29000, "currency": "KRW"}))]
pub(crate) struct CreateOrder {
    plan: String,
    #[serde(default)]
    billing_cycle: BillingCycle,
    /// What the client showed the payer, compared with the price; may be left out.
    amount: Option<Krw>,
    #[serde(default)]
    #[expect(dead_code, reason = "naming another currency is a 422")]
    currency: Currency,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
enum Currency {
    #[default]
    #[serde(rename = "KRW")]
    Krw,
}

/// An order, with what the provider's window wants to know.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderCreated {
    #[schema(example = "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e")]
    order_id: String,
    /// Open the provider's window with this.
    #[schema(example = "3d2d6f1e-6f0e-4a43-8a70-5c3d2b1a0f9e")]
    customer_key: String,
    #[schema(example = "단골 베이직 (월간)")]
    order_name: String,
    /// What we computed. Show and charge this.
    #[schema(example = 29000)]
    amount: Krw,
    #[schema(example = "KRW")]
    currency: &'static str,
    #[schema(example = 101)]
    payment_id: PaymentId,
    status: PaymentStatus,
}

/// Make an order for the provider's payment window
///
/// The order waits an hour to be paid and confirmed.
#[utoipa::path(
    post, path = "/api/payments/{provider}/order", operation_id = "createOrder", tag = "checkout",
    security(("bearer" = [])),
    params(("provider" = ProviderName, Path, example = "TOSS", description = "Whose window it is"), MoneyHeaders),
    request_body = CreateOrder,
    responses(
        (status = 200, description = "Ordered; nothing is charged yet", body = Data<OrderCreated>),
        (status = 409, description = "`ALREADY_SUBSCRIBED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `AMOUNT_MISMATCH`, `UNKNOWN_PLAN`, `NOT_FOR_SALE`, `UNKNOWN_PROVIDER`; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn create_order(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(provider): Path<String>,
    Json(body): Json<CreateOrder>,
) -> Result<Json<Data<OrderCreated>>, Problem> {
    let provider = provider.parse().map_err(BillingError::from)?;
    let order = billing.order(tenant.business, provider, &body.plan, body.billing_cycle, body.amount).await?;
    Ok(Data::json(OrderCreated {
        order_id: order.order_id,
        customer_key: order.customer_key,
        order_name: order.order_name,
        amount: order.amount,
        currency: "KRW",
        payment_id: order.payment,
        status: PaymentStatus::Requested,
    }))
}

/// What the provider's window returned.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"paymentKey": "test_pay_4300000000000001", "orderId": "order-20260214-0001", "amount": 29000}))]
pub(crate) struct ConfirmOrder {
    /// The provider's id of the payment.
    payment_key: String,
    order_id: String,
    /// What the payer authenticated, compared with the order.
    amount: Krw,
}

/// A confirmed payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderConfirmed {
    #[schema(example = 101)]
    payment_id: PaymentId,
    order_id: String,
    #[schema(example = 29000)]
    amount: Krw,
    status: PaymentStatus,
    subscription: SubscriptionSummary,
}

/// The subscription behind a payment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionSummary {
    id: SubscriptionId,
    #[schema(example = "BASIC")]
    plan: String,
    billing_cycle: BillingCycle,
    /// Null if it does not renew: then access ends with `accessUntil`.
    next_billing_date: Option<NaiveDate>,
    #[schema(example = "2026-03-14")]
    access_until: NaiveDate,
    status: SubscriptionStatus,
}

/// Confirm a paid order
///
/// Compares what was paid with the order, confirms it with the provider and starts the paid period.
/// Sent twice, or twice at once: the same answer, and one charge.
#[utoipa::path(
    post, path = "/api/payments/{provider}/confirm", operation_id = "confirmOrder", tag = "checkout",
    security(("bearer" = [])),
    params(("provider" = ProviderName, Path, example = "TOSS", description = "Whose window it is"), MoneyHeaders),
    request_body = ConfirmOrder,
    responses(
        (status = 200, description = "Paid", body = Data<OrderConfirmed>),
        (status = 202, description = "Not known yet (`PROCESSING`); settled later", body = Data<OrderConfirmed>),
        (status = 402, description = "`CARD_DECLINED`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`: no such order", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`ORDER_MISMATCH`, `CHECKOUT_OVER`, `ALREADY_SUBSCRIBED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `AMOUNT_MISMATCH`; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn confirm_order(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(provider): Path<String>,
    Json(body): Json<ConfirmOrder>,
) -> Result<Response, Problem> {
    let request = ConfirmRequest {
        provider: Some(provider.parse().map_err(BillingError::from)?),
        payment_key: body.payment_key,
        order_id: body.order_id,
        amount: body.amount,
        item: None,
    };
    let confirmed = billing.confirm(tenant.business, &checked(request)?).await?;
    let (code, status, payment_id) = confirmed.answer()?;
    let (order_id, amount, subscription) = billing.behind(&tenant, payment_id).await?;
    Ok((code, Data::json(OrderConfirmed { payment_id, order_id, amount, status, subscription }))
        .into_response())
}

/// What the provider's window returned, with what it was for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "paymentKey": "test_pay_4300000000000001", "orderId": "order-20260214-0001", "amount": 29000,
    "customerEmail": "owner@misohair.example", "customerName": "김미소", "plan": "BASIC", "billingCycle": "MONTHLY"
}))]
pub(crate) struct ConfirmAndSubscribe {
    payment_key: String,
    /// From the order, or made by the client: 6 to 64 of letters, digits, `-` and `_`.
    order_id: String,
    amount: Krw,
    /// Accepted for the frontend's convenience; the payer's address belongs to the sign-in service.
    #[expect(dead_code, reason = "personal data that billing has no use for is not kept")]
    customer_email: Option<String>,
    #[expect(dead_code, reason = "personal data that billing has no use for is not kept")]
    customer_name: Option<String>,
    plan: String,
    #[serde(default)]
    billing_cycle: BillingCycle,
    /// Whose window it was; left out, that of the order, or the one that `GET /api/payments/route` names.
    #[schema(value_type = Option<ProviderName>)]
    provider: Option<String>,
}

/// A confirmed payment and the subscription that it started.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Subscribed {
    /// False while the outcome is not known.
    success: bool,
    #[schema(example = 101)]
    payment_id: PaymentId,
    subscription: SubscriptionSummary,
}

/// Confirm a payment and start the subscription
///
/// Where the provider issued a billing key along with the payment the subscription renews by itself.
/// Without one it is a paid period that ends (`NON_RENEWING`).
#[utoipa::path(
    post, path = "/api/payments/confirm", operation_id = "confirmAndSubscribe", tag = "checkout",
    security(("bearer" = [])), params(MoneyHeaders),
    request_body(content = ConfirmAndSubscribe, examples(
        ("Toss" = (summary = "Toss Payments", value = json!({"paymentKey": "test_pay_4300000000000001", "orderId": "order202602140001", "amount": 29000, "plan": "BASIC", "provider": "TOSS"}))),
        ("PortOne" = (summary = "PortOne", value = json!({"paymentKey": "test_pay_4300000000000001", "orderId": "order202602140001", "amount": 29000, "plan": "BASIC", "provider": "PORTONE"}))),
        ("KCP" = (summary = "NHN KCP", value = json!({"paymentKey": "test_pay_4300000000000001", "orderId": "order202602140001", "amount": 29000, "plan": "BASIC", "provider": "KCP"}))),
        ("Bootpay" = (summary = "Bootpay", description = "A receipt holds order and amount: get one for this order from `POST /_sandbox/bootpay/payment-auth`", value = json!({"paymentKey": "65f0c0ffee0000000000a001", "orderId": "order202602140001", "amount": 29000, "plan": "BASIC", "provider": "BOOTPAY"}))),
    )),
    responses(
        (status = 200, description = "Paid and started", body = Data<Subscribed>),
        (status = 202, description = "Not known yet; settled later", body = Data<Subscribed>),
        (status = 402, description = "`CARD_DECLINED`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`ORDER_MISMATCH`, `CHECKOUT_OVER`, `ALREADY_SUBSCRIBED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `AMOUNT_MISMATCH`, `UNKNOWN_PLAN`, `NOT_FOR_SALE`; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn confirm_and_subscribe(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Json(body): Json<ConfirmAndSubscribe>,
) -> Result<Response, Problem> {
    let provider = body.provider.map(|name| name.parse()).transpose().map_err(BillingError::from)?;
    let request = ConfirmRequest {
        provider,
        payment_key: body.payment_key,
        order_id: body.order_id,
        amount: body.amount,
        item: Some((body.plan, body.billing_cycle)),
    };
    let confirmed = billing.confirm(tenant.business, &checked(request)?).await?;
    let (code, status, payment_id) = confirmed.answer()?;
    let (_, _, subscription) = billing.behind(&tenant, payment_id).await?;
    let success = status != PaymentStatus::Pending;
    Ok((code, Data::json(Subscribed { success, payment_id, subscription })).into_response())
}

/// Some providers' windows return a kilobyte of encrypted form.
const LONGEST_PAYMENT_KEY: usize = 8 * 1024;

/// Refuses ids that no provider would accept, before they reach a URL or the database.
fn checked(request: ConfirmRequest) -> Result<ConfirmRequest, Problem> {
    let is_plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    if !(6..=64).contains(&request.order_id.len()) || !is_plain(&request.order_id) {
        return Err(Problem::invalid_field(
            "orderId",
            "INVALID",
            "orderId는 영문, 숫자, -_ 6자에서 64자 사이여야 합니다.",
        ));
    }
    let is_printable = request.payment_key.chars().all(|c| c.is_ascii_graphic());
    if !(1..=LONGEST_PAYMENT_KEY).contains(&request.payment_key.len()) || !is_printable {
        return Err(Problem::invalid_field("paymentKey", "INVALID", "paymentKey가 올바르지 않습니다."));
    }
    is_no_card_number(&request.order_id)?;
    is_no_card_number(&request.payment_key)?;
    Ok(request)
}

impl Confirmed {
    fn answer(self) -> Result<(StatusCode, PaymentStatus, PaymentId), BillingError> {
        match self.settlement {
            Settlement::Paid => Ok((StatusCode::OK, PaymentStatus::Success, self.payment)),
            Settlement::Open => Ok((StatusCode::ACCEPTED, PaymentStatus::Pending, self.payment)),
            // Whatever its class: what was asked came from the payer's browser.
            Settlement::Declined(failure) => {
                Err(BillingError::Declined { payment: Some(self.payment), failure })
            }
        }
    }
}

impl Billing {
    /// The order and the subscription behind a confirmed payment.
    async fn behind(
        &self,
        tenant: &Tenant<TenantBilling>,
        payment: PaymentId,
    ) -> Result<(String, Krw, SubscriptionSummary), BillingError> {
        let mut tx = TenantTx::begin(&self.db, tenant.business).await?;
        let payment =
            store::payment::lock(&mut tx, tenant.business, payment).await?.ok_or(BillingError::NotFound)?;
        let invoice = payment.invoice.ok_or(BillingError::NotFound)?;
        let invoice = store::invoice::get(&mut tx, tenant.business, invoice).await?;
        let subscription = store::subscription::lock(&mut tx, tenant.business, invoice.subscription).await?;
        let subscription = subscription.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let summary = SubscriptionSummary {
            id: subscription.id,
            next_billing_date: subscription.next_payment_on().filter(|_| subscription.method.is_some()),
            access_until: subscription.period.until,
            plan: subscription.plan_code,
            billing_cycle: subscription.cycle,
            status: subscription.status,
        };
        Ok((payment.order_id, payment.amount, summary))
    }
}

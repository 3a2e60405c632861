//! Subscribing, the card, cancelling, and how things stand.

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use chrono::NaiveDate;
use kernel::Krw;
use platform::{
    BodyProblems, CommonProblems, Data, Json, List, PageQuery, Problem, Query, Tenant, TenantBilling,
    TenantTx,
    events::{self, EventId, RecordedEvent},
    idempotency::IdempotencyKey,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    BusinessHeader, CardProblems, MoneyHeaders, free_text::without_card_number, payment_methods::NamedCard,
    providers::ProviderName, view::CurrentSubscription,
};
use crate::{
    Billing, BillingCycle,
    event::EVENT_NOUNS,
    payment::PaymentId,
    payment_method::PaymentMethodId,
    store,
    subscription::{SubscriptionId, SubscriptionStatus},
};

/// How to pay. Cards are what every provider's billing key stands for.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PaymentMethodKind {
    #[default]
    Card,
}

/// A card to subscribe with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "plan": "BASIC", "paymentMethod": "CARD", "authKey": "test_auth_4300000000000001",
    "customerKey": "user_1", "billingCycle": "MONTHLY", "provider": "TOSS"
}))]
pub(crate) struct RegisterBillingKey {
    /// Code of the plan, in whatever case.
    plan: String,
    #[serde(default)]
    #[expect(dead_code, reason = "there is one kind so far; naming another is a 422")]
    payment_method: PaymentMethodKind,
    /// What the provider's browser SDK returned, opaque to us (Toss Payments: the `authKey`). Never a
    /// card number: that is refused.
    #[schema(value_type = Option<String>)]
    card_number: Option<SecretString>,
    /// The same under its own name; send one of the two.
    #[schema(value_type = Option<String>)]
    auth_key: Option<SecretString>,
    /// The payer's key that the SDK was opened with: 2 to 300 of letters, digits and `-_=.@`.
    customer_key: String,
    #[serde(default)]
    billing_cycle: BillingCycle,
    /// Whose SDK was opened: `GET /api/payments/route` tells which to open, and is meant if this is left out.
    #[schema(value_type = Option<ProviderName>)]
    provider: Option<String>,
}

/// A subscription that was started, or whose first charge is not known yet.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BillingKeyRegistered {
    /// Our handle for the card. The provider's key never leaves.
    billing_key: PaymentMethodId,
    #[schema(example = "삼성카드")]
    card_company: String,
    #[schema(example = "****-****-****-1234")]
    card_number: String,
    #[schema(example = "BASIC")]
    plan: String,
    billing_cycle: BillingCycle,
    /// Won a month, VAT included; null for a yearly subscription of a plan that is not sold monthly.
    #[schema(example = 29000)]
    monthly_amount: Option<Krw>,
    /// What was charged now: the price of one cycle.
    #[schema(example = 29000)]
    amount: Krw,
    #[schema(example = "2026-03-14")]
    next_payment_date: NaiveDate,
    #[schema(example = "정기결제가 등록되었습니다.")]
    message: &'static str,
    subscription_id: SubscriptionId,
    #[schema(example = 101)]
    payment_id: PaymentId,
    /// `ACTIVE`, or `PROCESSING` while the first charge is not known.
    status: RegistrationStatus,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum RegistrationStatus {
    Active,
    Processing,
}

/// Register a card and start a subscription
///
/// Issues a billing key, makes the first charge and starts the subscription. In the sandbox an
/// `authKey` comes from `POST /_sandbox/{provider}/billing-auth`; the examples work as they are.
#[utoipa::path(
    post, path = "/api/payments/billing-key", operation_id = "registerBillingKey", tag = "subscriptions",
    security(("bearer" = [])), params(MoneyHeaders),
    request_body(content = RegisterBillingKey, examples(
        ("Toss" = (summary = "Toss Payments", value = json!({"plan": "BASIC", "authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "TOSS"}))),
        ("PortOne" = (summary = "PortOne: its SDK returns the billing key itself", value = json!({"plan": "BASIC", "authKey": "billing-key-test-4300000000000001", "customerKey": "user_1", "provider": "PORTONE"}))),
        ("KCP" = (summary = "NHN KCP", value = json!({"plan": "BASIC", "authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "KCP"}))),
        ("Bootpay" = (summary = "Bootpay: the window's receipt", value = json!({"plan": "BASIC", "authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "BOOTPAY"}))),
    )),
    responses(
        (status = 200, description = "Charged and started", body = Data<BillingKeyRegistered>),
        (status = 202, description = "The outcome of the charge is not known yet (`PROCESSING`); it is settled later, and never charged twice", body = Data<BillingKeyRegistered>),
        (status = 402, description = "`CARD_DECLINED` with `declineClass`, `providerCode` and the text for the card holder; nothing is left behind", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`ALREADY_SUBSCRIBED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `UNKNOWN_PLAN`, `NOT_FOR_SALE`, `INVALID_CUSTOMER_KEY`, `UNKNOWN_PROVIDER`, ...; `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`PROVIDER_UNAVAILABLE`, `PAYMENT_SET_UP_WRONGLY`: certainly not charged", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn register_billing_key(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    key: Option<Extension<IdempotencyKey>>,
    Json(body): Json<RegisterBillingKey>,
) -> Result<Response, Problem> {
    let named = NamedCard {
        provider: body.provider,
        card_number: body.card_number,
        auth_key: body.auth_key,
        customer_key: body.customer_key,
    };
    let registration = billing.card_registration(tenant.business, named).await?;
    let key = key.as_ref().map(|Extension(key)| key.0.as_str());
    let started = billing.enroll(tenant.business, &body.plan, body.billing_cycle, registration, key).await?;
    let (code, status, message) = if started.is_paid {
        (StatusCode::OK, RegistrationStatus::Active, "정기결제가 등록되었습니다.")
    } else {
        (StatusCode::ACCEPTED, RegistrationStatus::Processing, "결제 결과를 확인하고 있습니다.")
    };
    let answer = BillingKeyRegistered {
        billing_key: started.method,
        card_number: started.card.display_number(),
        card_company: started.card.company,
        monthly_amount: started.plan.monthly_amount,
        plan: started.plan.code,
        billing_cycle: started.cycle,
        amount: started.amount,
        next_payment_date: started.next_payment_on,
        message,
        subscription_id: started.subscription,
        payment_id: started.payment,
        status,
    };
    Ok((code, Data::json(answer)).into_response())
}

/// A wish to cancel.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"reason": "서비스를 더 이상 사용하지 않음"}))]
pub(crate) struct CancelSubscription {
    /// From `GET /api/subscriptions/current`; if left out, the present subscription is meant.
    subscription_id: Option<SubscriptionId>,
    /// Up to 200 characters.
    #[schema(max_length = 200)]
    reason: Option<String>,
}

/// A cancelled subscription.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SubscriptionCanceled {
    subscription_id: SubscriptionId,
    /// `NON_RENEWING` while the paid period lasts, else `ENDED`.
    status: SubscriptionStatus,
    /// The first day without access; null if it ended at once.
    #[schema(example = "2026-03-14")]
    access_until: Option<NaiveDate>,
    #[schema(example = "구독 해지가 예약되었습니다.")]
    message: &'static str,
}

/// Cancel the subscription
///
/// Access lasts to the end of the period that is paid for; nothing is charged after. One that is
/// past due or suspended ends at once, and nothing is owed. Cancelling twice is cancelling.
#[utoipa::path(
    post, path = "/api/subscriptions/cancel", operation_id = "cancelSubscription", tag = "subscriptions",
    security(("bearer" = [])), params(MoneyHeaders), request_body = CancelSubscription,
    responses(
        (status = 200, description = "Cancelled", body = Data<SubscriptionCanceled>),
        (status = 404, description = "`NOT_FOUND`, `NO_SUBSCRIPTION`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`PAYMENT_IN_PROGRESS`: the first charge is not known yet", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn cancel_subscription(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Json(body): Json<CancelSubscription>,
) -> Result<Json<Data<SubscriptionCanceled>>, Problem> {
    if body.reason.as_ref().is_some_and(|reason| reason.chars().count() > 200) {
        return Err(Problem::invalid_field("reason", "TOO_LONG", "사유는 200자까지 입력할 수 있습니다."));
    }
    without_card_number(body.reason.as_deref().unwrap_or_default())?;
    let canceled = billing.cancel(tenant.business, body.subscription_id, body.reason.as_deref()).await?;
    let is_over = canceled.status == SubscriptionStatus::Ended;
    Ok(Data::json(SubscriptionCanceled {
        subscription_id: canceled.id,
        status: canceled.status,
        access_until: (!is_over).then_some(canceled.period.until),
        message: if is_over {
            "구독이 해지되었습니다."
        } else {
            "구독 해지가 예약되었습니다."
        },
    }))
}

/// How does my subscription stand
///
/// The plan in force with its features, the card, the next payment, and what is owed. A business
/// without a subscription is on `FREE`.
#[utoipa::path(
    get, path = "/api/subscriptions/current", operation_id = "getCurrentSubscription", tag = "subscriptions",
    security(("bearer" = [])), params(BusinessHeader),
    responses((status = 200, description = "The subscription", body = Data<CurrentSubscription>), CommonProblems),
)]
pub(crate) async fn get_current_subscription(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
) -> Result<Json<Data<CurrentSubscription>>, Problem> {
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let current = store::view::current(&mut tx, tenant.business).await?;
    tx.commit().await?;
    Ok(Data::json(current))
}

/// What happened to my subscription
///
/// `payment.succeeded`, `payment.failed`, `payment.refunded`, `payment.refund_failed`, `subscription.started`,
/// `subscription.past_due`, `subscription.recovered`, `subscription.downgraded`,
/// `subscription.suspended`, `subscription.canceled`, `subscription.ended`,
/// `payment_method.replaced`, `payment_method.added`, `payment_method.unusable`; newest first.
#[utoipa::path(
    get, path = "/api/subscriptions/current/events", operation_id = "listSubscriptionEvents", tag = "subscriptions",
    security(("bearer" = [])), params(PageQuery, BusinessHeader),
    responses((status = 200, description = "A page of events", body = List<RecordedEvent>), CommonProblems),
)]
pub(crate) async fn list_subscription_events(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<RecordedEvent>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?.map(EventId);
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let events = events::list(&mut tx, tenant.business, &EVENT_NOUNS, before, limit + 1).await?;
    tx.commit().await?;
    Ok(Json(List::cut(events, limit, |event| event.id)))
}

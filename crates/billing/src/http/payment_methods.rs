//! The cards of a business: the one that is charged, and those to fall back on.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use kernel::BusinessId;
use platform::{BodyProblems, CommonProblems, Data, Json, Path, Problem, Tenant, TenantBilling, TenantTx};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    BusinessHeader, CardProblems, MoneyHeaders, free_text::is_no_card_number, providers::ProviderName,
    view::CardView,
};
use crate::{
    Billing, BillingError,
    card::{CardRegistration, RegisteredCard},
    manage::PaidNow,
    payment::PaymentId,
    payment_method::{PaymentMethodId, Standby},
    store,
};

/// The fields in which a client names a card.
pub(super) struct NamedCard {
    pub provider: Option<String>,
    /// What the SDK returned, under the name that the specification gave it.
    pub card_number: Option<SecretString>,
    pub auth_key: Option<SecretString>,
    pub customer_key: String,
}

impl Billing {
    pub(super) async fn card_registration(
        &self,
        business: BusinessId,
        named: NamedCard,
    ) -> Result<CardRegistration, BillingError> {
        let auth_key = match (named.auth_key, named.card_number) {
            (Some(key), None) | (None, Some(key)) => key,
            (None, None) => {
                return Err(BillingError::InvalidField {
                    field: "authKey",
                    code: "REQUIRED",
                    message: "결제창에서 받은 인증 값이 필요합니다.",
                });
            }
            (Some(_), Some(_)) => {
                return Err(BillingError::InvalidField {
                    field: "authKey",
                    code: "AMBIGUOUS",
                    message: "authKey와 cardNumber 중 하나만 보내 주세요.",
                });
            }
        };
        is_no_card_number(&named.customer_key)?;
        let provider = self.provider_for(business, named.provider.as_deref()).await?;
        CardRegistration::new(provider, auth_key, named.customer_key)
    }
}

impl From<RegisteredCard> for CardView {
    fn from(registered: RegisteredCard) -> Self {
        Self {
            billing_key: registered.on_file.id,
            provider: registered.on_file.merchant.provider.as_str().to_owned(),
            card_number: registered.card.display_number(),
            card_company: registered.card.company,
            is_usable: true,
        }
    }
}

/// A card to put in the place of the present one, or beside it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1"}))]
pub(crate) struct NewPaymentMethod {
    /// What the provider's browser SDK returned.
    #[schema(value_type = Option<String>)]
    card_number: Option<SecretString>,
    /// The same under its own name; send one of the two.
    #[schema(value_type = Option<String>)]
    auth_key: Option<SecretString>,
    /// The payer's key that the SDK was opened with: 2 to 300 of letters, digits and `-_=.@`.
    customer_key: String,
    /// Whose SDK was opened; left out, the one that `GET /api/payments/route` names.
    #[schema(value_type = Option<ProviderName>)]
    provider: Option<String>,
}

impl From<NewPaymentMethod> for NamedCard {
    fn from(body: NewPaymentMethod) -> Self {
        Self {
            provider: body.provider,
            card_number: body.card_number,
            auth_key: body.auth_key,
            customer_key: body.customer_key,
        }
    }
}

/// A replaced card.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PaymentMethodReplaced {
    payment_method: CardView,
    /// The attempt to pay an open invoice with it, if one was open.
    #[schema(example = 104)]
    payment_id: Option<PaymentId>,
    #[schema(example = "결제 카드가 변경되었습니다.")]
    message: &'static str,
}

/// Replace the card
///
/// The new card takes the place of the old one, whose key is deleted at the provider; when the
/// business moves to another provider, only after the new card has paid once. If a renewal is past
/// due, it is charged at once. A 402 means that the new card is on file but was declined.
#[utoipa::path(
    put, path = "/api/subscriptions/payment-method", operation_id = "replacePaymentMethod", tag = "subscriptions",
    security(("bearer" = [])), params(MoneyHeaders),
    request_body(content = NewPaymentMethod, examples(
        ("Toss" = (summary = "Toss Payments", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "TOSS"}))),
        ("PortOne" = (summary = "PortOne", value = json!({"authKey": "billing-key-test-4300000000000001", "customerKey": "user_1", "provider": "PORTONE"}))),
        ("KCP" = (summary = "NHN KCP", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "KCP"}))),
        ("Bootpay" = (summary = "Bootpay", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "BOOTPAY"}))),
    )),
    responses(
        (status = 200, description = "Replaced; what was owed is paid", body = Data<PaymentMethodReplaced>),
        (status = 202, description = "Replaced; a charge is not known yet", body = Data<PaymentMethodReplaced>),
        (status = 402, description = "`CARD_DECLINED`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NO_SUBSCRIPTION`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_RENEWING`, `PAYMENT_IN_PROGRESS`, `CARD_ALREADY_REGISTERED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`PROVIDER_UNAVAILABLE`, `PAYMENT_SET_UP_WRONGLY`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn replace_payment_method(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Json(body): Json<NewPaymentMethod>,
) -> Result<Response, Problem> {
    let registration = billing.card_registration(tenant.business, body.into()).await?;
    let replaced = billing.replace_card(tenant.business, registration).await?;
    let (code, payment_id, message) = match replaced.open_invoice {
        PaidNow::NothingOwed => (StatusCode::OK, None, "결제 카드가 변경되었습니다."),
        PaidNow::Paid(payment) => {
            (StatusCode::OK, Some(payment), "결제 카드가 변경되고 미납 금액이 결제되었습니다.")
        }
        PaidNow::Open(payment) => (
            StatusCode::ACCEPTED,
            Some(payment),
            "결제 카드가 변경되었습니다. 결제 결과를 확인하고 있습니다.",
        ),
    };
    let payment_method = replaced.registered.into();
    Ok((code, Data::json(PaymentMethodReplaced { payment_method, payment_id, message })).into_response())
}

/// A card that a business has, and what for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeptCard {
    #[serde(flatten)]
    pub card: CardView,
    /// Null for the card that is charged first. `BACKUP`: charged when the first cannot be.
    /// `PREDECESSOR`: kept until the card that took its place has paid once.
    pub standby: Option<Standby>,
}

/// List the cards
///
/// The card that is charged first, then those to fall back on.
#[utoipa::path(
    get, path = "/api/subscriptions/payment-methods", operation_id = "listPaymentMethods", tag = "subscriptions",
    security(("bearer" = [])), params(BusinessHeader),
    responses((status = 200, description = "The cards", body = Data<Vec<KeptCard>>), CommonProblems),
)]
pub(crate) async fn list_payment_methods(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
) -> Result<Json<Data<Vec<KeptCard>>>, Problem> {
    let mut tx = TenantTx::begin(&billing.db, tenant.business).await?;
    let cards = store::view::kept_cards(&mut tx, tenant.business).await?;
    tx.commit().await?;
    Ok(Data::json(cards))
}

/// Add a card to fall back on
///
/// At a provider where the business has no card yet. It is charged when the first card is declined or
/// its provider is down; never while the outcome of a charge is unknown.
#[utoipa::path(
    post, path = "/api/subscriptions/payment-methods", operation_id = "addPaymentMethod", tag = "subscriptions",
    security(("bearer" = [])), params(MoneyHeaders),
    request_body(content = NewPaymentMethod, examples(
        ("PortOne" = (summary = "PortOne", value = json!({"authKey": "billing-key-test-4300000000000001", "customerKey": "user_1", "provider": "PORTONE"}))),
        ("KCP" = (summary = "NHN KCP", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "KCP"}))),
        ("Bootpay" = (summary = "Bootpay", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "BOOTPAY"}))),
        ("Toss" = (summary = "Toss Payments", value = json!({"authKey": "test_auth_4300000000000001", "customerKey": "user_1", "provider": "TOSS"}))),
    )),
    responses(
        (status = 200, description = "Added", body = Data<CardView>),
        (status = 402, description = "`CARD_DECLINED`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NO_SUBSCRIPTION`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`NOT_RENEWING`, `PAYMENT_IN_PROGRESS`, `CARD_AT_PROVIDER_EXISTS`, `CARD_ALREADY_REGISTERED`, `IDEMPOTENCY_KEY_IN_USE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`, `IDEMPOTENCY_KEY_REUSED`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`PROVIDER_UNAVAILABLE`, `PAYMENT_SET_UP_WRONGLY`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn add_payment_method(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Json(body): Json<NewPaymentMethod>,
) -> Result<Json<Data<CardView>>, Problem> {
    let registration = billing.card_registration(tenant.business, body.into()).await?;
    let added = billing.add_backup(tenant.business, registration).await?;
    Ok(Data::json(added.into()))
}

/// Remove a card
///
/// One to fall back on; the card that the subscription is charged on is replaced instead.
#[utoipa::path(
    delete, path = "/api/subscriptions/payment-methods/{billingKey}", operation_id = "removePaymentMethod", tag = "subscriptions",
    security(("bearer" = [])),
    params(("billingKey" = PaymentMethodId, Path, example = "bk_0199f6b2c0de7a52a0f1d2c3b4a59687"), BusinessHeader),
    responses(
        (status = 204, description = "Removed; its key is deleted at the provider"),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CARD_IN_USE`", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn remove_payment_method(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
    Path(id): Path<PaymentMethodId>,
) -> Result<StatusCode, Problem> {
    billing.remove_standby(tenant.business, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

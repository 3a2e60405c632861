//! Where providers tell us that something happened.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, header::CONTENT_TYPE},
};
use pg_adapter::{Acknowledgement, WebhookRefused};
use platform::{Path, Problem, RawBody, contains_nul};

use super::providers::ProviderName;
use crate::{
    Billing, BillingError,
    merchant::{Merchant, MerchantAccountId},
};

/// What a provider wants to read, as the type that it expects.
type Acknowledged = ([(HeaderName, &'static str); 1], &'static str);

/// Receive a provider's webhook
///
/// For payment providers only. A webhook is stored once and answered at once; what it claims is
/// never believed but asked of the provider. Unknown kinds are stored and answered 200.
#[utoipa::path(
    post, path = "/api/webhooks/{provider}", operation_id = "receiveWebhook", tag = "operations",
    params(("provider" = ProviderName, Path, example = "TOSS", description = "In whatever case")),
    request_body(content = Object, description = "As the provider sends it", example = json!({
        "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-02-14T10:00:00.000000",
        "data": {"orderId": "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e", "status": "DONE"}
    })),
    responses(
        (status = 200, description = "Stored; the body is what the provider wants to read"),
        (status = 400, description = "`MALFORMED_WEBHOOK`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`BAD_SIGNATURE`: for events that the provider signs", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`: no such provider", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`BODY_TOO_LARGE`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: the provider should send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receive_webhook(
    State(billing): State<Billing>,
    Path(provider): Path<String>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Acknowledged, Problem> {
    receive(&billing, &provider, None, &headers, &body).await
}

/// Receive a webhook for a business's own contract
///
/// As `receiveWebhook`, where the contract with the provider is the business's and not the platform's.
#[utoipa::path(
    post, path = "/api/webhooks/{provider}/{merchantAccountId}", operation_id = "receiveMerchantWebhook", tag = "operations",
    params(
        ("provider" = String, Path, example = "toss"),
        ("merchantAccountId" = MerchantAccountId, Path, example = "ma_0199f6b2c0de7a52a0f1d2c3b4a59687"),
    ),
    request_body(content = Object, description = "As the provider sends it", example = json!({
        "eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-02-14T10:00:00.000000",
        "data": {"orderId": "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e", "status": "DONE"}
    })),
    responses(
        (status = 200, description = "Stored; the body is what the provider wants to read"),
        (status = 400, description = "`MALFORMED_WEBHOOK`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`BAD_SIGNATURE`: for events that the provider signs", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`: no such provider or contract", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`BODY_TOO_LARGE`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: the provider should send it again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receive_merchant_webhook(
    State(billing): State<Billing>,
    Path((provider, account)): Path<(String, String)>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<Acknowledged, Problem> {
    let account = account.parse().map_err(|_| Problem::from(BillingError::NotFound))?;
    receive(&billing, &provider, Some(account), &headers, &body).await
}

async fn receive(
    billing: &Billing,
    provider: &str,
    account: Option<MerchantAccountId>,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Acknowledged, Problem> {
    let provider = provider.parse().map_err(|_| Problem::from(BillingError::NotFound))?;
    // No provider sends such a thing, and the database cannot store it.
    if contains_nul(body) {
        return Err(BillingError::from(WebhookRefused::Malformed("a NUL character".to_owned())).into());
    }
    let Acknowledgement { content_type, body } =
        billing.receive_webhook(Merchant { provider, account }, headers, body).await?;
    Ok(([(CONTENT_TYPE, content_type)], body))
}

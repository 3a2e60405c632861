//! Where providers tell us that something happened.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use pg_adapter::WebhookRefused;
use platform::{Path, Problem, RawBody, contains_nul};

use super::providers::ProviderName;
use crate::{Billing, BillingError};

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
        (status = 200, description = "Stored"),
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
) -> Result<StatusCode, Problem> {
    let provider = provider.parse().map_err(|_| Problem::from(BillingError::NotFound))?;
    // No provider sends such a thing, and the database cannot store it.
    if contains_nul(&body) {
        return Err(BillingError::from(WebhookRefused::Malformed("a NUL character".to_owned())).into());
    }
    billing.receive_webhook(provider, &headers, &body).await?;
    Ok(StatusCode::OK)
}

//! Where carriers tell us that something happened.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};
use platform::{Problem, RawBody};

use crate::{Messaging, MessagingError, channel::Provider, consent::Source};

/// As much as a carrier takes in one request itself.
pub(super) const MOST_BYTES: usize = 16 * 1024 * 1024;

/// Receive a webhook of Solapi
///
/// For Solapi only. What it claims is never believed but asked for.
#[utoipa::path(
    post, path = "/api/webhooks/solapi", operation_id = "receiveSolapiWebhook", tag = "operations",
    request_body(content = Object, description = "As Solapi sends it: a list", example = json!([
        {"messageId": "M4V20260214100000ABCDEFGHIJKLMNO", "statusCode": "4000"}
    ])),
    responses(
        (status = 200, description = "Taken in"),
        (status = 400, description = "`MALFORMED_WEBHOOK`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CHANNEL_NOT_OFFERED`: this installation has no account there", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`BODY_TOO_LARGE`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: it should be sent again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receive_solapi_webhook(
    State(messaging): State<Messaging>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    receive(&messaging, Provider::Solapi, &headers, &body).await
}

/// Receive a webhook of NHN Cloud
///
/// For NHN Cloud only. What it claims of messages is never believed but asked for; a refusal holds at once.
#[utoipa::path(
    post, path = "/api/webhooks/nhn", operation_id = "receiveNhnWebhook", tag = "operations",
    request_body(content = Object, description = "As NHN Cloud sends it", example = json!({
        "hooksId": "h1", "webhookConfigId": "w1", "productName": "SMS", "appKey": "dangol-development",
        "event": "MESSAGE_RESULT_UPDATE", "hooks": []
    })),
    responses(
        (status = 200, description = "Taken in"),
        (status = 400, description = "`MALFORMED_WEBHOOK`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`BAD_SIGNATURE`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CHANNEL_NOT_OFFERED`: this installation has no account there", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "`BODY_TOO_LARGE`", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: it should be sent again", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn receive_nhn_webhook(
    State(messaging): State<Messaging>,
    headers: HeaderMap,
    RawBody(body): RawBody,
) -> Result<StatusCode, Problem> {
    receive(&messaging, Provider::Nhn, &headers, &body).await
}

async fn receive(
    messaging: &Messaging,
    provider: Provider,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<StatusCode, Problem> {
    let webhook =
        messaging.channels.at(provider)?.read_webhook(headers, body).map_err(MessagingError::from)?;
    // No carrier sends such a thing, and the database cannot store it.
    let ids: Vec<String> = webhook.messages.into_iter().filter(|id| !id.contains('\0')).collect();
    if !ids.is_empty() {
        messaging.hear_of(provider, &ids).await?;
    }
    if !webhook.refusals.is_empty() {
        messaging.refuse_all(&webhook.refusals, Source::RefusalLine).await?;
    }
    Ok(StatusCode::OK)
}

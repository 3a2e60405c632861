//! Seeing a campaign beforehand, letting it go, and stopping it.

use std::collections::BTreeMap;

use axum::{Extension, extract::State, http::StatusCode};
use messaging::Kind;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, Json, Path, Problem, TenantCrm, TenantTx, audit::Origin,
    idempotency::IdempotencyKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    PlanProblem,
    campaign_view::CampaignEntry,
    campaigns::{CampaignBody, CampaignPath, request_of},
};
use crate::{
    Crm,
    campaign::{CampaignId, CampaignPreview, Intervention, Request},
};

/// What a campaign would come to, if it went out now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignPreviewView {
    /// How many are in the segment.
    #[schema(example = 45)]
    recipient_count: i64,
    /// Of so many it was found out who would not get it: of all, unless there are more than 2,000.
    #[schema(example = 45)]
    examined: usize,
    /// Who of them would not get it, by reason. It is decided anew when it is sent.
    #[schema(value_type = BTreeMap<String, i64>, example = json!({"NO_CONSENT": 12}))]
    excluded: BTreeMap<&'static str, i64>,
    /// Whose values the message shows: somebody who would get it. Null if nobody is in the segment; the values are invented then.
    customer_id: Option<i64>,
    customer_name: Option<String>,
    /// As it would be read, with all that the law wants.
    #[schema(example = "(광고)미소헤어\n김민서님, 다시 뵙고 싶어요.\n무료수신거부 0800000000")]
    text: String,
    subject: Option<String>,
    kind: Kind,
    /// In CP949, as the carriers count.
    #[schema(example = 62)]
    bytes: Option<usize>,
    /// How many bytes this form holds; null where bytes are not what counts.
    #[schema(example = 90)]
    most_bytes: Option<usize>,
    /// What one costs, won; null where that is not configured.
    #[schema(example = 18)]
    price: Option<u32>,
    /// What all would cost that are not known to be left out. Those with longer names may be longer, and cost more.
    #[schema(example = 594)]
    cost: Option<i64>,
}

impl From<CampaignPreview> for CampaignPreviewView {
    fn from(preview: CampaignPreview) -> Self {
        let CampaignPreview { recipient_count, examined, excluded, customer, message } = preview;
        let left_out: i64 = excluded.values().sum();
        let cost = message.price.map(|price| i64::from(price) * (recipient_count - left_out).max(0));
        let (customer_id, customer_name) = customer.unzip();
        Self {
            recipient_count,
            examined,
            excluded,
            customer_id,
            customer_name,
            text: message.text,
            subject: message.subject,
            kind: message.kind,
            bytes: message.bytes,
            most_bytes: message.most_bytes,
            price: message.price,
            cost,
        }
    }
}

/// Where a sample goes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"to": "010-9876-5432"}))]
pub(crate) struct SampleBody {
    /// A mobile number, or for a mail an address.
    #[schema(max_length = 254)]
    to: String,
}

/// See a campaign before it goes out
///
/// The message with the values of a real customer, how long it is and what it costs, and who would not get it. Nothing is stored or
/// sent.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/preview", operation_id = "previewCampaign", tag = "campaigns",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = CampaignBody,
    responses(
        (status = 200, description = "What it would come to", body = Data<CampaignPreviewView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`SENDER_NOT_READY`: there is no number to refuse advertising at; `CHANNEL_NOT_OFFERED`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn preview_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<CampaignBody>,
) -> Result<Json<Data<CampaignPreviewView>>, Problem> {
    // Never committed.
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let preview = crm.preview_campaign(&mut tx, caller.business, body.text()).await?;
    drop(tx);
    Ok(Data::json(preview.into()))
}

/// Send a sample
///
/// To whoever writes the campaign, as it will look. To somebody who refused none is sent; to a customer only what they agreed to,
/// at the hours of advertisements, and to anybody else at any hour. It counts nowhere; a business sends 20 a day at most.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/{campaignId}/test", operation_id = "testCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    request_body = SampleBody,
    responses(
        (status = 204, description = "On its way"),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`TOO_MANY_SAMPLES`; `SENDER_NOT_READY`, `CHANNEL_NOT_OFFERED`; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: of `to` also `REFUSED`, `NO_CONSENT` and others for which a customer gets none, and `NOT_AT_NIGHT`; `IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn test_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
    Json(body): Json<SampleBody>,
) -> Result<StatusCode, Problem> {
    let request = request_of(&caller, origin, key);
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    crm.send_sample(&mut tx, &request, path.campaign_id, body.to.into()).await?;
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Let a draft go out
///
/// At its time, or at once if it has none.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/{campaignId}/schedule", operation_id = "scheduleCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    responses(
        (status = 200, description = "Scheduled", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CAMPAIGN_STATUS_CONFLICT`: it is no draft; `SENDER_NOT_READY`, `CHANNEL_NOT_OFFERED`; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: what it needs is gone meanwhile; `IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, PlanProblem,
    ),
)]
pub(crate) async fn schedule_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    intervene(&crm, request_of(&caller, origin, key), path.campaign_id, Intervention::Schedule).await
}

/// Pause a campaign
///
/// Nothing more goes out until it is resumed; what is on its way arrives.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/{campaignId}/pause", operation_id = "pauseCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    responses(
        (status = 200, description = "Paused", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CAMPAIGN_STATUS_CONFLICT`: it is not being sent; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn pause_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    intervene(&crm, request_of(&caller, origin, key), path.campaign_id, Intervention::Pause).await
}

/// Let a paused campaign go on
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/{campaignId}/resume", operation_id = "resumeCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    responses(
        (status = 200, description = "It goes on", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CAMPAIGN_STATUS_CONFLICT`: it is not paused; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, PlanProblem,
    ),
)]
pub(crate) async fn resume_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    intervene(&crm, request_of(&caller, origin, key), path.campaign_id, Intervention::Resume).await
}

/// Call a campaign off
///
/// For good, whether it has begun or not; what is on its way arrives.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/{campaignId}/cancel", operation_id = "cancelCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    responses(
        (status = 200, description = "Called off", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CAMPAIGN_STATUS_CONFLICT`: it is over; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn cancel_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    intervene(&crm, request_of(&caller, origin, key), path.campaign_id, Intervention::Cancel).await
}

async fn intervene(
    crm: &Crm,
    request: Request,
    id: CampaignId,
    what: Intervention,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    let mut tx = TenantTx::begin(&crm.db, request.business).await?;
    let campaign = crm.intervene(&mut tx, &request, id, what).await?;
    tx.commit().await?;
    Ok(Data::json(campaign.into()))
}

//! Campaigns.

use axum::{Extension, extract::State, http::StatusCode};
use kernel::KoreanTime;
use messaging::Channel;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, TenantCrm, TenantTx,
    audit::{Actor, Origin},
    idempotency::IdempotencyKey,
};
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use super::{
    PlanProblem,
    campaign_view::{CampaignEntry, CampaignView},
    stated,
};
use crate::{
    Crm,
    campaign::{
        CampaignId, CampaignStatus, Request, TemplateType, auto::AutoCampaignId, draft::CampaignText,
        wording::Wording,
    },
    coupon::CouponId,
    segment::SegmentId,
    store::campaign::{self, CampaignFilter, WrittenBy},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignPath {
    pub(crate) campaign_id: CampaignId,
}

/// A new campaign. `{{customerName}}`, `{{businessName}}`, `{{lastVisitDate}}`, `{{couponName}}`, `{{couponCode}}`,
/// `{{couponValidUntil}}` and `{{link}}` are filled in for each. Label, sender and the way to refuse are put in by us.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "봄맞이 재방문", "segmentId": 1, "channel": "SMS", "templateType": "REVISIT",
    "message": "{{customerName}}님, 다시 뵙고 싶어요. {{link}}", "link": "https://misohair.example/spring",
    "scheduledAt": null,
}))]
pub(crate) struct CampaignBody {
    #[schema(min_length = 1, max_length = 50)]
    name: String,
    segment_id: SegmentId,
    channel: Channel,
    /// What it is about, for those who look at many; whatever it says, all of it is advertising by law.
    #[serde(default = "revisit")]
    template_type: TemplateType,
    /// Of a mail, required; of others none.
    #[schema(max_length = 100)]
    subject: Option<String>,
    #[schema(min_length = 1, max_length = 2_000)]
    message: String,
    /// Everybody who gets the message gets a code of it.
    coupon_id: Option<CouponId>,
    /// Where `{{link}}` leads: a page that begins with `https://`. The message has a short link of our own, one for each recipient.
    #[schema(max_length = 500)]
    link: Option<String>,
    /// Null or left out: now.
    scheduled_at: Option<KoreanTime>,
    /// Written down, and not sent until it is scheduled.
    #[serde(default)]
    draft: bool,
}

fn revisit() -> TemplateType {
    TemplateType::Revisit
}

impl CampaignBody {
    pub(crate) fn text(self) -> CampaignText {
        CampaignText {
            name: self.name,
            segment: self.segment_id,
            template_type: self.template_type,
            wording: Wording {
                channel: self.channel,
                subject: self.subject,
                message: self.message,
                coupon: self.coupon_id,
                link: self.link,
            },
            scheduled_at: self.scheduled_at.map(|at| at.0),
        }
    }
}

/// What is to be otherwise; what is left out stays as it is. Null takes a coupon, a link, a subject or a time away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "여름맞이 재방문"}))]
#[expect(clippy::option_option, reason = "left out, null and a value are three")]
pub(crate) struct CampaignPatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 50)]
    name: Option<String>,
    /// Named again, the segment is taken as it is by then only where it is another one.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = SegmentId, required = false)]
    segment_id: Option<SegmentId>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Channel, required = false)]
    channel: Option<Channel>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = TemplateType, required = false)]
    template_type: Option<TemplateType>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    subject: Option<Option<String>>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2_000)]
    message: Option<String>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CouponId>)]
    coupon_id: Option<Option<CouponId>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 500)]
    link: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<KoreanTime>)]
    scheduled_at: Option<Option<KoreanTime>>,
}

/// For a member where null and nothing are two things.
#[expect(clippy::option_option, reason = "left out, null and a value are three")]
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl CampaignPatch {
    fn put_into(self, text: &mut CampaignText) {
        fn put<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        put(&mut text.name, self.name);
        put(&mut text.segment, self.segment_id);
        put(&mut text.wording.channel, self.channel);
        put(&mut text.template_type, self.template_type);
        put(&mut text.wording.subject, self.subject);
        put(&mut text.wording.message, self.message);
        put(&mut text.wording.coupon, self.coupon_id);
        put(&mut text.wording.link, self.link);
        put(&mut text.scheduled_at, self.scheduled_at.map(|at| at.map(|at| at.0)));
    }
}

/// Which campaigns are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignQuery {
    status: Option<CampaignStatus>,
    /// The runs of this auto campaign; left out: what somebody wrote.
    #[param(minimum = 1)]
    auto_campaign_id: Option<i64>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List the campaigns
///
/// The newest first. What auto campaigns write each day is listed by `autoCampaignId`.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/campaigns", operation_id = "listCampaigns", tag = "campaigns",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), CampaignQuery),
    responses(
        (status = 200, description = "A page of campaigns", body = List<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_campaigns(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Query(query): Query<CampaignQuery>,
) -> Result<Json<List<CampaignEntry>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let before = page.after()?.map(CampaignId);
    let written_by = match query.auto_campaign_id {
        None => WrittenBy::Somebody,
        Some(id @ 1..) => WrittenBy::Auto(AutoCampaignId(id)),
        Some(_) => {
            return Err(Problem::bad_request("INVALID_PARAMETER", "autoCampaignId는 1 이상이어야 합니다."));
        }
    };
    let filter = CampaignFilter { only: None, written_by, status: query.status, before, limit: limit + 1 };
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let campaigns = campaign::list(&mut tx, caller.business, filter).await?;
    tx.commit().await?;
    let entries = campaigns.into_iter().map(CampaignEntry::from).collect();
    Ok(Json(List::cut(entries, limit, |entry: &CampaignEntry| entry.campaign_id)))
}

/// Get a campaign
///
/// With what became of its messages and what it brought in, now.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/campaigns/{campaignId}", operation_id = "getCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The campaign and its figures", body = Data<CampaignView>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_campaign(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CampaignPath>,
) -> Result<Json<Data<CampaignView>>, Problem> {
    let mut tx = TenantTx::begin_snapshot(&crm.db, caller.business).await?;
    let (campaign, stats) = crm.campaign_standing(&mut tx, caller.business, path.campaign_id).await?;
    tx.commit().await?;
    Ok(Data::json(CampaignView::of(campaign, stats)))
}

/// Create a campaign
///
/// It goes out at `scheduledAt`, or at once; as advertising only to who agreed, between 08:00 and 20:50, and otherwise the next
/// morning. Who is in the segment is found out when it begins. `link` and `{{link}}` belong together, as do `couponId` and what
/// the message says of a coupon. With an `Idempotency-Key` a repeat of the request gets the same answer.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns", operation_id = "createCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    request_body = CampaignBody,
    responses(
        (status = 201, description = "Created", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`SENDER_NOT_READY`: there is no number to refuse advertising at; `CHANNEL_NOT_OFFERED`; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; `IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn create_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
    Json(body): Json<CampaignBody>,
) -> Result<(StatusCode, Json<Data<CampaignEntry>>), Problem> {
    let request = request_of(&caller, origin, key);
    let is_draft = body.draft;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let campaign = crm.add_campaign(&mut tx, &request, body.text(), is_draft).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Data::json(campaign.into())))
}

/// Change a campaign
///
/// Until it begins.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/campaigns/{campaignId}", operation_id = "changeCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    request_body = CampaignPatch,
    responses(
        (status = 200, description = "Changed", body = Data<CampaignEntry>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CAMPAIGN_HAS_BEGUN`; `SENDER_NOT_READY`, `CHANNEL_NOT_OFFERED`; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; `IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn change_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CampaignPath>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
    Json(body): Json<CampaignPatch>,
) -> Result<Json<Data<CampaignEntry>>, Problem> {
    let request = request_of(&caller, origin, key);
    let change = Box::new(|text: &mut CampaignText| body.put_into(text));
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let campaign = crm.change_campaign(&mut tx, &request, path.campaign_id, change).await?;
    tx.commit().await?;
    Ok(Data::json(campaign.into()))
}

/// What reaches people is remembered with who asked for it.
pub(crate) fn request_of(
    caller: &InBusiness<TenantCrm>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
) -> Request {
    let business = caller.business;
    let key = key.map(|Extension(IdempotencyKey(key))| key);
    Request { business, actor: Actor::new(&caller.caller, business, origin), key }
}

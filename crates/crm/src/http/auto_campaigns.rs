//! Auto campaigns.

use std::collections::BTreeMap;

use axum::{Extension, extract::State};
use kernel::KoreanTime;
use messaging::Channel;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, Problem, TenantCrm, TenantTx,
    audit::Origin, idempotency::IdempotencyKey,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    PlanProblem,
    campaign_view::CampaignStats,
    campaigns::{given, request_of},
    stated,
};
use crate::{
    Crm,
    campaign::{
        Runs,
        auto::{AutoCampaign, AutoCampaignId, AutoChange, AutoTerms, Obstacle, Occasion},
    },
    coupon::CouponId,
};

/// What a shop says by itself on an occasion. The first time a channel and a message are needed; after that, what is left out
/// stays as it is, and null takes a coupon, a link or a subject away. The message has the places of campaigns.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "type": "BIRTHDAY", "enabled": true, "channel": "SMS",
    "message": "{{customerName}}님, 생일을 축하드려요!", "couponId": null, "triggerDays": -3,
}))]
#[expect(clippy::option_option, reason = "left out, null and a value are three")]
pub(crate) struct AutoCampaignBody {
    r#type: Occasion,
    enabled: bool,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Channel, required = false)]
    channel: Option<Channel>,
    /// Of a mail, required; of others none.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 100)]
    subject: Option<Option<String>>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 2_000)]
    message: Option<String>,
    /// Everybody who gets the message gets a code of it; who used theirs is left out from then on.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<CouponId>)]
    coupon_id: Option<Option<CouponId>>,
    /// Where `{{link}}` leads.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 500)]
    link: Option<Option<String>>,
    /// So many days after the occasion; negative: before it. A birthday's from -30 to 30; a visit's from -14 to 14, counted from the
    /// 30th, 60th or 90th day after it. At first 0.
    #[schema(minimum = -30, maximum = 30, example = -3)]
    trigger_days: Option<i16>,
    /// The hour of the Korean day at which it runs, 8 to 20. At first 10.
    #[schema(minimum = 8, maximum = 20, example = 10)]
    hour: Option<i16>,
}

impl From<AutoCampaignBody> for AutoChange {
    fn from(body: AutoCampaignBody) -> Self {
        Self {
            occasion: body.r#type,
            enabled: body.enabled,
            channel: body.channel,
            subject: body.subject,
            message: body.message,
            coupon: body.coupon_id,
            link: body.link,
            trigger_days: body.trigger_days,
            hour: body.hour,
        }
    }
}

/// An auto campaign that was saved.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AutoCampaignSaved {
    #[schema(example = 1)]
    auto_campaign_id: AutoCampaignId,
    r#type: Occasion,
    enabled: bool,
    /// When it runs next; null: it is switched off.
    next_run_at: Option<KoreanTime>,
    #[schema(example = "설정이 저장되었습니다.")]
    message: &'static str,
}

/// An auto campaign, and what it brought in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AutoCampaignView {
    #[schema(example = 1)]
    auto_campaign_id: AutoCampaignId,
    r#type: Occasion,
    enabled: bool,
    channel: Channel,
    subject: Option<String>,
    #[schema(example = "{{customerName}}님, 생일을 축하드려요!")]
    message: String,
    coupon_id: Option<CouponId>,
    link: Option<String>,
    #[schema(example = -3)]
    trigger_days: i16,
    #[schema(example = 10)]
    hour: i16,
    next_run_at: Option<KoreanTime>,
    last_run_at: Option<KoreanTime>,
    /// What kept the last run from saying anything; null if nothing did.
    obstacle: Option<Obstacle>,
    /// Runs of the last 365 days; on days that are nobody's there is none.
    #[schema(example = 31)]
    runs: usize,
    /// Of these runs together. Who heard it twice in the year counts twice.
    stats: CampaignStats,
    /// Who was left out of these runs, by reason: as those of a campaign, and `ALREADY_HEARD`.
    #[schema(example = json!({"NO_CONSENT": 4}))]
    excluded: BTreeMap<String, i64>,
}

impl AutoCampaignView {
    fn of((auto, runs): (AutoCampaign, Runs)) -> Self {
        let AutoTerms { occasion, wording, trigger_days, hour } = auto.terms;
        Self {
            auto_campaign_id: auto.id,
            r#type: occasion,
            enabled: auto.next_run_at.is_some(),
            channel: wording.channel,
            subject: wording.subject,
            message: wording.message,
            coupon_id: wording.coupon,
            link: wording.link,
            trigger_days,
            hour,
            next_run_at: auto.next_run_at.map(KoreanTime),
            last_run_at: auto.last_run_at.map(KoreanTime),
            obstacle: auto.obstacle,
            runs: runs.count,
            stats: CampaignStats::of(&runs.stats, runs.has_link, runs.are_mails),
            excluded: runs.stats.excluded,
        }
    }
}

/// Save an auto campaign
///
/// There is one for each type. Switched on, it runs each day at its hour, from the next one on; each day that it finds
/// somebody there is a campaign of that day (`GET .../campaigns?autoCampaignId=`). Nobody gets the same one twice in a cycle: a
/// year for a birthday, and otherwise until they came again. Switched off, what has not gone out yet is called off.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/campaigns/auto", operation_id = "saveAutoCampaign", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("Idempotency-Key" = Option<String>, Header, description = "A repeat with the same key happens once")),
    request_body = AutoCampaignBody,
    responses(
        (status = 200, description = "Saved", body = Data<AutoCampaignSaved>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`SENDER_NOT_READY`: there is no number to refuse advertising at; `CHANNEL_NOT_OFFERED`; `IDEMPOTENCY_KEY_IN_USE`: the same request is running", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; `IDEMPOTENCY_KEY_REUSED`: the key belongs to another request", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn save_auto_campaign(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    origin: Origin,
    key: Option<Extension<IdempotencyKey>>,
    Json(body): Json<AutoCampaignBody>,
) -> Result<Json<Data<AutoCampaignSaved>>, Problem> {
    let request = request_of(&caller, origin, key);
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let saved = crm.save_auto_campaign(&mut tx, &request, body.into()).await?;
    tx.commit().await?;
    Ok(Data::json(AutoCampaignSaved {
        auto_campaign_id: saved.id,
        r#type: saved.terms.occasion,
        enabled: saved.next_run_at.is_some(),
        next_run_at: saved.next_run_at.map(KoreanTime),
        message: "설정이 저장되었습니다.",
    }))
}

/// List the auto campaigns
///
/// Those that were set up, with what their runs of the last 365 days brought in.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/campaigns/auto", operation_id = "listAutoCampaigns", tag = "campaigns",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "All of them, four at most", body = Data<Vec<AutoCampaignView>>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_auto_campaigns(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
) -> Result<Json<Data<Vec<AutoCampaignView>>>, Problem> {
    let mut tx = TenantTx::begin_snapshot(&crm.db, caller.business).await?;
    let standings = crm.auto_standings(&mut tx, caller.business).await?;
    tx.commit().await?;
    Ok(Data::json(standings.into_iter().map(AutoCampaignView::of).collect()))
}

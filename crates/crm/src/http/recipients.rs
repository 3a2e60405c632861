//! Who a campaign reached.

use axum::extract::State;
use kernel::KoreanTime;
use messaging::{Channel, MessageId, MessageStatus};
use platform::{
    CommonProblems, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem, Query, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::campaigns::CampaignPath;
use crate::{
    Crm, CrmError,
    store::{
        campaign,
        recipient::{self, Recipient, RecipientFilter},
    },
};

/// What became of somebody's message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Fate {
    /// It is to be sent.
    Waiting,
    /// On its way: a carrier has it, or nobody knows yet.
    Sent,
    /// It arrived; a mail when its server took it.
    Delivered,
    Failed,
    /// It was not sent, as `reason` says.
    Excluded,
}

impl Fate {
    fn of(recipient: &Recipient, channel: Channel) -> Self {
        match recipient.status {
            Some(MessageStatus::Queued) => Self::Waiting,
            Some(MessageStatus::Sending) if !recipient.was_asked => Self::Waiting,
            None | Some(MessageStatus::Excluded) => Self::Excluded,
            Some(MessageStatus::Failed) if !recipient.was_asked => Self::Excluded,
            Some(MessageStatus::Failed) => Self::Failed,
            Some(MessageStatus::Delivered) => Self::Delivered,
            Some(MessageStatus::Sent) if channel == Channel::Email => Self::Delivered,
            Some(MessageStatus::Sending | MessageStatus::Sent | MessageStatus::Unknown) => Self::Sent,
        }
    }

    /// How messages stand that came to it, and whether they were handed to a carrier.
    fn filter(self, channel: Channel) -> (Vec<MessageStatus>, Option<bool>) {
        use MessageStatus as S;
        match self {
            Self::Sent if channel == Channel::Email => (vec![S::Sending, S::Unknown], Some(true)),
            Self::Delivered if channel == Channel::Email => (vec![S::Sent, S::Delivered], None),
            Self::Waiting => (vec![S::Queued, S::Sending], Some(false)),
            Self::Sent => (vec![S::Sending, S::Sent, S::Unknown], Some(true)),
            Self::Delivered => (vec![S::Delivered], None),
            Self::Failed => (vec![S::Failed], Some(true)),
            Self::Excluded => (vec![S::Excluded, S::Failed], Some(false)),
        }
    }
}

/// Somebody whom a campaign found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignRecipient {
    #[schema(example = 1)]
    customer_id: i64,
    /// Null once the customer was erased.
    #[schema(example = "김민서")]
    name: Option<String>,
    fate: Fate,
    /// Why it failed or was left out.
    #[schema(example = "NO_CONSENT")]
    reason: Option<String>,
    /// Its message, where there is one.
    message_id: Option<MessageId>,
    sent_at: Option<KoreanTime>,
    /// When it arrived, failed or was left out.
    finished_at: Option<KoreanTime>,
    /// How often the link was followed.
    clicks: i32,
    first_clicked_at: Option<KoreanTime>,
    /// When the picture of a mail was first loaded.
    opened_at: Option<KoreanTime>,
}

impl CampaignRecipient {
    fn of(recipient: Recipient, channel: Channel) -> Self {
        Self {
            fate: Fate::of(&recipient, channel),
            customer_id: recipient.customer_id,
            name: recipient.name,
            reason: recipient.reason,
            message_id: recipient.message,
            sent_at: recipient.sent_at.map(KoreanTime),
            finished_at: recipient.finished_at.map(KoreanTime),
            clicks: recipient.clicks,
            first_clicked_at: recipient.first_clicked_at.map(KoreanTime),
            opened_at: recipient.opened_at.map(KoreanTime),
        }
    }
}

/// Which recipients are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RecipientQuery {
    fate: Option<Fate>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List who a campaign reached, and who not
///
/// The newest customers first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/campaigns/{campaignId}/recipients", operation_id = "listCampaignRecipients", tag = "campaigns",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("campaignId" = i64, Path, example = 1), RecipientQuery),
    responses(
        (status = 200, description = "A page of recipients", body = List<CampaignRecipient>),
        (status = 404, description = "`NOT_FOUND`: no such campaign, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_campaign_recipients(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CampaignPath>,
    Query(query): Query<RecipientQuery>,
) -> Result<Json<List<CampaignRecipient>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let before = page.after()?;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let found = campaign::one(&mut tx, caller.business, path.campaign_id).await?.ok_or(CrmError::NotFound)?;
    let channel = found.terms.wording.channel;
    let (statuses, was_asked) = query.fate.map(|fate| fate.filter(channel)).unzip();
    let filter = RecipientFilter { statuses, was_asked: was_asked.flatten(), before, limit: limit + 1 };
    let recipients = recipient::list(&mut tx, caller.business, path.campaign_id, &filter).await?;
    tx.commit().await?;
    let recipients =
        recipients.into_iter().map(|recipient| CampaignRecipient::of(recipient, channel)).collect();
    Ok(Json(List::cut(recipients, limit, |recipient: &CampaignRecipient| recipient.customer_id)))
}

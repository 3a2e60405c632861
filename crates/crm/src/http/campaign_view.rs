//! How campaigns look in the API.

use std::collections::BTreeMap;

use kernel::KoreanTime;
use messaging::Channel;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    campaign::{
        Campaign, CampaignFailure, CampaignId, CampaignStatus, Rates, Stats, TemplateType,
        auto::AutoCampaignId,
    },
    coupon::CouponId,
    segment::SegmentId,
};

/// A campaign, as far as it is known without looking at its messages.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignEntry {
    #[schema(example = 1)]
    pub campaign_id: CampaignId,
    #[schema(example = "봄맞이 재방문")]
    name: String,
    status: CampaignStatus,
    channel: Channel,
    template_type: TemplateType,
    /// Null: an auto campaign wrote it for those whose day it is.
    #[schema(example = 1)]
    segment_id: Option<SegmentId>,
    /// As the segment was called when the campaign was written.
    #[schema(example = "3개월 이상 미방문")]
    segment_name: Option<String>,
    /// The auto campaign that wrote it.
    auto_campaign_id: Option<AutoCampaignId>,
    subject: Option<String>,
    #[schema(example = "{{customerName}}님, 다시 뵙고 싶어요. {{link}}")]
    message: String,
    coupon_id: Option<CouponId>,
    /// Where `{{link}}` leads.
    link: Option<String>,
    /// Until it begins how many are in the segment; then how many were written down so far.
    #[schema(example = 45)]
    recipient_count: i64,
    scheduled_at: Option<KoreanTime>,
    /// When it was found out who is in the segment.
    started_at: Option<KoreanTime>,
    /// When the last of its messages had arrived, failed or was left out.
    completed_at: Option<KoreanTime>,
    /// Why it could not begin.
    failure: Option<CampaignFailure>,
    created_at: KoreanTime,
    changed_at: KoreanTime,
}

impl From<Campaign> for CampaignEntry {
    fn from(campaign: Campaign) -> Self {
        let Campaign { id, terms, course, created_at, changed_at, .. } = campaign;
        let is_complete = course.status == CampaignStatus::Completed;
        Self {
            campaign_id: id,
            name: terms.name,
            status: course.status,
            channel: terms.wording.channel,
            template_type: terms.template_type,
            segment_id: terms.audience.segment(),
            segment_name: terms.audience.name().map(str::to_owned),
            auto_campaign_id: terms.audience.auto(),
            subject: terms.wording.subject,
            message: terms.wording.message,
            coupon_id: terms.wording.coupon,
            link: terms.wording.link,
            recipient_count: course.recipient_count,
            scheduled_at: terms.scheduled_at.map(KoreanTime),
            started_at: course.started_at.map(KoreanTime),
            completed_at: course.ended_at.filter(|_| is_complete).map(KoreanTime),
            failure: course.failure,
            created_at: KoreanTime(created_at),
            changed_at: KoreanTime(changed_at),
        }
    }
}

/// A campaign, and what it brought in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignView {
    #[serde(flatten)]
    campaign: CampaignEntry,
    stats: CampaignStats,
    /// Recipients who were left out, by reason: `NO_CONSENT`, `CONSENT_WITHDRAWN`, `CONSENT_EXPIRED`, `REFUSED`,
    /// `FREQUENCY_CAP`, `NO_CONTACT`, `CONTACT_GONE`, `DEAD_CONTACT`, `SENDER_NOT_READY`, `CANCELLED`, `ALREADY_HEARD` (in
    /// this cycle of an auto campaign), `SAME_CONTACT` (another customer of that number or address got it), `NO_VALUE` (the message
    /// names a last visit that there was not), `COUPON_UNAVAILABLE` (no codes left, or theirs is used), or why it could not be
    /// sent at all: `BAD_NUMBER`, `TOO_LONG`, `CHARSET`.
    #[schema(example = json!({"NO_CONSENT": 12, "REFUSED": 3}))]
    excluded: BTreeMap<String, i64>,
    /// When the first message went out.
    sent_at: Option<KoreanTime>,
}

/// Every recipient is in one of `waiting`, `totalSent` and `excluded`; of `totalSent` each is in one of `delivered`, `failed` and
/// `pending`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CampaignStats {
    /// Handed to a carrier.
    #[schema(example = 45)]
    total_sent: i64,
    /// It arrived; a mail when its server took it.
    #[schema(example = 43)]
    delivered: i64,
    #[schema(example = 2)]
    failed: i64,
    /// On its way: nothing was heard since.
    pending: i64,
    /// To be sent.
    waiting: i64,
    /// Of mails: recipients whose mail program loaded its picture, or who followed the link. Some programs load no pictures, and
    /// some load all by themselves. Null for texts, of which no carrier knows it, and for KakaoTalk, which tells sums of a day
    /// over all messages of a sender.
    #[schema(example = 35)]
    opened: Option<i64>,
    /// Recipients who followed the link; null where the message has none.
    #[schema(example = 35)]
    clicked: Option<i64>,
    /// Recipients who reserved, or began a visit that took place, within seven days (`DANGOL_ATTRIBUTION_DAYS`) after the
    /// message, and had no later message of another campaign before that.
    #[schema(example = 5)]
    converted: i64,
    /// Percent of `totalSent`, with one decimal.
    #[schema(example = 95.6)]
    delivery_rate: f64,
    /// Percent of `delivered`; null where `opened` is.
    #[schema(example = 81.4)]
    open_rate: Option<f64>,
    /// Percent of `delivered`.
    #[schema(example = 81.4)]
    click_rate: Option<f64>,
    /// Percent of `delivered`.
    #[schema(example = 11.6)]
    conversion_rate: f64,
}

impl CampaignView {
    pub(crate) fn of(campaign: Campaign, stats: Stats) -> Self {
        let has_link = campaign.terms.wording.link.is_some();
        let is_mail = campaign.terms.wording.channel == Channel::Email;
        Self {
            campaign: campaign.into(),
            stats: CampaignStats::of(&stats, has_link, is_mail),
            excluded: stats.excluded,
            sent_at: stats.sent_at.map(KoreanTime),
        }
    }
}

impl CampaignStats {
    /// Where there is no link nobody clicks, and only of mails it is known who opened them.
    pub(crate) fn of(stats: &Stats, has_link: bool, are_mails: bool) -> Self {
        let Rates { delivery, conversion, click, open } = stats.rates();
        Self {
            total_sent: stats.total_sent,
            delivered: stats.delivered,
            failed: stats.failed,
            pending: stats.pending,
            waiting: stats.waiting,
            opened: are_mails.then_some(stats.opened),
            clicked: has_link.then_some(stats.clicked),
            converted: stats.converted,
            delivery_rate: percent(delivery),
            open_rate: are_mails.then(|| percent(open)),
            click_rate: has_link.then(|| percent(click)),
            conversion_rate: percent(conversion),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share is far below where tenths get lost")]
fn percent(tenths: i64) -> f64 {
    tenths as f64 / 10.0
}

//! Reading a campaign as somebody wants it, with every mistake named.

use chrono::{DateTime, Months, TimeDelta, Utc};
use kernel::BusinessId;
use platform::TenantTx;

use super::{
    Audience, TemplateType, Terms,
    wording::{Mistakes, Wording},
};
use crate::{
    Crm, CrmError,
    segment::{Segment, SegmentId},
    store::segment,
    text,
};

/// A time that is past by the time it arrives is now; one that is further back is a mistake.
const GRACE: TimeDelta = TimeDelta::minutes(10);

/// A campaign as somebody wants it.
#[derive(Clone, Debug)]
pub(crate) struct CampaignText {
    pub name: String,
    pub segment: SegmentId,
    pub template_type: TemplateType,
    pub wording: Wording,
    pub scheduled_at: Option<DateTime<Utc>>,
}

impl Crm {
    /// A campaign that can be. Of the segment it takes what it is now; `kept` is what it took before.
    pub(crate) async fn read_terms(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wanted: CampaignText,
        kept: Option<&Terms>,
    ) -> Result<Terms, CrmError> {
        let mut mistakes = Mistakes::default();
        let name = mistakes.take("name", text::name(&wanted.name));
        let chosen = match kept.filter(|kept| kept.audience.segment() == Some(wanted.segment)) {
            Some(kept) => Some((kept.audience.clone(), kept.conditions.clone(), kept.version)),
            None => segment::one(tx, business, wanted.segment).await?.map(|found| {
                let Segment { id, name, conditions, version, .. } = found;
                (Audience::Segment { id, name }, conditions, version)
            }),
        };
        if chosen.is_none() {
            mistakes.add("segmentId", "UNKNOWN_SEGMENT", "등록되지 않은 고객 그룹입니다.");
        }
        if let Some(at) = wanted.scheduled_at {
            let now = self.clock.now();
            let latest = now.checked_add_months(Months::new(12)).unwrap_or(now);
            // What was accepted once may have come near since.
            let is_new = kept.is_none_or(|kept| kept.scheduled_at != wanted.scheduled_at);
            if is_new && at < now - GRACE {
                mistakes.add("scheduledAt", "IN_THE_PAST", "이미 지난 시각입니다.");
            } else if at > latest {
                mistakes.add("scheduledAt", "TOO_FAR", "1년 안의 시각이어야 합니다.");
            }
        }
        let wording = self.read_wording(tx, business, wanted.wording, &mut mistakes).await?;
        match (name, chosen) {
            (Some(name), Some((audience, conditions, version))) if mistakes.0.is_empty() => Ok(Terms {
                name,
                audience,
                conditions,
                version,
                template_type: wanted.template_type,
                wording,
                scheduled_at: wanted.scheduled_at,
            }),
            _ => Err(CrmError::Invalid(mistakes.0)),
        }
    }
}

//! Setting an auto campaign up, and switching it off.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::{BusinessId, korean_day};
use messaging::Channel;
use platform::{
    TenantTx, audit,
    features::{self, Feature},
};
use serde_json::json;

use super::{
    super::{
        Intervention, Request,
        wording::{Mistakes, Wording},
    },
    AutoCampaign, AutoCampaignId, AutoTerms, Occasion, next_run, runs_at,
};
use crate::{Crm, CrmError, coupon::CouponId, store::auto_campaign};

/// The hour where a shop names none.
const HOUR: i16 = 10;

/// What is to be otherwise about the auto campaign of an occasion; what is not said stays as it is.
#[expect(clippy::option_option, reason = "not said, nothing and a value are three")]
pub(crate) struct AutoChange {
    pub occasion: Occasion,
    pub enabled: bool,
    pub channel: Option<Channel>,
    pub subject: Option<Option<String>>,
    pub message: Option<String>,
    pub coupon: Option<Option<CouponId>>,
    pub link: Option<Option<String>>,
    pub trigger_days: Option<i16>,
    pub hour: Option<i16>,
}

impl AutoChange {
    fn wording(&mut self, kept: Option<&Wording>, mistakes: &mut Mistakes) -> Option<Wording> {
        let channel = self.channel.or(kept.map(|kept| kept.channel));
        let message = self.message.take().or_else(|| kept.map(|kept| kept.message.clone()));
        if channel.is_none() {
            mistakes.add("channel", "REQUIRED", "채널을 선택해 주세요.");
        }
        if message.is_none() {
            mistakes.add("message", "REQUIRED", "메시지를 입력해 주세요.");
        }
        Some(Wording {
            channel: channel?,
            subject: self.subject.take().unwrap_or_else(|| kept.and_then(|kept| kept.subject.clone())),
            message: message?,
            coupon: self.coupon.take().unwrap_or_else(|| kept.and_then(|kept| kept.coupon)),
            link: self.link.take().unwrap_or_else(|| kept.and_then(|kept| kept.link.clone())),
        })
    }
}

impl Crm {
    /// Sets the auto campaign of an occasion up, or changes it. Switched on, it begins with its next hour; switched off, what it
    /// has not sent yet is called off.
    pub(crate) async fn save_auto_campaign(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        mut change: AutoChange,
    ) -> Result<AutoCampaign, CrmError> {
        let business = request.business;
        let now = self.clock.now();
        let kept = auto_campaign::lock(tx, business, change.occasion).await?;
        // Switching off has to work whatever became of the plan, the coupon or the sender.
        if change.enabled {
            features::require(tx, business, Feature::Crm).await?;
        }
        let terms = self.read_auto(tx, business, &mut change, kept.as_ref()).await?;
        if change.enabled {
            self.check_channel(tx, business, terms.wording.channel).await?;
        }
        let covered_on = covered_on(kept.as_ref(), terms.hour, now);
        let next_run_at = change.enabled.then(|| next_run(covered_on, terms.hour, now));
        let id = auto_campaign::save(tx, business, now, &terms, covered_on, next_run_at).await?;
        if !change.enabled {
            self.call_runs_off(tx, request, id).await?;
        }
        let facts = json!({
            "autoCampaignId": id, "type": terms.occasion, "enabled": change.enabled, "channel": terms.wording.channel,
            "triggerDays": terms.trigger_days, "hour": terms.hour,
        });
        audit::record(tx, business, now, &request.actor, "auto_campaign.saved", &facts).await?;
        auto_campaign::lock(tx, business, change.occasion).await?.ok_or(CrmError::NotFound)
    }

    async fn read_auto(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        change: &mut AutoChange,
        kept: Option<&AutoCampaign>,
    ) -> Result<AutoTerms, CrmError> {
        let kept = kept.map(|kept| &kept.terms);
        let mut mistakes = Mistakes::default();
        let occasion = change.occasion;
        let trigger_days = change.trigger_days.or(kept.map(|kept| kept.trigger_days)).unwrap_or_default();
        let hour = change.hour.or(kept.map(|kept| kept.hour)).unwrap_or(HOUR);
        if !occasion.trigger_days().contains(&trigger_days) {
            let most = *occasion.trigger_days().end();
            let message = format!(
                "{}을 기준으로 {most}일 전(-{most})부터 {most}일 후까지 정할 수 있습니다.",
                occasion.label()
            );
            mistakes.add("triggerDays", "OUT_OF_RANGE", message);
        }
        if !(8..=20).contains(&hour) {
            mistakes.add("hour", "OUT_OF_RANGE", "8시에서 20시 사이여야 합니다.");
        }
        let mut wording = change.wording(kept.map(|kept| &kept.wording), &mut mistakes);
        let is_new = wording.as_ref() != kept.map(|kept| &kept.wording);
        if let Some(wanted) = wording.take_if(|_| change.enabled || is_new) {
            wording = Some(self.read_wording(tx, business, wanted, &mut mistakes).await?);
        }
        match wording {
            Some(wording) if mistakes.0.is_empty() => Ok(AutoTerms { occasion, wording, trigger_days, hour }),
            _ => Err(CrmError::Invalid(mistakes.0)),
        }
    }

    async fn call_runs_off(
        &self,
        tx: &mut TenantTx,
        request: &Request,
        id: AutoCampaignId,
    ) -> Result<(), CrmError> {
        for run in auto_campaign::open_runs(tx, request.business, id).await? {
            match self.intervene(tx, request, run, Intervention::Cancel).await {
                // It was over before it could be called off.
                Ok(_) | Err(CrmError::CampaignMove(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// The last day that needs nothing any more. Switched on after today's hour it begins tomorrow, and nobody hears of a day that
/// was over before.
fn covered_on(kept: Option<&AutoCampaign>, hour: i16, now: DateTime<Utc>) -> NaiveDate {
    let today = korean_day(now);
    let yesterday = today.checked_sub_days(Days::new(1)).unwrap_or(today);
    let missed = if runs_at(today, hour) > now { yesterday } else { today };
    match kept {
        Some(kept) if kept.next_run_at.is_some() => kept.covered_on,
        Some(kept) => kept.covered_on.max(missed),
        None => missed,
    }
}

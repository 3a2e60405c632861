//! The daily run of an auto campaign.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::BusinessId;
use messaging::{MessagingError, code};
use platform::{
    SystemTx, TenantTx,
    features::{self, Feature},
};

use super::{
    super::{
        Audience, Course, Terms,
        wording::{Mistakes, Wording},
        write::PAUSE,
    },
    AutoCampaign, AutoTerms, Obstacle, Occasion, day_after, last_day, next_run,
};
use crate::{
    Crm, CrmError, segment,
    store::{
        auto_campaign,
        campaign::{self, NewCampaign},
    },
};

/// A day that was missed is made up for so many days later at most: nobody is wished a happy birthday after a week.
const MADE_UP_FOR: Days = Days::new(2);

impl Crm {
    /// The run of the auto campaign whose hour has come; false if nobody's has.
    pub(crate) async fn run_next_auto(&self) -> Result<bool, CrmError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let Some((business, due)) = auto_campaign::due(&mut tx, now).await? else { return Ok(false) };
        tx.commit().await?;
        if let Err(error) = self.run_auto(business, due.occasion).await {
            tracing::error!(%business, auto_campaign = %due.id, %error, "an auto campaign cannot run; tried again");
            let mut tx = TenantTx::begin(&self.db, business).await?;
            auto_campaign::put_off(&mut tx, business, due.id, now, now + PAUSE).await?;
            tx.commit().await?;
        }
        Ok(true)
    }

    /// Writes the campaign of the days that were not seen to, and when the next is due, both or neither.
    async fn run_auto(&self, business: BusinessId, occasion: Occasion) -> Result<(), CrmError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let Some(mut found) = auto_campaign::lock(&mut tx, business, occasion).await? else { return Ok(()) };
        // Somebody else may have been faster, or have switched it off.
        if found.next_run_at.is_none_or(|due| due > now) {
            return Ok(());
        }
        // Where nobody came by until the night, today's hour is still to come.
        let last = last_day(found.terms.hour, now);
        found.obstacle = self.obstacle(&mut tx, business, &found.terms.wording).await?;
        if found.obstacle.is_some() {
            tracing::warn!(%business, auto_campaign = %found.id, obstacle = ?found.obstacle, "an auto campaign cannot say anything");
        } else {
            if found.covered_on < last {
                self.write_run(&mut tx, business, &found, last, now).await?;
            }
            found.covered_on = last;
        }
        let next = next_run(last, found.terms.hour, now);
        auto_campaign::write_run(&mut tx, business, now, &found, next).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A campaign that has begun, if it is anybody's day.
    async fn write_run(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        auto: &AutoCampaign,
        last: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<(), CrmError> {
        let AutoTerms { occasion, wording, trigger_days, .. } = &auto.terms;
        let first = day_after(auto.covered_on).max(last.checked_sub_days(MADE_UP_FOR).unwrap_or(last));
        let terms = Terms {
            name: format!("{} {last}", occasion.label()),
            audience: Audience::Auto(auto.id),
            conditions: occasion.conditions(*trigger_days, first, last),
            version: segment::VERSION,
            template_type: occasion.template_type(),
            wording: wording.clone(),
            scheduled_at: auto.next_run_at,
        };
        if self.count(tx, business, &terms).await? == 0 {
            return Ok(());
        }
        let sample_code = code::unguessable();
        let new =
            NewCampaign { terms: &terms, course: &Course::begun(now), sample_code: &sample_code, key: None };
        campaign::insert(tx, business, now, &new).await?;
        metrics::counter!("dangol_auto_campaign_runs_total").increment(1);
        Ok(())
    }

    /// What would keep every message of it from being sent.
    async fn obstacle(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        wording: &Wording,
    ) -> Result<Option<Obstacle>, CrmError> {
        if !features::has(tx, business, Feature::Crm).await? {
            return Ok(Some(Obstacle::PlanLacksCrm));
        }
        match self.check_channel(tx, business, wording.channel).await {
            Ok(()) => {}
            Err(CrmError::SenderNotReady | CrmError::Messaging(MessagingError::ChannelNotOffered)) => {
                return Ok(Some(Obstacle::SenderNotReady));
            }
            Err(error) => return Err(error),
        }
        let mut mistakes = Mistakes::default();
        self.read_wording(tx, business, wording.clone(), &mut mistakes).await?;
        Ok(match mistakes.0.first() {
            None => None,
            Some(mistake) if mistake.field == "couponId" => Some(Obstacle::CouponUnavailable),
            Some(_) => Some(Obstacle::WordingRefused),
        })
    }
}

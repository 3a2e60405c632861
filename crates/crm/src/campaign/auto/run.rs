//! The daily run of an auto campaign.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kernel::{BusinessId, korean_day};
use messaging::{MessagingError, code};
use platform::{
    SystemTx, TenantTx,
    features::{self, Feature},
};

use super::{
    super::{
        Audience, Course, Terms,
        wording::{Mistakes, Wording},
    },
    AutoCampaign, AutoTerms, Obstacle, next_run,
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

/// How soon it is tried again after something went wrong.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

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
    async fn run_auto(&self, business: BusinessId, occasion: super::Occasion) -> Result<(), CrmError> {
        let now = self.clock.now();
        let today = korean_day(now);
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let Some(mut found) = auto_campaign::lock(&mut tx, business, occasion).await? else { return Ok(()) };
        // Somebody else may have been faster, or have switched it off.
        if found.next_run_at.is_none_or(|due| due > now) {
            return Ok(());
        }
        found.obstacle = self.obstacle(&mut tx, business, &found.terms.wording).await?;
        if found.obstacle.is_some() {
            tracing::warn!(%business, auto_campaign = %found.id, obstacle = ?found.obstacle, "an auto campaign cannot say anything");
        } else {
            self.write_run(&mut tx, business, &found, today, now).await?;
            found.covered_on = today;
        }
        let next = next_run(today, found.terms.hour, now);
        auto_campaign::write_run(&mut tx, business, now, &found, next).await?;
        tx.commit().await?;
        metrics::counter!("dangol_auto_campaign_runs_total").increment(1);
        Ok(())
    }

    /// A campaign that has begun, if it is anybody's day.
    async fn write_run(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        auto: &AutoCampaign,
        today: NaiveDate,
        now: DateTime<Utc>,
    ) -> Result<(), CrmError> {
        let AutoTerms { occasion, wording, trigger_days, .. } = &auto.terms;
        let next = |day: NaiveDate| day.checked_add_days(Days::new(1)).unwrap_or(day);
        let earliest = today.checked_sub_days(MADE_UP_FOR).unwrap_or(today);
        let first = next(auto.covered_on).clamp(earliest, today);
        let terms = Terms {
            name: format!("{} {today}", occasion.label()),
            audience: Audience::Auto(auto.id),
            conditions: occasion.conditions(*trigger_days, first, today),
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

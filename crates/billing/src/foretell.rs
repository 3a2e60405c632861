//! Announcing, some days before, that a subscription is about to end or to be charged again.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::at_korean_time;
use platform::{SystemTx, events};

use crate::{Billing, BillingError, event::BillingEvent, store};

/// How long before, in days.
const DAYS_BEFORE: Days = Days::new(3);

impl Billing {
    /// Tells of each subscription that will not renew, once, a few days before its end. Who cancels in those days knows.
    pub(crate) async fn announce_endings(&self) -> Result<(), BillingError> {
        let Some(ends_by) = self.told_by_now() else { return Ok(()) };
        let mut tx = SystemTx::begin(&self.db).await?;
        let ending = store::subscription::tell_ends(&mut tx, ends_by).await?;
        let events: Vec<_> = ending
            .into_iter()
            .filter(|ending| ending.canceled_at.is_none_or(|at| at < self.told_at(ending.ends_on)))
            .map(|ending| {
                let event = BillingEvent::SubscriptionExpiring {
                    subscription_id: ending.subscription,
                    plan_name: ending.plan_name,
                    access_until: ending.ends_on,
                };
                (ending.business, event)
            })
            .collect();
        events::publish_all(&mut tx, self.clock.now(), &events).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tells of each renewal once, a few days before it is charged.
    pub(crate) async fn announce_renewals(&self) -> Result<(), BillingError> {
        let Some(renews_by) = self.told_by_now() else { return Ok(()) };
        let mut tx = SystemTx::begin(&self.db).await?;
        let upcoming = store::subscription::tell_renewals(&mut tx, renews_by).await?;
        let today = self.clock.today();
        let events: Vec<_> = upcoming
            .into_iter()
            // After a long standstill: what is due today is no news.
            .filter(|upcoming| upcoming.renews_on > today)
            .map(|upcoming| {
                let event = BillingEvent::RenewalUpcoming {
                    subscription_id: upcoming.subscription,
                    plan_name: upcoming.plan_name,
                    amount: upcoming.price,
                    payment_date: upcoming.renews_on,
                };
                (upcoming.business, event)
            })
            .collect();
        events::publish_all(&mut tx, self.clock.now(), &events).await?;
        tx.commit().await?;
        Ok(())
    }

    /// When it is told that something ends or renews on a day: from the hour on at which renewals are charged.
    pub(crate) fn told_at(&self, day: NaiveDate) -> DateTime<Utc> {
        at_korean_time(day.checked_sub_days(DAYS_BEFORE).unwrap_or(day), self.settings.charge_time)
    }

    /// Whatever is on this day or before is told by now.
    fn told_by_now(&self) -> Option<NaiveDate> {
        let today = self.clock.today();
        let is_early = self.clock.now() < at_korean_time(today, self.settings.charge_time);
        let day = if is_early { today.pred_opt()? } else { today };
        day.checked_add_days(DAYS_BEFORE)
    }
}

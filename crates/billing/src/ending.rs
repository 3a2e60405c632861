//! Announcing that a subscription is about to end.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::at_korean_time;
use platform::{SystemTx, events};

use crate::{Billing, BillingError, event::BillingEvent, store};

/// How long before, in days.
const DAYS_BEFORE: Days = Days::new(3);

impl Billing {
    /// Tells of each subscription that will not renew, once, a few days before its end. Who cancels in those days knows.
    pub(crate) async fn announce_endings(&self) -> Result<(), BillingError> {
        let now = self.clock.now();
        let today = self.clock.today();
        // What is told today is told from the hour on at which renewals are charged.
        let day = if now < at_korean_time(today, self.settings.charge_time) {
            today.pred_opt()
        } else {
            Some(today)
        };
        let Some(ends_by) = day.and_then(|day| day.checked_add_days(DAYS_BEFORE)) else { return Ok(()) };
        let mut tx = SystemTx::begin(&self.db).await?;
        let ending = store::subscription::tell_ends(&mut tx, ends_by).await?;
        let events: Vec<_> = ending
            .into_iter()
            .filter(|ending| ending.canceled_at.is_none_or(|at| at < self.end_told_at(ending.ends_on)))
            .map(|ending| {
                let event = BillingEvent::SubscriptionExpiring {
                    subscription_id: ending.subscription,
                    plan_name: ending.plan_name,
                    access_until: ending.ends_on,
                };
                (ending.business, event)
            })
            .collect();
        if !events.is_empty() {
            events::publish_all(&mut tx, now, &events).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// When it is told that something ends on a day.
    pub(crate) fn end_told_at(&self, ends_on: NaiveDate) -> DateTime<Utc> {
        let day = ends_on.checked_sub_days(DAYS_BEFORE).unwrap_or(ends_on);
        at_korean_time(day, self.settings.charge_time)
    }
}

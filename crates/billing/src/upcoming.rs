//! Announcing that a subscription is about to be charged again.

use chrono::{DateTime, Days, NaiveDate, Utc};
use kernel::at_korean_time;
use platform::{SystemTx, events};

use crate::{Billing, BillingError, event::BillingEvent, store};

/// How long before, in days.
const DAYS_BEFORE: Days = Days::new(3);

impl Billing {
    /// Tells of each renewal once, a few days before it is charged.
    pub(crate) async fn announce_renewals(&self) -> Result<(), BillingError> {
        let now = self.clock.now();
        let today = self.clock.today();
        // What is told today is told from the hour on at which renewals are charged.
        let day = if now < at_korean_time(today, self.settings.charge_time) {
            today.pred_opt()
        } else {
            Some(today)
        };
        let Some(renews_by) = day.and_then(|day| day.checked_add_days(DAYS_BEFORE)) else { return Ok(()) };
        let mut tx = SystemTx::begin(&self.db).await?;
        let upcoming = store::subscription::tell_renewals(&mut tx, renews_by).await?;
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
        if !events.is_empty() {
            events::publish_all(&mut tx, now, &events).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// When it is told that something renews on a day.
    pub(crate) fn renewal_told_at(&self, renews_on: NaiveDate) -> DateTime<Utc> {
        let day = renews_on.checked_sub_days(DAYS_BEFORE).unwrap_or(renews_on);
        at_korean_time(day, self.settings.charge_time)
    }
}

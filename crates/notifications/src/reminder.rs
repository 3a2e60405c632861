//! Reminding customers of tomorrow's visit.
//!
//! From one hour of the day until midnight all visits of the next day are looked through with each sweep. Nothing has to be
//! scheduled when a reservation is made, moved or cancelled: what stands in the book then counts. What was reminded of is
//! written down together with the event that reminds, so that a run that is cut off goes on, one that moves to tomorrow late
//! in the evening is reminded of all the same, and one that moves to another day is reminded of again.

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use kernel::{BusinessId, KoreanTime, at_korean_time, korean_day, start_of_korean_day};
use platform::{
    SystemTx,
    events::{self, Event},
};
use serde::{Deserialize, Serialize};

use crate::{Notifications, NotificationsError, store};

/// How many visits are dealt with in one transaction.
const BATCH: i64 = 500;

/// How long notifications are kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(90);

/// A visit whose customer is to be reminded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReminderDue {
    pub reservation_id: i64,
    pub customer_id: i64,
    pub start_at: KoreanTime,
    /// What for, in the words of the menu.
    pub services: Vec<String>,
}

impl Event for ReminderDue {
    fn kind(&self) -> &'static str {
        "reminder.due"
    }
}

impl Notifications {
    /// Does what is due now, and forgets what is old.
    pub async fn sweep(&self) -> Result<(), NotificationsError> {
        self.remind().await?;
        self.forget_old().await
    }

    /// When something will be due next, if nothing happens before; in the past if it is due already.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, NotificationsError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let from = start_of_korean_day(tomorrow(now));
        let visit = store::reminder::first_unreminded_day(&mut tx, from).await?;
        Ok(visit.map(|visit_on| self.reminds_at(visit_on)))
    }

    /// When the visits of a day are reminded of.
    fn reminds_at(&self, visit_on: NaiveDate) -> DateTime<Utc> {
        let day_before = visit_on.checked_sub_days(Days::new(1)).unwrap_or(visit_on);
        at_korean_time(day_before, self.reminder_time)
    }

    async fn remind(&self) -> Result<(), NotificationsError> {
        let now = self.clock.now();
        let visit_on = tomorrow(now);
        if now < self.reminds_at(visit_on) {
            return Ok(());
        }
        let mut after = (BusinessId(i64::MIN), i64::MIN);
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let visits = store::reminder::visits(&mut tx, visit_on, after, BATCH).await?;
            let Some(last) = visits.last() else {
                store::reminder::done(&mut tx, visit_on).await?;
                tx.commit().await?;
                return Ok(());
            };
            after = (last.0, last.1.reservation_id);
            let due = store::reminder::write_down(&mut tx, visit_on, visits).await?;
            events::publish_all(&mut tx, now, &due).await?;
            crate::crash_point!("reminder::before_commit");
            tx.commit().await?;
            crate::crash_point!("reminder::written");
        }
    }

    async fn forget_old(&self) -> Result<(), NotificationsError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        store::ticket::forget_expired(&mut tx, now).await?;
        store::reminder::forget_before(&mut tx, korean_day(now - KEPT_FOR)).await?;
        tx.commit().await?;
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let forgotten = store::notification::forget_old(&mut tx, now - KEPT_FOR, 5_000).await?;
            tx.commit().await?;
            if forgotten == 0 {
                return Ok(());
            }
        }
    }
}

fn tomorrow(now: DateTime<Utc>) -> NaiveDate {
    let today = korean_day(now);
    today.succ_opt().unwrap_or(today)
}

//! Sending what is due: claim, mark, ask, write down.
//!
//! ```text
//! QUEUED ──claim──▶ SENDING ──judge, mark──▶ SENDING, asked ──answer──▶ SENT, FAILED, or QUEUED again
//!                      │ lease over: QUEUED       │ lease over, or no answer
//!                      ▼ must not go, or not now  ▼
//!                   EXCLUDED, QUEUED           UNKNOWN ──look-up──▶ SENT, FAILED, or proven absent: QUEUED
//! ```
//!
//! A claim takes many; [`crate::handover`] judges, marks, asks and writes down once for each request that is really made.

use std::{
    collections::{HashMap, HashSet},
    ops::AddAssign,
    sync::atomic::{AtomicBool, Ordering},
};

use chrono::TimeDelta;
use futures::{StreamExt, future::join_all, stream};
use kernel::BusinessId;
use platform::SystemTx;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Channel, Exclusion, MessageId, Messaging, MessagingError, Purpose,
    channel::MessageChannel,
    judgement::{Judged, count_all, judge, standings},
    store::{
        self,
        batch::States,
        claim::{Taken, Taking, Waiting},
        sender::Profile,
    },
};

/// How long what was taken belongs to whoever took it.
pub(crate) const LEASE: TimeDelta = TimeDelta::minutes(5);

/// What a run sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SendReport {
    /// Taken by a provider.
    pub sent: u64,
    pub failed: u64,
    pub excluded: u64,
    /// Wait for another time.
    pub put_back: u64,
    /// Nobody knows yet.
    pub unknown: u64,
}

impl AddAssign for SendReport {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.failed += other.failed;
        self.excluded += other.excluded;
        self.put_back += other.put_back;
        self.unknown += other.unknown;
    }
}

/// Messages that were taken to be sent together.
pub(crate) struct Batch {
    pub(crate) claim: Uuid,
    pub(crate) messages: Vec<Waiting>,
    pub(crate) profiles: HashMap<BusinessId, Profile>,
    /// What was taken with them and does not go.
    pub(crate) sorted_out: SendReport,
}

impl Messaging {
    /// What is sent independently of each other: information never waits behind advertising, nor a mail behind texts.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (Channel, Purpose)> {
        let purposes = [Purpose::Information, Purpose::Sample, Purpose::Advertising];
        self.channels.offered().flat_map(move |channel| purposes.map(|purpose| (channel, purpose)))
    }

    /// Sends what is due.
    pub async fn send_due(&self) -> Result<SendReport, MessagingError> {
        let never = CancellationToken::new();
        let lines = self.lines().map(|(channel, purpose)| self.send_line(channel, purpose, &never));
        let mut total = SendReport::default();
        // One that fails takes no other down with it in the middle of what it does.
        for report in join_all(lines).await {
            total += report?;
        }
        Ok(total)
    }

    /// What is due of one channel and purpose, several batches under way at once, until nothing is left or `stop` comes. What is
    /// under way by then, or when something fails, is finished.
    pub(crate) async fn send_line(
        &self,
        channel: Channel,
        purpose: Purpose,
        stop: &CancellationToken,
    ) -> Result<SendReport, MessagingError> {
        let carrier = self.channels.for_sending(channel)?;
        let has_failed = &AtomicBool::new(false);
        let next_batch = move |()| async move {
            if stop.is_cancelled() || has_failed.load(Ordering::Relaxed) {
                return None;
            }
            let claimed = self.claim(carrier, channel, purpose).await;
            has_failed.fetch_or(claimed.is_err(), Ordering::Relaxed);
            claimed.transpose().map(|batch| (batch, ()))
        };
        let send = move |batch| async move { self.send_batch(carrier, batch?).await };
        let (mut report, mut trouble) = (SendReport::default(), None);
        let at_once = self.settings.concurrency.max(1);
        let mut sending = stream::unfold((), next_batch).map(send).buffer_unordered(at_once).boxed();
        while let Some(sent) = sending.next().await {
            has_failed.fetch_or(sent.is_err(), Ordering::Relaxed);
            note(sent, &mut report, &mut trouble);
        }
        trouble.map_or(Ok(report), Err)
    }

    /// Takes those whose turn it is. `None`: there are none.
    async fn claim(
        &self,
        carrier: &dyn MessageChannel,
        channel: Channel,
        purpose: Purpose,
    ) -> Result<Option<Batch>, MessagingError> {
        let now = self.clock.now();
        let taking = Taking {
            claim: store::message::new_claim(),
            provider: carrier.provider(),
            channel,
            purpose,
            lease: now + LEASE,
            limit: i64::try_from(carrier.capabilities().largest_batch.min(1_000)).unwrap_or(1_000),
        };
        let mut tx = SystemTx::begin_by_name(&self.db).await?;
        let Taken { mut messages, forgotten } = store::claim::take(&mut tx, &taking, now).await?;
        if messages.is_empty() && forgotten.is_empty() {
            return Ok(None);
        }
        let mut judged = Judged::default();
        if carrier.capabilities().hears_recipient_first {
            // How batches stand and how much somebody had is looked at when they go: whoever stops a batch waits for none of
            // these, and one that does not go takes no other's room.
            let rules = self.rules_without_a_count();
            let waiting: Vec<&Waiting> = messages.iter().collect();
            let standings = standings(&mut tx, purpose, &waiting, now).await?;
            judged = judge(&waiting, &standings, &States::default(), rules, now);
            let go: HashSet<MessageId> = judged.go.iter().map(|key| key.id).collect();
            messages.retain(|message| go.contains(&message.id));
        }
        judged.exclude.extend(forgotten.into_iter().map(|key| (key, Exclusion::ContactGone)));
        judged.sort_out(&mut tx, taking.claim, now).await?;
        let businesses: HashSet<i64> = messages.iter().map(|message| message.business.0).collect();
        let businesses: Vec<i64> = businesses.into_iter().collect();
        let profiles = store::sender::profiles(&mut tx, &businesses).await?;
        tx.commit().await?;
        crate::crash_point!("message::claimed");
        count_all(&judged.exclude);
        Ok(Some(Batch { claim: taking.claim, messages, profiles, sorted_out: judged.report() }))
    }
}

/// Adds up what went well, and remembers the first thing that did not.
pub(crate) fn note(
    sent: Result<SendReport, MessagingError>,
    report: &mut SendReport,
    trouble: &mut Option<MessagingError>,
) {
    match sent {
        Ok(sent) => *report += sent,
        Err(error) if trouble.is_none() => *trouble = Some(error),
        Err(error) => tracing::error!(%error, "messages could not be sent"),
    }
}

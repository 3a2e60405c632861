//! Sending what is due: claim, mark, ask, write down.
//!
//! ```text
//! QUEUED ──claim──▶ SENDING ──mark──▶ SENDING, asked ──answer──▶ SENT, FAILED, or QUEUED again
//!    │                 │ lease over       │ lease over, or no answer
//!    ▼                 ▼                  ▼
//! EXCLUDED          QUEUED             UNKNOWN ──look-up──▶ SENT, FAILED, or proven absent: QUEUED
//! ```
//!
//! A claim takes many; [`crate::handover`] marks, asks and writes down once for each request that is really made.

use std::{
    collections::{HashMap, HashSet},
    ops::AddAssign,
};

use chrono::TimeDelta;
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use kernel::BusinessId;
use platform::SystemTx;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Channel, Messaging, MessagingError, Purpose,
    channel::MessageChannel,
    judgement::{Judged, count_all, judge, standings, verdict},
    law::{Standing, Verdict},
    store::{
        self,
        claim::{Key, Waiting},
        sender::Profile,
    },
};

/// Longer than any request takes. A mark begins it anew.
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

/// An advertisement that was just taken, to one number or address.
struct Taken {
    batch: Option<String>,
    customer: Option<i64>,
}

impl Taken {
    fn is_the_same_to_another(&self, message: &Waiting) -> bool {
        self.batch.is_some() && self.batch == message.batch && self.customer != message.customer
    }
}

/// Messages that were taken to be sent together.
pub(crate) struct Batch {
    pub(crate) claim: Uuid,
    pub(crate) messages: Vec<Waiting>,
    pub(crate) profiles: HashMap<BusinessId, Profile>,
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
        let mut under_way = FuturesUnordered::new();
        let mut report = SendReport::default();
        let mut trouble = None;
        while trouble.is_none() && !stop.is_cancelled() {
            if under_way.len() >= self.settings.concurrency.max(1) {
                if let Some(sent) = under_way.next().await {
                    note(sent, &mut report, &mut trouble);
                }
                continue;
            }
            match self.claim(carrier, channel, purpose).await {
                Ok((batch, excluded, put_back)) => {
                    report += SendReport { excluded, put_back, ..SendReport::default() };
                    match batch {
                        Some(batch) if batch.messages.is_empty() => {}
                        Some(batch) => under_way.push(self.send_batch(carrier, batch)),
                        None => break,
                    }
                }
                Err(error) => trouble = Some(error),
            }
        }
        while let Some(sent) = under_way.next().await {
            note(sent, &mut report, &mut trouble);
        }
        trouble.map_or(Ok(report), Err)
    }

    /// Takes those whose turn it is, and judges each. `None`: there are none.
    async fn claim(
        &self,
        carrier: &dyn MessageChannel,
        channel: Channel,
        purpose: Purpose,
    ) -> Result<(Option<Batch>, u64, u64), MessagingError> {
        let now = self.clock.now();
        let limit = i64::try_from(carrier.capabilities().largest_batch.min(1_000)).unwrap_or(1_000);
        let mut tx = SystemTx::begin(&self.db).await?;
        if purpose == Purpose::Advertising {
            store::claim::one_at_a_time(&mut tx).await?;
        }
        let due = store::claim::due(&mut tx, channel, purpose, now, limit).await?;
        if due.is_empty() {
            return Ok((None, 0, 0));
        }
        let standings = standings(&mut tx, purpose, &due, now).await?;
        let batches = store::batch::look_at(&mut tx, &due).await?;
        let mut taken: HashMap<(BusinessId, Vec<u8>), Vec<Taken>> = HashMap::new();
        let Judged { go, wait, exclude } = judge(due, &standings, |message, standing| {
            // Those that are taken together do not see each other in the database yet.
            let beside = taken.entry((message.business, message.contact_hash.clone())).or_default();
            let is_repeated = beside.iter().any(|taken| taken.is_the_same_to_another(message));
            let standing = Standing {
                had_the_same: standing.had_the_same || is_repeated,
                had_lately: standing.had_lately + i64::try_from(beside.len()).unwrap_or(i64::MAX),
                ..standing.clone()
            };
            let verdict = verdict(message, &standing, &batches, self.rules(), now);
            if verdict == Verdict::Send {
                beside.push(Taken { batch: message.batch.clone(), customer: message.customer });
            }
            verdict
        });
        store::claim::postpone(&mut tx, &wait, None).await?;
        store::claim::exclude(&mut tx, &exclude, None, now).await?;
        let claim = store::message::new_claim();
        let keys: Vec<Key> = go.iter().map(Waiting::key).collect();
        store::claim::take(&mut tx, &keys, carrier.provider(), claim, now + LEASE).await?;
        let businesses: HashSet<i64> = go.iter().map(|message| message.business.0).collect();
        let businesses: Vec<i64> = businesses.into_iter().collect();
        let profiles = store::sender::profiles(&mut tx, &businesses).await?;
        tx.commit().await?;
        crate::crash_point!("message::claimed");
        count_all(&exclude);
        let counted = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok((Some(Batch { claim, messages: go, profiles }), counted(exclude.len()), counted(wait.len())))
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

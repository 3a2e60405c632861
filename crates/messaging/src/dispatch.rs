//! Sending what is due: claim, mark, ask, write down.
//!
//! ```text
//! QUEUED ──claim──▶ SENDING ──mark──▶ SENDING, asked ──answer──▶ SENT, FAILED, or QUEUED again
//!    │                 │ lease over       │ lease over, or no answer
//!    ▼                 ▼                  ▼
//! EXCLUDED          QUEUED             UNKNOWN ──look-up──▶ SENT, FAILED, or proven absent: QUEUED
//! ```

use std::{
    collections::{HashMap, HashSet},
    mem,
    ops::AddAssign,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, future::try_join_all, stream::FuturesUnordered};
use kernel::BusinessId;
use platform::SystemTx;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    Channel, Exclusion, FailureClass, MessageId, MessageStatus, Messaging, MessagingError, Purpose,
    channel::{MessageChannel, Outbound, Refusal, Sent},
    content::{Content, content_purpose, recipient_purpose},
    law::{Rules, Standing, Verdict},
    message::MessageMove,
    store::{
        self,
        claim::{Key, Waiting},
        message::Settled,
        sender::Profile,
    },
};

/// Longer than any request takes.
pub(crate) const LEASE: TimeDelta = TimeDelta::minutes(5);

/// So many tries, over two days, and then it has failed.
const MOST_ATTEMPTS: i32 = 16;

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
struct Batch {
    claim: Uuid,
    messages: Vec<Waiting>,
    profiles: HashMap<BusinessId, Profile>,
}

impl Messaging {
    /// Sends what is due, each channel beside the others; what is information never waits behind advertising.
    pub async fn send_due(&self) -> Result<SendReport, MessagingError> {
        let lines = self
            .channels
            .offered()
            .flat_map(|channel| [(channel, Purpose::Information), (channel, Purpose::Advertising)]);
        let reports = try_join_all(lines.map(|(channel, purpose)| self.send_line(channel, purpose))).await?;
        let mut total = SendReport::default();
        for report in reports {
            total += report;
        }
        Ok(total)
    }

    /// What is due of one channel and purpose, several batches under way at once.
    async fn send_line(&self, channel: Channel, purpose: Purpose) -> Result<SendReport, MessagingError> {
        let carrier = self.channels.for_sending(channel)?;
        let mut under_way = FuturesUnordered::new();
        let mut report = SendReport::default();
        loop {
            while under_way.len() >= self.settings.concurrency {
                if let Some(sent) = under_way.next().await {
                    report += sent?;
                }
            }
            let (batch, excluded, put_back) = self.claim(carrier, channel, purpose).await?;
            report += SendReport { excluded, put_back, ..SendReport::default() };
            match batch {
                Some(batch) if batch.messages.is_empty() => {}
                Some(batch) => under_way.push(self.send_batch(carrier, batch)),
                None => break,
            }
        }
        while let Some(sent) = under_way.next().await {
            report += sent?;
        }
        Ok(report)
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
        let mut in_this_batch: HashMap<(BusinessId, Vec<u8>), i64> = HashMap::new();
        let Judged { go, wait, exclude } = judge(due, &standings, |message, standing| {
            let same = in_this_batch.entry((message.business, message.contact_hash.clone())).or_default();
            let standing = Standing { had_lately: standing.had_lately + *same, ..standing.clone() };
            let verdict = self.verdict(message, &standing, now);
            *same += i64::from(verdict == Verdict::Send);
            verdict
        });
        store::claim::postpone(&mut tx, &wait).await?;
        store::claim::exclude(&mut tx, &exclude, now).await?;
        let claim = store::message::new_claim();
        let keys: Vec<Key> = go.iter().map(Waiting::key).collect();
        store::claim::take(&mut tx, &keys, carrier.provider(), claim, now + LEASE).await?;
        let businesses: Vec<i64> = go.iter().map(|message| message.business.0).collect();
        let profiles = store::sender::profiles(&mut tx, &businesses).await?;
        tx.commit().await?;
        crate::crash_point!("message::claimed");
        let counted = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        count_exclusions(&exclude);
        Ok((Some(Batch { claim, messages: go, profiles }), counted(exclude.len()), counted(wait.len())))
    }

    fn verdict(&self, message: &Waiting, standing: &Standing, now: DateTime<Utc>) -> Verdict {
        if message.not_after.is_some_and(|last| last < now) {
            return Verdict::Exclude(Exclusion::TooLate);
        }
        match message.purpose {
            Purpose::Information => Rules::of_information(standing),
            Purpose::Advertising => self.rules().of_advertising(standing, message.channel, now),
        }
    }

    fn rules(&self) -> Rules {
        let settings = &self.settings;
        Rules { hours: settings.advertising_hours, advertisements_a_week: settings.advertisements_a_week }
    }

    async fn send_batch(
        &self,
        carrier: &dyn MessageChannel,
        batch: Batch,
    ) -> Result<SendReport, MessagingError> {
        let mut readable = Vec::with_capacity(batch.messages.len());
        let (mut outbound, mut unreadable) = (Vec::new(), Vec::new());
        for message in batch.messages {
            match self.outbound(&message, &batch.profiles) {
                Ok(out) => {
                    outbound.push(out);
                    readable.push(message);
                }
                // One that cannot be opened must not hold up the others.
                Err(error) => {
                    tracing::error!(message = %message.id, %error, "a message cannot be read");
                    unreadable.push(message);
                }
            }
        }
        let lost = unreadable.iter().map(|_| Sent::Refused(Refusal::new(FailureClass::OurBug, "UNREADABLE")));
        let mut report = self.settle_sent(carrier, &unreadable, lost.collect()).await?;
        if readable.is_empty() {
            return Ok(report);
        }
        let waiting: Arc<HashMap<MessageId, Waiting>> =
            Arc::new(readable.iter().map(|message| (message.id, message.clone())).collect());
        let claim = batch.claim;
        let marked: Arc<Mutex<HashSet<MessageId>>> = Arc::default();
        let before_sending = |ids: Vec<MessageId>| {
            let (waiting, marked) = (Arc::clone(&waiting), Arc::clone(&marked));
            async move {
                // Whoever cannot write down that it is about to ask does not ask.
                let go = self.about_to_send(claim, &ids, &waiting).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "messages were held back");
                    Vec::new()
                });
                marked.lock().unwrap_or_else(PoisonError::into_inner).extend(&go);
                go
            }
            .boxed()
        };
        let mut sent = carrier.send(&outbound, &before_sending).await;
        // What never came to the step that cannot be taken back was not sent, whatever else happened.
        let marked = marked.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (message, sent) in outbound.iter().zip(&mut sent) {
            if let Sent::Unknown(reason) = sent
                && !marked.contains(&message.reference)
            {
                *sent = Sent::NotSent(mem::take(reason));
            }
        }
        crate::crash_point!("message::answered");
        report += self.settle_sent(carrier, &readable, sent).await?;
        crate::crash_point!("message::settled");
        Ok(report)
    }

    /// The last moment: judged once more, since somebody may have refused a moment ago, and written down.
    async fn about_to_send(
        &self,
        claim: Uuid,
        ids: &[MessageId],
        waiting: &HashMap<MessageId, Waiting>,
    ) -> Result<Vec<MessageId>, MessagingError> {
        let now = self.clock.now();
        let messages: Vec<Waiting> = ids.iter().filter_map(|id| waiting.get(id)).cloned().collect();
        let mut tx = SystemTx::begin(&self.db).await?;
        let go = match messages.first() {
            Some(first) if first.purpose == Purpose::Advertising => {
                let standings = standings(&mut tx, first.purpose, &messages, now).await?;
                // It counts itself by now.
                let before =
                    |(id, standing): (MessageId, Standing)| (id, Standing { had_lately: 0, ..standing });
                let standings = standings.into_iter().map(before).collect();
                let lenient = Rules { advertisements_a_week: i64::MAX, ..self.rules() };
                let Judged { go, wait, exclude } = judge(messages, &standings, |message, standing| {
                    lenient.of_advertising(standing, message.channel, now)
                });
                store::claim::postpone(&mut tx, &wait).await?;
                store::claim::exclude(&mut tx, &exclude, now).await?;
                count_exclusions(&exclude);
                go
            }
            _ => messages,
        };
        let keys: Vec<Key> = go.iter().map(Waiting::key).collect();
        let marked = store::claim::mark(&mut tx, &keys, claim, now).await?;
        tx.commit().await?;
        crate::crash_point!("message::marked");
        Ok(marked)
    }

    fn outbound(
        &self,
        message: &Waiting,
        profiles: &HashMap<BusinessId, Profile>,
    ) -> Result<Outbound, MessagingError> {
        let content = self.vault.open(&content_purpose(message.id), &message.content)?;
        Ok(Outbound {
            reference: message.id,
            to: self.vault.open(&recipient_purpose(message.id), &message.recipient)?,
            from: self.settings.sender.of(
                message.spoken_by,
                message.purpose,
                profiles.get(&message.business),
            ),
            content: Content::from_sealed(&content)?,
            is_advertising: message.purpose == Purpose::Advertising,
        })
    }

    async fn settle_sent(
        &self,
        carrier: &dyn MessageChannel,
        messages: &[Waiting],
        sent: Vec<Sent>,
    ) -> Result<SendReport, MessagingError> {
        let now = self.clock.now();
        let mut report = SendReport::default();
        let mut settled = Vec::with_capacity(messages.len());
        for (message, sent) in messages.iter().zip(sent) {
            let Some(answer) = answered(carrier, message, sent, now)? else {
                // What held it back wrote down why, or its lease runs out.
                continue;
            };
            match answer.status {
                MessageStatus::Sent => report.sent += 1,
                MessageStatus::Failed => report.failed += 1,
                MessageStatus::Queued => report.put_back += 1,
                _ => report.unknown += 1,
            }
            settled.push(answer);
        }
        self.settle(&settled).await?;
        Ok(report)
    }
}

#[derive(Default)]
struct Judged {
    go: Vec<Waiting>,
    wait: Vec<(Key, DateTime<Utc>)>,
    exclude: Vec<(Key, Exclusion)>,
}

fn judge(
    messages: Vec<Waiting>,
    standings: &HashMap<MessageId, Standing>,
    mut verdict: impl FnMut(&Waiting, &Standing) -> Verdict,
) -> Judged {
    let nothing_known = Standing::default();
    let mut judged = Judged::default();
    for message in messages {
        match verdict(&message, standings.get(&message.id).unwrap_or(&nothing_known)) {
            Verdict::Send => judged.go.push(message),
            Verdict::Wait(until) => judged.wait.push((message.key(), until)),
            Verdict::Exclude(exclusion) => judged.exclude.push((message.key(), exclusion)),
        }
    }
    judged
}

async fn standings(
    tx: &mut SystemTx,
    purpose: Purpose,
    messages: &[Waiting],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    match purpose {
        Purpose::Information => store::standing::of_information(tx, messages).await,
        Purpose::Advertising => store::standing::of_advertising(tx, messages, now).await,
    }
}

fn count_exclusions(excluded: &[(Key, Exclusion)]) {
    for (_, exclusion) in excluded {
        metrics::counter!("dangol_messages_excluded_total", "reason" => exclusion.as_str()).increment(1);
    }
}

/// What a channel's answer makes of a message.
fn answered(
    carrier: &dyn MessageChannel,
    message: &Waiting,
    sent: Sent,
    now: DateTime<Utc>,
) -> Result<Option<Settled>, MessagingError> {
    let was = MessageStatus::Sending;
    let blank = Settled {
        business: message.business,
        id: message.id,
        was,
        status: was,
        reason: None,
        provider_id: None,
        provider_code: None,
        delivered_by: None,
        sent_at: None,
        finished_at: None,
        due_at: None,
    };
    let settled = match sent {
        Sent::Accepted(provider_id) => Settled {
            status: was.after(MessageMove::Accept)?,
            provider_id: Some(provider_id),
            sent_at: Some(now),
            due_at: carrier.capabilities().reports_delivery.then(|| now + first_look()),
            ..blank
        },
        Sent::Refused(refusal) => refused(blank, message.attempts, &refusal, now)?,
        Sent::NotSent(reason) => {
            tracing::warn!(message = %message.id, reason, "a message was not sent; tried again");
            let refusal = Refusal::new(FailureClass::Temporary, "NOT_SENT");
            refused(blank, message.attempts, &refusal, now)?
        }
        Sent::Unknown(reason) => {
            tracing::warn!(message = %message.id, reason, "nobody knows whether a message was sent");
            let due_at = carrier.capabilities().finds.then(|| now + first_look());
            Settled { status: was.after(MessageMove::LoseTrack)?, due_at, ..blank }
        }
        Sent::HeldBack => return Ok(None),
    };
    metrics::counter!(
        "dangol_messages_total",
        "channel" => message.channel.as_str(), "provider" => carrier.provider().as_str(),
        "outcome" => outcome(&settled)
    )
    .increment(1);
    Ok(Some(settled))
}

/// A definite no: another try where that is worth it, else the end.
pub(crate) fn refused(
    settled: Settled,
    attempts: i32,
    refusal: &Refusal,
    now: DateTime<Utc>,
) -> Result<Settled, MessagingError> {
    if refusal.class.is_ours() {
        tracing::error!(message = %settled.id, code = refusal.code, class = refusal.class.as_str(), "a message was refused because of us");
    }
    let code = Some(refusal.code.chars().take(60).collect());
    if refusal.class.is_worth_another_try() && attempts < MOST_ATTEMPTS {
        let status = settled.was.after(MessageMove::PutBack)?;
        let due_at = Some(now + pause_before(attempts));
        return Ok(Settled { status, provider_code: code, due_at, ..settled });
    }
    Ok(Settled {
        status: settled.was.after(MessageMove::Fail)?,
        reason: Some(refusal.class.as_str().to_owned()),
        provider_code: code,
        finished_at: Some(now),
        due_at: None,
        ..settled
    })
}

fn outcome(settled: &Settled) -> &'static str {
    match settled.status {
        MessageStatus::Sent => "SENT",
        MessageStatus::Failed => "FAILED",
        MessageStatus::Queued => "PUT_BACK",
        _ => "UNKNOWN",
    }
}

/// Reports come within seconds as a rule.
fn first_look() -> TimeDelta {
    TimeDelta::seconds(10)
}

/// Soon at first, then less and less: 5 s, 10 s, 20 s, up to four hours.
pub(crate) fn pause_before(tries: i32) -> TimeDelta {
    let doublings = u32::try_from(tries.clamp(0, 20)).unwrap_or(20);
    TimeDelta::seconds(5 * 2_i64.pow(doublings)).min(TimeDelta::hours(4))
}

//! Handing taken messages over: for each request that is really made one mark, one question, one answer written down.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use futures::{FutureExt, StreamExt, stream};
use kernel::BusinessId;
use platform::SystemTx;
use uuid::Uuid;

use crate::{
    FailureClass, MessageId, Messaging, MessagingError,
    answer::answered,
    channel::{Leave, MessageChannel, Outbound, Refusal, Sent},
    content::{Content, content_purpose, recipient_purpose},
    dispatch::{Batch, LEASE, SendReport, note},
    judgement::{count_all, judge, standings},
    law::Standing,
    message::{MessageStatus, Purpose},
    store::{self, claim::Waiting, sender::Profile},
};

/// What could not be handed over so soon after its mark is not: others may take it for lost by the time it arrives.
const LEAVE_IS_GOOD_FOR: Duration = Duration::from_mins(1);

/// Longer than a leave is good and a request takes: with less left of it, a mark begins the lease anew.
const ENOUGH: TimeDelta = TimeDelta::minutes(3);

type ById = HashMap<MessageId, Waiting>;

/// Whether messages are about to be handed over for the first time.
#[derive(Clone, Copy)]
enum Turn {
    First,
    /// In parts, since they were refused together. How much somebody had this week was counted the first time; by now they count
    /// themselves and each other.
    Again,
}

/// What happened between a claim and its answers, as the callback of a channel leaves it behind.
#[derive(Default)]
struct Marks {
    /// These may have gone.
    gone: HashSet<MessageId>,
    /// These were not to go, which is written down; or another process has them by now.
    settled: HashSet<MessageId>,
    report: SendReport,
}

impl Messaging {
    pub(crate) async fn send_batch(
        &self,
        carrier: &dyn MessageChannel,
        batch: Batch,
    ) -> Result<SendReport, MessagingError> {
        let Batch { claim, messages, profiles, sorted_out } = batch;
        let (mut outbound, mut unreadable) = (Vec::with_capacity(messages.len()), Vec::new());
        for message in &messages {
            match self.outbound(message, &profiles) {
                Ok(out) => outbound.push(out),
                // One that cannot be opened must not hold up the others.
                Err(error) => {
                    tracing::error!(message = %message.id, %error, "a message cannot be read");
                    let refusal = Refusal::new(FailureClass::OurBug, "UNREADABLE");
                    unreadable.push((message, Sent::Refused(refusal)));
                }
            }
        }
        let (mut report, mut trouble) = (sorted_out, None);
        note(self.settle_sent(carrier, claim, unreadable).await, &mut report, &mut trouble);
        let taken: ById = messages.into_iter().map(|message| (message.id, message)).collect();
        let requests = carrier.requests(outbound).into_iter();
        let asking: Vec<_> =
            requests.map(|request| self.send_request(carrier, claim, &taken, request)).collect();
        let mut under_way = stream::iter(asking).buffer_unordered(self.settings.concurrency.max(1));
        while let Some(sent) = under_way.next().await {
            note(sent, &mut report, &mut trouble);
        }
        trouble.map_or(Ok(report), Err)
    }

    /// A request that is refused as a whole took nothing: its halves are asked for, until the one to blame is alone.
    async fn send_request(
        &self,
        carrier: &dyn MessageChannel,
        claim: Uuid,
        taken: &ById,
        request: Vec<Outbound>,
    ) -> Result<SendReport, MessagingError> {
        let mut report = SendReport::default();
        let mut parts = vec![(request, Turn::First)];
        while let Some((mut part, turn)) = parts.pop() {
            let (answers, so_far) = self.ask(carrier, claim, turn, taken, &part).await;
            report += so_far;
            let is_alone = part.len() == 1;
            let mut settled = Vec::with_capacity(part.len());
            let mut again = Vec::new();
            for (message, answer) in part.drain(..).zip(answers) {
                let Some(waiting) = taken.get(&message.reference) else { continue };
                match answer {
                    None => {}
                    Some(Sent::RefusedTogether(_)) if !is_alone => again.push(message),
                    Some(answer) => settled.push((waiting, answer)),
                }
            }
            crate::crash_point!("message::answered");
            report += self.settle_sent(carrier, claim, settled).await?;
            crate::crash_point!("message::settled");
            if !again.is_empty() {
                let other = again.split_off(again.len() / 2);
                let halves = [other, again].into_iter().filter(|part| !part.is_empty());
                parts.extend(halves.map(|half| (half, Turn::Again)));
            }
        }
        Ok(report)
    }

    /// Makes one request. `None`: what became of it is written down already.
    async fn ask(
        &self,
        carrier: &dyn MessageChannel,
        claim: Uuid,
        turn: Turn,
        taken: &ById,
        request: &[Outbound],
    ) -> (Vec<Option<Sent>>, SendReport) {
        let marks: Mutex<Marks> = Mutex::default();
        let noted = || marks.lock().unwrap_or_else(PoisonError::into_inner);
        let before_sending = |messages: Vec<Outbound>| {
            let noted = &noted;
            async move {
                let began = Instant::now();
                let nobody = Leave { messages: Vec::new(), at: self.clock.now() };
                match self.about_to_send(claim, turn, messages, taken).await {
                    Ok((leave, settled, report)) => {
                        let mut noted = noted();
                        noted.settled.extend(settled);
                        noted.report += report;
                        if began.elapsed() > LEAVE_IS_GOOD_FOR {
                            tracing::warn!(
                                "messages were not sent: writing down that they would be took too long"
                            );
                            return nobody;
                        }
                        noted.gone.extend(leave.messages.iter().map(|message| message.reference));
                        leave
                    }
                    // Whoever cannot write down that it is about to ask does not ask.
                    Err(error) => {
                        tracing::error!(%error, "messages were held back");
                        nobody
                    }
                }
            }
            .boxed()
        };
        let sent = carrier.send(request, &before_sending).await;
        let Marks { gone, settled, report } = mem::take(&mut *noted());
        let answer = |(message, sent): (&Outbound, Sent)| {
            if settled.contains(&message.reference) {
                return None;
            }
            Some(match sent {
                // What never came to the step that cannot be taken back was not sent, whatever else happened.
                Sent::Unknown(reason) if !gone.contains(&message.reference) => Sent::NotSent(reason),
                Sent::HeldBack => Sent::NotSent("held back".to_owned()),
                sent => sent,
            })
        };
        (request.iter().zip(sent).map(answer).collect(), report)
    }

    /// The last moment: judged on what is known now, since somebody may have refused a moment ago, and written down. Answers
    /// with those that may go, and with those of which there is nothing more to write down.
    async fn about_to_send(
        &self,
        claim: Uuid,
        turn: Turn,
        messages: Vec<Outbound>,
        taken: &ById,
    ) -> Result<(Leave, Vec<MessageId>, SendReport), MessagingError> {
        let waiting: Vec<&Waiting> =
            messages.iter().filter_map(|message| taken.get(&message.reference)).collect();
        let purpose = waiting.first().map_or(Purpose::Information, |message| message.purpose);
        let rules = match turn {
            Turn::First => self.rules(),
            Turn::Again => self.rules_without_a_count(),
        };
        let is_counted = purpose.is_advertising();
        let _alone = if is_counted { Some(self.counting.lock().await) } else { None };
        let mut tx = SystemTx::begin_by_name(&self.db).await?;
        if is_counted {
            store::claim::count_alone(&mut tx, &waiting).await?;
        }
        let now = self.clock.now();
        let batches = store::batch::hold_on_to(&mut tx, &waiting).await?;
        let standings = standings(&mut tx, purpose, &waiting, now).await?;
        let judged = judge(&waiting, &standings, &batches, rules, now);
        judged.sort_out(&mut tx, claim, now).await?;
        let marked = store::claim::mark(&mut tx, &judged.go, claim, now, now + ENOUGH, now + LEASE).await?;
        tx.commit().await?;
        crate::crash_point!("message::marked");
        count_all(&judged.exclude);
        let marked: HashSet<MessageId> = marked.into_iter().collect();
        let nothing_known = Standing::default();
        let (mut going, mut settled) = (Vec::with_capacity(marked.len()), Vec::new());
        for mut message in messages {
            if !marked.contains(&message.reference) {
                settled.push(message.reference);
                continue;
            }
            let standing = standings.get(&message.reference).unwrap_or(&nothing_known);
            if !standing.allows_texts(purpose, now) {
                message.content.without_fallback();
            }
            going.push(message);
        }
        Ok((Leave { messages: going, at: now }, settled, judged.report()))
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
            is_advertising: message.purpose.is_advertising(),
        })
    }

    async fn settle_sent(
        &self,
        carrier: &dyn MessageChannel,
        claim: Uuid,
        answers: Vec<(&Waiting, Sent)>,
    ) -> Result<SendReport, MessagingError> {
        let now: DateTime<Utc> = self.clock.now();
        let mut report = SendReport::default();
        let mut settled = Vec::with_capacity(answers.len());
        for (message, sent) in answers {
            let answer = answered(carrier, message, claim, sent, now)?;
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

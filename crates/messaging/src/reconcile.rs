//! Messages that were handed over, or perhaps were: asking what became of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;
use platform::{SystemTx, events};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    Channel, FailureClass, MessageId, MessageStatus, Messaging, MessagingError, Speaker,
    answer::{pause_before, refused},
    channel::{Asked, Fate, Found, Kind, MessageChannel, Provider, Refusal},
    consent::Source,
    content::{Content, content_purpose, recipient_purpose},
    dispatch::LEASE,
    event::MessagingEvent,
    message::MessageMove,
    store::{
        self,
        consent::Refusing,
        message::{Open, Settled},
    },
};

const BATCH: i64 = 500;

/// So often it must have been looked for in vain before it counts as absent, when it is certain that it would be there.
const LOOKS: i32 = 2;
/// How far apart: lists may be late.
const LOOK_AGAIN: TimeDelta = TimeDelta::minutes(3);

impl Messaging {
    /// Asks about what is due to be asked about.
    pub(crate) async fn look_up_due(&self) -> Result<(), MessagingError> {
        let never = CancellationToken::new();
        let carriers = self.channels.all().map(|carrier| self.look_up_at(carrier, &never));
        join_all(carriers).await.into_iter().collect()
    }

    /// The same at one carrier, until nothing is left or `stop` comes.
    pub(crate) async fn look_up_at(
        &self,
        carrier: &dyn MessageChannel,
        stop: &CancellationToken,
    ) -> Result<(), MessagingError> {
        let due_by = self.clock.now();
        while !stop.is_cancelled() {
            let claim = store::message::new_claim();
            let lease = self.clock.now() + LEASE;
            let mut tx = SystemTx::begin_by_name(&self.db).await?;
            let open =
                store::message::claim_open(&mut tx, carrier.provider(), claim, due_by, lease, BATCH).await?;
            tx.commit().await?;
            if open.is_empty() {
                break;
            }
            self.look_up(carrier, claim, open).await?;
        }
        Ok(())
    }

    async fn look_up(
        &self,
        carrier: &dyn MessageChannel,
        claim: Uuid,
        open: Vec<Open>,
    ) -> Result<(), MessagingError> {
        // Whoever claimed these died before it asked: they certainly were not sent.
        let (handed_over, untouched): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|message| message.asked_at.is_some());
        let now = self.clock.now();
        let mut settled: Vec<Settled> =
            untouched.iter().map(|message| put_back(message, claim, now)).collect::<Result<_, _>>()?;
        if carrier.capabilities().finds {
            let asked: Vec<Asked> = handed_over.iter().map(|message| self.asked(message)).collect();
            let found = if asked.is_empty() { Vec::new() } else { carrier.find(&asked).await };
            let now = self.clock.now();
            for (message, found) in handed_over.iter().zip(found) {
                settled.push(heard(carrier, message, claim, found, now)?);
            }
        } else {
            for message in &handed_over {
                settled.push(given_up(carrier, message, claim)?);
            }
        }
        self.settle(&settled).await
    }

    /// One that cannot be opened is asked about by what is known of it, and holds up nobody else's.
    fn asked(&self, message: &Open) -> Asked {
        let open = |purpose: String, sealed: &String| {
            let opened = self.vault.open(&purpose, sealed);
            opened
                .inspect_err(
                    |error| tracing::error!(message = %message.id, %error, "a message cannot be read"),
                )
                .ok()
        };
        let to = message.recipient.as_ref().and_then(|sealed| open(recipient_purpose(message.id), sealed));
        let content = message.content.as_ref().and_then(|sealed| open(content_purpose(message.id), sealed));
        let kind =
            content.and_then(|content| Content::from_sealed(&content).ok()).map(|content| content.kind());
        Asked {
            reference: message.id,
            provider_id: message.provider_id.clone(),
            kind: kind.unwrap_or(Kind::Sms),
            to: to.unwrap_or_default(),
            asked_at: message.asked_at.unwrap_or_else(|| self.clock.now()),
        }
    }

    /// Writes answers down, and what follows from them: contacts that are dead or refuse, and who hears of a failure.
    pub(crate) async fn settle(&self, settled: &[Settled]) -> Result<(), MessagingError> {
        if settled.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = SystemTx::begin_by_name(&self.db).await?;
        let changed = store::message::settle(&mut tx, settled).await?;
        let has_failed =
            |answer: &&Settled| answer.status == MessageStatus::Failed && changed.contains(&answer.id);
        let answers: Vec<&Settled> = settled.iter().filter(has_failed).collect();
        let said = store::message::said(&mut tx, &answers).await?;
        let answers: HashMap<MessageId, &Settled> =
            answers.into_iter().map(|answer| (answer.id, answer)).collect();
        let (mut failed, mut dead, mut withdrawn) = (Vec::new(), Vec::new(), Vec::new());
        for message in said {
            let Some(answer) = answers.get(&message.id) else { continue };
            let Some(class) = answer.reason.as_deref().and_then(FailureClass::read) else { continue };
            match class {
                // A mailbox that does not exist makes all our mail look bad. A number may have been out of service.
                FailureClass::BadNumber if message.channel == Channel::Email && is_no_mailbox(answer) => {
                    dead.push((message.business.0, message.channel, message.contact_hash));
                }
                // The carrier knows of a refusal; one that we know is no new one.
                FailureClass::Blocked if message.spoken_by == Speaker::Business => {
                    let contact = [(message.channel, message.contact_hash.clone())];
                    let known = store::refusal::of_contacts(&mut tx, message.business, &contact).await?;
                    if known.is_empty() {
                        let refusing = Refusing {
                            business: message.business,
                            channel: message.channel,
                            contact_hash: &message.contact_hash,
                            customer: message.customer,
                        };
                        withdrawn.extend(self.refuse(&mut tx, &refusing, Source::ProviderList, now).await?);
                    }
                }
                _ => {}
            }
            let event = MessagingEvent::MessageFailed {
                message_id: message.id,
                customer_id: message.customer,
                batch: message.batch,
                channel: message.channel,
                purpose: message.purpose,
                reason: class,
            };
            failed.push((message.business, event));
        }
        if !dead.is_empty() {
            store::standing::bury(&mut tx, &dead, now).await?;
        }
        self.tell_of_consents(&mut tx, &withdrawn).await?;
        events::publish_all(&mut tx, now, &failed).await?;
        tx.commit().await?;
        Ok(())
    }

    /// A provider has news of messages: a reason to ask.
    pub(crate) async fn hear_of(
        &self,
        provider: Provider,
        provider_ids: &[String],
    ) -> Result<(), MessagingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::message::hear_of(&mut tx, provider, provider_ids, self.clock.now()).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// The server said so in the one word that means it (RFC 3463); other refusals may be about us.
fn is_no_mailbox(answer: &Settled) -> bool {
    let code = answer.provider_code.as_deref().unwrap_or_default();
    code.split(' ').any(|word| matches!(word, "5.1.1" | "5.1.10"))
}

fn blank(message: &Open, claim: Uuid) -> Settled {
    Settled::blank(message.business, message.id, claim, message.status)
}

fn put_back(message: &Open, claim: Uuid, now: DateTime<Utc>) -> Result<Settled, MessagingError> {
    let status = message.status.after(MessageMove::PutBack)?;
    Ok(Settled { status, due_at: Some(now), ..blank(message, claim) })
}

/// Nobody can be asked any more.
fn given_up(carrier: &dyn MessageChannel, message: &Open, claim: Uuid) -> Result<Settled, MessagingError> {
    if message.status == MessageStatus::Sent {
        return Ok(blank(message, claim));
    }
    tracing::error!(message = %message.id, provider = carrier.provider().as_str(), "nobody will ever know whether a message was sent");
    let status = message.status.after(MessageMove::LoseTrack)?;
    Ok(Settled { status, ..blank(message, claim) })
}

/// What a look-up makes of a message.
fn heard(
    carrier: &dyn MessageChannel,
    message: &Open,
    claim: Uuid,
    found: Found,
    now: DateTime<Utc>,
) -> Result<Settled, MessagingError> {
    let capabilities = carrier.capabilities();
    let since = now - message.asked_at.unwrap_or(now);
    let blank = blank(message, claim);
    let later = now + pause_before(message.checks.max(1));
    // What was taken is asked about for as long as a report may take, what was lost for as long as it is remembered.
    let asked_for = if message.status == MessageStatus::Sent {
        capabilities.reports_within
    } else {
        capabilities.remembers_for
    };
    match found {
        Found::Taken { provider_id, fate } => {
            let taken = Settled {
                provider_id: Some(provider_id),
                sent_at: Some(message.sent_at.unwrap_or(now)),
                ..blank
            };
            match fate {
                Fate::InFlight => {
                    let status = message.status.after(MessageMove::Accept)?;
                    let due_at = (since <= capabilities.reports_within).then_some(later);
                    Ok(Settled { status, due_at, ..taken })
                }
                Fate::Delivered { by, at } => Ok(Settled {
                    status: message.status.after(MessageMove::Deliver)?,
                    delivered_by: Some(by),
                    finished_at: Some(at.unwrap_or(now)),
                    ..taken
                }),
                Fate::Failed(refusal) => Ok(Settled {
                    status: message.status.after(MessageMove::Fail)?,
                    reason: Some(refusal.class.as_str().to_owned()),
                    provider_code: Some(refusal.code),
                    finished_at: Some(now),
                    ..taken
                }),
            }
        }
        Found::Absent | Found::Unknown(_) if since > asked_for => given_up(carrier, message, claim),
        // Whom it was for has been forgotten, and without that it is not found, whether it is there or not.
        Found::Absent if message.recipient.is_none() && message.status != MessageStatus::Sent => {
            given_up(carrier, message, claim)
        }
        Found::Absent if message.status == MessageStatus::Sent => {
            if since >= capabilities.absence_is_proof_after {
                tracing::error!(message = %message.id, "a provider denies a message that it took");
            }
            Ok(Settled { due_at: Some(later), ..blank })
        }
        Found::Absent if since < capabilities.absence_is_proof_after => {
            // It may still be on its way there: that it is not seen yet means nothing.
            let status = message.status.after(MessageMove::LoseTrack)?;
            let proof_begins = now - since + capabilities.absence_is_proof_after;
            Ok(Settled { status, due_at: Some(proof_begins.min(later)), ..blank })
        }
        Found::Absent if message.absences + 1 < LOOKS => {
            let status = message.status.after(MessageMove::LoseTrack)?;
            Ok(Settled { status, is_absent: true, due_at: Some(now + LOOK_AGAIN), ..blank })
        }
        Found::Absent => {
            tracing::warn!(message = %message.id, "a message whose answer was lost was never taken; sent again");
            let refusal = Refusal::new(FailureClass::Temporary, "ABSENT");
            let again = refused(blank, message.attempts, &refusal, now)?;
            Ok(Settled { due_at: again.due_at.map(|_| now), ..again })
        }
        Found::Unknown(reason) => {
            tracing::warn!(message = %message.id, reason, "what became of a message is not known");
            let status = match message.status {
                MessageStatus::Sent => MessageStatus::Sent,
                other => other.after(MessageMove::LoseTrack)?,
            };
            Ok(Settled { status, due_at: Some(later), ..blank })
        }
    }
}

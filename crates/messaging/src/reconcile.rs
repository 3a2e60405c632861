//! Messages that were handed over, or perhaps were: asking what became of them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use platform::{SystemTx, events};
use secrecy::SecretString;

use crate::{
    Channel, FailureClass, MessageId, MessageStatus, Messaging, MessagingError,
    channel::{Asked, Fate, Found, Kind, MessageChannel, Provider, Refusal},
    content::{Content, content_purpose, recipient_purpose},
    dispatch::{LEASE, pause_before, refused},
    event::MessagingEvent,
    message::MessageMove,
    store::{
        self,
        message::{Open, Settled},
    },
};

const BATCH: i64 = 500;

/// So often it must have been looked for in vain before it counts as absent.
const LOOKS: i32 = 2;

impl Messaging {
    /// Asks about what is due to be asked about.
    pub(crate) async fn look_up_due(&self) -> Result<(), MessagingError> {
        let due_by = self.clock.now();
        for carrier in self.channels.all() {
            loop {
                let mut tx = SystemTx::begin(&self.db).await?;
                let open =
                    store::message::claim_open(&mut tx, carrier.provider(), due_by, due_by + LEASE, BATCH)
                        .await?;
                tx.commit().await?;
                if open.is_empty() {
                    break;
                }
                self.look_up(carrier, open).await?;
            }
        }
        Ok(())
    }

    async fn look_up(&self, carrier: &dyn MessageChannel, open: Vec<Open>) -> Result<(), MessagingError> {
        // Whoever claimed these died before it asked: they certainly were not sent.
        let (handed_over, untouched): (Vec<_>, Vec<_>) =
            open.into_iter().partition(|message| message.asked_at.is_some());
        let now = self.clock.now();
        let mut settled: Vec<Settled> =
            untouched.iter().map(|message| put_back(message, now)).collect::<Result<_, _>>()?;
        if carrier.capabilities().finds {
            let asked: Vec<Asked> =
                handed_over.iter().map(|message| self.asked(message)).collect::<Result<_, _>>()?;
            let found = if asked.is_empty() { Vec::new() } else { carrier.find(&asked).await };
            let now = self.clock.now();
            for (message, found) in handed_over.iter().zip(found) {
                settled.push(heard(carrier, message, found, now)?);
            }
        } else {
            for message in &handed_over {
                tracing::error!(message = %message.id, provider = carrier.provider().as_str(), "nobody will ever know whether a message was sent");
                let status = message.status.after(MessageMove::LoseTrack)?;
                settled.push(Settled { status, ..blank(message) });
            }
        }
        self.settle(&settled).await
    }

    fn asked(&self, message: &Open) -> Result<Asked, MessagingError> {
        let forgotten = SecretString::default();
        let to = match &message.recipient {
            Some(sealed) => self.vault.open(&recipient_purpose(message.id), sealed)?,
            None => forgotten,
        };
        let kind = match &message.content {
            Some(sealed) => {
                let content = self.vault.open(&content_purpose(message.id), sealed)?;
                Content::from_sealed(&content)?.kind()
            }
            None => Kind::Sms,
        };
        Ok(Asked {
            reference: message.id,
            provider_id: message.provider_id.clone(),
            kind,
            to,
            asked_at: message.asked_at.unwrap_or_else(|| self.clock.now()),
        })
    }

    /// Writes answers down, and what follows from them: contacts that are dead or refuse, and who hears of a failure.
    pub(crate) async fn settle(&self, settled: &[Settled]) -> Result<(), MessagingError> {
        if settled.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let changed = store::message::settle(&mut tx, settled).await?;
        let mut failed = Vec::new();
        let (mut dead, mut blocked) = (Vec::new(), Vec::new());
        let answers: HashMap<MessageId, &Settled> = settled
            .iter()
            .filter(|answer| answer.status == MessageStatus::Failed)
            .map(|answer| (answer.id, answer))
            .collect();
        for message in changed {
            let Some(answer) = answers.get(&message.id) else { continue };
            let Some(class) =
                FailureClass::ALL.into_iter().find(|class| Some(class.as_str()) == answer.reason.as_deref())
            else {
                continue;
            };
            let contact = (message.business.0, message.channel, message.contact_hash);
            match class {
                // A mailbox that does not exist makes all our mail look bad. A number may have been out of service.
                FailureClass::BadNumber if message.channel == Channel::Email => dead.push(contact),
                FailureClass::Blocked => blocked.push(contact),
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
        if !blocked.is_empty() {
            store::refusal::add_contacts(&mut tx, &blocked, now).await?;
        }
        if !failed.is_empty() {
            events::publish_all(&mut tx, now, &failed).await?;
        }
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

fn blank(message: &Open) -> Settled {
    Settled {
        business: message.business,
        id: message.id,
        was: message.status,
        status: message.status,
        reason: None,
        provider_id: None,
        provider_code: None,
        delivered_by: None,
        sent_at: None,
        finished_at: None,
        due_at: None,
    }
}

fn put_back(message: &Open, now: DateTime<Utc>) -> Result<Settled, MessagingError> {
    Ok(Settled { status: message.status.after(MessageMove::PutBack)?, due_at: Some(now), ..blank(message) })
}

/// What a look-up makes of a message.
fn heard(
    carrier: &dyn MessageChannel,
    message: &Open,
    found: Found,
    now: DateTime<Utc>,
) -> Result<Settled, MessagingError> {
    let capabilities = carrier.capabilities();
    let asked_at = message.asked_at.unwrap_or(now);
    let later = now + pause_before(message.checks.max(1));
    match found {
        Found::Taken { provider_id, fate } => {
            let taken = Settled {
                provider_id: Some(provider_id),
                sent_at: Some(message.sent_at.unwrap_or(now)),
                ..blank(message)
            };
            match fate {
                Fate::InFlight => {
                    let is_over = now - asked_at > capabilities.reports_within;
                    let status = message.status.after(MessageMove::Accept)?;
                    Ok(Settled { status, due_at: (!is_over).then_some(later), ..taken })
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
        Found::Absent if message.status == MessageStatus::Sent => {
            // Lists may be late.
            if now - asked_at >= capabilities.absence_is_proof_after {
                tracing::error!(message = %message.id, "a provider denies a message that it took");
            }
            let is_over = now - asked_at > capabilities.reports_within;
            Ok(Settled { due_at: (!is_over).then_some(later), ..blank(message) })
        }
        Found::Absent => {
            let is_proof = now - asked_at >= capabilities.absence_is_proof_after && message.checks >= LOOKS;
            if is_proof {
                tracing::warn!(message = %message.id, "a message whose answer was lost was never taken; sent again");
                let refusal = Refusal::new(FailureClass::Temporary, "ABSENT");
                let again = refused(blank(message), message.attempts, &refusal, now)?;
                return Ok(Settled { due_at: again.due_at.map(|_| now), ..again });
            }
            let status = message.status.after(MessageMove::LoseTrack)?;
            let proven_at = asked_at + capabilities.absence_is_proof_after;
            let due_at =
                Some(if proven_at > now { proven_at.min(later) } else { now + TimeDelta::seconds(5) });
            Ok(Settled { status, due_at, ..blank(message) })
        }
        Found::Unknown(reason) => {
            tracing::warn!(message = %message.id, reason, "what became of a message is not known");
            let status = match message.status {
                MessageStatus::Sent => MessageStatus::Sent,
                other => other.after(MessageMove::LoseTrack)?,
            };
            Ok(Settled { status, due_at: Some(later), ..blank(message) })
        }
    }
}

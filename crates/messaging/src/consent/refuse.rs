//! Somebody refuses, by whichever way: it holds at once, costs nothing and needs no reason.

use chrono::{DateTime, Days, Utc};
use kernel::BusinessId;
use platform::{SystemTx, digest};
use sqlx::PgConnection;

use super::{Act, Source};
use crate::{
    Channel, Messaging, MessagingError,
    channel::{MessageChannel, Refused},
    contact::Contact,
    store::{self, consent::NewConsent, refusal::Linked},
};

/// How often a provider's list is read.
const READ_EVERY: chrono::TimeDelta = chrono::TimeDelta::minutes(5);
/// Their clock and ours, and what was written late.
const OVERLAP: chrono::TimeDelta = chrono::TimeDelta::minutes(10);

/// Every business of the platform.
const EVERYBODY: BusinessId = BusinessId(0);

impl Messaging {
    /// What an opt-out link was in; `None` for a code that is nobody's.
    pub(crate) async fn linked(&self, code: &str) -> Result<Option<Linked>, MessagingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        Ok(store::refusal::linked(&mut tx, &digest(code.as_bytes())).await?)
    }

    /// Whoever holds the link refuses, by the channel that it came by. As often as they like.
    pub(crate) async fn refuse_by_link(&self, code: &str, source: Source) -> Result<Linked, MessagingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let linked = store::refusal::linked(&mut tx, &digest(code.as_bytes())).await?;
        let linked = linked.ok_or(MessagingError::NotFound)?;
        self.refuse(&mut tx, linked.business, linked.channel, &linked.contact_hash, source, now).await?;
        tx.commit().await?;
        Ok(linked)
    }

    /// A contact refuses what one business says, or everybody's. The customers behind it are written down as having done so.
    async fn refuse(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        channel: Channel,
        contact_hash: &[u8],
        source: Source,
        at: DateTime<Utc>,
    ) -> Result<(), MessagingError> {
        store::refusal::add(conn, business, channel, contact_hash, source, at).await?;
        let agreed = store::consent::agreed_at(conn, business, channel, contact_hash).await?;
        let lines: Vec<NewConsent> = agreed
            .into_iter()
            .map(|(business, customer, purpose)| NewConsent {
                business,
                customer,
                channel,
                purpose,
                act: Act::Withdrawn,
                acted_at: at,
                method: source.method(),
                wording: None,
                evidence: None,
                recorded_by: None,
            })
            .collect();
        let written = store::consent::insert_all(conn, &lines, self.clock.now()).await?;
        self.tell_of_consents(conn, &written).await
    }

    /// Those who called a refusal line, or are on a carrier's list. A line that is printed by some businesses alone is
    /// about those; the platform's is about everybody's advertising.
    pub(crate) async fn refuse_all(&self, refused: &[Refused], source: Source) -> Result<(), MessagingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        for Refused { contact, refusal_number, at } in refused {
            let Some(contact) = Contact::read(Channel::Sms, contact) else { continue };
            let hash = contact.hash(&self.vault);
            let owners = match refusal_number {
                Some(number) => store::refusal::owners_of_line(&mut tx, number).await?,
                None => Vec::new(),
            };
            let owners = if owners.is_empty() { vec![EVERYBODY] } else { owners };
            // The line stands in texts, and in what Kakao sends as one.
            for channel in [Channel::Sms, Channel::Kakao] {
                for owner in &owners {
                    self.refuse(&mut tx, *owner, channel, &hash, source, at.unwrap_or(now).min(now)).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// Reads the lists of those carriers that keep one, each every few minutes.
    pub(crate) async fn read_refusal_lists(&self) -> Result<(), MessagingError> {
        for carrier in self.channels.all().filter(|carrier| carrier.capabilities().lists_refusals) {
            if let Err(error) = self.read_refusals(carrier).await {
                tracing::error!(%error, provider = carrier.provider().as_str(), "refusals could not be taken over; tried again in minutes");
            }
        }
        Ok(())
    }

    async fn read_refusals(&self, carrier: &dyn MessageChannel) -> Result<(), MessagingError> {
        let now = self.clock.now();
        let first = now.checked_sub_days(Days::new(30)).unwrap_or(now);
        let mut tx = SystemTx::begin(&self.db).await?;
        let since =
            store::refusal::begin_reading(&mut tx, carrier.provider(), now, first, now + READ_EVERY).await?;
        tx.commit().await?;
        let Some(since) = since else { return Ok(()) };
        match carrier.refusals_since(since - OVERLAP).await {
            Ok(refused) => {
                self.refuse_all(&refused, Source::RefusalLine).await?;
                let mut tx = SystemTx::begin(&self.db).await?;
                store::refusal::end_reading(&mut tx, carrier.provider(), now).await?;
                tx.commit().await?;
            }
            Err(failed) => {
                tracing::warn!(
                    provider = carrier.provider().as_str(),
                    reason = failed.0,
                    "the list of refusals could not be read"
                );
            }
        }
        Ok(())
    }
}

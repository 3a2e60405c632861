//! Somebody refuses, by whichever way: it holds at once, costs nothing and needs no reason.

use chrono::{DateTime, Days, TimeDelta, Utc};
use kernel::BusinessId;
use platform::{SystemTx, digest};
use sqlx::PgConnection;

use super::{Act, Source};
use crate::{
    Channel, Messaging, MessagingError,
    channel::{MessageChannel, Refused},
    contact::Contact,
    store::{
        self,
        consent::{NewConsent, Refusing, Written},
        refusal::Linked,
    },
};

/// How often a provider's list is read.
const READ_EVERY: TimeDelta = TimeDelta::minutes(5);
/// Their clock and ours, and what was written late.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);

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
        let written = self.refuse(&mut tx, &linked.refusing(), source, now).await?;
        self.tell_of_consents(&mut tx, &written).await?;
        tx.commit().await?;
        Ok(linked)
    }

    /// A contact refuses what one business says, or everybody's. The customers behind it, who agreed before, are written
    /// down as having taken that back; they are to be told.
    pub(crate) async fn refuse(
        &self,
        conn: &mut PgConnection,
        refusing: &Refusing<'_>,
        source: Source,
        at: DateTime<Utc>,
    ) -> Result<Vec<Written>, MessagingError> {
        store::refusal::add(conn, refusing, source, at).await?;
        let agreed = store::consent::agreed_before(conn, refusing, at).await?;
        let lines: Vec<NewConsent> = agreed
            .into_iter()
            .map(|(business, customer, purpose)| NewConsent {
                business,
                customer,
                channel: refusing.channel,
                purpose,
                act: Act::Withdrawn,
                acted_at: at,
                method: source.method(),
                wording: None,
                evidence: None,
                recorded_by: None,
            })
            .collect();
        Ok(store::consent::insert_all(conn, &lines, self.clock.now()).await?)
    }

    /// Those who called a refusal line, or are on a carrier's list. A line of a business's own is about that business; the
    /// platform's is about everybody's advertising, and so is one of which the carrier does not say which.
    pub(crate) async fn refuse_all(&self, refused: &[Refused], source: Source) -> Result<(), MessagingError> {
        let now = self.clock.now();
        let platforms = self.settings.sender.refusal_number.as_deref().map(digits);
        let mut tx = SystemTx::begin(&self.db).await?;
        let mut written = Vec::new();
        for Refused { contact, refusal_number, at } in refused {
            let Some(contact) = Contact::read(Channel::Sms, contact) else { continue };
            let hash = contact.hash(&self.vault);
            let number = refusal_number.as_deref().map(digits);
            let owners = match &number {
                Some(number) if platforms.as_ref() != Some(number) => {
                    store::refusal::owners_of_line(&mut tx, number).await?
                }
                _ => vec![EVERYBODY],
            };
            if owners.is_empty() {
                tracing::error!(line = number, "somebody refused at a line that is nobody's here");
            }
            // The line stands in texts, and in what Kakao sends as one.
            for channel in [Channel::Sms, Channel::Kakao] {
                for business in &owners {
                    let refusing =
                        Refusing { business: *business, channel, contact_hash: &hash, customer: None };
                    let at = at.unwrap_or(now).min(now);
                    written.extend(self.refuse(&mut tx, &refusing, source, at).await?);
                }
            }
        }
        self.tell_of_consents(&mut tx, &written).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Reads the lists of those carriers that keep one.
    pub(crate) async fn read_refusal_lists(&self) -> Result<(), MessagingError> {
        for carrier in self.channels.all() {
            self.read_refusals(carrier).await?;
        }
        Ok(())
    }

    /// Reads a carrier's list, every few minutes.
    pub(crate) async fn read_refusals(&self, carrier: &dyn MessageChannel) -> Result<(), MessagingError> {
        if !carrier.capabilities().lists_refusals {
            return Ok(());
        }
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

/// However it is written.
fn digits(number: &str) -> String {
    number.chars().filter(char::is_ascii_digit).collect()
}

//! Whether messages may go, on what is known at this moment: right before they go out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use platform::SystemTx;
use uuid::Uuid;

use crate::{
    Exclusion, MessageId, Messaging, Purpose,
    batch::BatchState,
    dispatch::SendReport,
    law::{Rules, Standing, Verdict},
    store::{
        self,
        batch::States,
        claim::{Key, Waiting},
        standing::Addressee,
    },
};

/// What came of judging messages.
#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) go: Vec<Key>,
    pub(crate) wait: Vec<(Key, DateTime<Utc>)>,
    pub(crate) exclude: Vec<(Key, Exclusion)>,
}

/// The number or address that a message goes to.
type Contact<'a> = (BusinessId, &'a [u8]);

/// Those of the messages judged so far that go to one number or address. The database does not show them yet.
#[derive(Default)]
struct Beside<'a>(HashMap<Contact<'a>, Vec<&'a Waiting>>);

impl<'a> Beside<'a> {
    /// What is known, and these.
    fn added_to(&self, standing: &Standing, message: &Waiting) -> Standing {
        let there =
            self.0.get(&(message.business, message.contact_hash.as_slice())).map_or(&[][..], Vec::as_slice);
        let is_the_same = |other: &&Waiting| {
            message.batch.is_some() && other.batch == message.batch && other.customer != message.customer
        };
        Standing {
            had_the_same: standing.had_the_same || there.iter().any(is_the_same),
            had_lately: standing.had_lately + i64::try_from(there.len()).unwrap_or(i64::MAX),
            ..standing.clone()
        }
    }

    fn goes(&mut self, message: &'a Waiting) {
        self.0.entry((message.business, message.contact_hash.as_slice())).or_default().push(message);
    }
}

impl Judged {
    /// What came of those that do not go.
    pub(crate) fn report(&self) -> SendReport {
        let counted = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        SendReport {
            excluded: counted(self.exclude.len()),
            put_back: counted(self.wait.len()),
            ..SendReport::default()
        }
    }

    /// Writes down that these do not go.
    pub(crate) async fn sort_out(
        &self,
        tx: &mut SystemTx,
        claim: Uuid,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        store::claim::postpone(tx, &self.wait, claim).await?;
        store::claim::exclude(tx, &self.exclude, claim, now).await
    }
}

impl Messaging {
    pub(crate) fn rules(&self) -> Rules {
        let settings = &self.settings;
        Rules { hours: settings.advertising_hours, advertisements_a_week: settings.advertisements_a_week }
    }

    /// The same, however much somebody had this week.
    pub(crate) fn rules_without_a_count(&self) -> Rules {
        Rules { advertisements_a_week: i64::MAX, ..self.rules() }
    }
}

/// What one message comes to.
fn verdict(
    message: &Waiting,
    standing: &Standing,
    batches: &States,
    rules: Rules,
    now: DateTime<Utc>,
) -> Verdict {
    if message.not_after.is_some_and(|last| last < now) {
        return Verdict::Exclude(Exclusion::TooLate);
    }
    let batch = message.batch.as_ref().and_then(|batch| batches.get(&(message.business, batch.clone())));
    match batch {
        Some(BatchState::Cancelled) => return Verdict::Exclude(Exclusion::Cancelled),
        Some(BatchState::Held) => return Verdict::Wait(now),
        Some(BatchState::Open) | None => {}
    }
    match message.purpose {
        Purpose::Information => Rules::of_information(standing),
        Purpose::Sample => rules.of_sample(standing, message.channel, now),
        Purpose::Advertising => rules.of_advertising(standing, message.channel, now),
    }
}

/// One after another, so that of two to one person each counts for the other.
pub(crate) fn judge(
    messages: &[&Waiting],
    standings: &HashMap<MessageId, Standing>,
    batches: &States,
    rules: Rules,
    now: DateTime<Utc>,
) -> Judged {
    let nothing_known = Standing::default();
    let (mut judged, mut beside) = (Judged::default(), Beside::default());
    for message in messages {
        let standing = beside.added_to(standings.get(&message.id).unwrap_or(&nothing_known), message);
        match verdict(message, &standing, batches, rules, now) {
            Verdict::Send => {
                beside.goes(message);
                judged.go.push(message.key());
            }
            Verdict::Wait(until) => judged.wait.push((message.key(), until)),
            Verdict::Exclude(exclusion) => judged.exclude.push((message.key(), exclusion)),
        }
    }
    judged
}

/// What is known of those whom these go to.
pub(crate) async fn standings(
    tx: &mut SystemTx,
    purpose: Purpose,
    messages: &[&Waiting],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let addressees: Vec<Addressee> = messages.iter().map(|message| Addressee::from(*message)).collect();
    match purpose {
        Purpose::Information => store::standing::of_information(tx, &addressees, now).await,
        Purpose::Sample => store::standing::of_samples(tx, addressees, now).await,
        Purpose::Advertising => store::standing::of_advertising(tx, &addressees, now).await,
    }
}

pub(crate) fn count_all(excluded: &[(Key, Exclusion)]) {
    for (_, exclusion) in excluded {
        count(*exclusion, 1);
    }
}

pub(crate) fn count(exclusion: Exclusion, times: u64) {
    metrics::counter!("dangol_messages_excluded_total", "reason" => exclusion.as_str()).increment(times);
}

//! Whether messages may go, on what is known at this moment: judged when they are taken, and once more right before they
//! go out.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use platform::SystemTx;

use crate::{
    Exclusion, MessageId, Messaging, Purpose,
    batch::BatchState,
    law::{Rules, Standing, Verdict},
    store::{
        self,
        batch::States,
        claim::{Key, Waiting},
        standing::Addressee,
    },
};

#[derive(Default)]
pub(crate) struct Judged {
    pub(crate) go: Vec<Waiting>,
    pub(crate) wait: Vec<(Key, DateTime<Utc>)>,
    pub(crate) exclude: Vec<(Key, Exclusion)>,
}

impl Messaging {
    pub(crate) fn rules(&self) -> Rules {
        let settings = &self.settings;
        Rules { hours: settings.advertising_hours, advertisements_a_week: settings.advertisements_a_week }
    }
}

/// What one message comes to.
pub(crate) fn verdict(
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

pub(crate) fn judge(
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

/// What is known of those whom these go to.
pub(crate) async fn standings(
    tx: &mut SystemTx,
    purpose: Purpose,
    messages: &[Waiting],
    now: DateTime<Utc>,
) -> sqlx::Result<HashMap<MessageId, Standing>> {
    let addressees = || messages.iter().map(Addressee::from).collect::<Vec<_>>();
    match purpose {
        Purpose::Information => store::standing::of_information(tx, messages, now).await,
        Purpose::Sample => store::standing::of_samples(tx, addressees(), now).await,
        Purpose::Advertising => store::standing::of_advertising(tx, &addressees(), now).await,
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

//! What a channel's answer makes of a message.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use crate::{
    FailureClass, MessageStatus, MessagingError,
    channel::{MessageChannel, Refusal, Sent},
    message::MessageMove,
    store::{claim::Waiting, message::Settled},
};

/// So many tries, over three days, and then it has failed.
const MOST_ATTEMPTS: i32 = 29;

pub(crate) fn answered(
    carrier: &dyn MessageChannel,
    message: &Waiting,
    claim: Uuid,
    sent: Sent,
    now: DateTime<Utc>,
) -> Result<Settled, MessagingError> {
    let was = MessageStatus::Sending;
    let blank = Settled::blank(message.business, message.id, claim, was);
    let settled = match sent {
        Sent::Accepted(provider_id) => Settled {
            status: was.after(MessageMove::Accept)?,
            provider_id: Some(provider_id),
            sent_at: Some(now),
            due_at: carrier.capabilities().reports_delivery.then(|| now + first_look()),
            ..blank
        },
        Sent::Refused(refusal) | Sent::RefusedTogether(refusal) => {
            refused(blank, message.attempts, &refusal, now)?
        }
        Sent::NotSent(reason) => {
            tracing::warn!(message = %message.id, reason, "a message was not sent; tried again");
            let refusal = Refusal::new(FailureClass::Temporary, "NOT_SENT");
            refused(blank, message.attempts, &refusal, now)?
        }
        Sent::HeldBack => {
            let refusal = Refusal::new(FailureClass::Temporary, "HELD_BACK");
            refused(blank, message.attempts, &refusal, now)?
        }
        Sent::Unknown(reason) => {
            tracing::warn!(message = %message.id, reason, "nobody knows whether a message was sent");
            let due_at = carrier.capabilities().finds.then(|| now + first_look());
            Settled { status: was.after(MessageMove::LoseTrack)?, due_at, ..blank }
        }
    };
    metrics::counter!(
        "dangol_messages_total",
        "channel" => message.channel.as_str(), "provider" => carrier.provider().as_str(),
        "outcome" => outcome(&settled)
    )
    .increment(1);
    Ok(settled)
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
    let code = Some(refusal.code.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_later_is_tried_for_three_days() {
        let tried_for: TimeDelta =
            (0..MOST_ATTEMPTS).map(pause_before).fold(TimeDelta::zero(), |sum, pause| sum + pause);
        assert!((TimeDelta::days(3)..TimeDelta::days(4)).contains(&tried_for), "{tried_for}");
    }
}

//! What belongs together, such as a campaign: held, let go on and cancelled together, and counted together.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use kernel::BusinessId;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{Channel, Exclusion, FailureClass, MessageStatus, Messaging, MessagingError, store};

/// Whether a batch may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum BatchState {
    Open,
    /// Waits until somebody lets it go on.
    Held,
    /// For good.
    Cancelled,
}

/// How far a batch has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchStats {
    pub state: BatchState,
    /// Of each channel by which it goes out.
    pub channels: BTreeMap<Channel, ChannelStats>,
    /// When the first of it was handed to a carrier.
    pub first_asked_at: Option<DateTime<Utc>>,
    /// When the last of it arrived, failed or was left out.
    pub last_finished_at: Option<DateTime<Utc>>,
}

/// How many messages stand how. Each is counted once, except in `asked`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelStats {
    /// Whether it is told if a message arrived. Where it is not, as with mail, `taken` is the last word.
    pub tells_delivery: bool,
    /// Those that were handed to a carrier, whatever came of it.
    pub asked: u64,
    /// To be sent, or being sent right now.
    pub waiting: u64,
    /// The carrier has it, and nothing was heard since.
    pub taken: u64,
    pub delivered: u64,
    pub failed: BTreeMap<FailureClass, u64>,
    pub excluded: BTreeMap<Exclusion, u64>,
    /// Nobody knows whether it was sent.
    pub unknown: u64,
}

impl Messaging {
    /// Nothing of it goes out until it is let go on; what is on its way arrives.
    pub async fn hold_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<BatchState, MessagingError> {
        let state = store::batch::set(conn, business, batch, BatchState::Held, self.clock.now()).await?;
        store::message::hold_batch(conn, business, batch).await?;
        Ok(state)
    }

    /// It goes on. What was cancelled does not, as the answer says.
    pub async fn resume_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<BatchState, MessagingError> {
        let now = self.clock.now();
        let state = store::batch::set(conn, business, batch, BatchState::Open, now).await?;
        store::message::resume_batch(conn, business, batch, now).await?;
        Ok(state)
    }

    /// What still waits of it is not sent any more; what is on its way arrives. Answers with how many were stopped so far: what
    /// is just being sent and does not get through is stopped when it comes back.
    pub async fn cancel_batch(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<u64, MessagingError> {
        let now = self.clock.now();
        store::batch::set(conn, business, batch, BatchState::Cancelled, now).await?;
        let stopped = store::message::cancel_batch(conn, business, batch, now).await?;
        crate::judgement::count(Exclusion::Cancelled, stopped);
        Ok(stopped)
    }

    /// `None` for a batch of which nothing was ever said.
    pub async fn batch_stats(
        &self,
        conn: &mut PgConnection,
        business: BusinessId,
        batch: &str,
    ) -> Result<Option<BatchStats>, MessagingError> {
        let Some(state) = store::batch::state(conn, business, batch).await? else { return Ok(None) };
        let mut stats =
            BatchStats { state, channels: BTreeMap::new(), first_asked_at: None, last_finished_at: None };
        for row in store::message::count_batch(conn, business, batch).await? {
            let count = u64::try_from(row.count).unwrap_or(0);
            stats.first_asked_at = [stats.first_asked_at, row.first_asked_at].into_iter().flatten().min();
            stats.last_finished_at = stats.last_finished_at.max(row.last_finished_at);
            let of_channel = stats.channels.entry(row.channel).or_insert_with(|| ChannelStats {
                tells_delivery: self.channels.tells_delivery(row.channel),
                ..ChannelStats::default()
            });
            of_channel.asked += u64::try_from(row.asked).unwrap_or(0);
            let reason = row.reason.as_deref();
            match row.status {
                MessageStatus::Queued | MessageStatus::Sending => of_channel.waiting += count,
                MessageStatus::Sent => of_channel.taken += count,
                MessageStatus::Delivered => of_channel.delivered += count,
                MessageStatus::Failed => {
                    let class = reason.and_then(FailureClass::read).unwrap_or(FailureClass::Unexplained);
                    *of_channel.failed.entry(class).or_default() += count;
                }
                MessageStatus::Excluded => {
                    let exclusion = reason.and_then(Exclusion::read).unwrap_or(Exclusion::Cancelled);
                    *of_channel.excluded.entry(exclusion).or_default() += count;
                }
                MessageStatus::Unknown => of_channel.unknown += count,
            }
        }
        Ok(Some(stats))
    }
}

//! What one listener is told: what they missed, and then each notification as it comes.

use std::sync::Arc;

use super::{Connection, Frame, NotConnected, Parting, Place};
use crate::{
    NotificationId, Notifications, NotificationsError, audience::Reader, kind::Types, store,
    store::reading::Standing,
};

/// How many notifications are handed on together.
const TOGETHER: usize = 16;
const PAGE: i64 = 200;

/// Everything behind a position, in order, with none missing and none twice.
pub(crate) struct Feed {
    notifications: Notifications,
    pub reader: Reader,
    muted: Types,
    /// When that was read.
    muting: u64,
    /// The newest that was told. Nothing at or before it is told again.
    seen: NotificationId,
    /// Up to here it stands in the database, and can be read.
    readable: NotificationId,
    /// From `readable` on it comes through here.
    live: Option<Connection>,
    _place: Place,
}

/// Why there is no more.
#[derive(Debug)]
pub(crate) enum Over {
    Part(Parting),
    Failed(sqlx::Error),
}

impl From<sqlx::Error> for Over {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<NotConnected> for Over {
    fn from(refusal: NotConnected) -> Self {
        Self::Part(match refusal {
            NotConnected::TooMany => Parting::TooMany,
            NotConnected::Stopping => Parting::Restart,
        })
    }
}

impl Feed {
    /// Takes a place, before anything is asked for that costs something.
    pub(crate) fn of(notifications: Notifications, reader: Reader) -> Result<Self, Over> {
        let place = notifications.hub.admit(&reader)?;
        Ok(Self {
            notifications,
            reader,
            muted: Types::default(),
            muting: 0,
            seen: NotificationId::default(),
            readable: NotificationId::default(),
            live: None,
            _place: place,
        })
    }

    /// Begins behind `last_id`, or with what is told from now on; answers with how much is unread.
    ///
    /// The count and where the present ends are of one moment. What is told later has a larger id than all that had
    /// been told then, so it is counted or comes as something new, and never both.
    pub(crate) async fn begin(&mut self, last_id: Option<NotificationId>) -> sqlx::Result<i64> {
        let hub = &self.notifications.hub;
        hub.start(&self.notifications).await?;
        self.muting = hub.muting();
        let in_turn = hub.turn().await;
        let mut tx = self.notifications.reader_tx(&self.reader).await?;
        let Standing { muted, unread, newest } =
            store::reading::standing(&mut tx, &self.reader.user, &self.reader.audiences).await?;
        tx.commit().await?;
        drop(in_turn);
        self.muted = muted;
        // Nobody can have seen what was not told yet.
        self.seen = last_id.map_or(newest, |last_id| last_id.min(newest));
        self.readable = newest;
        Ok(unread)
    }

    /// The newest that was told.
    pub(crate) fn seen(&self) -> NotificationId {
        self.seen
    }

    /// The next of what was missed; `None` when [`Self::next`] tells the rest.
    ///
    /// All that this listener is told at or before `readable` is in the database by then: ids are in commit order, and the hub
    /// hands out what is committed. Most of it is read before getting on the hub's list, so that the queue need not
    /// hold what comes meanwhile.
    pub(crate) async fn catch_up(&mut self) -> Result<Option<Vec<Arc<Frame>>>, Over> {
        loop {
            if self.seen < self.readable {
                let missed = self.missed().await?;
                if !missed.is_empty() {
                    return Ok(Some(missed));
                }
            } else if self.live.is_some() {
                return Ok(None);
            } else {
                let connection = self.notifications.hub.list(&self.reader, self.muted)?;
                // Another process may have told more than this one.
                self.readable = self.readable.max(connection.position);
                if self.notifications.hub.muting() != self.muting {
                    self.muted = self.notifications.muted(&self.reader).await?;
                    connection.mute(self.muted);
                }
                self.live = Some(connection);
            }
        }
    }

    async fn missed(&mut self) -> sqlx::Result<Vec<Arc<Frame>>> {
        let _in_turn = self.notifications.hub.turn().await;
        let mut tx = self.notifications.reader_tx(&self.reader).await?;
        let between = (self.seen, self.readable);
        let audiences = &self.reader.audiences;
        let missed = store::notification::missed(&mut tx, audiences, self.muted, between, PAGE).await?;
        tx.commit().await?;
        let is_all = missed.len() < usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.seen = match missed.last() {
            Some(last) if !is_all => last.id,
            _ => self.readable,
        };
        Ok(missed.iter().map(|missed| Arc::new(Frame::notification(missed))).collect())
    }

    /// The listener has read this one; answers with how many are left.
    pub(crate) async fn read(&self, id: NotificationId) -> Result<i64, NotificationsError> {
        let _in_turn = self.notifications.hub.turn().await;
        self.notifications.read_one(&self.reader, id).await
    }

    /// Waits for what is new and puts it into `frames`. Nothing is lost where this is given up half-way.
    pub(crate) async fn next(&mut self, frames: &mut Vec<Arc<Frame>>) -> Result<(), Over> {
        let Some(live) = &mut self.live else { return Ok(()) };
        let count = live.queue.recv_many(frames, TOGETHER).await;
        // Whoever is given up is told so now, and not after the rest of the queue.
        if let Some(parting) = live.parting() {
            return Err(Over::Part(parting));
        }
        if count == 0 {
            return Err(Over::Part(Parting::Restart));
        }
        let seen = self.seen;
        frames.retain(|frame| frame.id > seen);
        self.seen = frames.last().map_or(seen, |last| last.id);
        Ok(())
    }
}

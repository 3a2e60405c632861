//! The connections of one process, and what they are told.
//!
//! The hub reads what is new once, whoever is connected, writes each frame once and hands it to those whom it is for. All
//! that it needs to remember is a position: the newest notification that it has handed out. Ids are in commit order, so
//! what is at or before the position can be read, all of it, and what is behind it will come. Somebody who connects takes a
//! place ([`Hub::admit`]), reads most of what they missed, and is then put on the list and told the position in one step
//! ([`Hub::list`]); they read up to it from the database, and everything behind it they find in their queue ([`Feed`]). That is
//! why nothing is missed and nothing comes twice.

mod feed;
mod frame;
mod registry;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernel::Clock;
use metrics::{counter, gauge, histogram};
use platform::SystemTx;
use sqlx::PgPool;
use tokio::{
    sync::{OnceCell, Semaphore, SemaphorePermit, mpsc},
    time::{Instant, sleep_until},
};
use tokio_util::sync::{CancellationToken, WaitForCancellationFuture};
use uuid::Uuid;

pub(crate) use feed::{Feed, Over};
pub(crate) use frame::{Frame, connected, pong, read, refused};
pub(crate) use registry::Parting;

use self::registry::{Peer, Registry};
use crate::{
    NotificationId, Notifications, Topic,
    audience::Reader,
    kind::Types,
    store::{self, notification::Behind},
};

/// How much is read at once.
const BATCH: i64 = 1_000;

/// How many are handed out before others have their turn.
const AT_ONCE: usize = 16;

/// How many listeners ask the database at once.
const TURNS: usize = 4;

/// How far a connection may go.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Notifications that wait for a reader. Who falls behind further is disconnected and catches up by replay.
    pub queue: usize,
    /// Connections of one person to one process.
    pub per_person: usize,
    /// A sign of life goes out this often, and it is looked what people turned off at another server.
    pub heartbeat: Duration,
    /// Who is silent for so long is gone.
    pub idle: Duration,
    /// How long a frame may wait for the network.
    pub send_within: Duration,
    /// Over how long clients come back after a restart.
    pub spread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: 512,
            per_person: 20,
            heartbeat: Duration::from_secs(25),
            idle: Duration::from_mins(1),
            send_within: Duration::from_secs(15),
            spread: Duration::from_secs(10),
        }
    }
}

/// The connections of this process.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    limits: Limits,
    registry: Mutex<Registry>,
    turns: Semaphore,
    started: OnceCell<()>,
    stopping: CancellationToken,
}

/// A place of somebody who is connected, free again when this is dropped.
pub(crate) struct Place {
    user: String,
    hub: Hub,
}

/// Somebody who is told what is new. Off the list when this is dropped.
pub(crate) struct Connection {
    pub queue: mpsc::Receiver<Arc<Frame>>,
    /// The newest notification that did not go into the queue.
    pub position: NotificationId,
    peer: Arc<Peer>,
    hub: Hub,
}

/// Why somebody was not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotConnected {
    TooMany,
    Stopping,
}

impl Hub {
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner {
            limits,
            registry: Mutex::default(),
            turns: Semaphore::new(TURNS),
            started: OnceCell::new(),
            stopping: CancellationToken::new(),
        }))
    }

    /// How many are connected here.
    pub fn connections(&self) -> usize {
        self.registry().len()
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// When a server is gone all of its clients come to the others at once. They ask the database a few at a time, so
    /// that it answers everybody else as well.
    pub(crate) async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed, so never `None`.
        self.0.turns.acquire().await.ok()
    }

    /// Begins to hand out what is new. A process to which nobody connects never does.
    pub(crate) async fn start(&self, notifications: &Notifications) -> sqlx::Result<()> {
        self.0.started.get_or_try_init(|| self.begin(notifications)).await?;
        Ok(())
    }

    async fn begin(&self, notifications: &Notifications) -> sqlx::Result<()> {
        let mut tx = SystemTx::begin(&notifications.db).await?;
        let newest = store::notification::newest(&mut tx).await?;
        tx.commit().await?;
        self.registry().position = newest;
        tokio::spawn(self.clone().hand_out(notifications.clone()));
        tokio::spawn(self.clone().follow_preferences(notifications.db.clone()));
        Ok(())
    }

    /// Takes a place for somebody, which they have as long as they are connected.
    pub(crate) fn admit(&self, reader: &Reader) -> Result<Place, NotConnected> {
        // In the same step: whoever drains counts the places under this lock.
        let mut registry = self.registry();
        if self.0.stopping.is_cancelled() {
            return Err(NotConnected::Stopping);
        }
        if !registry.admit(&reader.user, self.limits().per_person) {
            return Err(NotConnected::TooMany);
        }
        gauge!("dangol_notification_connections").set(as_f64(registry.len()));
        Ok(Place { user: reader.user.clone(), hub: self.clone() })
    }

    /// Puts somebody on the list, from the present position on.
    pub(crate) fn list(&self, reader: &Reader, muted: Types) -> Result<Connection, NotConnected> {
        // In the same step as the position: draining clears the list under this lock, so nobody gets on it later.
        let mut registry = self.registry();
        if self.0.stopping.is_cancelled() {
            return Err(NotConnected::Stopping);
        }
        let (peer, queue) = registry.list(reader, muted, self.limits().queue);
        Ok(Connection { queue, position: registry.position, peer, hub: self.clone() })
    }

    /// Completes when everybody is sent away.
    pub(crate) fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.0.stopping.cancelled()
    }

    /// Does something for a connection that ends with its session, or with this process.
    pub(crate) async fn while_open<T, E: From<Over>>(
        &self,
        session_ends: Instant,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        tokio::select! {
            done = work => done,
            () = sleep_until(session_ends) => Err(Over::Part(Parting::SessionOver).into()),
            () = self.stopping() => Err(Over::Part(Parting::Restart).into()),
        }
    }

    /// From now on a person is not told of these, on any screen that is connected here.
    pub(crate) fn mute(&self, user: &str, muted: Types) {
        self.registry().mute(user, muted);
    }

    /// The same as long as nobody turned anything off or on at this server.
    pub(crate) fn muting(&self) -> u64 {
        self.registry().muting
    }

    /// Sends everybody away, to come back spread out, and completes when they are gone or the time is over.
    pub async fn drain(&self, within: Duration) {
        {
            let mut registry = self.registry();
            self.0.stopping.cancel();
            registry.part_all(Parting::Restart);
        }
        let deadline = Instant::now() + within;
        while self.registry().len() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// When somebody is to come back after a restart: at random, so that they do not all come at once.
    pub(crate) fn comes_back_after(&self) -> Duration {
        let spread = u64::try_from(self.limits().spread.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(Uuid::new_v4().as_u64_pair().0 % spread)
    }

    /// What a client is told when we hang up.
    pub(crate) fn farewell(&self, parting: Parting) -> String {
        match parting {
            Parting::Restart => format!("{} {}", parting.reason(), self.comes_back_after().as_millis()),
            _ => parting.reason().to_owned(),
        }
    }

    fn registry(&self) -> MutexGuard<'_, Registry> {
        // Nothing that panics happens under it, and a list is as good as it is.
        self.0.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_out(self, notifications: Notifications) {
        let Notifications { db, clock, signal, look_again, .. } = notifications;
        let mut bell = signal.listen(Topic::Notifications);
        loop {
            tokio::select! {
                // Never an error while the signal lives, which is as long as this.
                _ = bell.changed() => {}
                () = tokio::time::sleep(look_again) => {}
                () = self.stopping() => return,
            }
            if let Err(error) = self.hand_out_new(&db, &*clock).await {
                if db.is_closed() {
                    return;
                }
                tracing::warn!(%error, "notifications cannot be read; tried again");
            }
        }
    }

    async fn hand_out_new(&self, db: &PgPool, clock: &dyn Clock) -> sqlx::Result<()> {
        loop {
            let position = self.registry().position;
            let mut tx = SystemTx::begin(db).await?;
            let Behind { told, up_to, is_all } =
                store::notification::behind(&mut tx, position, BATCH).await?;
            tx.commit().await?;
            if let Some(first) = told.first() {
                let lag = clock.now() - first.notification.created_at.0;
                histogram!("dangol_notification_lag_seconds").record(lag.as_seconds_f64().max(0.0));
            }
            let frames: Vec<_> = told
                .into_iter()
                .map(|told| (told.audience, Arc::new(Frame::notification(&told.notification))))
                .collect();
            for few in frames.chunks(AT_ONCE) {
                let handed = self.registry().hand_out(few);
                counter!("dangol_notifications_delivered_total").increment(handed.delivered);
                if handed.too_slow > 0 {
                    tracing::info!(connections = handed.too_slow, "cannot keep up; sent away to catch up");
                }
                // Those who were just told something send it on before there is more: their queues stay short, and
                // whoever connects does not wait for the list.
                tokio::task::yield_now().await;
            }
            self.registry().position = up_to;
            if is_all {
                return Ok(());
            }
        }
    }

    /// What somebody turns off at another server is not shown here any more after a while.
    async fn follow_preferences(self, db: PgPool) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(self.limits().heartbeat) => {}
                () = self.stopping() => return,
            }
            if db.is_closed() {
                return;
            }
            if let Err(error) = self.read_preferences(&db).await {
                tracing::warn!(%error, "preferences cannot be read; tried again");
            }
        }
    }

    /// Of all who are connected at once.
    async fn read_preferences(&self, db: &PgPool) -> sqlx::Result<()> {
        let (users, muting) = {
            let registry = self.registry();
            (registry.users(), registry.muting)
        };
        if users.is_empty() {
            return Ok(());
        }
        let mut tx = SystemTx::begin(db).await?;
        let muted = store::preference::muted_by(&mut tx, &users).await?;
        tx.commit().await?;
        let registry = self.registry();
        // What was said here meanwhile is newer than what was read.
        if registry.muting == muting {
            registry.mute_all(&muted);
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut registry = self.hub.registry();
        registry.leave(&self.user);
        gauge!("dangol_notification_connections").set(as_f64(registry.len()));
    }
}

impl Connection {
    /// Why this connection is to end, if it is.
    pub(crate) fn parting(&self) -> Option<Parting> {
        self.peer.parting()
    }

    pub(crate) fn mute(&self, muted: Types) {
        self.peer.mute(muted);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.hub.registry().unlist(&self.peer);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a process has far less than 2^53 connections")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;

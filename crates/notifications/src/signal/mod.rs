//! The port between processes: a bell, and no more than that.
//!
//! What there is to know stands in the database. A signal says that looking is worth while, so one that is lost, repeated or
//! late costs at most the second after which everybody looks anyway.

mod nats;
mod postgres;

use async_trait::async_trait;
use tokio::sync::watch;

pub use nats::NatsSignal;
pub use postgres::PostgresSignal;

/// What there may be more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Events, for whoever reacts to them.
    Events,
    /// Notifications, for those who are connected.
    Notifications,
}

impl Topic {
    pub(crate) const ALL: [Self; 2] = [Self::Events, Self::Notifications];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Events => "dangol.events",
            Self::Notifications => "dangol.notifications",
        }
    }
}

/// Wakes whoever waits for a topic, in every process.
#[async_trait]
pub trait Signal: Send + Sync {
    /// Never fails: the database is where it is written down.
    async fn send(&self, topic: Topic);

    /// Changes with each signal, and whenever some may have been missed.
    fn listen(&self, topic: Topic) -> watch::Receiver<()>;
}

/// The listeners of one process.
#[derive(Clone, Default)]
struct Bells {
    events: watch::Sender<()>,
    notifications: watch::Sender<()>,
}

impl Bells {
    fn of(&self, topic: Topic) -> &watch::Sender<()> {
        match topic {
            Topic::Events => &self.events,
            Topic::Notifications => &self.notifications,
        }
    }

    fn ring(&self, topic: Topic) {
        self.of(topic).send_replace(());
    }

    /// Nobody knows what was said meanwhile.
    fn ring_all(&self) {
        for topic in Topic::ALL {
            self.ring(topic);
        }
    }
}

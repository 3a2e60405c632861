//! Notifications: what just happened, on every screen, at once, and nothing missed.
//!
//! Stored first, then pushed. One consumer of events writes what somebody is told, one batch after another ([`Notifications::react`]);
//! a [`Hub`] in each process reads what is new once for all of its connections and hands it out; whoever was away says
//! what they saw last and is told the rest. Between processes goes a [`Signal`], which only says that there is something to
//! read: one that is lost costs a second. `docs/notifications.md` tells it to those who connect.

mod audience;
mod compose;
mod error;
mod http;
mod hub;
mod kind;
mod notice;
mod notification;
mod react;
mod reading;
mod reminder;
mod signal;
mod store;
mod ticket;

use std::{sync::Arc, time::Duration};

use chrono::NaiveTime;
use kernel::Clock;
use sqlx::PgPool;

pub use error::NotificationsError;
pub use http::router;
pub use hub::{Hub, Limits};
pub use kind::{Channel, NotificationType};
pub use notification::NotificationId;
pub use react::CONSUMER;
pub use signal::{NatsSignal, PostgresSignal, Signal, Topic};

/// What this context needs to work.
#[derive(Clone)]
pub struct Notifications {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    pub signal: Arc<dyn Signal>,
    /// The connections of this process.
    pub hub: Hub,
    /// The time of day in Korea at which customers are reminded of tomorrow's visit.
    pub reminder_time: NaiveTime,
    /// What a missed signal costs.
    pub look_again: Duration,
}

/// This context's migrations, in schema `notifications`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A named step, where tests kill the process. Compiled to nothing unless the feature `failpoints` is on.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
pub(crate) use crash_point;

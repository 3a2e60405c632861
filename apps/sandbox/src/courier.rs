//! A provider's courier: where its webhooks go, and which of them are due when.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore};

/// How often the sandbox's clock is read: a clock that is moved ahead makes retries due at once.
const TICK: Duration = Duration::from_millis(200);
/// Deliveries under way at a time, lest a burst of cancels opens a thousand connections.
const AT_ONCE: usize = 32;

pub(crate) struct Courier {
    pub(crate) client: reqwest::Client,
    pub(crate) hands: Semaphore,
    url: RwLock<Option<String>>,
    due: Mutex<BTreeSet<(DateTime<Utc>, String)>>,
    wake: Notify,
}

impl Courier {
    /// A receiver has `patience` to answer.
    pub(crate) fn new(url: Option<String>, patience: Duration) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(patience)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the sandbox could not set up its webhook client")?;
        Ok(Self {
            client,
            hands: Semaphore::new(AT_ONCE),
            url: RwLock::new(url),
            due: Mutex::default(),
            wake: Notify::new(),
        })
    }

    pub(crate) fn url(&self) -> Option<String> {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_url(&self, url: Option<String>) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Puts a delivery on the list if it is still to be made.
    pub(crate) fn schedule(&self, next_attempt_at: Option<DateTime<Utc>>, id: &str) {
        if let Some(at) = next_attempt_at {
            self.due().insert((at, id.to_owned()));
            self.wake.notify_one();
        }
    }

    /// Returns when something was scheduled, or the clock may have been moved.
    pub(crate) async fn awaits_work(&self) {
        let _ = tokio::time::timeout(TICK, self.wake.notified()).await;
    }

    pub(crate) fn take_due(&self, now: DateTime<Utc>) -> Vec<String> {
        let mut due = self.due();
        let mut taken = Vec::new();
        while due.first().is_some_and(|(at, _)| *at <= now) {
            taken.extend(due.pop_first().map(|(_, id)| id));
        }
        taken
    }

    fn due(&self) -> MutexGuard<'_, BTreeSet<(DateTime<Utc>, String)>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The courier: brings webhooks to the merchant, beside the API and never in its way.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{
    Record, confirm, time,
    webhooks::{Delivery, WebhookAttempt},
};
use crate::world::World;

/// A receiver has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the sandbox's clock is read: a clock that is moved ahead makes retries due at once.
const TICK: Duration = Duration::from_millis(200);
/// Deliveries under way at a time, lest a burst of cancels opens a thousand connections.
const AT_ONCE: usize = 32;

pub(crate) struct Courier {
    client: reqwest::Client,
    url: RwLock<Option<String>>,
    due: Mutex<BTreeSet<(DateTime<Utc>, String)>>,
    wake: Notify,
    hands: Semaphore,
}

impl Courier {
    pub(crate) fn new(url: Option<String>) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the sandbox could not set up its webhook client")?;
        Ok(Self {
            client,
            url: RwLock::new(url),
            due: Mutex::default(),
            wake: Notify::new(),
            hands: Semaphore::new(AT_ONCE),
        })
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    pub(crate) fn url(&self) -> Option<String> {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_url(&self, url: Option<String>) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url;
    }

    /// Puts a delivery on the list if it is still to be made.
    pub(crate) fn schedule(&self, delivery: &Delivery) {
        if let Some(at) = delivery.next_attempt_at {
            self.due().insert((at, delivery.transmission_id.clone()));
            self.wake.notify_one();
        }
    }

    pub(crate) fn schedule_all(&self, deliveries: &[Delivery]) {
        for delivery in deliveries {
            self.schedule(delivery);
        }
    }

    fn take_due(&self, now: DateTime<Utc>) -> Vec<String> {
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

/// Delivers what is due, and lets payments expire, until the sandbox stops.
pub(crate) async fn run(world: Arc<World>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = world.courier.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        expire_sessions(&world);
        for id in world.courier.take_due(world.clock.now()) {
            let world = world.clone();
            tokio::spawn(async move {
                let _hand = world.courier.hands.acquire().await;
                if is_still_due(&world, &id) {
                    deliver(&world, &id).await;
                }
            });
        }
    }
}

/// Somebody may have delivered it by hand since its attempt was planned.
fn is_still_due(world: &World, id: &str) -> bool {
    let now = world.clock.now();
    let planned = world.store().toss.delivery(id).and_then(|delivery| delivery.next_attempt_at);
    planned.is_some_and(|at| at <= now)
}

/// Payments that nobody confirmed in time expire, and a webhook says so.
fn expire_sessions(world: &World) {
    let now = world.clock.now();
    let switches = world.switches();
    let mut store = world.store();
    for payment in store.toss.overdue_sessions(now) {
        let change = confirm::expired(&payment, switches, now);
        match store.commit_toss(change.records, change.news, switches) {
            Ok(news) => world.courier.schedule_all(&news),
            Err(error) => tracing::error!(%error, "an expired payment could not be written to the journal"),
        }
    }
}

/// Makes one attempt now. `None` if there is no such webhook, or the sandbox stopped meanwhile.
pub(crate) async fn deliver(world: &World, id: &str) -> Option<Delivery> {
    let delivery = world.store().toss.delivery(id)?.clone();
    let attempt = match world.courier.url() {
        Some(url) => Some(attempt(world, &delivery, url).await),
        None => None,
    };
    let mut store = world.store();
    // Read again: a retry may have been made while this attempt waited for its answer.
    let mut delivery = store.toss.delivery(id)?.clone();
    match attempt {
        Some(attempt) => delivery.attempted(attempt),
        None => delivery.next_attempt_at = None,
    }
    store.commit(vec![Record::Delivery(Box::new(delivery.clone())).into()]).ok()?;
    drop(store);
    world.courier.schedule(&delivery);
    Some(delivery)
}

async fn attempt(world: &World, delivery: &Delivery, url: String) -> WebhookAttempt {
    let at = world.clock.now();
    let transmission_time = time::with_offset(at);
    let retried_count = delivery.attempts.len();
    let mut request = world
        .courier
        .client
        .post(&url)
        .header("content-type", "application/json")
        .header("tosspayments-webhook-transmission-id", &delivery.transmission_id)
        .header("tosspayments-webhook-transmission-retried-count", retried_count)
        .header("tosspayments-webhook-transmission-time", &transmission_time);
    if let Some(signature) = delivery.signature(&transmission_time) {
        request = request.header("tosspayments-webhook-signature", signature);
    }
    let (status, error) = match request.body(delivery.body.clone()).send().await {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) => (None, Some(format!("{:#}", anyhow::Error::from(error)))),
    };
    WebhookAttempt { at, url, retried_count, status, error }
}

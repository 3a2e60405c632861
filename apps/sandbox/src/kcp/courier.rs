//! The courier: posts notifications to the merchant, beside the API and never in its way.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    notices::{KcpNotice, NoticeAttempt, accepts},
    state::Record,
};
use crate::world::World;

/// A receiver has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often the sandbox's clock is read: a clock that is moved ahead makes retries due at once.
const TICK: Duration = Duration::from_millis(200);

pub(crate) struct Courier {
    client: reqwest::Client,
    url: RwLock<Option<String>>,
    due: Mutex<BTreeSet<(DateTime<Utc>, String)>>,
    wake: Notify,
}

impl Courier {
    pub(super) fn new() -> anyhow::Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .context("the sandbox could not set up its notification client")?;
        Ok(Self { client, url: RwLock::default(), due: Mutex::default(), wake: Notify::new() })
    }

    pub(crate) fn url(&self) -> Option<String> {
        self.url.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What waited for an address goes out now.
    pub(crate) fn set_url(&self, url: Option<String>) {
        *self.url.write().unwrap_or_else(PoisonError::into_inner) = url;
        self.wake.notify_one();
    }

    /// Puts a notice on the list if it is still to be delivered.
    pub(crate) fn schedule(&self, notice: &KcpNotice) {
        if let Some(at) = notice.next_attempt_at {
            self.due().insert((at, notice.id.clone()));
            self.wake.notify_one();
        }
    }

    pub(super) fn schedule_all(&self, notices: &[KcpNotice]) {
        for notice in notices {
            self.schedule(notice);
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

/// Delivers what is due, until the sandbox stops. Without an address everything waits.
pub(crate) async fn run(world: Arc<World>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = world.kcp.courier.wake.notified() => {}
            () = tokio::time::sleep(TICK) => {}
        }
        if world.kcp.courier.url().is_none() {
            continue;
        }
        for id in world.kcp.courier.take_due(world.clock.now()) {
            let world = world.clone();
            tokio::spawn(async move {
                // Somebody may have delivered it by hand since its attempt was planned.
                let planned = world.store().kcp.notice(&id).and_then(|notice| notice.next_attempt_at);
                if planned.is_some_and(|at| at <= world.clock.now()) {
                    deliver(&world, &id).await;
                }
            });
        }
    }
}

/// Makes one attempt now. `None` if there is no such notice, nowhere to bring it, or the sandbox stopped.
pub(super) async fn deliver(world: &World, id: &str) -> Option<KcpNotice> {
    let notice = world.store().kcp.notice(id)?.clone();
    let attempt = attempt(world, &notice, world.kcp.courier.url()?).await;
    let mut store = world.store();
    // Read again: a retry may have been made while this attempt waited for its answer.
    let mut notice = store.kcp.notice(id)?.clone();
    notice.attempted(attempt);
    store.commit(vec![Record::Notice(Box::new(notice.clone())).into()]).ok()?;
    drop(store);
    world.kcp.courier.schedule(&notice);
    Some(notice)
}

async fn attempt(world: &World, notice: &KcpNotice, url: String) -> NoticeAttempt {
    let at = world.clock.now();
    let request =
        world.kcp.courier.client.post(&url).header("content-type", notice.content_type()).body(notice.body());
    let answer = match request.send().await {
        Ok(response) => {
            let status = response.status().as_u16();
            response.text().await.map(|text| (status, text))
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok((status, text)) => {
            let accepted = status == 200 && accepts(&text);
            NoticeAttempt { at, url, status: Some(status), accepted, error: None }
        }
        Err(error) => {
            let error = Some(format!("{:#}", anyhow::Error::from(error)));
            NoticeAttempt { at, url, status: None, accepted: false, error }
        }
    }
}

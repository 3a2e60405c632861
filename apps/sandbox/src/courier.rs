//! A provider's courier: brings webhooks to the merchant, beside the API and never in its way.

use std::{
    collections::BTreeSet,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use anyhow::Context as _;
use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    store::{Record, Store},
    world::World,
};

/// How often the sandbox's clock is read: a clock that is moved ahead makes retries due at once.
pub(crate) const TICK: Duration = Duration::from_millis(200);
/// Deliveries under way at a time, lest a burst of cancels opens a thousand connections.
const AT_ONCE: usize = 32;

/// When webhooks go out, as seen from the answer to the request that caused them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookTiming {
    #[default]
    AfterAnswer,
    /// The answer waits until the webhook was delivered: real webhooks do overtake answers.
    BeforeAnswer,
    /// They wait to be redelivered by hand, in any order.
    Held,
}

/// One webhook of a provider, with every attempt to deliver it.
pub(crate) trait Letter: Clone + Send + Sync + 'static {
    /// While there is no address, letters wait for one. Otherwise they are given up.
    const WAITS_FOR_AN_ADDRESS: bool = true;

    fn courier(world: &World) -> &Courier;
    fn all(store: &Store) -> impl Iterator<Item = &Self>;
    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self>;

    fn id(&self) -> &str;
    /// `None`: it was delivered or given up, or somebody will ask for it.
    fn next_attempt_at(&self) -> Option<DateTime<Utc>>;
    /// From now on it is brought only when somebody asks for it.
    fn hold(&mut self);
    /// Where it goes, if not where all of this provider go.
    fn own_url(&self) -> Option<String> {
        None
    }
    /// The request that brings it.
    fn post(&self, client: &Client, url: &str, at: DateTime<Utc>) -> RequestBuilder;
    /// Books an attempt and plans the next one.
    fn attempted(&mut self, attempt: Attempt);
    fn record(self) -> Record;
}

/// What came of bringing a letter.
pub(crate) struct Attempt {
    pub(crate) at: DateTime<Utc>,
    pub(crate) url: String,
    /// `None` if nobody answered in time.
    pub(crate) status: Option<u16>,
    pub(crate) body: String,
    pub(crate) error: Option<String>,
}

pub(crate) struct Courier {
    pub(crate) client: Client,
    hands: Semaphore,
    url: RwLock<Option<String>>,
    due: Mutex<BTreeSet<(DateTime<Utc>, String)>>,
    wake: Notify,
}

impl Courier {
    pub(crate) fn new(url: Option<String>, patience: Duration) -> anyhow::Result<Self> {
        let client = Client::builder()
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

    /// Returns when something was scheduled, or the clock may have been moved.
    async fn awaits_work(&self) {
        let _ = tokio::time::timeout(TICK, self.wake.notified()).await;
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

/// Keeps a change together with the webhooks that it sets off.
pub(crate) fn commit<L: Letter>(
    store: &mut Store,
    mut records: Vec<Record>,
    mut news: Vec<L>,
    timing: WebhookTiming,
) -> io::Result<Vec<L>> {
    for letter in &mut news {
        if timing == WebhookTiming::Held {
            letter.hold();
        }
        records.push(letter.clone().record());
    }
    store.commit(records)?;
    Ok(news)
}

/// Before the change is answered.
pub(crate) async fn announce_early<L: Letter>(world: &World, news: &[L], timing: WebhookTiming) {
    if timing == WebhookTiming::BeforeAnswer {
        for letter in news {
            deliver::<L>(world, letter.id()).await;
        }
    }
}

/// As the change is answered.
pub(crate) fn announce<L: Letter>(world: &World, news: &[L], timing: WebhookTiming) {
    if timing == WebhookTiming::AfterAnswer {
        schedule(world, news);
    }
}

/// Puts letters on the list that are still to be brought.
pub(crate) fn schedule<'a, L: Letter>(world: &World, letters: impl IntoIterator<Item = &'a L>) {
    let courier = L::courier(world);
    for letter in letters {
        if let Some(at) = letter.next_attempt_at() {
            courier.due().insert((at, letter.id().to_owned()));
            courier.wake.notify_one();
        }
    }
}

/// Another address, or none. What waited for one goes there.
pub(crate) fn set_url<L: Letter>(world: &World, url: Option<String>) {
    let is_set = url.is_some();
    *L::courier(world).url.write().unwrap_or_else(PoisonError::into_inner) = url;
    if is_set && L::WAITS_FOR_AN_ADDRESS {
        schedule(world, L::all(&world.store()));
    }
}

/// Brings what is due until the sandbox stops, beginning with what the last process could not anymore.
pub(crate) async fn run<L: Letter>(world: Arc<World>, stop: CancellationToken) {
    schedule(&world, L::all(&world.store()));
    let courier = L::courier(&world);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = courier.awaits_work() => {}
        }
        for id in courier.take_due(world.clock.now()) {
            let world = world.clone();
            tokio::spawn(async move {
                let _hand = L::courier(&world).hands.acquire().await;
                if is_still_due::<L>(&world, &id) {
                    deliver::<L>(&world, &id).await;
                }
            });
        }
    }
}

/// Somebody may have brought it by hand since its attempt was planned.
fn is_still_due<L: Letter>(world: &World, id: &str) -> bool {
    let now = world.clock.now();
    let planned = L::find(&world.store(), id).and_then(L::next_attempt_at);
    planned.is_some_and(|at| at <= now)
}

/// Makes one attempt now. `None` if there is no such letter, or the sandbox stopped meanwhile.
pub(crate) async fn deliver<L: Letter>(world: &World, id: &str) -> Option<L> {
    let letter = L::find(&world.store(), id)?.clone();
    let attempt = match letter.own_url().or_else(|| L::courier(world).url()) {
        Some(url) => Some(bring(world, &letter, url).await),
        None if L::WAITS_FOR_AN_ADDRESS => return Some(letter),
        None => None,
    };
    let mut store = world.store();
    // Read again: a retry may have been made while this attempt waited for its answer.
    let mut letter = L::find(&store, id)?.clone();
    match attempt {
        Some(attempt) => letter.attempted(attempt),
        None => letter.hold(),
    }
    store.commit(vec![letter.clone().record()]).ok()?;
    drop(store);
    schedule(world, [&letter]);
    Some(letter)
}

async fn bring<L: Letter>(world: &World, letter: &L, url: String) -> Attempt {
    let at = world.clock.now();
    let describe = |error| Some(format!("{:#}", anyhow::Error::from(error)));
    let response = match letter.post(&L::courier(world).client, &url, at).send().await {
        Ok(response) => response,
        Err(error) => {
            return Attempt { at, url, status: None, body: String::new(), error: describe(error) };
        }
    };
    let status = Some(response.status().as_u16());
    match response.text().await {
        Ok(body) => Attempt { at, url, status, body, error: None },
        Err(error) => Attempt { at, url, status, body: String::new(), error: describe(error) },
    }
}

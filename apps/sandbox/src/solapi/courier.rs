//! How Solapi brings its webhooks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    notices::{SolapiAttempt, SolapiNotice},
    state::Record,
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Letter for SolapiNotice {
    fn courier(world: &World) -> &Courier {
        &world.solapi.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.solapi.notices()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.solapi.notice(id)
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.next_attempt_at
    }

    fn hold(&mut self) {
        self.next_attempt_at = None;
    }

    fn post(&self, client: &Client, url: &str, _at: DateTime<Utc>) -> RequestBuilder {
        client.post(url).header("content-type", "application/json").body(self.body.clone())
    }

    fn attempted(&mut self, Attempt { at, url, status, body: _, error }: Attempt) {
        self.book(SolapiAttempt { at, url, status, error });
    }

    fn record(self) -> store::Record {
        Record::Notice(Box::new(self)).into()
    }
}

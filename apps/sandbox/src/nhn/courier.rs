//! How NHN Cloud brings its webhooks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    notices::{NhnAttempt, NhnNotice},
    state::Record,
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The word that the console was given.
const SIGNATURE: &str = "dangol-development-nhn-signature";

impl Letter for NhnNotice {
    fn courier(world: &World) -> &Courier {
        &world.nhn.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.nhn.notices()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.nhn.notice(id)
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
        let request = client.post(url).header("content-type", "application/json");
        request.header("x-toast-webhook-signature", SIGNATURE).body(self.body.clone())
    }

    fn attempted(&mut self, Attempt { at, url, status, body: _, error }: Attempt) {
        self.book(NhnAttempt { at, url, status, error });
    }

    fn record(self) -> store::Record {
        Record::Notice(Box::new(self)).into()
    }
}

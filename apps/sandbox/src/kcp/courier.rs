//! How KCP brings its notifications.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    notices::{KcpNotice, NoticeAttempt, accepts},
    state::Record,
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Letter for KcpNotice {
    fn courier(world: &World) -> &Courier {
        &world.kcp.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.kcp.notices()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.kcp.notice(id)
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
        client.post(url).header("content-type", self.content_type()).body(self.body())
    }

    fn attempted(&mut self, Attempt { at, url, status, body, error }: Attempt) {
        let accepted = status == Some(200) && accepts(&body);
        self.book(NoticeAttempt { at, url, status, accepted, error });
    }

    fn record(self) -> store::Record {
        Record::Notice(Box::new(self)).into()
    }
}

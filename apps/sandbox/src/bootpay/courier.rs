//! How Bootpay brings its webhooks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    notices::{BootpayAttempt, BootpayNotice, accepts},
    state::Record,
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// How long a receiver has is not documented.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Letter for BootpayNotice {
    fn courier(world: &World) -> &Courier {
        &world.bootpay.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.bootpay.notices()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.bootpay.notice(id)
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

    fn own_url(&self) -> Option<String> {
        self.feedback_url.clone()
    }

    fn post(&self, client: &Client, url: &str, _at: DateTime<Utc>) -> RequestBuilder {
        let kind = if self.is_form { "application/x-www-form-urlencoded" } else { "application/json" };
        client.post(url).header("content-type", kind).body(self.body.clone())
    }

    fn attempted(&mut self, Attempt { at, url, status, body, error }: Attempt) {
        let accepted = status == Some(200) && accepts(&body);
        self.book(BootpayAttempt { at, url, status, accepted, error });
    }

    fn record(self) -> store::Record {
        Record::Notice(Box::new(self)).into()
    }
}

//! How PortOne brings its webhooks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    Record, WEBHOOK_SECRET,
    webhooks::{Delivery, PortOneAttempt, signature},
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

impl Letter for Delivery {
    fn courier(world: &World) -> &Courier {
        &world.portone.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.portone.deliveries()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.portone.delivery(id)
    }

    fn id(&self) -> &str {
        &self.webhook_id
    }

    fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.next_attempt_at
    }

    fn hold(&mut self) {
        self.next_attempt_at = None;
    }

    fn own_url(&self) -> Option<String> {
        self.notice_url.clone()
    }

    /// The id stays, the timestamp and with it the signature are new each time, as Standard Webhooks says.
    fn post(&self, client: &Client, url: &str, at: DateTime<Utc>) -> RequestBuilder {
        let timestamp = at.timestamp();
        let mut request = client
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", &self.webhook_id)
            .header("webhook-timestamp", timestamp);
        if let Some(signature) = signature(WEBHOOK_SECRET, &self.webhook_id, timestamp, &self.body) {
            request = request.header("webhook-signature", signature);
        }
        request.body(self.body.clone())
    }

    fn attempted(&mut self, Attempt { at, url, status, error, .. }: Attempt) {
        self.book(PortOneAttempt { at, url, status, error });
    }

    fn record(self) -> store::Record {
        Record::Delivery(Box::new(self)).into()
    }
}

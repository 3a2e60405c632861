//! How Toss brings its webhooks.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::{Client, RequestBuilder};

use super::{
    Record, time,
    webhooks::{Delivery, WebhookAttempt},
};
use crate::{
    courier::{Attempt, Courier, Letter},
    store::{self, Store},
    world::World,
};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

impl Letter for Delivery {
    const WAITS_FOR_AN_ADDRESS: bool = false;

    fn courier(world: &World) -> &Courier {
        &world.toss.courier
    }

    fn all(store: &Store) -> impl Iterator<Item = &Self> {
        store.toss.deliveries()
    }

    fn find<'a>(store: &'a Store, id: &str) -> Option<&'a Self> {
        store.toss.delivery(id)
    }

    fn id(&self) -> &str {
        &self.transmission_id
    }

    fn next_attempt_at(&self) -> Option<DateTime<Utc>> {
        self.next_attempt_at
    }

    fn hold(&mut self) {
        self.next_attempt_at = None;
    }

    fn own_url(&self) -> Option<String> {
        self.own_url.clone()
    }

    fn post(&self, client: &Client, url: &str, at: DateTime<Utc>) -> RequestBuilder {
        let transmission_time = time::with_offset(at);
        let mut request = client
            .post(url)
            .header("content-type", "application/json")
            .header("tosspayments-webhook-transmission-id", &self.transmission_id)
            .header("tosspayments-webhook-transmission-retried-count", self.attempts.len())
            .header("tosspayments-webhook-transmission-time", &transmission_time);
        if let Some(signature) = self.signature(&transmission_time) {
            request = request.header("tosspayments-webhook-signature", signature);
        }
        request.body(self.body.clone())
    }

    fn attempted(&mut self, Attempt { at, url, status, error, .. }: Attempt) {
        let retried_count = self.attempts.len();
        self.book(WebhookAttempt { at, url, retried_count, status, error });
    }

    fn record(self) -> store::Record {
        Record::Delivery(Box::new(self)).into()
    }
}

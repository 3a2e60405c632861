//! Brings webhooks to the merchant, beside the API and never in its way.

use std::{io, sync::Arc, time::Duration};

use tokio_util::sync::CancellationToken;

use super::{
    Record, WEBHOOK_SECRET,
    switches::PortOneSwitches,
    webhooks::{Delivery, PortOneAttempt, signature},
};
use crate::{store, toss::WebhookTiming, world::World};

/// A receiver has so long to answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Keeps a change together with the webhooks that it sets off. They are to be sent once the change
/// was answered.
pub(crate) fn commit(
    store: &mut store::Store,
    mut records: Vec<store::Record>,
    mut news: Vec<Delivery>,
    switches: PortOneSwitches,
) -> io::Result<Vec<Delivery>> {
    for delivery in &mut news {
        if switches.webhook_timing == WebhookTiming::Held {
            delivery.next_attempt_at = None;
        }
        records.push(Record::Delivery(Box::new(delivery.clone())).into());
    }
    store.commit(records)?;
    Ok(news)
}

pub(crate) fn schedule<'a>(world: &World, deliveries: impl IntoIterator<Item = &'a Delivery>) {
    for delivery in deliveries {
        world.portone.courier.schedule(delivery.next_attempt_at, &delivery.webhook_id);
    }
}

/// Where the console's URL is, webhooks go; without one they wait.
pub(crate) fn set_url(world: &World, url: Option<String>) {
    let is_set = url.is_some();
    world.portone.courier.set_url(url);
    if is_set {
        let waiting: Vec<Delivery> = world.store().portone.deliveries().cloned().collect();
        schedule(world, &waiting);
    }
}

/// Delivers what is due until the sandbox stops.
pub(crate) async fn run(world: Arc<World>, stop: CancellationToken) {
    let courier = &world.portone.courier;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = courier.awaits_work() => {}
        }
        for id in courier.take_due(world.clock.now()) {
            let world = world.clone();
            tokio::spawn(async move {
                let _hand = world.portone.courier.hands.acquire().await;
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
    let planned = world.store().portone.delivery(id).and_then(|delivery| delivery.next_attempt_at);
    planned.is_some_and(|at| at <= now)
}

/// Makes one attempt now. `None` if there is no such webhook, or the sandbox stopped meanwhile.
pub(crate) async fn deliver(world: &World, id: &str) -> Option<Delivery> {
    let delivery = world.store().portone.delivery(id)?.clone();
    let Some(url) = delivery.notice_url.clone().or_else(|| world.portone.courier.url()) else {
        return Some(delivery);
    };
    let attempt = attempt(world, &delivery, url).await;
    let mut store = world.store();
    // Read again: a retry may have been made while this attempt waited for its answer.
    let mut delivery = store.portone.delivery(id)?.clone();
    delivery.attempted(attempt);
    store.commit(vec![Record::Delivery(Box::new(delivery.clone())).into()]).ok()?;
    drop(store);
    schedule(world, [&delivery]);
    Some(delivery)
}

/// The id stays, the timestamp and with it the signature are new each time, as Standard Webhooks says.
async fn attempt(world: &World, delivery: &Delivery, url: String) -> PortOneAttempt {
    let at = world.clock.now();
    let timestamp = at.timestamp();
    let mut request = world
        .portone
        .courier
        .client
        .post(&url)
        .header("content-type", "application/json")
        .header("webhook-id", &delivery.webhook_id)
        .header("webhook-timestamp", timestamp);
    if let Some(signature) = signature(WEBHOOK_SECRET, &delivery.webhook_id, timestamp, &delivery.body) {
        request = request.header("webhook-signature", signature);
    }
    let (status, error) = match request.body(delivery.body.clone()).send().await {
        Ok(response) => (Some(response.status().as_u16()), None),
        Err(error) => (None, Some(format!("{:#}", anyhow::Error::from(error)))),
    };
    PortOneAttempt { at, url, status, error }
}

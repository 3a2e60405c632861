//! Payments that nobody confirmed in time.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::confirm;
use crate::{
    courier::{self, TICK},
    world::World,
};

/// Lets payments expire, and webhooks say so, until the sandbox stops.
pub(crate) async fn run(world: Arc<World>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(TICK) => expire_sessions(&world),
        }
    }
}

fn expire_sessions(world: &World) {
    let now = world.clock.now();
    let switches = world.toss.switches();
    let mut store = world.store();
    for payment in store.toss.overdue_sessions(now) {
        let change = confirm::expired(&payment, switches, now);
        match courier::commit(&mut store, change.records, change.news, switches.webhook_timing) {
            Ok(news) => courier::schedule(world, &news),
            Err(error) => tracing::error!(%error, "an expired payment could not be written to the journal"),
        }
    }
}

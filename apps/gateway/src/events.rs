//! Waking those who react to events, and reacting.
//!
//! A transaction that published something says so to nobody: a NOTIFY takes a lock at commit that all transactions of a
//! server would queue for. Each process notices its own events and sends one signal a moment later, for all that came
//! meanwhile; the workers look then, and once a second in any case.

use std::{future::Future, time::Duration};

use notifications::Topic;
use platform::events;
use tokio::time::sleep;

use crate::app::App;

/// How long after an event was written its transaction will have committed, nearly always.
const SOON: Duration = Duration::from_millis(15);
/// When one that took longer will have.
const LATER: Duration = Duration::from_millis(150);

/// What a missed signal costs.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Tells the workers of what this process publishes, until `stop` completes.
pub async fn announce(app: App, stop: impl Future<Output = ()>) {
    let mut published = events::published();
    let announcing = async {
        while published.changed().await.is_ok() {
            for pause in [SOON, LATER] {
                sleep(pause).await;
                app.notifications.signal.send(Topic::Events).await;
            }
        }
    };
    tokio::select! {
        () = announcing => {}
        () = stop => {}
    }
}

/// Reacts to what all processes publish, until `stop` completes.
pub async fn react(app: App, stop: impl Future<Output = ()>) {
    let mut bell = app.notifications.signal.listen(Topic::Events);
    tokio::pin!(stop);
    loop {
        if let Err(error) = app.notifications.react().await {
            tracing::error!(%error, "events cannot be reacted to; tried again in a second");
        }
        tokio::select! {
            // Never an error while the signal lives, which is as long as the application.
            _ = bell.changed() => {}
            () = sleep(LOOK_AGAIN) => {}
            () = &mut stop => return,
        }
    }
}

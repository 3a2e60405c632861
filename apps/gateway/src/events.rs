//! Waking those who react to events, and reacting.
//!
//! A transaction that published something says so to nobody: a NOTIFY takes a lock at commit that all transactions of a
//! server would queue for. Each process notices its own events and sends one signal a moment later, for all that came
//! meanwhile; the workers look then, and every `DANGOL_LOOK_AGAIN` in any case.

use std::{future::Future, time::Duration};

use notifications::Topic;
use platform::events;
use tokio::time::sleep;

use crate::app::App;

/// How long after an event was written its transaction will have committed, nearly always.
const SOON: Duration = Duration::from_millis(15);
/// When one that took longer will have.
const LATER: Duration = Duration::from_millis(150);
/// When it is tried again after the database did not answer.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells the workers of what this process publishes, until `stop` completes.
pub async fn announce(app: App, stop: impl Future<Output = ()>) {
    let mut published = events::published();
    let announcing = async {
        let signal = &app.notifications.signal;
        let mut is_alive = published.changed().await.is_ok();
        while is_alive {
            sleep(SOON).await;
            signal.send(Topic::Events).await;
            is_alive = tokio::select! {
                // What is published meanwhile does not wait for what took longer, which its signals are for as well.
                changed = published.changed() => changed.is_ok(),
                () = sleep(LATER) => {
                    signal.send(Topic::Events).await;
                    published.changed().await.is_ok()
                }
            };
        }
    };
    tokio::select! {
        () = announcing => {}
        () = stop => {}
    }
}

/// Reacts to what all processes publish, until `stop` completes, however much is left then.
pub async fn react(app: App, stop: impl Future<Output = ()>) {
    let mut bell = app.notifications.signal.listen(Topic::Events);
    tokio::pin!(stop);
    loop {
        let pause = match app.notifications.react().await {
            Ok(0) => app.notifications.look_again,
            // There may be more.
            Ok(_) => Duration::ZERO,
            Err(error) => {
                tracing::error!(%error, "events cannot be reacted to; tried again in a second");
                PAUSE
            }
        };
        tokio::select! {
            biased;
            () = &mut stop => return,
            // Never an error while the signal lives, which is as long as the application.
            _ = bell.changed() => {}
            () = sleep(pause) => {}
        }
    }
}

//! Everything of this context that is due, and the loops that do it.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::{BoxFuture, FutureExt, join_all};
use platform::SystemTx;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::{
    Messaging, MessagingError, SendReport,
    consent::{ask_again_at, renewal_window},
    store,
};

/// How long whom it went to and what it said is kept: as long as records of advertising have to be.
const KEPT_FOR: TimeDelta = TimeDelta::days(183);
/// What is forgotten in one transaction.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// How soon something that was enqueued is seen.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

const KEEP_HOUSE_EVERY: Duration = Duration::from_mins(1);

impl Messaging {
    /// Does all that is due now.
    pub async fn sweep(&self) -> Result<SendReport, MessagingError> {
        // What is open from before first: what proves absent is sent again in the same sweep.
        self.look_up_due().await?;
        self.read_refusal_lists().await?;
        self.keep_house().await?;
        self.send_due().await
    }

    /// When something will be due next, if nothing happens before; in the past if it is due already.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, MessagingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let (_, over) = renewal_window(self.clock.now());
        let grows_old = store::consent::next_to_grow_old(&mut tx, over).await?;
        let asked_at = grows_old.map(ask_again_at);
        Ok([store::due::next_at(&mut tx).await?, asked_at].into_iter().flatten().min())
    }

    /// What nobody waits for: consents that grow old, what another process left, what is to be forgotten.
    async fn keep_house(&self) -> Result<(), MessagingError> {
        self.renew_consents().await?;
        self.let_go_of_strangers().await?;
        self.forget_old().await
    }

    /// Works until `stop`, then lets what is under way finish. Nothing here waits for anything else: a mail about a payment
    /// not for a campaign, and who refuses not for one either.
    pub async fn run(&self, stop: CancellationToken) {
        let stop = &stop;
        let mut work: Vec<BoxFuture<'_, ()>> = vec![
            again("mails cannot be written", LOOK_AGAIN, stop, move || async move {
                self.react().await.map(drop)
            })
            .boxed(),
            again("messages cannot be looked after", KEEP_HOUSE_EVERY, stop, move || self.keep_house())
                .boxed(),
        ];
        for (channel, purpose) in self.lines() {
            // Where some were sent, more may have been written down meanwhile.
            let send = move || async move {
                while self.send_line(channel, purpose, stop).await?.sent > 0 {}
                Ok(())
            };
            work.push(again("messages cannot be sent", LOOK_AGAIN, stop, send).boxed());
        }
        for carrier in self.channels.all() {
            let look_up = move || self.look_up_at(carrier, stop);
            work.push(again("messages cannot be looked up", LOOK_AGAIN, stop, look_up).boxed());
            let read = move || self.read_refusals(carrier);
            work.push(again("refusals cannot be read", KEEP_HOUSE_EVERY, stop, read).boxed());
        }
        join_all(work).await;
    }

    /// What was taken for a carrier that this installation has no account at any more: sent by another, or left as it is
    /// where nobody can be asked.
    async fn let_go_of_strangers(&self) -> Result<(), MessagingError> {
        let known: Vec<_> = self.channels.all().map(crate::channel::MessageChannel::provider).collect();
        let mut tx = SystemTx::begin(&self.db).await?;
        let left = store::message::let_go_of_strangers(&mut tx, &known, self.clock.now()).await?;
        tx.commit().await?;
        if left > 0 {
            tracing::error!(left, "messages were under way at a carrier that is not configured any more");
        }
        Ok(())
    }

    async fn forget_old(&self) -> Result<(), MessagingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::message::forget_old(&mut tx, self.clock.now() - KEPT_FOR, FORGOTTEN_AT_ONCE).await?;
        tx.commit().await?;
        Ok(())
    }
}

/// Again and again until `stop`, with a pause in between. What goes wrong is tried again after it.
async fn again<W, F>(trouble: &'static str, pause: Duration, stop: &CancellationToken, work: W)
where
    W: Fn() -> F,
    F: Future<Output = Result<(), MessagingError>>,
{
    while !stop.is_cancelled() {
        if let Err(error) = work().await {
            tracing::error!(%error, "{trouble}; tried again");
        }
        tokio::select! {
            () = sleep(pause) => {}
            () = stop.cancelled() => {}
        }
    }
}

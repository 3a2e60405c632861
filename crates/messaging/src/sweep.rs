//! Everything of this context that is due, and the loop that does it.

use std::{future::Future, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use platform::SystemTx;
use tokio::time::{Instant, sleep};

use crate::{
    Messaging, MessagingError, SendReport,
    consent::{ask_again_at, renewal_window},
    store,
};

/// How long whom it went to and what it said is kept: as long as records of advertising have to be.
const KEPT_FOR: TimeDelta = TimeDelta::days(183);

/// How soon something that was enqueued is seen.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

const KEEP_HOUSE_EVERY: Duration = Duration::from_mins(1);

impl Messaging {
    /// Does all that is due now.
    pub async fn sweep(&self) -> Result<SendReport, MessagingError> {
        // What is open from before first: what proves absent is sent again in the same sweep.
        self.look_up_due().await?;
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

    /// What nobody waits for: lists of refusals, consents that grow old, what is to be forgotten.
    async fn keep_house(&self) -> Result<(), MessagingError> {
        self.read_refusal_lists().await?;
        self.renew_consents().await?;
        self.forget_old().await
    }

    /// Sends and looks up until `stop` completes, then lets what is under way finish.
    pub async fn run(&self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        let mut next_house_keeping = Instant::now();
        loop {
            let worked = async {
                self.react().await?;
                self.look_up_due().await?;
                if Instant::now() >= next_house_keeping {
                    next_house_keeping = Instant::now() + KEEP_HOUSE_EVERY;
                    self.keep_house().await?;
                }
                self.send_due().await
            };
            if let Err(error) = worked.await {
                tracing::error!(%error, "messages cannot be sent; tried again in a second");
            }
            tokio::select! {
                () = sleep(LOOK_AGAIN) => {}
                () = &mut stop => return,
            }
        }
    }

    async fn forget_old(&self) -> Result<(), MessagingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::message::forget_old(&mut tx, self.clock.now() - KEPT_FOR, 10_000).await?;
        tx.commit().await?;
        Ok(())
    }
}

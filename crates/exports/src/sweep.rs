//! Everything of this context that is due: files to be made, files to be deleted. Whatever was delayed or
//! lost by a queue, a paused worker or a moved clock is a row with a due time, and is found here.

use std::{collections::HashMap, future::Future, sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use platform::SystemTx;
use tokio::{
    task::{Id, JoinSet},
    time::sleep,
};

use crate::{Exports, ExportsError, export::Claim, store};

/// How many files are deleted in a row.
const BATCH: i64 = 100;

/// When a file that could not be deleted is tried again.
const DELETE_AGAIN: TimeDelta = TimeDelta::minutes(5);

/// How often a worker looks by itself. The bell is rung for one worker, and others may have room.
const LOOK: Duration = Duration::from_secs(10);

impl Exports {
    /// Does all that is due now, and answers when it is done.
    pub async fn sweep(&self) -> Result<(), ExportsError> {
        self.tidy().await?;
        let mut making = JoinSet::new();
        loop {
            let Ok(room) = Arc::clone(&self.workers).acquire_owned().await else { break };
            if let Some(claim) = self.claim().await? {
                let exports = self.clone();
                making.spawn(async move {
                    exports.make(claim).await;
                    drop(room);
                });
            } else {
                drop(room);
                // One that is done may have made room for another of its business.
                if making.join_next().await.is_none() {
                    break;
                }
            }
        }
        // What came to nothing meanwhile, or was made in vain.
        self.tidy().await
    }

    /// Works until `stop` completes. What is not finished then is left to whoever works next.
    pub async fn attend(&self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        let mut making = JoinSet::new();
        let mut claims: HashMap<Id, Claim> = HashMap::new();
        loop {
            if let Err(error) = self.take_what_there_is(&mut making, &mut claims).await {
                tracing::error!(%error, "exports could not be looked after; tried again in a moment");
            }
            tokio::select! {
                () = &mut stop => break,
                () = self.bell.notified() => {}
                Some(done) = making.join_next_with_id() => {
                    claims.remove(&done.map_or_else(|error| error.id(), |(id, ())| id));
                }
                () = sleep(LOOK) => {}
            }
        }
        making.shutdown().await;
        let claims: Vec<_> = claims.into_values().collect();
        if let Err(error) = self.give_back(&claims).await {
            tracing::warn!(%error, "exports are taken up again when their leases end");
        }
    }

    /// As many as there is room for, each in a task of its own.
    async fn take_what_there_is(
        &self,
        making: &mut JoinSet<()>,
        claims: &mut HashMap<Id, Claim>,
    ) -> Result<(), ExportsError> {
        self.tidy().await?;
        while let Ok(room) = Arc::clone(&self.workers).try_acquire_owned() {
            let Some(claim) = self.claim().await? else { break };
            let (exports, taken) = (self.clone(), claim.clone());
            let task = making.spawn(async move {
                exports.make(taken).await;
                drop(room);
            });
            claims.insert(task.id(), claim);
        }
        Ok(())
    }

    /// Others need not wait for the leases of whoever stops.
    async fn give_back(&self, claims: &[Claim]) -> Result<(), ExportsError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        for claim in claims {
            // Nothing failed: it is only begun anew.
            store::work::try_again(&mut tx, claim, claim.failures, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Deletes what has expired and what nobody wants.
    pub(crate) async fn tidy(&self) -> Result<(), ExportsError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        store::export::expire(&mut tx, now).await?;
        tx.commit().await?;
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let unwanted = store::export::claim_unwanted(&mut tx, now, now + DELETE_AGAIN, BATCH).await?;
            tx.commit().await?;
            if unwanted.is_empty() {
                return Ok(());
            }
            for file in unwanted {
                if let Err(error) = self.storage.remove(&file).await {
                    tracing::error!(file = file.folder(), %error, "a file could not be deleted; tried again later");
                    continue;
                }
                let mut tx = SystemTx::begin(&self.db).await?;
                store::export::forget_file(&mut tx, &file).await?;
                tx.commit().await?;
            }
        }
    }

    /// When something will be due next, if nothing happens before; in the past if it is due already.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, ExportsError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        Ok(store::export::next_due(&mut tx).await?)
    }
}

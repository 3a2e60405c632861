//! Webhooks that arrive together are stored together.
//!
//! Each has to be on disk before it is answered, and providers send them in swarms. One transaction
//! for each would have each wait for the disk in turn. So while a group is being stored, those that
//! arrive meanwhile gather; whoever is next stores them all.

use std::{
    mem,
    sync::{Mutex, PoisonError},
};

use platform::{SystemTx, jobs};
use tokio::sync::oneshot;

use super::ActOnWebhooks;
use crate::{
    Billing, BillingError,
    store::{self, webhook::NewWebhook},
};

/// Deliveries of this process that are not stored yet.
#[derive(Default)]
pub struct Arrivals {
    waiting: Mutex<Vec<Arrival>>,
    /// Held by whoever stores.
    storing: tokio::sync::Mutex<()>,
}

struct Arrival {
    webhook: NewWebhook,
    stored: oneshot::Sender<Result<(), BillingError>>,
}

impl Arrivals {
    fn join(&self, webhook: NewWebhook) -> oneshot::Receiver<Result<(), BillingError>> {
        let (stored, told) = oneshot::channel();
        self.waiting().push(Arrival { webhook, stored });
        told
    }

    fn take(&self) -> Vec<Arrival> {
        mem::take(&mut *self.waiting())
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Arrival>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Billing {
    /// Returns when a delivery is on disk.
    pub(super) async fn store_webhook(&self, webhook: NewWebhook) -> Result<(), BillingError> {
        let mut told = self.arrivals.join(webhook);
        tokio::select! {
            biased;
            stored = &mut told => return stored.unwrap_or(Err(BillingError::WebhookNotStored)),
            _turn = self.arrivals.storing.lock() => self.store_group(self.arrivals.take()).await,
        }
        // Nobody else can have taken it since, so it was in this group or the one before.
        told.await.unwrap_or(Err(BillingError::WebhookNotStored))
    }

    async fn store_group(&self, group: Vec<Arrival>) {
        let (webhooks, told): (Vec<_>, Vec<_>) =
            group.into_iter().map(|arrival| (arrival.webhook, arrival.stored)).unzip();
        match self.store_together(&webhooks).await {
            Ok(()) => {
                for tell in told {
                    // Whoever hung up does not want to know.
                    let _ = tell.send(Ok(()));
                }
            }
            // Nothing of it was stored. One that is not as it should be must not hold up the others.
            Err(error) => {
                tracing::warn!(%error, "webhooks could not be stored together; each is on its own now");
                for (webhook, tell) in webhooks.iter().zip(told) {
                    let _ = tell.send(self.store_together(std::slice::from_ref(webhook)).await);
                }
            }
        }
    }

    async fn store_together(&self, webhooks: &[NewWebhook]) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        store::webhook::insert_all(&mut tx, webhooks).await?;
        if webhooks.iter().any(|webhook| webhook.due_at.is_some()) {
            jobs::enqueue(&mut tx, &ActOnWebhooks {}).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

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
    /// Whether it is new.
    stored: oneshot::Sender<Result<bool, BillingError>>,
}

impl Arrivals {
    fn join(&self, webhook: NewWebhook) -> oneshot::Receiver<Result<bool, BillingError>> {
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
    /// Returns when a delivery is on disk. False if it was already.
    pub(super) async fn store_webhook(&self, webhook: NewWebhook) -> Result<bool, BillingError> {
        let mut told = self.arrivals.join(webhook);
        tokio::select! {
            biased;
            stored = &mut told => return stored.unwrap_or(Err(BillingError::WebhookNotStored)),
            _turn = self.arrivals.storing.lock() => self.store_group(self.arrivals.take()).await,
        }
        // Nobody else can have taken it since, so it was in this group or the one before.
        told.await.unwrap_or(Err(BillingError::WebhookNotStored))
    }

    async fn store_group(&self, mut group: Vec<Arrival>) {
        group.sort_by(|one, other| one.webhook.name().cmp(&other.webhook.name()));
        let (webhooks, told): (Vec<_>, Vec<_>) =
            group.into_iter().map(|arrival| (arrival.webhook, arrival.stored)).unzip();
        match self.store_together(&webhooks).await {
            Ok(stored) => {
                for (is_new, tell) in stored.into_iter().zip(told) {
                    // Whoever hung up does not want to know.
                    let _ = tell.send(Ok(is_new));
                }
            }
            // Nothing of it was stored. One that is not as it should be must not hold up the others.
            Err(error) => {
                tracing::warn!(%error, "webhooks could not be stored together; each is on its own now");
                for (webhook, tell) in webhooks.iter().zip(told) {
                    let stored = self.store_together(std::slice::from_ref(webhook)).await;
                    let _ = tell.send(stored.map(|stored| stored == [true]));
                }
            }
        }
    }

    /// Answers which of them are new.
    async fn store_together(&self, webhooks: &[NewWebhook]) -> Result<Vec<bool>, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let mut inserted = store::webhook::insert_all(&mut tx, webhooks).await?;
        let is_new = |webhook: &NewWebhook| {
            let (provider, delivery) = webhook.name();
            // Of two of one name in a group, one is a repeat.
            let at = inserted.iter().position(|(a, b)| (a.as_str(), b.as_str()) == (provider, delivery));
            at.map(|at| inserted.swap_remove(at)).is_some()
        };
        let stored: Vec<bool> = webhooks.iter().map(is_new).collect();
        if webhooks.iter().zip(&stored).any(|(webhook, is_new)| *is_new && webhook.due_at.is_some()) {
            jobs::enqueue(&mut tx, &ActOnWebhooks {}).await?;
        }
        tx.commit().await?;
        Ok(stored)
    }
}

//! Webhooks are hints: stored once, and acted on by asking the provider.
//!
//! Nothing that a webhook says is believed, so a forged one changes nothing, and early, late,
//! repeated and reordered ones all end in the same state: the provider's.

mod act;
mod allowance;
mod arrivals;
mod paid;
mod unanswered;
mod unconfirmed;

use axum::http::HeaderMap;
use pg_adapter::{Acknowledgement, Subject};
use platform::jobs;
use serde::{Deserialize, Serialize};

pub use allowance::Allowance;
pub use arrivals::Arrivals;

use crate::{Billing, BillingError, merchant::Merchant, store::webhook::NewWebhook};

/// The job that acts on stored webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActOnWebhooks {}

impl jobs::Job for ActOnWebhooks {
    const NAME: &'static str = "act_on_webhooks";
}

impl Billing {
    /// Stores a delivery and has it acted on. A repeated one is a reason to ask once more, and changes
    /// nothing else.
    pub(crate) async fn receive_webhook(
        &self,
        merchant: Merchant,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Acknowledgement, BillingError> {
        let gateway = self.gateway(merchant).await?;
        let webhook = gateway.read_webhook(headers, body)?;
        let now = self.clock.now();
        let (order_id, payment_key, billing_key_hash) = match webhook.subject {
            Subject::Payment { order_id, payment_key } => (Some(order_id), payment_key, None),
            Subject::BillingKeyDeleted { billing_key } => {
                (None, None, Some(self.vault.keyed_hash(&billing_key)))
            }
            Subject::Other => (None, None, None),
        };
        let concerns_us = order_id.is_some() || billing_key_hash.is_some();
        let new = NewWebhook {
            merchant,
            delivery_id: webhook.id,
            kind: webhook.kind.clone(),
            order_id,
            payment_key,
            billing_key_hash,
            received_at: now,
            due_at: concerns_us.then_some(now),
        };
        self.store_webhook(new).await?;
        tracing::info!(%merchant, kind = webhook.kind, "webhook stored");
        Ok(gateway.acknowledgement())
    }
}

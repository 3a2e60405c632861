//! Webhooks are hints: stored once, and acted on by asking the provider.
//!
//! Nothing that a webhook says is believed, so a forged one changes nothing, and early, late,
//! repeated and reordered ones all end in the same state: the provider's.

use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use pg_adapter::{Acknowledgement, Lookup, Outcome, Provider, Subject};
use platform::{SystemTx, events, jobs};
use serde::{Deserialize, Serialize};

use crate::{
    Billing, BillingError,
    case::Finding,
    charge::LEASE,
    event::BillingEvent,
    merchant::Merchant,
    payment::{Payment, PaymentStatus},
    reconcile::pause_before,
    store::{
        self,
        webhook::{DueWebhook, NewWebhook},
    },
};

/// The job that acts on stored webhooks.
#[derive(Debug, Serialize, Deserialize)]
pub struct ActOnWebhooks {}

impl jobs::Job for ActOnWebhooks {
    const NAME: &'static str = "act_on_webhooks";
}

/// A webhook may race the answer of the very request that caused it, so an order that is not known
/// yet is looked for this often before the webhook is put aside.
const TRIES: i32 = 8;

const BATCH: i64 = 64;

/// How many are acted on at once: each may wait for the provider, and takes a database connection.
const AT_ONCE: usize = 8;

impl Billing {
    /// Stores a delivery and has it acted on. A repeated one changes nothing.
    pub(crate) async fn receive_webhook(
        &self,
        merchant: Merchant,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Acknowledgement, BillingError> {
        let gateway = self.gateway(merchant).await?;
        let webhook = gateway.read_webhook(headers, body)?;
        let now = self.clock.now();
        let purpose = format!("billing.webhook:{}:{}", merchant.provider, webhook.id);
        let sealed = self.vault.seal(&purpose, &String::from_utf8_lossy(body).into_owned().into());
        let (order_id, payment_key, billing_key_hash) = match &webhook.subject {
            Subject::Payment { order_id, payment_key } => {
                (Some(order_id.as_str()), payment_key.as_deref(), None)
            }
            Subject::BillingKeyDeleted { billing_key } => {
                (None, None, Some(self.vault.keyed_hash(billing_key)))
            }
            Subject::Other => (None, None, None),
        };
        let concerns_us = order_id.is_some() || billing_key_hash.is_some();
        let new = NewWebhook {
            merchant,
            delivery_id: &webhook.id,
            kind: &webhook.kind,
            body: &sealed,
            order_id,
            payment_key,
            billing_key_hash: billing_key_hash.as_deref(),
            due_at: concerns_us.then_some(now),
        };
        let mut tx = SystemTx::begin(&self.db).await?;
        let is_new = store::webhook::insert(&mut tx, &new, now).await?;
        if is_new && concerns_us {
            jobs::enqueue(&mut tx, &ActOnWebhooks {}).await?;
        }
        tx.commit().await?;
        tracing::info!(%merchant, kind = webhook.kind, is_new, "webhook stored");
        Ok(gateway.acknowledgement())
    }

    /// Acts on stored webhooks whose time has come: a bounded number, since anybody may send them.
    pub async fn act_on_webhooks(&self) -> Result<(), BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let due = store::webhook::claim_due(&mut tx, now, now + LEASE, BATCH).await?;
        tx.commit().await?;
        let acted: Vec<_> = stream::iter(due)
            .map(|webhook| async move {
                let again = self.act_on(&webhook).await;
                (webhook, again)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        let mut tx = SystemTx::begin(&self.db).await?;
        store::webhook::reschedule(&mut tx, &acted).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Answers with when to try again; none if it is done, or not worth another try.
    async fn act_on(&self, webhook: &DueWebhook) -> Option<DateTime<Utc>> {
        let acted = match (&webhook.order_id, &webhook.billing_key_hash) {
            (Some(order_id), _) => self.look_into(webhook, order_id).await,
            (None, Some(key_hash)) => {
                self.stop_using(webhook.merchant.provider, key_hash).await.map(|()| true)
            }
            (None, None) => Ok(true),
        };
        let is_done = acted.unwrap_or_else(|error| {
            tracing::error!(%error, "a webhook could not be acted on; tried again later");
            false
        });
        (!is_done && webhook.tries < TRIES).then(|| self.clock.now() + pause_before(webhook.tries))
    }

    /// Asks the provider about the payment behind an order. False if it is too early to tell: the
    /// order is not known here yet, or the request that caused the webhook still waits for its answer.
    async fn look_into(&self, webhook: &DueWebhook, order_id: &str) -> Result<bool, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let Some((business, id)) = store::payment::owner_of_order(&mut tx, order_id).await? else {
            tx.commit().await?;
            return self.look_into_stray(webhook, order_id).await;
        };
        let payment = store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        let finds_by_order = self.gateways.capabilities(payment.merchant.provider).finds_by_order;
        match payment.status {
            PaymentStatus::Pending if self.is_being_asked(&payment) => return Ok(false),
            PaymentStatus::Pending if finds_by_order => {
                self.reconcile(business, id).await?;
            }
            PaymentStatus::Success | PaymentStatus::PartialRefunded => {
                return self.look_into_paid(&payment).await;
            }
            // The provider may have charged after all.
            PaymentStatus::Pending | PaymentStatus::Failed | PaymentStatus::Expired => {
                match self.shown(webhook, order_id).await? {
                    Lookup::Approved(theirs) => {
                        self.settle(business, id, Outcome::Approved(theirs)).await?;
                    }
                    Lookup::Unknown(_) => return Ok(false),
                    Lookup::Failed(_)
                    | Lookup::InProgress
                    | Lookup::AwaitingDeposit(_)
                    | Lookup::NotFound => {}
                }
            }
            PaymentStatus::Requested | PaymentStatus::Refunded => {}
        }
        Ok(true)
    }

    /// A payment that we never asked for, if it still is one when the webhook has waited its time. The
    /// provider is asked only then: anybody may invent order ids.
    async fn look_into_stray(&self, webhook: &DueWebhook, order_id: &str) -> Result<bool, BillingError> {
        if webhook.tries < TRIES {
            return Ok(false);
        }
        let Lookup::Approved(theirs) = self.shown(webhook, order_id).await? else { return Ok(false) };
        let evidence = format!("a webhook ({}) told of it, and no order of ours has its id", webhook.kind);
        let mut tx = SystemTx::begin(&self.db).await?;
        self.open_case(&mut tx, &Finding::stray(webhook.merchant, &theirs, &evidence)).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// The payment as the provider shows it: by our order id or, where it cannot be asked for by that,
    /// by the key that the webhook claims, which may be another order's.
    async fn shown(&self, webhook: &DueWebhook, order_id: &str) -> Result<Lookup, BillingError> {
        let gateway = self.gateway(webhook.merchant).await?;
        if gateway.capabilities().finds_by_order {
            return Ok(gateway.find_by_order(order_id).await);
        }
        let Some(payment_key) = &webhook.payment_key else {
            return Ok(Lookup::Unknown("the webhook names no payment".to_owned()));
        };
        Ok(match gateway.find(payment_key).await {
            Lookup::Approved(theirs) if theirs.order_id != order_id => Lookup::NotFound,
            shown => shown,
        })
    }

    /// Money may have been given back elsewhere, at the provider's console.
    async fn look_into_paid(&self, payment: &Payment) -> Result<bool, BillingError> {
        let payment_key = payment.payment_key.as_deref().ok_or(BillingError::NotFound)?;
        match self.gateway(payment.merchant).await?.find(payment_key).await {
            Lookup::Approved(approval) => {
                self.adopt_cancellations(payment.business, payment.id, &approval).await?;
            }
            Lookup::Unknown(_) => return Ok(false),
            Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
                tracing::error!(payment = %payment.id, "the provider denies a payment that it approved");
            }
        }
        Ok(true)
    }

    fn is_being_asked(&self, payment: &Payment) -> bool {
        let just_now = self.clock.now() - TimeDelta::seconds(5);
        payment.checks == 0 && payment.sent_at.is_some_and(|sent_at| sent_at > just_now)
    }

    /// The provider deleted a billing key. Holding the key is the evidence: nobody else knows it.
    async fn stop_using(&self, provider: Provider, key_hash: &[u8]) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        for (business, method) in store::payment_method::active_with_key(&mut tx, provider, key_hash).await? {
            store::payment_method::mark_unusable(&mut tx, business, method).await?;
            let event = BillingEvent::PaymentMethodUnusable { billing_key: method };
            events::publish(&mut tx, business, self.clock.now(), &event).await?;
        }
        tx.commit().await?;
        Ok(())
    }
}

//! Everything of this context that is due, in order. Whatever was delayed or lost by a queue, a
//! paused worker or a moved clock is a row with a due time, and is found here.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::{DeclineClass, IssueBillingKey, Outcome};
use platform::{SystemTx, idempotency};
use sqlx::{PgConnection, PgPool};

use crate::{
    Billing, BillingCycle, BillingError, RunReport,
    charge::LEASE,
    payment_method::{PaymentMethod, PaymentMethodId, PaymentMethodStatus},
    reconcile::pause_before,
    store::{self, payment_method::SealedKey},
};

const BATCH: i64 = 64;

/// How long webhooks that were acted on are kept, to see what came when.
const WEBHOOKS_KEPT_FOR: TimeDelta = TimeDelta::days(90);

impl Billing {
    /// Does all that is due now. What is open from before is settled first, so that what follows
    /// from it is done in the same sweep.
    pub async fn sweep(&self) -> Result<RunReport, BillingError> {
        self.reconcile_payments().await?;
        self.reconcile_refunds().await?;
        let report = self.run().await?;
        // Behind what is owed: webhooks may be many, and anybody's.
        self.act_on_webhooks().await?;
        self.release_cards().await?;
        self.attend_to_tax_invoices().await?;
        self.attend_to_cash_receipts().await?;
        self.announce_endings().await?;
        self.announce_renewals().await?;
        self.close_old().await?;
        self.reconcile_days().await?;
        // Behind all that may have found out.
        self.resolve_settled_cases().await?;
        Ok(report)
    }

    /// When something will be due next, if nothing happens before; in the past if it is due already.
    pub async fn next_due(&self) -> Result<Option<DateTime<Utc>>, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let ending = store::subscription::next_end_to_be_told(&mut tx).await?;
        let end_told_at = ending.map(|ends_on| self.told_at(ends_on));
        let renewal = store::subscription::next_renewal_to_be_told(&mut tx).await?;
        let renewal_told_at = renewal.map(|renews_on| self.told_at(renews_on));
        let due_at = store::due::next_at(&mut tx).await?;
        Ok([due_at, end_told_at, renewal_told_at].into_iter().flatten().min())
    }

    async fn close_old(&self) -> Result<(), BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let expired = store::payment::expire_requested(&mut tx, now).await?;
        idempotency::forget_old_keys(&mut tx, now).await?;
        store::webhook::forget_done(&mut tx, now - WEBHOOKS_KEPT_FOR).await?;
        tx.commit().await?;
        if expired > 0 {
            tracing::info!(expired, "checkouts expired");
        }
        Ok(())
    }

    /// Deletes the keys of cards that are not needed any more, and fetches answers that got lost.
    pub(crate) async fn release_cards(&self) -> Result<(), BillingError> {
        loop {
            let now = self.clock.now();
            let mut tx = SystemTx::begin(&self.db).await?;
            let due = store::payment_method::claim_due(&mut tx, now, now + LEASE, BATCH).await?;
            tx.commit().await?;
            if due.is_empty() {
                return Ok(());
            }
            for (business, method) in due {
                if let Err(error) = self.release_card(business, method).await {
                    tracing::error!(%method, %error, "a card could not be released; tried again later");
                }
            }
        }
    }

    async fn release_card(&self, business: BusinessId, id: PaymentMethodId) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let method =
            store::payment_method::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        tx.commit().await?;
        match (method.status, &method.auth_key, &method.billing_key) {
            (PaymentMethodStatus::Issuing, Some(auth_key), _) => self.fetch_lost_key(&method, auth_key).await,
            (PaymentMethodStatus::Releasing, _, Some(billing_key)) => {
                self.delete_key(&method, billing_key).await
            }
            // Settled meanwhile.
            _ => Ok(()),
        }
    }

    /// The process that asked for this key died before it had the answer. Nobody waits for the key
    /// any more, but it exists, and only asking again tells what it is.
    async fn fetch_lost_key(&self, method: &PaymentMethod, auth_key: &str) -> Result<(), BillingError> {
        let purpose = PaymentMethod::purpose(method.business, method.id);
        let request = IssueBillingKey {
            auth_key: self.vault.open(&purpose, auth_key)?,
            customer_key: method.customer_key.clone(),
            idempotency_key: method.id.to_string(),
        };
        let outcome = self.gateway(method.merchant).await?.issue_billing_key(&request).await;
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let as_it_is = store::payment_method::lock(&mut tx, method.business, method.id).await?;
        // Whoever asked for it was not dead, only slow, and has the key.
        if as_it_is.is_none_or(|method| method.status != PaymentMethodStatus::Issuing) {
            return Ok(());
        }
        match outcome {
            Outcome::Approved(issued) => {
                let key = SealedKey {
                    sealed: self.vault.seal(&purpose, &issued.billing_key),
                    hash: self.vault.keyed_hash(&issued.billing_key),
                };
                // Where the SDK returns the key itself, it was brought again meanwhile: whoever has it keeps it.
                if store::payment_method::is_held(&mut tx, method.merchant.provider, &key.hash).await? {
                    store::payment_method::mark_released(&mut tx, method.business, method.id).await?;
                    tx.commit().await?;
                    return Ok(());
                }
                store::payment_method::store_key(&mut tx, method, &key, &issued.card, now).await?;
            }
            // What the SDK returned is used up or unknown. Any other no may be about us, and change.
            Outcome::Declined(decline) if decline.class == DeclineClass::NewCard => {
                store::payment_method::mark_released(&mut tx, method.business, method.id).await?;
            }
            // A key that nobody knows cannot be charged by anybody: after a while it is left alone.
            Outcome::Declined(_) | Outcome::NotSent(_) | Outcome::Unknown(_) if method.tries > 12 => {
                store::payment_method::mark_released(&mut tx, method.business, method.id).await?;
            }
            Outcome::Declined(_) | Outcome::NotSent(_) | Outcome::Unknown(_) => {
                let again = now + pause_before(method.tries);
                store::payment_method::postpone(&mut tx, method.business, method.id, again).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }

    async fn delete_key(&self, method: &PaymentMethod, billing_key: &str) -> Result<(), BillingError> {
        let purpose = PaymentMethod::purpose(method.business, method.id);
        let billing_key = self.vault.open(&purpose, billing_key)?;
        let outcome = self.gateway(method.merchant).await?.delete_billing_key(&billing_key).await;
        let mut tx = SystemTx::begin(&self.db).await?;
        match outcome {
            Outcome::Approved(()) => {
                store::payment_method::mark_released(&mut tx, method.business, method.id).await?;
            }
            Outcome::Declined(decline) => {
                tracing::error!(method = %method.id, code = decline.code, "the provider will not delete a billing key");
                let again = self.clock.now() + pause_before(method.tries.max(5));
                store::payment_method::postpone(&mut tx, method.business, method.id, again).await?;
            }
            Outcome::NotSent(_) | Outcome::Unknown(_) => {
                let again = self.clock.now() + pause_before(method.tries);
                store::payment_method::postpone(&mut tx, method.business, method.id, again).await?;
            }
        }
        tx.commit().await?;
        Ok(())
    }
}

/// Adds a plan to the catalogue of a development system.
pub async fn add_demo_plan(
    db: &PgPool,
    code: &str,
    name: &str,
    prices: &[(BillingCycle, Krw)],
) -> sqlx::Result<()> {
    let mut conn = db.acquire().await?;
    let conn: &mut PgConnection = &mut conn;
    store::plan::insert(conn, code, name, prices).await
}

//! Cards to fall back on: another key at another provider, charged when the first cannot be.

use kernel::BusinessId;
use pg_adapter::Provider;
use platform::{TenantTx, events};

use crate::{
    Billing, BillingError, SubscriptionStatus,
    card::{CardRegistration, RegisteredCard, keep_card},
    event::BillingEvent,
    payment_method::{PaymentMethodId, Standby},
    store,
};

impl Billing {
    /// Registers a card beside the one that the subscription names, at a provider where the business
    /// has none yet.
    pub(crate) async fn add_backup(
        &self,
        business: BusinessId,
        registration: CardRegistration,
    ) -> Result<RegisteredCard, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        self.must_want_backup(&mut tx, business, registration.provider).await?;
        tx.commit().await?;
        let registered = self.register_card(business, registration).await?;
        match self.keep_backup(business, &registered).await {
            Ok(()) => Ok(registered),
            // It ended, or another one was added, meanwhile.
            Err(error) => {
                self.let_go(business, registered.on_file.id).await?;
                Err(error)
            }
        }
    }

    async fn keep_backup(
        &self,
        business: BusinessId,
        registered: &RegisteredCard,
    ) -> Result<(), BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        self.must_want_backup(&mut tx, business, registered.on_file.merchant.provider).await?;
        keep_card(&mut tx, business, registered.on_file.id).await?;
        store::payment_method::stand_by(&mut tx, business, registered.on_file.id, Standby::Backup).await?;
        let added = BillingEvent::PaymentMethodAdded {
            billing_key: registered.on_file.id,
            card_company: registered.card.company.clone(),
            card_number: registered.card.display_number(),
        };
        events::publish(&mut tx, business, self.clock.now(), &added).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The subscription renews, and has no card at this provider.
    async fn must_want_backup(
        &self,
        tx: &mut TenantTx,
        business: BusinessId,
        provider: Provider,
    ) -> Result<(), BillingError> {
        let subscription =
            store::subscription::lock_live(tx, business).await?.ok_or(BillingError::NoSubscription)?;
        match subscription.status {
            SubscriptionStatus::Active | SubscriptionStatus::PastDue | SubscriptionStatus::Suspended => {}
            SubscriptionStatus::Pending => return Err(BillingError::PaymentInProgress),
            SubscriptionStatus::NonRenewing | SubscriptionStatus::Ended => {
                return Err(BillingError::NotRenewing);
            }
        }
        let primary = store::payment_method::on_file(tx, &subscription).await?;
        let has_one = primary.is_some_and(|card| card.merchant.provider == provider)
            || store::payment_method::backup_at(tx, business, provider).await?.is_some();
        if has_one { Err(BillingError::HasCardAtProvider) } else { Ok(()) }
    }

    /// Lets a card go that is not the one the subscription names.
    pub(crate) async fn remove_standby(
        &self,
        business: BusinessId,
        id: PaymentMethodId,
    ) -> Result<(), BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let is_primary = store::subscription::lock_live(&mut tx, business)
            .await?
            .is_some_and(|subscription| subscription.method == Some(id));
        if is_primary {
            return Err(BillingError::CardInUse);
        }
        if !store::payment_method::is_kept(&mut tx, business, id).await? {
            return Err(BillingError::NotFound);
        }
        store::payment_method::release(&mut tx, business, id, self.clock.now()).await?;
        tx.commit().await?;
        self.release_soon().await;
        Ok(())
    }
}

//! What a business does with its subscription: replace the card, pay what is owed, cancel.

use kernel::BusinessId;
use platform::{TenantTx, events};
use sqlx::PgConnection;

use crate::{
    Billing, BillingError, EndReason, SubscriptionMove, SubscriptionStatus,
    breaker::Availability,
    card::{CardRegistration, RegisteredCard, keep_card},
    charge::{Attempt, NOT_SENT, Settlement},
    event::BillingEvent,
    invoice::Invoice,
    payment::{PaymentId, PaymentReason},
    payment_method::Standby,
    routing::Choice,
    store::{self, due::CardOnFile},
    subscription::{Subscription, SubscriptionId},
};

/// What became of an invoice that was to be paid at once.
pub(crate) enum PaidNow {
    /// Nothing was owed.
    NothingOwed,
    Paid(PaymentId),
    /// Asked, not answered yet.
    Open(PaymentId),
}

/// A replaced card, and what became of an open invoice.
pub(crate) struct ReplacedCard {
    pub registered: RegisteredCard,
    pub open_invoice: PaidNow,
}

/// What somebody wants to be tried again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RetryTarget {
    Payment(PaymentId),
    Subscription(SubscriptionId),
}

impl Billing {
    /// Ends the subscription with the period that is paid for; one that is past due ends at once.
    pub(crate) async fn cancel(
        &self,
        business: BusinessId,
        id: Option<SubscriptionId>,
        reason: Option<&str>,
    ) -> Result<Subscription, BillingError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let mut subscription = match id {
            Some(id) => {
                store::subscription::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?
            }
            None => store::subscription::lock_live(&mut tx, business)
                .await?
                .ok_or(BillingError::NoSubscription)?,
        };
        // While a charge is open its settlement decides when the subscription ends.
        let charge_is_open = subscription.due_at.is_none();
        let ends_now = match subscription.status {
            SubscriptionStatus::Pending => return Err(BillingError::PaymentInProgress),
            // Cancelling twice is cancelling.
            SubscriptionStatus::NonRenewing if subscription.canceled_at.is_some() => return Ok(subscription),
            SubscriptionStatus::Ended => return Err(BillingError::NoSubscription),
            SubscriptionStatus::Active | SubscriptionStatus::NonRenewing => false,
            SubscriptionStatus::PastDue => !charge_is_open,
            SubscriptionStatus::Suspended => {
                if open_attempt(&mut tx, &subscription).await?.is_some() {
                    return Err(BillingError::PaymentInProgress);
                }
                true
            }
        };
        store::subscription::record_cancel(&mut tx, &subscription, reason, now).await?;
        subscription.canceled_at = Some(now);
        let canceled = BillingEvent::SubscriptionCanceled {
            subscription_id: subscription.id,
            access_until: (!ends_now).then_some(subscription.period.until),
            reason: reason.map(str::to_owned),
        };
        events::publish(&mut tx, business, now, &canceled).await?;
        if ends_now {
            self.end(&mut tx, subscription.clone(), EndReason::Canceled).await?;
            subscription.status = SubscriptionStatus::Ended;
        } else if subscription.status != SubscriptionStatus::NonRenewing {
            subscription.status = subscription.status.after(SubscriptionMove::Cancel)?;
            if !charge_is_open {
                let (status, period) = (subscription.status, subscription.period);
                subscription.due_at =
                    Some(Subscription::next_action(status, period, self.settings.charge_time));
            }
            store::subscription::update(&mut tx, &subscription).await?;
        }
        tx.commit().await?;
        Ok(subscription)
    }

    /// Puts a new card in the place of the old one. What is owed is charged to it at once.
    pub(crate) async fn replace_card(
        &self,
        business: BusinessId,
        registration: CardRegistration,
    ) -> Result<ReplacedCard, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        replaceable(&mut tx, business).await?;
        tx.commit().await?;
        let registered = self.register_card(business, registration).await?;
        let attempt = match self.put_on_file(business, &registered).await {
            Ok(attempt) => attempt,
            // It ended or was cancelled meanwhile.
            Err(error) => {
                self.let_go(business, registered.on_file.id).await?;
                return Err(error);
            }
        };
        let open_invoice = match attempt {
            Some(attempt) => self.pay_now(&attempt).await?,
            None => PaidNow::NothingOwed,
        };
        Ok(ReplacedCard { registered, open_invoice })
    }

    /// The card is the subscription's now; if something is owed, an attempt with it is written down.
    async fn put_on_file(
        &self,
        business: BusinessId,
        registered: &RegisteredCard,
    ) -> Result<Option<Attempt>, BillingError> {
        let now = self.clock.now();
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let mut subscription = replaceable(&mut tx, business).await?;
        keep_card(&mut tx, business, registered.on_file.id).await?;
        self.retire_old_card(&mut tx, &subscription, &registered.on_file).await?;
        subscription.method = Some(registered.on_file.id);
        store::subscription::update(&mut tx, &subscription).await?;
        let replaced = BillingEvent::PaymentMethodReplaced {
            billing_key: registered.on_file.id,
            card_company: registered.card.company.clone(),
            card_number: registered.card.display_number(),
        };
        events::publish(&mut tx, business, now, &replaced).await?;
        let owed = store::invoice::open_of(&mut tx, business, subscription.id).await?;
        let attempt = match owed {
            Some(invoice) if open_attempt(&mut tx, &subscription).await?.is_none() => Some(
                self.attempt_now(
                    &mut tx,
                    invoice,
                    &subscription,
                    registered.on_file.clone(),
                    PaymentReason::CardReplaced,
                )
                .await?,
            ),
            _ => None,
        };
        tx.commit().await?;
        Ok(attempt)
    }

    /// A card of the same merchant is let go at once. When the business moves to another provider, or to a
    /// contract of its own, the old one is kept until the new one has paid; a backup that it has there already is not needed.
    async fn retire_old_card(
        &self,
        tx: &mut PgConnection,
        subscription: &Subscription,
        new: &CardOnFile,
    ) -> Result<(), BillingError> {
        let (business, now) = (subscription.business, self.clock.now());
        if let Some(backup) = store::payment_method::backup_at(tx, business, new.merchant.provider).await? {
            store::payment_method::release(tx, business, backup, now).await?;
        }
        let Some(old) = store::payment_method::on_file(tx, subscription).await? else { return Ok(()) };
        if old.usable && old.merchant != new.merchant {
            store::payment_method::stand_by(tx, business, old.id, Standby::Predecessor).await?;
        } else {
            store::payment_method::release(tx, business, old.id, now).await?;
        }
        Ok(())
    }

    /// Charges an open invoice again, now, at somebody's request.
    pub(crate) async fn retry(
        &self,
        business: BusinessId,
        target: RetryTarget,
    ) -> Result<PaidNow, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let (subscription, wanted) = match target {
            RetryTarget::Subscription(id) => (id, None),
            RetryTarget::Payment(id) => {
                let payment =
                    store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
                let invoice = payment.invoice.ok_or(BillingError::NothingToPay)?;
                (store::invoice::get(&mut tx, business, invoice).await?.subscription, Some(invoice))
            }
        };
        let subscription = store::subscription::lock(&mut tx, business, subscription).await?;
        let subscription = subscription.ok_or(BillingError::NotFound)?;
        let invoice = store::invoice::open_of(&mut tx, business, subscription.id).await?;
        // Who asks for one period to be paid is not charged for another.
        let invoice = invoice.filter(|open| wanted.is_none_or(|wanted| wanted == open.id));
        let invoice = invoice.ok_or(BillingError::NothingToPay)?;
        if store::payment::open_of_invoice(&mut tx, business, invoice.id).await?.is_some() {
            return Err(BillingError::PaymentInProgress);
        }
        let card = self.card_for_now(&mut tx, &subscription).await?;
        let attempt = self.attempt_now(&mut tx, invoice, &subscription, card, PaymentReason::Manual).await?;
        tx.commit().await?;
        self.pay_now(&attempt).await
    }

    /// The card that is charged at somebody's request: the first one, or another whose provider answers.
    async fn card_for_now(
        &self,
        tx: &mut PgConnection,
        subscription: &Subscription,
    ) -> Result<CardOnFile, BillingError> {
        let primary = store::payment_method::on_file(tx, subscription).await?;
        let mut standbys = store::payment_method::standbys(tx, &[subscription.business]).await?;
        let standbys = standbys.remove(&subscription.business).unwrap_or_default();
        let cards = primary.into_iter().chain(standbys).collect();
        match self.choose(tx, cards, &[], &mut Availability::default()).await? {
            Choice::Card(card) => Ok(card),
            Choice::Wait(_) => Err(BillingError::ProviderUnavailable("its breaker is open".to_owned())),
            Choice::NoCard => Err(BillingError::CardUnusable),
        }
    }

    async fn attempt_now(
        &self,
        tx: &mut PgConnection,
        invoice: Invoice,
        subscription: &Subscription,
        card: CardOnFile,
        reason: PaymentReason,
    ) -> Result<Attempt, BillingError> {
        let plan = store::plan::find(tx, &subscription.plan_code).await?;
        let plan = plan.ok_or_else(|| BillingError::UnknownPlan(subscription.plan_code.clone()))?;
        self.write_down_one(tx, invoice, subscription, &plan.name, card, reason).await
    }

    async fn pay_now(&self, attempt: &Attempt) -> Result<PaidNow, BillingError> {
        match self.collect(attempt).await? {
            Settlement::Paid => Ok(PaidNow::Paid(attempt.payment)),
            Settlement::Open => Ok(PaidNow::Open(attempt.payment)),
            Settlement::Declined(failure) if failure.provider_code == NOT_SENT => {
                Err(BillingError::ProviderUnavailable(failure.provider_code))
            }
            Settlement::Declined(failure) => Err(BillingError::declined(Some(attempt.payment), failure)),
        }
    }
}

/// The business's subscription, locked, if its card may be replaced.
async fn replaceable(tx: &mut PgConnection, business: BusinessId) -> Result<Subscription, BillingError> {
    let subscription =
        store::subscription::lock_live(tx, business).await?.ok_or(BillingError::NoSubscription)?;
    match subscription.status {
        SubscriptionStatus::Active | SubscriptionStatus::PastDue | SubscriptionStatus::Suspended => {
            Ok(subscription)
        }
        SubscriptionStatus::Pending => Err(BillingError::PaymentInProgress),
        SubscriptionStatus::NonRenewing | SubscriptionStatus::Ended => Err(BillingError::NotRenewing),
    }
}

async fn open_attempt(
    tx: &mut PgConnection,
    subscription: &Subscription,
) -> Result<Option<PaymentId>, BillingError> {
    match store::invoice::open_of(tx, subscription.business, subscription.id).await? {
        Some(invoice) => Ok(store::payment::open_of_invoice(tx, subscription.business, invoice.id).await?),
        None => Ok(None),
    }
}

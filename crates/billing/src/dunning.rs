//! What a decline means: how long a renewal is pursued, and how a subscription ends.
//!
//! The class of the decline decides (see `ARCHITECTURE.md`), the plan's [`DunningPolicy`] says on
//! which days and what comes after the last of them.

use chrono::{NaiveDate, TimeDelta};
use kernel::at_korean_time;
use pg_adapter::{Decline, DeclineClass};
use platform::events;
use sqlx::PgConnection;

use crate::{
    Billing, BillingError, PaymentMove, SubscriptionMove, SubscriptionStatus, WhenExhausted,
    charge::owed_by,
    event::BillingEvent,
    invoice::Invoice,
    payment::{Failure, Payment, PaymentReason, class_name},
    plan::{DunningPolicy, FREE},
    store::{self, due::CardOnFile},
    subscription::{EndReason, Subscription},
};

/// When a charge that failed through nobody's fault (bank closed, our own mistake) is tried again.
const TRY_AGAIN_SOON: TimeDelta = TimeDelta::hours(1);

impl Billing {
    /// The provider said no: the payment failed, and the class says what that means.
    pub(crate) async fn write_decline(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        decline: Decline,
    ) -> Result<Failure, BillingError> {
        let now = self.clock.now();
        let class = decline.class;
        let failure = Failure {
            decline_class: class_name(class).to_owned(),
            provider_code: decline.code,
            message: decline.message,
        };
        payment.status.after(PaymentMove::Decline)?;
        store::payment::decline(tx, payment, &failure, now).await?;
        let (invoice, subscription) = owed_by(tx, payment).await?;
        if let (DeclineClass::NewCard, Some(method)) = (class, payment.method) {
            store::payment_method::mark_unusable(tx, payment.business, method).await?;
        }
        let mut dunning = None;
        if matches!(subscription.status, SubscriptionStatus::Active | SubscriptionStatus::PastDue) {
            if self.has_another_card(tx, &subscription, &invoice, payment, class).await? {
                self.try_again(tx, payment, &invoice, subscription, TimeDelta::zero()).await?;
                return Ok(failure);
            }
            let invoice = Self::end_round(tx, &invoice).await?;
            if matches!(class, DeclineClass::Temporary | DeclineClass::OurBug) {
                tracing::error!(
                    payment = %payment.id, code = failure.provider_code, class = failure.decline_class,
                    "charge failed, but not for the customer's sake"
                );
                self.try_again(tx, payment, &invoice, subscription, TRY_AGAIN_SOON).await?;
                return Ok(failure);
            }
            dunning = Some(self.dunning_of(tx, &subscription).await?);
        }
        let new_card_needed = class == DeclineClass::NewCard;
        let next_retry = dunning.as_ref().and_then(|policy| self.next_retry(policy, &invoice));
        let failed = BillingEvent::PaymentFailed {
            payment_id: payment.id,
            subscription_id: invoice.subscription,
            amount: payment.amount,
            reason: payment.reason,
            failure: failure.clone(),
            next_attempt_date: next_retry.filter(|_| !new_card_needed),
        };
        events::publish(tx, payment.business, now, &failed).await?;
        match (dunning, subscription.status) {
            (Some(policy), _) => {
                self.miss_payment(tx, subscription, &invoice, &policy, new_card_needed).await?;
            }
            (None, SubscriptionStatus::Pending) => self.end(tx, subscription, EndReason::Declined).await?,
            // The business cancelled while this renewal was under way: now it is simply over.
            (None, SubscriptionStatus::NonRenewing) => {
                let reason = subscription.end_reason();
                self.end(tx, subscription, reason).await?;
            }
            // Another card was tried in vain on a suspended subscription, which stays so.
            (None, _) => {}
        }
        Ok(failure)
    }

    /// A failure that is not held against the shop: it hears nothing, loses none of its retries, and
    /// is charged anew after `pause`.
    async fn try_again(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        invoice: &Invoice,
        mut subscription: Subscription,
        pause: TimeDelta,
    ) -> Result<(), BillingError> {
        if payment.reason == PaymentReason::Dunning {
            store::invoice::set_retries_used(tx, invoice, invoice.retries_used - 1).await?;
        }
        subscription.due_at = Some(self.clock.now() + pause);
        store::subscription::update(tx, &subscription).await?;
        Ok(())
    }

    /// Whether what is owed can be charged to another card at once: one that took the place of the
    /// declined one meanwhile, or one at another provider that was not tried in this round. Fraud
    /// screening is not to be got round by trying elsewhere.
    async fn has_another_card(
        &self,
        tx: &mut PgConnection,
        subscription: &Subscription,
        invoice: &Invoice,
        payment: &Payment,
        class: DeclineClass,
    ) -> Result<bool, BillingError> {
        let is_untried = |card: &CardOnFile| {
            card.usable && Some(card.id) != payment.method && !invoice.tried.contains(&card.id)
        };
        let primary = store::payment_method::on_file(tx, subscription).await?;
        if payment.method != subscription.method && primary.as_ref().is_some_and(is_untried) {
            return Ok(true);
        }
        if class == DeclineClass::Fraud {
            return Ok(false);
        }
        let mut standbys = store::payment_method::standbys(tx, &[subscription.business]).await?;
        let standbys = standbys.remove(&subscription.business).unwrap_or_default();
        Ok(primary
            .iter()
            .chain(&standbys)
            .any(|card| is_untried(card) && card.merchant.provider != payment.merchant.provider))
    }

    /// Every card was tried: the next time begins with the first one again.
    async fn end_round(tx: &mut PgConnection, invoice: &Invoice) -> Result<Invoice, BillingError> {
        let mut invoice = invoice.clone();
        if !invoice.tried.is_empty() {
            invoice.tried.clear();
            store::invoice::set_tried(tx, &[&invoice]).await?;
        }
        Ok(invoice)
    }

    /// The day of the next retry. After an outage the policy's days may be over: then it is tomorrow,
    /// so that a shop never runs through all of its retries at once.
    fn next_retry(&self, policy: &DunningPolicy, invoice: &Invoice) -> Option<NaiveDate> {
        let (day, today) = (policy.next_retry(invoice.due_on, invoice.retries_used)?, self.clock.today());
        if day < today { today.succ_opt() } else { Some(day) }
    }

    /// A renewal was declined, or could not even be tried: past due, until the retries are used up.
    pub(crate) async fn miss_payment(
        &self,
        tx: &mut PgConnection,
        mut subscription: Subscription,
        invoice: &Invoice,
        policy: &DunningPolicy,
        new_card_needed: bool,
    ) -> Result<(), BillingError> {
        let (business, now) = (subscription.business, self.clock.now());
        let before = subscription.status;
        subscription.status = before.after(SubscriptionMove::MissPayment)?;
        let next_retry = self.next_retry(policy, invoice);
        if before != SubscriptionStatus::PastDue {
            let past_due = BillingEvent::SubscriptionPastDue {
                subscription_id: subscription.id,
                amount: invoice.amount,
                new_card_needed,
                next_attempt_date: next_retry.filter(|_| !new_card_needed),
            };
            events::publish(tx, business, now, &past_due).await?;
        }
        match (next_retry, policy.when_exhausted) {
            (Some(day), _) => {
                subscription.due_at = Some(at_korean_time(day, self.settings.charge_time));
                store::subscription::update(tx, &subscription).await?;
            }
            (None, WhenExhausted::Suspend) => {
                subscription.status = subscription.status.after(SubscriptionMove::Suspend)?;
                subscription.due_at = None;
                store::subscription::update(tx, &subscription).await?;
                let suspended = BillingEvent::SubscriptionSuspended { subscription_id: subscription.id };
                events::publish(tx, business, now, &suspended).await?;
            }
            (None, WhenExhausted::Downgrade) => {
                let downgraded = BillingEvent::SubscriptionDowngraded {
                    subscription_id: subscription.id,
                    from_plan: subscription.plan_code.clone(),
                    to_plan: FREE,
                };
                events::publish(tx, business, now, &downgraded).await?;
                self.end(tx, subscription, EndReason::Downgraded).await?;
            }
        }
        Ok(())
    }

    /// Ends a subscription: nothing is owed any more, and its card is let go.
    pub(crate) async fn end(
        &self,
        tx: &mut PgConnection,
        subscription: Subscription,
        reason: EndReason,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        subscription.status.after(SubscriptionMove::End(reason))?;
        store::subscription::end(tx, &subscription, reason, now).await?;
        store::invoice::void_open(tx, subscription.business, subscription.id, now).await?;
        store::payment_method::release_all(tx, subscription.business, now).await?;
        // A subscription that never began does not end either.
        if reason != EndReason::Declined {
            let ended = BillingEvent::SubscriptionEnded { subscription_id: subscription.id, reason };
            events::publish(tx, subscription.business, now, &ended).await?;
        }
        Ok(())
    }

    async fn dunning_of(
        &self,
        tx: &mut PgConnection,
        subscription: &Subscription,
    ) -> Result<DunningPolicy, BillingError> {
        let plan = store::plan::find(tx, &subscription.plan_code).await?;
        plan.map(|plan| plan.dunning).ok_or_else(|| BillingError::UnknownPlan(subscription.plan_code.clone()))
    }
}

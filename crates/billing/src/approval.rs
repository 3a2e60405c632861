//! What an approval means, and writing many of them down at once.
//!
//! A billing run gets a thousand answers a second, nearly all of them approvals. One transaction for
//! each would keep PostgreSQL and its disk busier than the provider, so those that arrived together
//! share one. Whatever is special about an answer is settled on its own, by [`Billing::settle`].

use std::collections::HashMap;

use futures::{StreamExt, future, stream};
use kernel::BusinessId;
use pg_adapter::{Approval, Outcome};
use platform::{SystemTx, events};
use sqlx::PgConnection;

use crate::{
    Billing, BillingError, PaymentMove, SubscriptionMove, SubscriptionStatus,
    charge::Settlement,
    event::BillingEvent,
    invoice::Invoice,
    ledger::Posting,
    payment::{Payment, PaymentId},
    store,
    subscription::Subscription,
};

/// How many answers are settled on their own at once: each takes a database connection.
const ON_THEIR_OWN_AT_ONCE: usize = 8;

/// What the provider answered to an attempt.
pub(crate) struct Answer {
    pub business: BusinessId,
    pub payment: PaymentId,
    pub outcome: Outcome<Approval>,
}

/// What became of writing one down.
pub(crate) type Settled = (PaymentId, Result<Settlement, BillingError>);

impl Billing {
    /// Writes down answers that arrived together: the approvals in one transaction, the others each
    /// in their own. As safe as [`Billing::settle`]: what was settled meanwhile stays as it is.
    pub(crate) async fn settle_together(&self, answers: Vec<Answer>) -> Vec<Settled> {
        let (approved, others): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| matches!(answer.outcome, Outcome::Approved(_)));
        let (mut settled, mut rest) =
            future::join(self.settle_approved(approved), self.settle_each(others)).await;
        settled.append(&mut rest);
        settled
    }

    async fn settle_approved(&self, answers: Vec<Answer>) -> Vec<Settled> {
        let written = match self.approve_together(&answers).await {
            Ok(written) => written,
            // Nothing of it was written. One that is not as it should be must not hold up the others.
            Err(error) => {
                tracing::warn!(%error, "approvals could not be written down together; each is on its own now");
                Vec::new()
            }
        };
        let (done, left): (Vec<_>, Vec<_>) =
            answers.into_iter().partition(|answer| written.contains(&answer.payment));
        let mut settled: Vec<_> = done.iter().map(|answer| (answer.payment, Ok(Settlement::Paid))).collect();
        settled.append(&mut self.settle_each(left).await);
        settled
    }

    async fn settle_each(&self, answers: Vec<Answer>) -> Vec<Settled> {
        stream::iter(answers)
            .map(|Answer { business, payment, outcome }| async move {
                (payment, self.settle(business, payment, outcome).await)
            })
            .buffer_unordered(ON_THEIR_OWN_AT_ONCE)
            .collect()
            .await
    }

    /// Writes down those approvals about which nothing is special, and answers with their payments.
    async fn approve_together(&self, answers: &[Answer]) -> Result<Vec<PaymentId>, BillingError> {
        if answers.is_empty() {
            return Ok(Vec::new());
        }
        let mut approvals = HashMap::with_capacity(answers.len());
        for answer in answers {
            if let Outcome::Approved(approval) = &answer.outcome {
                approvals.insert(answer.payment, approval);
            }
        }
        let wanted: Vec<_> = answers.iter().map(|answer| (answer.business, answer.payment)).collect();
        let mut tx = SystemTx::begin(&self.db).await?;
        let open = store::payment::lock_open(&mut tx, &wanted).await?;
        let plain = open.into_iter().filter_map(|payment| {
            let approval = approvals.remove(&payment.id)?;
            let is_plain = approval.amount == payment.amount && approval.billing_key.is_none();
            is_plain.then(|| (payment, approval.clone()))
        });
        let plain: Vec<_> = plain.collect();
        let written = plain.iter().map(|(payment, _)| payment.id).collect();
        self.write_approvals(&mut tx, plain).await?;
        tx.commit().await?;
        Ok(written)
    }

    /// The money moved: payments, invoices and the subscriptions' periods say so together. The caller
    /// locked the payments, which are open, and made sure of the amounts.
    pub(crate) async fn write_approvals(
        &self,
        tx: &mut PgConnection,
        approved: Vec<(Payment, Approval)>,
    ) -> Result<(), BillingError> {
        let now = self.clock.now();
        for (payment, _) in &approved {
            payment.status.after(PaymentMove::Approve)?;
        }
        store::payment::approve(tx, &approved, now).await?;
        let fees = store::ledger::fee_rates(tx).await?;
        let fee_of = |payment: &Payment| fees.get(&payment.merchant.provider).copied().unwrap_or_default();
        let postings = approved.iter().flat_map(|(payment, _)| Posting::approval(payment, fee_of(payment)));
        store::ledger::post(tx, &postings.collect::<Vec<_>>(), now).await?;

        let owed = approved.iter().map(|(payment, _)| Some((payment.business, payment.invoice?)));
        let owed: Vec<_> = owed.collect::<Option<_>>().ok_or(BillingError::NotFound)?;
        let mut invoices = store::invoice::get_all(tx, &owed).await?;
        let owing: Vec<_> = invoices.iter().map(|invoice| (invoice.business, invoice.subscription)).collect();
        let subscriptions = store::subscription::lock_all(tx, &owing).await?;
        let mut subscriptions: HashMap<_, _> =
            subscriptions.into_iter().map(|subscription| (subscription.id, subscription)).collect();
        for invoice in &mut invoices {
            let subscription = subscriptions.get(&invoice.subscription).ok_or(BillingError::NotFound)?;
            invoice.period = subscription.period_bought(invoice.period, self.clock.today());
        }
        store::invoice::mark_paid(tx, &invoices, now).await?;

        let invoices: HashMap<_, _> = invoices.into_iter().map(|invoice| (invoice.id, invoice)).collect();
        let mut renewed = Vec::with_capacity(approved.len());
        let mut moved = Vec::new();
        let mut happened = Vec::with_capacity(approved.len());
        for (payment, approval) in &approved {
            let invoice = payment.invoice.and_then(|id| invoices.get(&id)).ok_or(BillingError::NotFound)?;
            let subscription = subscriptions.remove(&invoice.subscription).ok_or(BillingError::NotFound)?;
            let (subscription, events) = self.after_payment(subscription, invoice, payment, approval)?;
            // The card that the subscription names has paid: what it took the place of is not needed.
            if payment.method.is_some() && payment.method == subscription.method {
                moved.push(payment.business);
            }
            renewed.push(subscription);
            happened.extend(events.into_iter().map(|event| (payment.business, event)));
        }
        store::subscription::update_all(tx, &renewed).await?;
        store::payment_method::release_predecessors(tx, &moved, now).await?;
        events::publish_all(tx, now, &happened).await?;
        Ok(())
    }

    /// The subscription with the invoice's period paid for, and what there is to tell about it.
    fn after_payment(
        &self,
        mut subscription: Subscription,
        invoice: &Invoice,
        payment: &Payment,
        approval: &Approval,
    ) -> Result<(Subscription, Vec<BillingEvent>), BillingError> {
        let before = subscription.status;
        let paid =
            if subscription.method.is_some() { SubscriptionMove::Pay } else { SubscriptionMove::PayOnce };
        subscription.status = before.after(paid)?;
        subscription.period = invoice.period;
        subscription.due_at = Some(Subscription::next_action(
            subscription.status,
            subscription.period,
            self.settings.charge_time,
        ));
        let next_payment_date = subscription.next_payment_on();
        let mut events = vec![BillingEvent::PaymentSucceeded {
            payment_id: payment.id,
            subscription_id: subscription.id,
            amount: payment.amount,
            reason: payment.reason,
            receipt_url: approval.receipt_url.clone(),
            next_payment_date,
        }];
        match before {
            SubscriptionStatus::Pending => events.push(BillingEvent::SubscriptionStarted {
                subscription_id: subscription.id,
                plan: subscription.plan_code.clone(),
                next_payment_date,
            }),
            SubscriptionStatus::PastDue | SubscriptionStatus::Suspended => {
                events.push(BillingEvent::SubscriptionRecovered { subscription_id: subscription.id });
            }
            SubscriptionStatus::Active | SubscriptionStatus::NonRenewing | SubscriptionStatus::Ended => {}
        }
        Ok((subscription, events))
    }
}

//! The billing run: everything that is due on a subscription, batch after batch.
//!
//! A batch locks due subscriptions (passing over those of another worker), decides for each what is
//! to be done, writes all charges down in one transaction, and only then asks the provider, with a
//! fixed number of charges under way at once. Two runs at once, or one after a crash, find nothing
//! to do a second time: what was written down is no longer due.

use std::mem;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, at_korean_time};
use platform::SystemTx;
use serde::Serialize;
use sqlx::PgConnection;
use tokio::{
    sync::mpsc,
    task::{JoinError, JoinSet},
};
use utoipa::ToSchema;

use crate::{
    Billing, BillingError, SubscriptionStatus,
    approval::Answer,
    breaker::Availability,
    charge::{Attempt, LEASE, Settlement},
    invoice::{Invoice, InvoiceId},
    payment::{PaymentId, PaymentReason},
    routing::Choice,
    store::{
        self,
        due::{CardOnFile, DueSubscription, NewCharge},
    },
    subscription::SubscriptionId,
};

/// What was written down longer ago than this is not sent by the run any more: a provider that takes
/// its full minute would answer when the lease (90 s) is over.
const SENT_WITHIN: TimeDelta = TimeDelta::seconds(20);

/// When a subscription that cannot be dealt with is looked at again.
const TRY_AGAIN: TimeDelta = TimeDelta::hours(1);

/// What a billing run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Charges that were due.
    #[schema(example = 12)]
    pub due: u64,
    #[schema(example = 10)]
    pub succeeded: u64,
    /// Declined, or not even tried because no card on file works.
    #[schema(example = 1)]
    pub failed: u64,
    /// Asked, but not answered yet; they are settled later and never charged twice.
    #[schema(example = 1)]
    pub unknown: u64,
}

/// What a due subscription needs.
enum Step {
    Charge(Box<NewCharge>),
    /// It is owed, and there is no card to charge: the payment is missed.
    NoCard,
    /// Nothing more is to be asked of a provider: it was done in the batch's transaction.
    Done,
}

/// How many due subscriptions are dealt with together, and the first of those tried last.
struct Batch {
    limit: usize,
    first: Option<(BusinessId, SubscriptionId)>,
}

/// What became of a batch.
struct Written {
    attempts: Vec<Attempt>,
    without_card: u64,
}

impl Billing {
    /// Charges all that is due now, and ends what is over.
    ///
    /// The three steps of a charge run side by side, so that the provider is never kept waiting for
    /// the database: while one batch is being asked for, the next is written down, and so are the
    /// answers as they come.
    pub async fn run(&self) -> Result<RunReport, BillingError> {
        let (to_ask, attempts) = mpsc::channel(self.settings.concurrency);
        let (to_settle, answers) = mpsc::channel(self.settings.concurrency);
        let (written, mut report, settled) = tokio::join!(
            self.write_down_all(to_ask),
            self.ask_all(attempts, to_settle),
            self.settle_all(answers)
        );
        report += settled;
        // What was written down before the database failed was charged and settled all the same.
        report += written.inspect_err(|_| tracing::error!(?report, "the billing run broke off"))?;
        Ok(report)
    }

    /// Step 1, batch after batch, until nothing is due any more. Reports the renewals for which there
    /// is nothing to charge.
    async fn write_down_all(&self, to_ask: mpsc::Sender<Attempt>) -> Result<RunReport, BillingError> {
        let mut report = RunReport::default();
        let mut batch = Batch { limit: self.settings.concurrency, first: None };
        // One batch ahead and no more: an attempt's lease begins when it is written down.
        while let Ok(room) = to_ask.reserve_many(self.settings.concurrency).await {
            match self.write_down_batch(&mut batch).await {
                Ok(None) => break,
                Ok(Some(written)) => {
                    report.due += written.without_card;
                    report.failed += written.without_card;
                    room.zip(written.attempts).for_each(|(place, attempt)| place.send(attempt));
                }
                Err(error) => self.after_failed_batch(&mut batch, error).await?,
            }
        }
        Ok(report)
    }

    /// One subscription that cannot be dealt with must not hold up the others: they are taken one by
    /// one until it is found, and it is left alone for a while.
    async fn after_failed_batch(&self, batch: &mut Batch, error: BillingError) -> Result<(), BillingError> {
        let Some((business, subscription)) = batch.first.take() else { return Err(error) };
        if batch.limit > 1 {
            tracing::warn!(%error, "due subscriptions could not be dealt with together; each is on its own now");
            batch.limit = 1;
            return Ok(());
        }
        tracing::error!(%business, %subscription, %error, "a due subscription cannot be dealt with; tried again in an hour");
        let mut tx = SystemTx::begin(&self.db).await?;
        store::due::set_aside(&mut tx, business, subscription, self.clock.now() + TRY_AGAIN).await?;
        tx.commit().await?;
        batch.limit = self.settings.concurrency;
        Ok(())
    }

    /// Step 2, with a fixed number under way at once. Reports those of which there is no answer.
    async fn ask_all(
        &self,
        mut attempts: mpsc::Receiver<Attempt>,
        to_settle: mpsc::Sender<Answer>,
    ) -> RunReport {
        let mut unanswered = RunReport::default();
        let mut under_way = JoinSet::new();
        while let Some(attempt) = attempts.recv().await {
            if under_way.len() >= self.settings.concurrency
                && let Some(asked) = under_way.join_next().await
            {
                unanswered.count_unanswered(asked);
            }
            // By the time a late answer came the lease would be over, and the reconciler at work: it is
            // left to that altogether.
            if attempt.sent_at.is_some_and(|written| self.clock.now() - written > SENT_WITHIN) {
                unanswered.due += 1;
                unanswered.unknown += 1;
                continue;
            }
            let (billing, to_settle) = (self.clone(), to_settle.clone());
            under_way.spawn(async move {
                crate::crash_point!("charge::written");
                let outcome = billing.ask(&attempt).await?;
                crate::crash_point!("charge::answered");
                let answer = Answer { business: attempt.business, payment: attempt.payment, outcome };
                // Nobody is there to settle it only if the run is being given up: the attempt stays open.
                let _ = to_settle.send(answer).await;
                Ok(())
            });
        }
        while let Some(asked) = under_way.join_next().await {
            unanswered.count_unanswered(asked);
        }
        unanswered
    }

    /// Step 3, for all answers that arrived while those before them were written down.
    async fn settle_all(&self, mut answers: mpsc::Receiver<Answer>) -> RunReport {
        let mut report = RunReport::default();
        let mut together = Vec::with_capacity(self.settings.concurrency);
        while answers.recv_many(&mut together, self.settings.concurrency).await > 0 {
            for (_, settled) in self.settle_together(mem::take(&mut together)).await {
                report.count(settled);
            }
            crate::crash_point!("charge::settled");
        }
        report
    }

    /// Deals with the next due subscriptions in one transaction. `None` when nothing is due any more.
    async fn write_down_batch(&self, batch: &mut Batch) -> Result<Option<Written>, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        match self.write_down_due(&mut tx, batch).await {
            Ok(written) => {
                crate::crash_point!("run::before_commit");
                tx.commit().await?;
                Ok(written)
            }
            Err(error) => {
                // The next batch must not pass over what this one has locked.
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    async fn write_down_due(
        &self,
        tx: &mut PgConnection,
        batch: &mut Batch,
    ) -> Result<Option<Written>, BillingError> {
        let now = self.clock.now();
        let limit = i64::try_from(batch.limit).unwrap_or(i64::MAX);
        let due = store::due::lock_subscriptions(tx, now, limit).await?;
        batch.first = due.first().map(|due| (due.subscription.business, due.subscription.id));
        if due.is_empty() {
            return Ok(None);
        }
        let businesses: Vec<_> = due.iter().map(|due| due.subscription.business).collect();
        let mut standbys = store::payment_method::standbys(tx, &businesses).await?;
        let mut known = Availability::default();
        let mut charges = Vec::with_capacity(due.len());
        let mut names = Vec::with_capacity(due.len());
        let mut without_card = 0;
        for due in due {
            let name = Attempt::order_name(&due.plan_name, due.subscription.cycle);
            let standby = standbys.remove(&due.subscription.business).unwrap_or_default();
            match self.decide(tx, due, standby, &mut known).await? {
                Step::Charge(charge) => {
                    charges.push(*charge);
                    names.push(name);
                }
                Step::NoCard => without_card += 1,
                Step::Done => {}
            }
        }
        let ids = store::due::write_down(tx, &charges, now + LEASE, now).await?;
        let attempts = charges.into_iter().zip(names).zip(ids);
        let attempts = attempts.map(|((charge, name), payment)| charge.attempt(payment, name, now));
        Ok(Some(Written { attempts: attempts.collect(), without_card }))
    }

    async fn decide(
        &self,
        tx: &mut PgConnection,
        due: DueSubscription,
        standby: Vec<CardOnFile>,
        known: &mut Availability,
    ) -> Result<Step, BillingError> {
        let DueSubscription { subscription, open_invoice, method, dunning, .. } = due;
        let now = self.clock.now();
        let is_retry = match subscription.status {
            SubscriptionStatus::Active => false,
            // What is tried between the retry days, because an attempt failed through nobody's fault, uses none up.
            SubscriptionStatus::PastDue => open_invoice.as_ref().is_some_and(|invoice| {
                let day = dunning.next_retry(invoice.due_on, invoice.retries_used);
                day.is_some_and(|day| at_korean_time(day, self.settings.charge_time) <= now)
            }),
            SubscriptionStatus::NonRenewing => {
                let reason = subscription.end_reason();
                self.end(tx, subscription, reason).await?;
                return Ok(Step::Done);
            }
            // The database allows them no due time.
            SubscriptionStatus::Pending | SubscriptionStatus::Suspended | SubscriptionStatus::Ended => {
                return Ok(Step::Done);
            }
        };
        let invoice_is_new = open_invoice.is_none();
        let mut invoice = match open_invoice {
            Some(invoice) => invoice,
            None => subscription.next_invoice(InvoiceId::new(now))?,
        };
        // A card that was replaced at this very moment is missing from what was read with the lock.
        let method = match method? {
            None => store::payment_method::on_file(tx, &subscription).await?,
            method => method,
        };
        let has_standby = !standby.is_empty();
        let cards: Vec<CardOnFile> = method.into_iter().chain(standby).collect();
        if cards.iter().all(|card| !card.usable || invoice.tried.contains(&card.id)) {
            invoice.tried.clear();
        }
        let choice = self.choose(tx, cards, &invoice.tried, known).await?;
        if let Choice::Wait(until) = choice {
            store::due::set_aside(tx, subscription.business, subscription.id, until).await?;
            return Ok(Step::Done);
        }
        if is_retry {
            invoice.retries_used += 1;
            store::invoice::set_retries_used(tx, &invoice, invoice.retries_used).await?;
        }
        let Choice::Card(card) = choice else {
            // Charging a card that will never work again is pointless; the deadline stays.
            if invoice_is_new {
                store::invoice::insert(tx, &invoice, now).await?;
            }
            self.miss_payment(tx, subscription, &invoice, &dunning, true).await?;
            return Ok(Step::NoCard);
        };
        if has_standby {
            invoice.tried.push(card.id);
        }
        Ok(Step::Charge(Box::new(NewCharge {
            invoice,
            invoice_is_new,
            reason: if is_retry { PaymentReason::Dunning } else { PaymentReason::Renewal },
            order_id: Attempt::new_order_id(),
            plan_code: subscription.plan_code,
            cycle: subscription.cycle,
            card,
            has_standby,
        })))
    }
}

impl crate::subscription::Subscription {
    /// The invoice for the period after the current one.
    fn next_invoice(&self, id: InvoiceId) -> Result<Invoice, BillingError> {
        let period = self.next_period().ok_or(BillingError::InvalidField {
            field: "period",
            code: "CALENDAR_ENDS",
            message: "더 이상 갱신할 수 없습니다.",
        })?;
        Ok(Invoice {
            business: self.business,
            id,
            subscription: self.id,
            period,
            amount: self.price,
            due_on: period.from,
            retries_used: 0,
            tried: Vec::new(),
        })
    }
}

impl RunReport {
    fn count(&mut self, settled: Result<Settlement, BillingError>) {
        self.due += 1;
        match settled {
            Ok(Settlement::Paid) => self.succeeded += 1,
            Ok(Settlement::Declined(_)) => self.failed += 1,
            Ok(Settlement::Open) => self.unknown += 1,
            // One charge that cannot be dealt with must not keep the others from being made.
            Err(error) => {
                tracing::error!(%error, "a charge could not be settled; it stays open and is reconciled");
                self.unknown += 1;
            }
        }
    }

    fn count_unanswered(&mut self, asked: Result<Result<(), BillingError>, JoinError>) {
        match asked {
            // Counted when it is settled.
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.count(Err(error)),
            Err(error) => {
                tracing::error!(%error, "a charge was cut short; it stays open and is reconciled");
                self.due += 1;
                self.unknown += 1;
            }
        }
    }
}

impl std::ops::AddAssign for RunReport {
    fn add_assign(&mut self, other: Self) {
        self.due += other.due;
        self.succeeded += other.succeeded;
        self.failed += other.failed;
        self.unknown += other.unknown;
    }
}

/// A card that is charged outside the run, at somebody's request.
impl Billing {
    /// Writes down an attempt to pay an open invoice with a card on file. The caller holds the
    /// subscription's lock, commits, and then collects.
    pub(crate) async fn write_down_one(
        &self,
        tx: &mut PgConnection,
        invoice: Invoice,
        subscription: &crate::subscription::Subscription,
        plan_name: &str,
        card: CardOnFile,
        reason: PaymentReason,
    ) -> Result<Attempt, BillingError> {
        let now = self.clock.now();
        let charge = NewCharge {
            invoice,
            invoice_is_new: false,
            reason,
            order_id: Attempt::new_order_id(),
            plan_code: subscription.plan_code.clone(),
            cycle: subscription.cycle,
            card,
            has_standby: false,
        };
        let ids = store::due::write_down(tx, std::slice::from_ref(&charge), now + LEASE, now).await?;
        let payment = *ids.first().ok_or(sqlx::Error::RowNotFound)?;
        let name = Attempt::order_name(plan_name, charge.cycle);
        Ok(charge.attempt(payment, name, now))
    }
}

impl NewCharge {
    /// As it was written down just now.
    fn attempt(self, payment: PaymentId, order_name: String, now: DateTime<Utc>) -> Attempt {
        let card = self.card;
        Attempt {
            business: self.invoice.business,
            payment,
            order_id: self.order_id,
            merchant: card.merchant,
            amount: self.invoice.amount,
            order_name,
            means: Attempt::means(Some(card.id), card.billing_key, Some(card.customer_key), None),
            written_at: now,
            sent_at: Some(now),
            checks: 0,
            wanted: true,
        }
    }
}

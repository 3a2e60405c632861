//! The billing run: everything that is due on a subscription, batch after batch.
//!
//! A batch locks due subscriptions (passing over those of another worker), decides for each what is
//! to be done, writes all charges down in one transaction, and only then asks the provider, with a
//! fixed number of charges under way at once. Two runs at once, or one after a crash, find nothing
//! to do a second time: what was written down is no longer due.

use std::mem;

use chrono::TimeDelta;
use kernel::at_korean_time;
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
    charge::{Attempt, LEASE, Means, Settlement},
    invoice::{Invoice, InvoiceId},
    payment::PaymentReason,
    store::{
        self,
        due::{DueSubscription, NewCharge},
    },
};

/// What was written down longer ago than this is not sent by the run any more: a provider that takes
/// its full minute would answer when the lease (90 s) is over.
const SENT_WITHIN: TimeDelta = TimeDelta::seconds(20);

/// What a billing run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// Charges that were due and attempted.
    #[schema(example = 12)]
    pub due: u64,
    #[schema(example = 10)]
    pub succeeded: u64,
    #[schema(example = 1)]
    pub failed: u64,
    /// Asked, but not answered yet; they are settled later and never charged twice.
    #[schema(example = 1)]
    pub unknown: u64,
}

/// What a due subscription needs.
enum Step {
    Charge(Box<NewCharge>),
    /// Nothing more is to be asked of a provider: it was done in the batch's transaction.
    Done,
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
        // What was written down before the database failed was charged and settled all the same.
        written?;
        report += settled;
        Ok(report)
    }

    /// Step 1, batch after batch, until nothing is due any more.
    async fn write_down_all(&self, to_ask: mpsc::Sender<Attempt>) -> Result<(), BillingError> {
        // One batch ahead and no more: an attempt's lease begins when it is written down.
        while let Ok(room) = to_ask.reserve_many(self.settings.concurrency).await {
            let Some(batch) = self.write_down_batch().await? else { break };
            for (place, attempt) in room.zip(batch) {
                place.send(attempt);
            }
        }
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
            for settled in self.settle_together(mem::take(&mut together)).await {
                report.count(settled);
            }
            crate::crash_point!("charge::settled");
        }
        report
    }

    /// Deals with the next due subscriptions in one transaction. `None` when nothing is due any more.
    async fn write_down_batch(&self) -> Result<Option<Vec<Attempt>>, BillingError> {
        let now = self.clock.now();
        let limit = i64::try_from(self.settings.concurrency).unwrap_or(i64::MAX);
        let mut tx = SystemTx::begin(&self.db).await?;
        let due = store::due::lock_subscriptions(&mut tx, now, limit).await?;
        if due.is_empty() {
            return Ok(None);
        }
        let mut charges = Vec::with_capacity(due.len());
        let mut names = Vec::with_capacity(due.len());
        for due in due {
            let name = Attempt::order_name(&due.plan_name, due.subscription.cycle);
            if let Step::Charge(charge) = self.decide(&mut tx, due).await? {
                charges.push(*charge);
                names.push(name);
            }
        }
        let ids = store::due::write_down(&mut tx, &charges, now + LEASE, now).await?;
        crate::crash_point!("run::before_commit");
        tx.commit().await?;
        let attempts = charges.into_iter().zip(names).zip(ids).map(|((charge, order_name), payment)| {
            Ok(Attempt {
                business: charge.invoice.business,
                payment,
                order_id: charge.order_id,
                provider: charge.card.provider.parse()?,
                amount: charge.invoice.amount,
                order_name,
                means: Attempt::means(
                    Some(charge.card.id),
                    charge.card.billing_key,
                    Some(charge.card.customer_key),
                    None,
                ),
                sent_at: Some(now),
                checks: 0,
                wanted: true,
            })
        });
        attempts.collect::<Result<Vec<_>, BillingError>>().map(Some)
    }

    async fn decide(&self, tx: &mut PgConnection, due: DueSubscription) -> Result<Step, BillingError> {
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
        if is_retry {
            invoice.retries_used += 1;
            store::invoice::set_retries_used(tx, &invoice, invoice.retries_used).await?;
        }
        // A card that was replaced at this very moment is missing from what was read with the lock.
        let method = match method {
            None => store::payment_method::on_file(tx, &subscription).await?,
            method => method,
        };
        match method {
            Some(card) if card.usable => Ok(Step::Charge(Box::new(NewCharge {
                invoice,
                invoice_is_new,
                reason: if is_retry { PaymentReason::Dunning } else { PaymentReason::Renewal },
                order_id: Attempt::new_order_id(),
                plan_code: subscription.plan_code,
                cycle: subscription.cycle,
                card,
            }))),
            // Charging a card that will never work again is pointless; the deadline stays.
            _ => {
                if invoice_is_new {
                    store::invoice::insert(tx, &invoice, now).await?;
                }
                self.miss_payment(tx, subscription, &invoice, &dunning, true).await?;
                Ok(Step::Done)
            }
        }
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
        card: store::due::CardOnFile,
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
        };
        let ids = store::due::write_down(tx, std::slice::from_ref(&charge), now + LEASE, now).await?;
        let payment = *ids.first().ok_or(sqlx::Error::RowNotFound)?;
        Ok(Attempt {
            business: charge.invoice.business,
            payment,
            order_id: charge.order_id,
            provider: charge.card.provider.parse()?,
            amount: charge.invoice.amount,
            order_name: Attempt::order_name(plan_name, charge.cycle),
            means: match charge.card.billing_key {
                Some(billing_key) => Means::Card {
                    method: charge.card.id,
                    billing_key,
                    customer_key: charge.card.customer_key,
                },
                None => Means::Gone,
            },
            sent_at: Some(now),
            checks: 0,
            wanted: true,
        })
    }
}

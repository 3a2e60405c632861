//! Acting on webhooks: the provider is asked about each, and what it says is written down together.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, stream};
use pg_adapter::{Lookup, Outcome, Provider};
use platform::{SystemTx, events, jobs};

use super::{ActOnWebhooks, paid::names_another};
use crate::{
    Billing, BillingError,
    approval::{Answer, Settled},
    case::Finding,
    charge::Attempt,
    event::BillingEvent,
    payment::{Payment, PaymentId, PaymentStatus},
    reconcile::{given_back, pause_before},
    store::{
        self,
        webhook::{About, DueWebhook},
    },
};

/// A webhook may race the answer of the very request that caused it, so an order that is not known
/// yet is looked for this often before the webhook is put aside.
pub(super) const TRIES: i32 = 8;

/// How many are acted on together.
const BATCH: i64 = 64;

/// How many batches before somebody else has a turn.
const BATCHES: usize = 64;

/// How many wait for the provider at once.
const AT_ONCE: usize = 16;

/// How many strays are acted on together: what is ours waits for one round of questions at most.
const STRAYS: i64 = 16;

/// How long whoever took a batch has it. Each of four rounds may ask three times, for a minute.
const LEASE: TimeDelta = TimeDelta::minutes(15);

/// The payment that a webhook is about, as our books have it.
struct Known {
    payment: Payment,
    /// Where its outcome is not known yet.
    attempt: Option<Attempt>,
}

/// What asking the provider came to.
pub(super) enum Heard {
    Nothing,
    /// The provider did not say.
    NoAnswer,
    /// The order is not known here yet, or the request that caused the webhook still waits for its answer.
    TooEarly,
    /// Webhooks made us ask often enough in this minute.
    NotBefore(DateTime<Utc>),
    /// To be written down.
    Answer(Box<Answer>),
}

impl Billing {
    /// Acts on stored webhooks whose time has come: a bounded number, since anybody may send them.
    pub async fn act_on_webhooks(&self) -> Result<(), BillingError> {
        for _ in 0..BATCHES {
            if !self.act_on_batch().await? {
                return Ok(());
            }
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        jobs::enqueue(&mut tx, &ActOnWebhooks {}).await?;
        tx.commit().await?;
        Ok(())
    }

    /// False if nothing is left for another batch.
    async fn act_on_batch(&self) -> Result<bool, BillingError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let lease = now + LEASE;
        // Anybody can invent orders, in any number, and delays nobody's real news by that.
        let mut due = store::webhook::claim_due(&mut tx, About::Ours, now, lease, BATCH).await?;
        let mut may_be_more = !due.is_empty();
        if due.is_empty() {
            due = store::webhook::claim_due(&mut tx, About::Strays, now, lease, STRAYS).await?;
            may_be_more = i64::try_from(due.len()).is_ok_and(|taken| taken == STRAYS);
        }
        tx.commit().await?;
        if due.is_empty() {
            return Ok(false);
        }
        let known = self.known_payments(&due).await?;
        let mut asked = stream::iter(by_subject(due))
            .map(|deliveries| async {
                let heard = self.look_into(&deliveries, &known).await;
                (deliveries, heard)
            })
            .buffer_unordered(AT_ONCE);
        let mut acted = Vec::new();
        let mut answers = Vec::new();
        let mut answered: HashMap<PaymentId, Vec<DueWebhook>> = HashMap::new();
        while let Some((deliveries, heard)) = asked.next().await {
            match heard {
                Ok(Heard::Answer(answer)) => {
                    answered.entry(answer.payment).or_default().extend(deliveries);
                    answers.push(*answer);
                }
                Ok(Heard::Nothing) => acted.extend(done_with(deliveries)),
                Ok(Heard::TooEarly) => acted.extend(self.again_later(deliveries)),
                Ok(Heard::NotBefore(then)) => acted.extend(not_before(then, deliveries)),
                Ok(Heard::NoAnswer) => {
                    for webhook in deliveries {
                        let ours = ours(&webhook, &known).map(|known| &known.payment);
                        acted.push(self.after_no_answer(webhook, ours).await);
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "a webhook could not be acted on; tried again later");
                    acted.extend(self.again_later(deliveries));
                }
            }
        }
        for (payment, settled) in self.write_down_answers(answers).await {
            let deliveries = answered.remove(&payment).unwrap_or_default();
            match settled {
                Ok(_) => acted.extend(done_with(deliveries)),
                Err(error) => {
                    tracing::error!(%payment, %error, "what a webhook led to could not be settled; tried again later");
                    acted.extend(self.again_later(deliveries));
                }
            }
        }
        let mut tx = SystemTx::begin(&self.db).await?;
        store::webhook::reschedule(&mut tx, &acted).await?;
        tx.commit().await?;
        Ok(may_be_more)
    }

    /// The payments that the webhooks are about, by order.
    async fn known_payments(&self, due: &[DueWebhook]) -> Result<HashMap<String, Known>, BillingError> {
        let orders: Vec<String> = due.iter().filter_map(|webhook| webhook.order_id.clone()).collect();
        let mut tx = SystemTx::begin(&self.db).await?;
        let payments = store::payment::of_orders(&mut tx, &orders).await?;
        let open = payments.iter().filter(|payment| payment.status == PaymentStatus::Pending);
        let open: Vec<_> = open.map(|payment| (payment.business, payment.id)).collect();
        let attempts = store::due::attempts(&mut tx, &open).await?;
        tx.commit().await?;
        let mut attempts: HashMap<_, _> =
            attempts.into_iter().map(|attempt| (attempt.payment, attempt)).collect();
        let known = payments.into_iter().map(|payment| {
            let attempt = attempts.remove(&payment.id);
            (payment.order_id.clone(), Known { payment, attempt })
        });
        Ok(known.collect())
    }

    /// Asks the provider about what these deliveries tell of, all of them the same.
    async fn look_into(
        &self,
        deliveries: &[DueWebhook],
        known: &HashMap<String, Known>,
    ) -> Result<Heard, BillingError> {
        let Some(webhook) = deliveries.iter().max_by_key(|webhook| webhook.tries) else {
            return Ok(Heard::Nothing);
        };
        match (&webhook.order_id, &webhook.billing_key_hash) {
            (Some(order_id), _) => match ours(webhook, known) {
                Some(known) => self.look_into_payment(webhook, known).await,
                None => self.look_into_stray(webhook, order_id).await,
            },
            (None, Some(key_hash)) => {
                self.stop_using(webhook.merchant.provider, key_hash).await?;
                Ok(Heard::Nothing)
            }
            (None, None) => Ok(Heard::Nothing),
        }
    }

    async fn look_into_payment(&self, webhook: &DueWebhook, known: &Known) -> Result<Heard, BillingError> {
        let Known { payment, attempt } = known;
        if payment.status == PaymentStatus::Refunded && !names_another(webhook, payment) {
            return Ok(Heard::Nothing);
        }
        if payment.status == PaymentStatus::Pending && self.is_being_asked(payment) {
            return Ok(Heard::TooEarly);
        }
        if let Err(then) = self.allowance.take_for_order(&payment.order_id, self.clock.now()) {
            return Ok(Heard::NotBefore(then));
        }
        let finds_by_order = self.gateways.capabilities(payment.merchant.provider).finds_by_order;
        let outcome = match payment.status {
            PaymentStatus::Pending if finds_by_order => match attempt {
                Some(attempt) => self.find_out(attempt).await?,
                None => None,
            },
            PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded => {
                return self.look_into_paid(webhook, payment).await;
            }
            // The provider may have charged after all, or before we asked it to.
            PaymentStatus::Pending
            | PaymentStatus::Failed
            | PaymentStatus::Expired
            | PaymentStatus::Requested => match self.shown(webhook, &payment.order_id).await? {
                Lookup::Approved(theirs) if payment.status == PaymentStatus::Requested => {
                    return self.confirm_what_was_paid(payment, theirs).await;
                }
                Lookup::Approved(theirs) => Some(Outcome::Approved(theirs)),
                Lookup::Unknown(_) => return Ok(Heard::NoAnswer),
                Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
                    None
                }
            },
        };
        Ok(outcome.map_or(Heard::Nothing, |outcome| {
            let (business, payment) = (payment.business, payment.id);
            Heard::Answer(Box::new(Answer { business, payment, outcome }))
        }))
    }

    /// A payment that we never asked for, if it still is one when the webhook has waited its time. The
    /// provider is asked only then: anybody may invent order ids.
    async fn look_into_stray(&self, webhook: &DueWebhook, order_id: &str) -> Result<Heard, BillingError> {
        if webhook.tries < TRIES {
            return Ok(Heard::TooEarly);
        }
        if let Err(then) = self.allowance.take_for_stray(webhook.merchant.provider, self.clock.now()) {
            return Ok(Heard::NotBefore(then));
        }
        let theirs = match self.shown(webhook, order_id).await? {
            Lookup::Approved(theirs) => theirs,
            Lookup::Unknown(_) => return Ok(Heard::NoAnswer),
            Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) | Lookup::NotFound => {
                return Ok(Heard::Nothing);
            }
        };
        let evidence =
            format!("a webhook ({}) told of it, and no order of ours there has its id", webhook.kind);
        self.leave_to_a_person(&Finding::stray(webhook.merchant, &theirs, &evidence)).await
    }

    pub(super) async fn leave_to_a_person(&self, finding: &Finding) -> Result<Heard, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        self.open_case(&mut tx, finding).await?;
        tx.commit().await?;
        Ok(Heard::Nothing)
    }

    /// The payment as the provider shows it: by our order id or, where it cannot be asked for by that,
    /// by the key that the webhook claims, which may be none or another order's.
    async fn shown(&self, webhook: &DueWebhook, order_id: &str) -> Result<Lookup, BillingError> {
        let gateway = self.gateway(webhook.merchant).await?;
        if gateway.capabilities().finds_by_order {
            return Ok(gateway.find_by_order(order_id).await);
        }
        let Some(payment_key) = &webhook.payment_key else {
            return Ok(Lookup::NotFound);
        };
        Ok(match gateway.find(payment_key).await {
            Lookup::Approved(theirs) if theirs.order_id != order_id => Lookup::NotFound,
            shown => shown,
        })
    }

    /// Settles what the provider answered, and takes over what it gave back.
    async fn write_down_answers(&self, answers: Vec<Answer>) -> Vec<Settled> {
        let given_back: Vec<_> = answers
            .iter()
            .filter_map(|answer| Some((answer.business, answer.payment, given_back(&answer.outcome)?)))
            .collect();
        let mut settled: HashMap<_, _> = self.settle_together(answers).await.into_iter().collect();
        for (business, payment, approval) in given_back {
            if settled.get(&payment).is_some_and(Result::is_ok)
                && let Err(error) = self.adopt_cancellations(business, payment, &approval).await
            {
                settled.insert(payment, Err(error));
            }
        }
        settled.into_iter().collect()
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

    fn again_later(&self, deliveries: Vec<DueWebhook>) -> Vec<(DueWebhook, Option<DateTime<Utc>>)> {
        let now = self.clock.now();
        let again = |webhook: DueWebhook| {
            let again = (webhook.tries < TRIES).then(|| now + pause_before(webhook.tries));
            (webhook, again)
        };
        deliveries.into_iter().map(again).collect()
    }
}

fn done_with(deliveries: Vec<DueWebhook>) -> impl Iterator<Item = (DueWebhook, Option<DateTime<Utc>>)> {
    deliveries.into_iter().map(|webhook| (webhook, None))
}

/// They had no turn, so none is counted.
fn not_before(
    then: DateTime<Utc>,
    deliveries: Vec<DueWebhook>,
) -> impl Iterator<Item = (DueWebhook, Option<DateTime<Utc>>)> {
    deliveries
        .into_iter()
        .map(move |webhook| (DueWebhook { tries: webhook.tries - 1, ..webhook }, Some(then)))
}

/// Deliveries that tell of the same: asking once answers them all.
fn by_subject(due: Vec<DueWebhook>) -> Vec<Vec<DueWebhook>> {
    let mut subjects: HashMap<_, Vec<DueWebhook>> = HashMap::with_capacity(due.len());
    for webhook in due {
        let subject = (
            webhook.merchant,
            webhook.order_id.clone(),
            webhook.payment_key.clone(),
            webhook.billing_key_hash.clone(),
        );
        subjects.entry(subject).or_default().push(webhook);
    }
    subjects.into_values().collect()
}

/// What a webhook is about, if it is ours. Under another contract the same number is another order, whose
/// money pays nothing of ours.
fn ours<'a>(webhook: &DueWebhook, known: &'a HashMap<String, Known>) -> Option<&'a Known> {
    let known = known.get(webhook.order_id.as_ref()?)?;
    (known.payment.merchant == webhook.merchant).then_some(known)
}

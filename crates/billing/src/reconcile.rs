//! Finishing what a crash, a timeout or a lost answer left open.
//!
//! An open attempt is asked for by its order id until the provider knows. Only if the provider has
//! never heard of it, and a repeat is the same charge there, is it sent again, so that it happens
//! once however often it arrives. No new attempt begins meanwhile: the database would refuse it.

use chrono::TimeDelta;
use futures::{StreamExt, stream};
use kernel::BusinessId;
use pg_adapter::{Approval, Cancel, Decline, DeclineClass, Lookup, Outcome, PaymentGateway};
use platform::{SystemTx, TenantTx};

use crate::{
    Billing, BillingError, CaseKind, PaymentStatus,
    case::Finding,
    charge::{Attempt, LEASE, Means, Settlement},
    payment::PaymentId,
    store,
};

/// How many are asked for in one go.
const BATCH: i64 = 64;

/// A request is sent again only this often: where a provider stores a 5xx under the key, it would
/// repeat it for ever.
const RESENT_AT_MOST: i32 = 8;

/// A provider that has not heard of an attempt this long after it was last sent never will. The
/// longest that a Toss Payments charge may take is a minute.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(24);

/// How often an attempt that waits for a person is looked at all the same.
const ASK_AGAIN_AFTER: TimeDelta = TimeDelta::hours(6);

/// How long to wait before asking again, after `checks` times: quickly at first, then with patience.
pub(crate) fn pause_before(checks: i32) -> TimeDelta {
    match checks {
        ..=0 => TimeDelta::seconds(10),
        1 => TimeDelta::seconds(30),
        2 => TimeDelta::minutes(1),
        3 => TimeDelta::minutes(5),
        4 => TimeDelta::minutes(15),
        5..=8 => TimeDelta::hours(1),
        _ => TimeDelta::hours(6),
    }
}

impl Billing {
    /// Asks about every open attempt whose time has come.
    pub(crate) async fn reconcile_payments(&self) -> Result<(), BillingError> {
        // What is due by now, once: what stays open falls due again later.
        let due_by = self.clock.now();
        loop {
            let mut tx = SystemTx::begin(&self.db).await?;
            let lease = self.clock.now() + LEASE;
            let open = store::payment::claim_open(&mut tx, due_by, lease, BATCH).await?;
            tx.commit().await?;
            if open.is_empty() {
                return Ok(());
            }
            stream::iter(open)
                .for_each_concurrent(self.settings.concurrency, |(business, payment)| async move {
                    if let Err(error) = self.reconcile(business, payment).await {
                        tracing::error!(%payment, %error, "an open attempt could not be reconciled; tried again later");
                    }
                })
                .await;
        }
    }

    /// Asks about one open attempt.
    pub(crate) async fn reconcile(
        &self,
        business: BusinessId,
        payment: PaymentId,
    ) -> Result<Settlement, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let attempt = store::due::attempt(&mut tx, business, payment).await?;
        tx.commit().await?;
        let Some(attempt) = attempt else { return self.settlement_of(business, payment).await };
        let Some(outcome) = self.find_out(&attempt).await? else {
            return self.settlement_of(business, payment).await;
        };
        let given_back = given_back(&outcome);
        let settlement = self.settle(business, payment, outcome).await?;
        crate::crash_point!("reconcile::settled");
        // Money may have gone back at the provider's console before we knew that it had come.
        if let Some(approval) = given_back {
            self.adopt_cancellations(business, payment, &approval).await?;
        }
        Ok(settlement)
    }

    /// What became of an open attempt, to be written down; none if a person has to find out.
    pub(crate) async fn find_out(
        &self,
        attempt: &Attempt,
    ) -> Result<Option<Outcome<Approval>>, BillingError> {
        let gateway = self.gateway(attempt.merchant).await?;
        if !gateway.capabilities().finds_by_order {
            let evidence = "its answer was lost, and the provider cannot be asked by order id";
            self.ask_a_person(attempt, evidence).await?;
            return Ok(None);
        }
        // By our id also where a payer's window gave the payment a key: that key is what a browser says.
        let answer = gateway.find_by_order(&attempt.order_id).await;
        // Where a second sending may be a second charge, there is none: what never shows is given up in a day.
        let is_same_charge =
            gateway.capabilities().repeats_charge.allow(self.clock.now() - attempt.written_at);
        let sends_again = attempt.is_unheard_of(&answer) && attempt.may_be_sent_again() && is_same_charge;
        let outcome = match answer {
            _ if sends_again => match self.send_again(attempt).await? {
                // Refused now is not proof for the first sending: that one may have been on its way
                // when we looked, or we may be locked out since. Only a second look can tell.
                Outcome::Declined(decline) => match gateway.find_by_order(&attempt.order_id).await {
                    Lookup::NotFound if decline.class != DeclineClass::OurBug => Outcome::Declined(decline),
                    answer => outcome_of(answer),
                },
                outcome => outcome,
            },
            Lookup::NotFound if self.is_given_up(attempt) => Outcome::Declined(never_arrived()),
            Lookup::AwaitingDeposit(payment_key) => close_account(&*gateway, attempt, payment_key).await,
            answer => outcome_of(answer),
        };
        crate::crash_point!("reconcile::answered");
        if let Outcome::Unknown(reason) = &outcome
            && self.is_given_up(attempt)
        {
            let evidence = format!("a day after it was sent it is still unknown: {reason}");
            self.ask_a_person(attempt, &evidence).await?;
            return Ok(None);
        }
        Ok(Some(outcome))
    }

    /// Leaves an attempt open for an operator to decide.
    async fn ask_a_person(&self, attempt: &Attempt, evidence: &str) -> Result<(), BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, attempt.business, attempt.payment).await?;
        let payment = payment.ok_or(BillingError::NotFound)?;
        if payment.status == PaymentStatus::Pending {
            self.open_case(&mut tx, &Finding::about(&payment, CaseKind::ChargeUnknown, evidence)).await?;
            store::payment::postpone(&mut tx, &payment, self.clock.now() + ASK_AGAIN_AFTER).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    fn is_given_up(&self, attempt: &Attempt) -> bool {
        attempt.sent_at.is_none_or(|sent_at| self.clock.now() - sent_at > GIVEN_UP_AFTER)
    }

    async fn send_again(&self, attempt: &Attempt) -> Result<Outcome<Approval>, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, attempt.business, attempt.payment).await?;
        let payment = payment.ok_or(BillingError::NotFound)?;
        // Settled, or cancelled, since it was looked up: what was true then is no reason to send now.
        let now_wanted = store::due::attempt(&mut tx, attempt.business, attempt.payment).await?;
        if !now_wanted.is_some_and(|attempt| attempt.wanted) {
            return Ok(Outcome::Unknown("it is not to be sent again".to_owned()));
        }
        store::payment::mark_sent(&mut tx, &payment, self.clock.now()).await?;
        tx.commit().await?;
        crate::crash_point!("reconcile::written");
        self.ask(attempt).await
    }

    pub(crate) async fn settlement_of(
        &self,
        business: BusinessId,
        id: PaymentId,
    ) -> Result<Settlement, BillingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let payment = store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        Ok(payment.settlement())
    }
}

impl Attempt {
    /// The provider shows no trace of our request. What the payer authenticated in its window is in
    /// progress there before we ask for anything.
    fn is_unheard_of(&self, answer: &Lookup) -> bool {
        match answer {
            Lookup::NotFound => true,
            Lookup::InProgress => matches!(self.means, Means::Checkout { .. }),
            Lookup::Approved(_) | Lookup::Failed(_) | Lookup::AwaitingDeposit(_) | Lookup::Unknown(_) => {
                false
            }
        }
    }

    fn may_be_sent_again(&self) -> bool {
        self.wanted && self.checks <= RESENT_AT_MOST && !matches!(self.means, Means::Gone)
    }
}

/// The payer chose to pay into an account in the next days. A plan is not sold that way: nobody would
/// be left to tell whether they still want it. The account is closed, unless the money came just now.
async fn close_account(
    gateway: &dyn PaymentGateway,
    attempt: &Attempt,
    payment_key: String,
) -> Outcome<Approval> {
    let cancel = Cancel {
        payment_key,
        amount: attempt.amount,
        reason: "가상계좌 입금은 지원하지 않습니다.".to_owned(),
        reference: attempt.order_id.clone(),
        remaining_before: attempt.amount,
    };
    if let Outcome::NotSent(reason) | Outcome::Unknown(reason) = gateway.cancel(&cancel).await {
        tracing::warn!(order = attempt.order_id, reason, "an account to pay into is not closed yet");
    }
    match gateway.find_by_order(&attempt.order_id).await {
        Lookup::Failed(_) => Outcome::Declined(no_deposits()),
        answer => outcome_of(answer),
    }
}

fn no_deposits() -> Decline {
    Decline {
        class: DeclineClass::RetryLater,
        code: "DEPOSIT_NOT_ACCEPTED".to_owned(),
        message: "가상계좌 입금은 지원하지 않습니다. 카드로 다시 결제해 주세요.".to_owned(),
    }
}

/// The approval, if some of the money went back already.
pub(crate) fn given_back(outcome: &Outcome<Approval>) -> Option<Approval> {
    match outcome {
        Outcome::Approved(approval) if !approval.cancellations.is_empty() => Some(approval.clone()),
        _ => None,
    }
}

/// What a look-up says about the attempt.
fn outcome_of(answer: Lookup) -> Outcome<Approval> {
    match answer {
        Lookup::Approved(approval) => Outcome::Approved(approval),
        Lookup::Failed(decline) => Outcome::Declined(decline),
        Lookup::InProgress => Outcome::Unknown("still going on at the provider".to_owned()),
        Lookup::AwaitingDeposit(_) => Outcome::Unknown("waiting for a deposit".to_owned()),
        Lookup::NotFound => Outcome::Unknown("the provider has not heard of it (yet)".to_owned()),
        Lookup::Unknown(reason) => Outcome::Unknown(reason),
    }
}

/// Not the customer's fault: the renewal is attempted anew, under a new order id.
fn never_arrived() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: "NEVER_ARRIVED".to_owned(),
        message: "결제 요청이 결제사에 전달되지 않았습니다. 다시 시도합니다.".to_owned(),
    }
}

//! Moving money in, exactly once.
//!
//! A charge has three steps, and the process may die between any two of them:
//!
//! 1. the attempt is written down as PENDING, with its order id, and committed (by the caller);
//! 2. the provider is asked ([`Billing::ask`]), outside any transaction;
//! 3. the answer is written down ([`Billing::settle`], in a billing run many at once by
//!    [`Billing::settle_together`]), which also decides what it means for the invoice and the subscription.
//!
//! Whatever is not known after step 2 stays PENDING, and [`crate::reconcile`] asks again with the
//! same order id. The database refuses a second open attempt and a second approval per invoice.

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::{Approval, Charge, Confirm, Decline, DeclineClass, Outcome, Repeats};
use platform::SystemTx;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{
    Billing, BillingCycle, BillingError, CaseKind, SubscriptionStatus,
    case::Finding,
    invoice::Invoice,
    merchant::Merchant,
    payment::{Failure, Payment, PaymentId, PaymentStatus},
    payment_method::{PaymentMethod, PaymentMethodId},
    store,
    subscription::{Period, Subscription},
};

/// How long whoever wrote an attempt down has it for itself before the reconciler looks at it.
/// Longer than a provider call may take (a minute). Safety does not rest on it: two who send the same
/// attempt send the same charge.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(90);

/// An attempt that was written down, with what it takes to send it.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub business: BusinessId,
    pub payment: PaymentId,
    pub order_id: String,
    pub merchant: Merchant,
    pub amount: Krw,
    pub order_name: String,
    pub means: Means,
    /// Before it was sent for the first time.
    pub written_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
    pub checks: i32,
    /// The subscription still wants it: sending it again is all right.
    pub wanted: bool,
}

/// What is charged.
#[derive(Clone, Debug)]
pub(crate) enum Means {
    Card {
        method: PaymentMethodId,
        billing_key: String,
        customer_key: String,
    },
    /// A payment that the payer authenticated in the provider's window.
    Checkout {
        payment_key: String,
    },
    /// The card's key was deleted meanwhile: it cannot be charged any more.
    Gone,
}

/// How an attempt stands after an answer was written down.
#[derive(Clone, Debug)]
pub(crate) enum Settlement {
    Paid,
    Declined(Failure),
    /// Not known yet; the reconciler goes on.
    Open,
}

impl Attempt {
    /// A fresh order id: also the idempotency key, so never used for two attempts. Letters and digits
    /// alone and at most 40 of them, which is what the strictest of the providers takes.
    pub(crate) fn new_order_id() -> String {
        format!("dg{}", Uuid::new_v4().simple())
    }

    /// What the card holder reads on the slip.
    pub(crate) fn order_name(plan_name: &str, cycle: BillingCycle) -> String {
        match cycle {
            BillingCycle::Monthly => format!("단골 {plan_name} (월간)"),
            BillingCycle::Yearly => format!("단골 {plan_name} (연간)"),
        }
    }

    pub(crate) fn means(
        method: Option<PaymentMethodId>,
        billing_key: Option<String>,
        customer_key: Option<String>,
        payment_key: Option<String>,
    ) -> Means {
        match (method, billing_key, customer_key, payment_key) {
            (Some(method), Some(billing_key), Some(customer_key), _) => {
                Means::Card { method, billing_key, customer_key }
            }
            (None, _, _, Some(payment_key)) => Means::Checkout { payment_key },
            _ => Means::Gone,
        }
    }
}

impl Billing {
    /// Steps 2 and 3 for an attempt that step 1 wrote down.
    pub(crate) async fn collect(&self, attempt: &Attempt) -> Result<Settlement, BillingError> {
        crate::crash_point!("charge::written");
        let outcome = self.ask(attempt).await?;
        crate::crash_point!("charge::answered");
        let settlement = self.settle(attempt.business, attempt.payment, outcome).await?;
        crate::crash_point!("charge::settled");
        Ok(settlement)
    }

    /// Asks the provider for the money. Sending the same attempt again is the same charge.
    pub(crate) async fn ask(&self, attempt: &Attempt) -> Result<Outcome<Approval>, BillingError> {
        let gateway = self.gateway(attempt.merchant).await?;
        let outcome = match &attempt.means {
            Means::Card { method, billing_key, customer_key } => {
                let purpose = PaymentMethod::purpose(attempt.business, *method);
                let charge = Charge {
                    billing_key: self.vault.open(&purpose, billing_key)?,
                    customer_key: customer_key.clone(),
                    order_id: attempt.order_id.clone(),
                    order_name: attempt.order_name.clone(),
                    amount: attempt.amount,
                };
                gateway.charge(&charge).await
            }
            Means::Checkout { payment_key } => {
                let confirm = Confirm {
                    payment_key: payment_key.clone(),
                    order_id: attempt.order_id.clone(),
                    amount: attempt.amount,
                };
                gateway.confirm(&confirm).await
            }
            Means::Gone => Outcome::Unknown("the billing key is gone; only a look-up can tell".to_owned()),
        };
        let name = match &outcome {
            Outcome::Approved(_) => "approved",
            Outcome::Declined(_) => "declined",
            Outcome::NotSent(_) => "not_sent",
            Outcome::Unknown(_) => "unknown",
        };
        metrics::counter!("dangol_charges_total", "provider" => attempt.merchant.provider.as_str(), "outcome" => name)
            .increment(1);
        // That a business's own contract got no answer may be for its own reasons, such as a key that the
        // provider does not know: it must not open the breaker for everybody. An answer closes it all the same.
        let is_answered = matches!(outcome, Outcome::Approved(_) | Outcome::Declined(_));
        let tells = is_answered || attempt.merchant.account.is_none();
        // An answer is never lost over how the provider is doing.
        if !matches!(attempt.means, Means::Gone)
            && tells
            && let Err(error) = self.observe(attempt.merchant.provider, &outcome).await
        {
            tracing::error!(%error, "how a provider is doing could not be written down");
        }
        Ok(outcome)
    }

    /// Writes an answer down. Safe to call twice and from two processes at once: the second finds the
    /// attempt settled and changes nothing.
    pub(crate) async fn settle(
        &self,
        business: BusinessId,
        id: PaymentId,
        outcome: Outcome<Approval>,
    ) -> Result<Settlement, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let payment = store::payment::lock(&mut tx, business, id).await?.ok_or(BillingError::NotFound)?;
        if payment.status != PaymentStatus::Pending {
            if let Outcome::Approved(theirs) = &outcome
                && !payment.status.is_paid()
            {
                self.look_at_late_approval(&mut tx, &payment, theirs).await?;
                self.keep_issued_key(&mut tx, &payment, theirs).await?;
                tx.commit().await?;
            }
            return Ok(payment.settlement());
        }
        let settlement = match outcome {
            Outcome::Approved(approval) if approval.amount == payment.amount => {
                self.keep_issued_key(&mut tx, &payment, &approval).await?;
                self.write_approvals(&mut tx, vec![(payment, approval)]).await?;
                Settlement::Paid
            }
            // Another amount, and all of it went back: nobody owns anything of it any more.
            Outcome::Approved(approval) if approval.remaining == Krw::ZERO => {
                let failure = self.write_decline(&mut tx, &payment, given_back()).await?;
                self.keep_issued_key(&mut tx, &payment, &approval).await?;
                Settlement::Declined(failure)
            }
            Outcome::Approved(approval) => {
                let evidence = "the provider charged another amount than we asked for";
                let finding = Finding::against(&payment, CaseKind::AmountDiffers, &approval, evidence);
                self.open_case(&mut tx, &finding).await?;
                self.write_unknown(&mut tx, &payment).await?
            }
            Outcome::Declined(decline) => {
                Settlement::Declined(self.write_decline(&mut tx, &payment, decline).await?)
            }
            // Only the first sending of an attempt can be known not to have arrived: an earlier one may have.
            Outcome::NotSent(reason)
                if payment.checks == 0 && self.gives_up_unsent(&mut tx, &payment).await? =>
            {
                tracing::warn!(payment = %id, reason, "charge not sent");
                Settlement::Declined(self.write_decline(&mut tx, &payment, not_sent()).await?)
            }
            Outcome::NotSent(reason) | Outcome::Unknown(reason) => {
                tracing::warn!(payment = %id, order = payment.order_id, reason, "charge not known yet");
                self.write_unknown(&mut tx, &payment).await?
            }
        };
        tx.commit().await?;
        Ok(settlement)
    }

    /// Whether an attempt that certainly was not sent is over. Nobody waits for a renewal: it is sent
    /// again, unless another card can be charged instead, or the provider could not tell afterwards how
    /// often it arrived.
    async fn gives_up_unsent(&self, tx: &mut PgConnection, payment: &Payment) -> Result<bool, BillingError> {
        let repeats = self.gateways.capabilities(payment.merchant.provider).repeats_charge;
        if payment.reason.is_interactive() || repeats == Repeats::Never {
            return Ok(true);
        }
        let standbys = store::payment_method::standbys(tx, &[payment.business]).await?;
        Ok(!standbys.is_empty())
    }

    /// The provider shows a charge that we had given up: the money is there, and somebody has to say
    /// whether it pays what is owed or goes back.
    async fn look_at_late_approval(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
        theirs: &Approval,
    ) -> Result<(), BillingError> {
        let was_given_up = matches!(payment.status, PaymentStatus::Failed | PaymentStatus::Expired);
        if !was_given_up || theirs.remaining == Krw::ZERO {
            return Ok(());
        }
        let evidence = "the provider charged what we had given up";
        let finding = Finding::against(payment, CaseKind::LateApproval, theirs, evidence);
        self.open_case(tx, &finding).await
    }

    async fn write_unknown(
        &self,
        tx: &mut PgConnection,
        payment: &Payment,
    ) -> Result<Settlement, BillingError> {
        let again = self.clock.now() + crate::reconcile::pause_before(payment.checks);
        store::payment::postpone(tx, payment, again).await?;
        Ok(Settlement::Open)
    }
}

impl Payment {
    /// What is on record for an attempt that was settled earlier.
    pub(crate) fn settlement(&self) -> Settlement {
        match (self.status, &self.failure) {
            (PaymentStatus::Success | PaymentStatus::PartialRefunded | PaymentStatus::Refunded, _) => {
                Settlement::Paid
            }
            (PaymentStatus::Failed, Some(failure)) => Settlement::Declined(failure.clone()),
            (
                PaymentStatus::Requested
                | PaymentStatus::Pending
                | PaymentStatus::Failed
                | PaymentStatus::Expired,
                _,
            ) => Settlement::Open,
        }
    }
}

impl Subscription {
    /// The Korean day of the next payment; none if it does not renew.
    pub(crate) fn next_payment_on(&self) -> Option<chrono::NaiveDate> {
        (self.status != SubscriptionStatus::NonRenewing).then_some(self.period.until)
    }
}

/// The invoice that a payment pays, and its subscription, locked.
pub(crate) async fn owed_by(
    tx: &mut PgConnection,
    payment: &Payment,
) -> Result<(Invoice, Subscription), BillingError> {
    let invoice = payment.invoice.ok_or(BillingError::NotFound)?;
    let invoice = store::invoice::get(tx, payment.business, invoice).await?;
    let subscription = store::subscription::lock(tx, payment.business, invoice.subscription).await?;
    Ok((invoice, subscription.ok_or(BillingError::NotFound)?))
}

/// The first period of a subscription that begins today; none at the end of the calendar.
pub(crate) fn first_period(cycle: BillingCycle, today: chrono::NaiveDate) -> Option<Period> {
    Some(Period { from: today, until: cycle.next(today, today)? })
}

fn not_sent() -> Decline {
    Decline {
        class: DeclineClass::Temporary,
        code: NOT_SENT.to_owned(),
        message: "결제사와 연결되지 않아 결제하지 않았습니다. 잠시 후 다시 시도해 주세요.".to_owned(),
    }
}

fn given_back() -> Decline {
    Decline {
        class: DeclineClass::OurBug,
        code: "AMOUNT_MISMATCH".to_owned(),
        message: "주문과 다른 금액이 결제되어 전액 취소되었습니다. 다시 결제해 주세요.".to_owned(),
    }
}

/// Our own code for a charge that certainly never reached the provider.
pub(crate) const NOT_SENT: &str = "NOT_SENT";

//! A subscription: what a business pays for, and the moves that its state allows.

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use kernel::{BusinessId, Krw, at_korean_time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{BillingCycle, IllegalMove, payment_method::PaymentMethodId};

kernel::id!(
    /// A business's subscription to a plan.
    SubscriptionId, "sub_"
);

/// How a subscription stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SubscriptionStatus {
    /// The first charge was asked for and is not known yet. No access.
    Pending,
    /// Paid, and will renew.
    Active,
    /// A renewal was declined; access stays while it is tried again.
    PastDue,
    /// Paid until the end of the period, and will not renew: cancelled, or paid once without a card on file.
    NonRenewing,
    /// The retries are used up; no access until a new card pays the open invoice.
    Suspended,
    /// Over. The business is on FREE.
    Ended,
}

/// Why a subscription is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum EndReason {
    /// The first charge was declined.
    Declined,
    /// A renewal stayed unpaid to the end of its retries.
    Downgraded,
    /// The business cancelled.
    Canceled,
    /// A period that was paid once is over.
    Expired,
    /// The current period was refunded in full.
    Refunded,
}

/// What can happen to a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubscriptionMove {
    /// An invoice was paid with a card on file.
    Pay,
    /// The first invoice was paid without one.
    PayOnce,
    /// A renewal was declined.
    MissPayment,
    /// The retries are used up and the plan says to suspend.
    Suspend,
    /// The business wants no further renewal.
    Cancel,
    /// It is over, for this reason.
    End(EndReason),
}

impl SubscriptionStatus {
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Active, Self::PastDue, Self::NonRenewing, Self::Suspended, Self::Ended];

    /// The one place that says how a subscription may change.
    #[expect(clippy::match_same_arms, reason = "each arm is a rule of its own")]
    pub fn after(self, subscription_move: SubscriptionMove) -> Result<Self, IllegalMove> {
        use SubscriptionMove::{Cancel, End, MissPayment, Pay, PayOnce, Suspend};
        match (self, subscription_move) {
            (Self::Pending | Self::Active | Self::PastDue | Self::Suspended, Pay) => Ok(Self::Active),
            // A renewal that was under way when the business cancelled: the period is paid, the cancel stands.
            (Self::NonRenewing, Pay) | (Self::Pending, PayOnce) => Ok(Self::NonRenewing),
            (Self::Active | Self::PastDue, Cancel) => Ok(Self::NonRenewing),
            (Self::Active | Self::PastDue, MissPayment) => Ok(Self::PastDue),
            (Self::PastDue, Suspend) => Ok(Self::Suspended),
            (Self::Pending, End(EndReason::Declined))
            | (Self::PastDue, End(EndReason::Downgraded))
            | (Self::PastDue | Self::Suspended | Self::NonRenewing, End(EndReason::Canceled))
            | (Self::NonRenewing, End(EndReason::Expired))
            | (
                Self::Active | Self::PastDue | Self::NonRenewing | Self::Suspended,
                End(EndReason::Refunded),
            ) => Ok(Self::Ended),
            (
                Self::Pending
                | Self::Active
                | Self::PastDue
                | Self::NonRenewing
                | Self::Suspended
                | Self::Ended,
                Pay | PayOnce | MissPayment | Suspend | Cancel | End(_),
            ) => Err(IllegalMove::new("subscription", &self, &subscription_move)),
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
            Self::PastDue => "PAST_DUE",
            Self::NonRenewing => "NON_RENEWING",
            Self::Suspended => "SUSPENDED",
            Self::Ended => "ENDED",
        }
    }

    /// Whether the plan's features may be used.
    pub fn grants_access(self) -> bool {
        match self {
            Self::Active | Self::PastDue | Self::NonRenewing => true,
            Self::Pending | Self::Suspended | Self::Ended => false,
        }
    }
}

/// Days that are paid for: `[from, until)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Period {
    #[schema(example = "2026-02-14")]
    pub from: NaiveDate,
    /// The first day that is not in it any more.
    #[schema(example = "2026-03-14")]
    pub until: NaiveDate,
}

/// A row of `billing.subscription`, as the use cases need it.
#[derive(Clone, Debug)]
pub(crate) struct Subscription {
    pub business: BusinessId,
    pub id: SubscriptionId,
    pub plan_code: String,
    pub cycle: BillingCycle,
    pub price: Krw,
    pub status: SubscriptionStatus,
    pub method: Option<PaymentMethodId>,
    pub anchor_on: NaiveDate,
    pub period: Period,
    pub due_at: Option<DateTime<Utc>>,
    pub canceled_at: Option<DateTime<Utc>>,
}

impl Subscription {
    /// The period that follows the current one.
    pub(crate) fn next_period(&self) -> Option<Period> {
        let from = self.period.until;
        Some(Period { from, until: self.cycle.next(self.anchor_on, from)? })
    }

    /// The period that paying an invoice for `billed` buys.
    ///
    /// It is that period, except after a suspension: then nobody had anything of the periods gone by,
    /// and it is the one that today falls into. The anchor day stays.
    pub(crate) fn period_bought(&self, billed: Period, today: NaiveDate) -> Period {
        let mut period = billed;
        while self.status == SubscriptionStatus::Suspended && period.until <= today {
            let Some(until) = self.cycle.next(self.anchor_on, period.until) else { break };
            period = Period { from: period.until, until };
        }
        period
    }

    /// Why it ends if it is not renewed.
    pub(crate) fn end_reason(&self) -> EndReason {
        if self.canceled_at.is_some() { EndReason::Canceled } else { EndReason::Expired }
    }

    /// When the machine must act on it after `period` was paid for: charge the next one at the time
    /// of day for charges, or end it with the last day.
    pub(crate) fn next_action(
        status: SubscriptionStatus,
        period: Period,
        charge_time: NaiveTime,
    ) -> DateTime<Utc> {
        let time = if status == SubscriptionStatus::NonRenewing { NaiveTime::MIN } else { charge_time };
        at_korean_time(period.until, time)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_move() -> impl Strategy<Value = SubscriptionMove> {
        prop_oneof![
            Just(SubscriptionMove::Pay),
            Just(SubscriptionMove::PayOnce),
            Just(SubscriptionMove::MissPayment),
            Just(SubscriptionMove::Suspend),
            Just(SubscriptionMove::Cancel),
            prop_oneof![
                Just(EndReason::Declined),
                Just(EndReason::Downgraded),
                Just(EndReason::Canceled),
                Just(EndReason::Expired),
                Just(EndReason::Refunded),
            ]
            .prop_map(SubscriptionMove::End),
        ]
    }

    proptest! {
        #[test]
        fn what_is_over_stays_over_and_what_is_cancelled_never_renews(
            start in 0..SubscriptionStatus::ALL.len(),
            moves in prop::collection::vec(any_move(), 0..30),
        ) {
            let mut status = SubscriptionStatus::ALL[start];
            for subscription_move in moves {
                if let Ok(next) = status.after(subscription_move) {
                    prop_assert_ne!(status, SubscriptionStatus::Ended);
                    if status == SubscriptionStatus::NonRenewing {
                        prop_assert!(matches!(next, SubscriptionStatus::NonRenewing | SubscriptionStatus::Ended));
                    }
                    status = next;
                }
            }
        }

        #[test]
        fn access_begins_with_a_payment(moves in prop::collection::vec(any_move(), 0..30)) {
            let mut status = SubscriptionStatus::Pending;
            let mut paid = false;
            for subscription_move in moves {
                if let Ok(next) = status.after(subscription_move) {
                    paid |= matches!(subscription_move, SubscriptionMove::Pay | SubscriptionMove::PayOnce);
                    prop_assert!(paid || !next.grants_access());
                    status = next;
                }
            }
        }
    }
}

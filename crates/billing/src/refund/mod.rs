//! Moving money out, exactly once: the same discipline as [`crate::charge`].
//!
//! A refund reserves its amount while it is open: under the payment's lock, what is refunded, what
//! is promised to open refunds and what is asked for now can never exceed the payment.

mod adopt;
mod ask;
mod reconcile;

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::{Cancel, Cancellation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use adopt::unexplained;

use crate::{
    BillingError, IllegalMove,
    payment::{Payment, PaymentId},
};

kernel::id!(
    /// One attempt to move money back.
    RefundId, "rf_"
);

/// How a refund stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RefundStatus {
    /// Written down and perhaps asked; nobody knows the answer yet. Published as `PROCESSING`.
    #[serde(rename = "PROCESSING")]
    Pending,
    /// The money went back.
    Success,
    /// It did not, and this refund never will.
    Failed,
}

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundMove {
    Complete,
    Fail,
    /// The provider shows the cancel after all: a no that was believed was no last word.
    Discover,
}

impl RefundStatus {
    /// The one place that says how a refund may change.
    pub fn after(self, refund_move: RefundMove) -> Result<Self, IllegalMove> {
        match (self, refund_move) {
            (Self::Pending, RefundMove::Complete) | (Self::Pending | Self::Failed, RefundMove::Discover) => {
                Ok(Self::Success)
            }
            (Self::Pending, RefundMove::Fail) => Ok(Self::Failed),
            (Self::Success | Self::Failed, _) => Err(IllegalMove::new("refund", &self, &refund_move)),
        }
    }
}

/// A row of `billing.refund`, as the use cases need it.
#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub business: BusinessId,
    pub id: RefundId,
    pub payment: PaymentId,
    pub amount: Krw,
    pub reason: String,
    pub status: RefundStatus,
    /// What was left of the payment before, when it was written down.
    pub remaining_before: Krw,
    pub created_at: DateTime<Utc>,
    pub checks: i32,
    pub failure: Option<RefundFailure>,
}

/// Why a refund did not come about.
#[derive(Clone, Debug)]
pub struct RefundFailure {
    /// The provider's own code.
    pub code: String,
    /// What the shop should read.
    pub message: String,
}

impl Refund {
    /// The cancel that an operator saw with their own eyes.
    pub(crate) fn by_hand(&self) -> Cancellation {
        Cancellation {
            amount: self.amount,
            transaction_key: format!("by-hand-{}", self.id),
            reference: Some(self.id.to_string()),
            canceled_at: None,
        }
    }

    /// What the provider is asked for, the same however often.
    pub(crate) fn cancel(&self, payment: &Payment) -> Result<Cancel, BillingError> {
        Ok(Cancel {
            payment_key: payment.payment_key.clone().ok_or(BillingError::NotRefundable)?,
            amount: self.amount,
            reason: self.reason.clone(),
            reference: self.id.to_string(),
            remaining_before: self.remaining_before,
        })
    }
}

/// How much of a payment is wanted back.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RefundAmount {
    /// All that is left.
    Rest,
    Part(Krw),
}

/// An amount to give back, and what is left before it.
#[derive(Clone, Copy, Debug)]
struct Granted {
    amount: Krw,
    remaining_before: Krw,
}

/// How much may be given back now, with `promised` to refunds that are open; read with the payment locked.
fn refundable(payment: &Payment, promised: Krw, wanted: RefundAmount) -> Result<Granted, BillingError> {
    if !payment.status.is_paid() {
        return Err(BillingError::NotRefundable);
    }
    let remaining = payment.amount.checked_sub(payment.refunded).and_then(|left| left.checked_sub(promised));
    let remaining = remaining.unwrap_or(Krw::ZERO);
    let amount = match wanted {
        RefundAmount::Rest if remaining.is_positive() => remaining,
        RefundAmount::Rest => return Err(BillingError::NotRefundable),
        RefundAmount::Part(amount) if !amount.is_positive() => return Err(BillingError::NothingToRefund),
        RefundAmount::Part(amount) if amount > remaining => {
            return Err(BillingError::RefundExceeds { remaining });
        }
        RefundAmount::Part(amount) => amount,
    };
    Ok(Granted { amount, remaining_before: remaining })
}

#[cfg(test)]
mod tests {
    use pg_adapter::Provider;
    use proptest::prelude::*;

    use super::*;
    use crate::merchant::Merchant;
    use crate::{BillingCycle, PaymentReason, PaymentStatus};

    fn paid(amount: i64, refunded: i64) -> Payment {
        let status = match refunded {
            0 => PaymentStatus::Success,
            _ if refunded < amount => PaymentStatus::PartialRefunded,
            _ => PaymentStatus::Refunded,
        };
        Payment {
            business: BusinessId(1),
            id: PaymentId(101),
            order_id: "dg_1".to_owned(),
            merchant: Merchant::platform(Provider::Toss),
            reason: PaymentReason::First,
            invoice: None,
            method: None,
            customer_key: None,
            plan_code: "BASIC".to_owned(),
            cycle: BillingCycle::Monthly,
            amount: Krw::won(amount),
            refunded: Krw::won(refunded),
            status,
            payment_key: None,
            sent_at: None,
            checks: 0,
            failure: None,
        }
    }

    proptest! {
        #[test]
        fn refunds_in_any_order_never_exceed_the_payment(
            amount in 1..1_000_000i64,
            wanted in prop::collection::vec(prop_oneof![Just(None), (0..2_000_000i64).prop_map(Some)], 0..30),
        ) {
            let mut payment = paid(amount, 0);
            for wish in wanted {
                let wish = wish.map_or(RefundAmount::Rest, |won| RefundAmount::Part(Krw::won(won)));
                if let Ok(granted) = refundable(&payment, Krw::ZERO, wish) {
                    prop_assert!(granted.amount.is_positive());
                    prop_assert_eq!(granted.remaining_before.get(), amount - payment.refunded.get());
                    payment = paid(amount, payment.refunded.get() + granted.amount.get());
                    prop_assert!(payment.refunded <= payment.amount);
                }
            }
        }

        #[test]
        fn what_is_promised_to_open_refunds_is_not_given_twice(amount in 1..1_000_000i64, promised in 0..1_000_000i64) {
            match refundable(&paid(amount, 0), Krw::won(promised), RefundAmount::Rest) {
                Ok(granted) => prop_assert_eq!(granted.amount.get() + promised, amount),
                Err(_) => prop_assert!(promised >= amount),
            }
        }
    }
}

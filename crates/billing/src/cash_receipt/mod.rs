//! Cash receipts (현금영수증) that somebody asks for after the payment, with the discipline of money: the
//! receipt is written down under a name of its own, committed, asked for, and the answer written down.
//!
//! A refund writes down in its own transaction what has to be taken back of it; [`sweep`] does that, and
//! settles what a crash or a lost answer left open.

mod ask;
mod cancel;
mod identity;
mod sweep;

use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, Krw};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::identity::IdentityNumber;
use crate::{
    BillingError, IllegalMove, RefundId,
    payment::{CashReceiptKind, Payment, PaymentId},
};

kernel::id!(
    /// One cash receipt that was asked for; also its name at the provider.
    CashReceiptId, "cr_"
);

/// How a cash receipt stands that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CashReceiptStatus {
    /// Written down and perhaps asked for; nobody knows the answer yet.
    Requested,
    /// The provider took it, and the tax service has not answered.
    Processing,
    /// The tax service has it.
    Issued,
    /// The provider or the tax service would not have it: another one may be asked for.
    Refused,
    /// All of it was taken back.
    Canceled,
}

/// What can happen to a cash receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CashReceiptMove {
    /// The provider took it.
    Take,
    /// The tax service took it.
    Accept,
    Refuse,
    /// Some of it was taken back, with this much of it left.
    TakeBack {
        left: Krw,
    },
}

impl CashReceiptStatus {
    /// The one place that says how a cash receipt may change.
    pub fn after(self, receipt_move: CashReceiptMove) -> Result<Self, IllegalMove> {
        use CashReceiptMove::{Accept, Refuse, Take, TakeBack};
        match (self, receipt_move) {
            (Self::Requested, Take) => Ok(Self::Processing),
            (Self::Requested | Self::Processing, Accept) => Ok(Self::Issued),
            (Self::Requested | Self::Processing, Refuse) => Ok(Self::Refused),
            (Self::Issued, TakeBack { left }) if left.is_positive() => Ok(Self::Issued),
            // Somebody may do so in the provider's console while the tax service thinks.
            (Self::Processing | Self::Issued, TakeBack { left: Krw::ZERO }) => Ok(Self::Canceled),
            (
                Self::Requested | Self::Processing | Self::Issued | Self::Refused | Self::Canceled,
                Take | Accept | Refuse | TakeBack { .. },
            ) => Err(IllegalMove::new("cash receipt", &self, &receipt_move)),
        }
    }
}

/// A row of `billing.cash_receipt`.
#[derive(Clone, Debug)]
pub(crate) struct CashReceipt {
    pub business: BusinessId,
    pub id: CashReceiptId,
    pub payment: PaymentId,
    pub kind: CashReceiptKind,
    pub amount: Krw,
    pub canceled: Krw,
    pub status: CashReceiptStatus,
    /// Sealed; gone once the provider has it.
    pub identity_number: Option<String>,
    pub receipt_key: Option<String>,
    pub issue_number: Option<String>,
    pub receipt_url: Option<String>,
    pub refusal: Option<CashReceiptRefusal>,
    pub idempotency_key: Option<String>,
    pub checks: i32,
    pub created_at: DateTime<Utc>,
    pub taken_at: Option<DateTime<Utc>>,
    pub issued_at: Option<DateTime<Utc>>,
    pub canceled_at: Option<DateTime<Utc>>,
}

/// Why there is no receipt.
#[derive(Clone, Debug)]
pub struct CashReceiptRefusal {
    /// The provider's own code, or a word of ours.
    pub code: String,
    /// What the shop should read.
    pub message: String,
}

impl CashReceipt {
    /// What its identity number is sealed for.
    fn purpose(business: BusinessId, id: CashReceiptId) -> String {
        format!("billing.cash_receipt:{business}:{id}")
    }

    /// What was not taken back.
    pub(crate) fn left(&self) -> Krw {
        self.amount.checked_sub(self.canceled).unwrap_or(Krw::ZERO)
    }
}

/// How a cancel of a cash receipt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CancelStatus {
    /// The tax service has to take the receipt first, or another cancel of it is under way.
    Waiting,
    Pending,
    Done,
    /// The provider would not take it back: somebody does so by hand.
    Refused,
    /// The receipt never was, or all of it was taken back otherwise.
    Void,
}

impl CancelStatus {
    fn after(self, to: Self) -> Result<Self, IllegalMove> {
        match (self, to) {
            (Self::Waiting, Self::Pending | Self::Void) | (Self::Pending, Self::Done | Self::Refused) => {
                Ok(to)
            }
            (Self::Waiting | Self::Pending | Self::Done | Self::Refused | Self::Void, _) => {
                Err(IllegalMove::new("cancel of a cash receipt", &self, &to))
            }
        }
    }
}

/// A row of `billing.cash_receipt_cancel`.
#[derive(Clone, Debug)]
pub(crate) struct ReceiptCancel {
    pub business: BusinessId,
    pub receipt: CashReceiptId,
    pub refund: RefundId,
    pub amount: Krw,
    pub status: CancelStatus,
    pub checks: i32,
    pub created_at: DateTime<Utc>,
    pub sent_at: Option<DateTime<Utc>>,
}

impl ReceiptCancel {
    /// Our name of it at the provider.
    fn reference(&self) -> String {
        format!("{}-receipt", self.refund)
    }
}

/// The tax service answers after a day or two.
const TAX_SERVICE_TAKES: TimeDelta = TimeDelta::days(1);
/// A request that the provider does not show so long after it was made never arrived.
const NEVER_ARRIVED_AFTER: TimeDelta = TimeDelta::days(1);
const LOOK_AGAIN: TimeDelta = TimeDelta::hours(6);
/// After so long without an answer something is wrong with it.
const LATE: TimeDelta = TimeDelta::days(4);

/// The provider's id of a payment that has a receipt.
fn payment_key(payment: &Payment) -> Result<String, BillingError> {
    payment.payment_key.clone().ok_or(BillingError::NotPaid)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [CashReceiptStatus; 5] = [
        CashReceiptStatus::Requested,
        CashReceiptStatus::Processing,
        CashReceiptStatus::Issued,
        CashReceiptStatus::Refused,
        CashReceiptStatus::Canceled,
    ];

    fn any_move() -> impl Strategy<Value = CashReceiptMove> {
        prop_oneof![
            Just(CashReceiptMove::Take),
            Just(CashReceiptMove::Accept),
            Just(CashReceiptMove::Refuse),
            (0..3i64).prop_map(|won| CashReceiptMove::TakeBack { left: Krw::won(won) }),
        ]
    }

    proptest! {
        #[test]
        fn a_receipt_is_accepted_or_refused_once(moves in prop::collection::vec(any_move(), 0..30)) {
            let mut status = CashReceiptStatus::Requested;
            let mut verdicts = 0;
            for receipt_move in moves {
                if let Ok(next) = status.after(receipt_move) {
                    verdicts += i32::from(matches!(receipt_move, CashReceiptMove::Accept | CashReceiptMove::Refuse));
                    status = next;
                }
            }
            prop_assert!(verdicts <= 1);
        }
    }

    #[test]
    fn what_is_void_stays_void() {
        for status in [CashReceiptStatus::Refused, CashReceiptStatus::Canceled] {
            for receipt_move in [
                CashReceiptMove::Take,
                CashReceiptMove::Accept,
                CashReceiptMove::Refuse,
                CashReceiptMove::TakeBack { left: Krw::ZERO },
                CashReceiptMove::TakeBack { left: Krw::won(1) },
            ] {
                assert!(status.after(receipt_move).is_err(), "{status:?} {receipt_move:?}");
            }
        }
    }

    #[test]
    fn a_part_is_taken_back_only_of_what_the_tax_service_has() {
        for status in ALL {
            let part = status.after(CashReceiptMove::TakeBack { left: Krw::won(1) });
            assert_eq!(part.is_ok(), status == CashReceiptStatus::Issued, "{status:?}");
        }
    }

    #[test]
    fn a_cancel_is_done_or_refused_once() {
        use CancelStatus::{Done, Pending, Refused, Void, Waiting};
        for settled in [Done, Refused, Void] {
            for to in [Waiting, Pending, Done, Refused, Void] {
                assert!(settled.after(to).is_err(), "{settled:?} {to:?}");
            }
        }
        assert!(Waiting.after(Done).is_err(), "nobody was asked");
    }
}

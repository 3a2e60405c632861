//! A payment: one attempt to move money in, and the moves that its state allows.

use chrono::{DateTime, Utc};
use kernel::{BusinessId, Krw};
use pg_adapter::DeclineClass;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    BillingCycle, IllegalMove, invoice::InvoiceId, merchant::Merchant, payment_method::PaymentMethodId,
};

kernel::number_id!(
    /// One attempt to move money in.
    PaymentId
);

/// How a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStatus {
    /// A checkout that the payer has not confirmed yet. Nothing was asked of the provider.
    Requested,
    /// Written down and perhaps asked; nobody knows the answer yet. Published as `PROCESSING`.
    #[serde(rename = "PROCESSING")]
    Pending,
    /// The money moved.
    Success,
    /// It did not, and this attempt never will.
    Failed,
    /// A checkout that nobody confirmed in time.
    Expired,
    /// Some of the money went back.
    PartialRefunded,
    /// All of it went back.
    Refunded,
}

/// What can happen to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentMove {
    /// The payer confirmed a checkout.
    Confirm,
    /// The provider says that the money moved.
    Approve,
    /// The provider says that it did not, for good.
    Decline,
    /// The checkout's time is over.
    Expire,
    /// An operator saw that the money moved after all: the no is taken back, and the yes follows.
    Reopen,
    /// Money went back, with this much of the payment left.
    Refund { remaining: Krw },
}

impl PaymentStatus {
    /// The one place that says how a payment may change.
    pub fn after(self, payment_move: PaymentMove) -> Result<Self, IllegalMove> {
        use PaymentMove::{Approve, Confirm, Decline, Expire, Refund, Reopen};
        match (self, payment_move) {
            (Self::Requested, Confirm) | (Self::Failed, Reopen) => Ok(Self::Pending),
            (Self::Requested, Expire) => Ok(Self::Expired),
            (Self::Pending, Approve) => Ok(Self::Success),
            (Self::Pending, Decline) => Ok(Self::Failed),
            (Self::Success | Self::PartialRefunded, Refund { remaining }) if remaining.is_positive() => {
                Ok(Self::PartialRefunded)
            }
            (Self::Success | Self::PartialRefunded, Refund { .. }) => Ok(Self::Refunded),
            (
                Self::Requested
                | Self::Pending
                | Self::Success
                | Self::Failed
                | Self::Expired
                | Self::PartialRefunded
                | Self::Refunded,
                Confirm | Approve | Decline | Expire | Reopen | Refund { .. },
            ) => Err(IllegalMove::new("payment", &self, &payment_move)),
        }
    }

    /// The money moved in, whatever became of it since.
    pub fn is_paid(self) -> bool {
        match self {
            Self::Success | Self::PartialRefunded | Self::Refunded => true,
            Self::Requested | Self::Pending | Self::Failed | Self::Expired => false,
        }
    }
}

/// Why a payment was attempted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentReason {
    /// The first period of a subscription.
    First,
    /// A later period, on its due date.
    Renewal,
    /// A later period, on one of the plan's retry days.
    Dunning,
    /// Somebody asked for another attempt.
    Manual,
    /// A new card was registered while an invoice was open.
    CardReplaced,
    /// Paid in the provider's window.
    Checkout,
}

impl PaymentReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::First => "FIRST",
            Self::Renewal => "RENEWAL",
            Self::Dunning => "DUNNING",
            Self::Manual => "MANUAL",
            Self::CardReplaced => "CARD_REPLACED",
            Self::Checkout => "CHECKOUT",
        }
    }

    /// Somebody is waiting who can easily ask again, so that what certainly was not sent is given up
    /// at once. Not so a checkout: the payer would have to begin anew in the provider's window, while
    /// the provider keeps what was authenticated for minutes and the reconciler confirms it in seconds.
    pub(crate) fn is_interactive(self) -> bool {
        match self {
            Self::First | Self::Manual | Self::CardReplaced => true,
            Self::Renewal | Self::Dunning | Self::Checkout => false,
        }
    }
}

/// With what a payment was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PaidWith {
    /// A card, also one behind a wallet: the card slip is its tax document.
    Card,
    /// A bank account.
    Transfer,
    /// A bank account opened for this payment.
    VirtualAccount,
    /// The money or the points of a wallet.
    Wallet,
    /// The telephone bill.
    Mobile,
    /// A gift certificate.
    Voucher,
}

impl PaidWith {
    /// None where the provider does not say.
    pub(crate) fn of(told: pg_adapter::PaidWith) -> Option<Self> {
        match told {
            pg_adapter::PaidWith::Card => Some(Self::Card),
            pg_adapter::PaidWith::Transfer => Some(Self::Transfer),
            pg_adapter::PaidWith::VirtualAccount => Some(Self::VirtualAccount),
            pg_adapter::PaidWith::Wallet => Some(Self::Wallet),
            pg_adapter::PaidWith::Mobile => Some(Self::Mobile),
            pg_adapter::PaidWith::Voucher => Some(Self::Voucher),
            pg_adapter::PaidWith::Unknown => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Card => "CARD",
            Self::Transfer => "TRANSFER",
            Self::VirtualAccount => "VIRTUAL_ACCOUNT",
            Self::Wallet => "WALLET",
            Self::Mobile => "MOBILE",
            Self::Voucher => "VOUCHER",
        }
    }

    /// As papers name it.
    pub(crate) fn as_korean(self) -> &'static str {
        match self {
            Self::Card => "카드",
            Self::Transfer => "계좌이체",
            Self::VirtualAccount => "가상계좌",
            Self::Wallet => "간편결제",
            Self::Mobile => "휴대폰",
            Self::Voucher => "상품권",
        }
    }
}

/// What a cash receipt is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CashReceiptKind {
    /// 소득공제: a person's.
    IncomeDeduction,
    /// 지출증빙: a business's.
    ExpenseProof,
}

impl CashReceiptKind {
    pub(crate) fn of(told: pg_adapter::CashReceiptKind) -> Self {
        match told {
            pg_adapter::CashReceiptKind::IncomeDeduction => Self::IncomeDeduction,
            pg_adapter::CashReceiptKind::ExpenseProof => Self::ExpenseProof,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::IncomeDeduction => "INCOME_DEDUCTION",
            Self::ExpenseProof => "EXPENSE_PROOF",
        }
    }

    /// In the port's word.
    pub(crate) fn told(self) -> pg_adapter::CashReceiptKind {
        match self {
            Self::IncomeDeduction => pg_adapter::CashReceiptKind::IncomeDeduction,
            Self::ExpenseProof => pg_adapter::CashReceiptKind::ExpenseProof,
        }
    }

    pub(crate) fn as_korean(self) -> &'static str {
        match self {
            Self::IncomeDeduction => "소득공제",
            Self::ExpenseProof => "지출증빙",
        }
    }
}

/// A row of `billing.payment`, as the use cases need it.
#[derive(Clone, Debug)]
pub(crate) struct Payment {
    pub business: BusinessId,
    pub id: PaymentId,
    pub order_id: String,
    pub merchant: Merchant,
    pub reason: PaymentReason,
    pub invoice: Option<InvoiceId>,
    pub method: Option<PaymentMethodId>,
    /// Of a checkout, the payer's key that the window was opened with.
    pub customer_key: Option<String>,
    pub plan_code: String,
    pub cycle: BillingCycle,
    pub amount: Krw,
    pub refunded: Krw,
    pub status: PaymentStatus,
    pub payment_key: Option<String>,
    pub sent_at: Option<DateTime<Utc>>,
    pub checks: i32,
    pub failure: Option<Failure>,
}

/// Why a payment failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// What to do about it: `RETRY_LATER`, `NEW_CARD`, `FRAUD`, `TEMPORARY` or `OUR_BUG`.
    #[schema(example = "RETRY_LATER")]
    pub decline_class: String,
    /// The provider's own code.
    #[schema(example = "REJECT_CARD_PAYMENT")]
    pub provider_code: String,
    /// What the card holder should read.
    #[schema(example = "한도초과 혹은 잔액부족으로 결제에 실패했습니다.")]
    pub message: String,
}

/// The name of a decline class in the API and in the database.
pub(crate) fn class_name(class: DeclineClass) -> &'static str {
    match class {
        DeclineClass::RetryLater => "RETRY_LATER",
        DeclineClass::NewCard => "NEW_CARD",
        DeclineClass::Fraud => "FRAUD",
        DeclineClass::Temporary => "TEMPORARY",
        DeclineClass::OurBug => "OUR_BUG",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATUSES: [PaymentStatus; 7] = [
        PaymentStatus::Requested,
        PaymentStatus::Pending,
        PaymentStatus::Success,
        PaymentStatus::Failed,
        PaymentStatus::Expired,
        PaymentStatus::PartialRefunded,
        PaymentStatus::Refunded,
    ];

    fn any_move() -> impl Strategy<Value = PaymentMove> {
        prop_oneof![
            Just(PaymentMove::Confirm),
            Just(PaymentMove::Approve),
            Just(PaymentMove::Decline),
            Just(PaymentMove::Expire),
            Just(PaymentMove::Reopen),
            (0..3i64).prop_map(|won| PaymentMove::Refund { remaining: Krw::won(won) }),
        ]
    }

    proptest! {
        #[test]
        fn money_that_moved_in_is_never_forgotten(start in 0..STATUSES.len(), moves in prop::collection::vec(any_move(), 0..12)) {
            let mut status = STATUSES[start];
            for payment_move in moves {
                if let Ok(next) = status.after(payment_move) {
                    prop_assert!(next.is_paid() || !status.is_paid());
                    status = next;
                }
            }
        }

        #[test]
        fn an_attempt_is_approved_or_declined_once(moves in prop::collection::vec(any_move(), 0..30)) {
            let mut status = PaymentStatus::Requested;
            let mut verdicts = 0;
            for payment_move in moves {
                if let Ok(next) = status.after(payment_move) {
                    verdicts += i32::from(matches!(payment_move, PaymentMove::Approve | PaymentMove::Decline));
                    // Only a person takes a no back.
                    verdicts -= i32::from(payment_move == PaymentMove::Reopen);
                    status = next;
                }
            }
            prop_assert!(verdicts <= 1);
        }
    }

    #[test]
    fn what_is_settled_stays_settled() {
        for status in [PaymentStatus::Failed, PaymentStatus::Expired, PaymentStatus::Refunded] {
            for payment_move in [
                PaymentMove::Confirm,
                PaymentMove::Approve,
                PaymentMove::Decline,
                PaymentMove::Expire,
                PaymentMove::Refund { remaining: Krw::ZERO },
            ] {
                assert!(status.after(payment_move).is_err(), "{status:?} {payment_move:?}");
            }
        }
    }
}

//! A payment as Toss holds it, and the moves it allows.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::{card::Card, transfer::Transfer};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PaymentType {
    /// Made in the browser and confirmed by the server.
    Normal,
    /// A charge of a billing key.
    Billing,
}

/// The status that a state and its cancels add up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum PaymentStatus {
    InProgress,
    Done,
    Canceled,
    PartialCanceled,
    Aborted,
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PaymentState {
    /// The payer authenticated; the server has until then to confirm.
    InProgress {
        until: DateTime<Utc>,
    },
    Approved {
        at: DateTime<Utc>,
        transaction_key: String,
    },
    Aborted {
        code: String,
        message: String,
    },
    Expired,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancel {
    pub(crate) amount: Krw,
    pub(crate) tax_free: Krw,
    pub(crate) reason: String,
    pub(crate) transaction_key: String,
    pub(crate) at: DateTime<Utc>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    pub(crate) key: String,
    /// Whose it is; of one that waits for its confirm, nobody's yet.
    #[serde(default)]
    pub(crate) merchant: Option<String>,
    #[serde(rename = "type")]
    pub(crate) kind: PaymentType,
    pub(crate) order_id: String,
    pub(crate) order_name: String,
    pub(crate) customer_key: Option<String>,
    pub(crate) total: Krw,
    pub(crate) tax_free: Krw,
    pub(crate) tax_exemption: Krw,
    pub(crate) installment_months: u8,
    /// None where it was paid from an account.
    pub(crate) card: Option<Card>,
    #[serde(default)]
    pub(crate) transfer: Option<Transfer>,
    pub(crate) requested_at: DateTime<Utc>,
    pub(crate) state: PaymentState,
    pub(crate) cancels: Vec<Cancel>,
    pub(crate) secret: String,
}

impl Payment {
    pub(crate) fn is_seen_by(&self, merchant: &str) -> bool {
        self.merchant.as_deref().is_none_or(|whose| whose == merchant)
    }

    pub(crate) fn is_approved(&self) -> bool {
        matches!(self.state, PaymentState::Approved { .. })
    }

    /// The status after the first `cancels` of its cancels.
    ///
    /// Measured: a payment cancelled in parts stays `PARTIAL_CANCELED` even when nothing is left of it.
    pub(crate) fn status_after(&self, cancels: usize) -> PaymentStatus {
        match &self.state {
            PaymentState::InProgress { .. } => PaymentStatus::InProgress,
            PaymentState::Aborted { .. } => PaymentStatus::Aborted,
            PaymentState::Expired => PaymentStatus::Expired,
            PaymentState::Approved { .. } => match &self.cancels[..cancels] {
                [] => PaymentStatus::Done,
                [whole] if whole.amount == self.total => PaymentStatus::Canceled,
                _ => PaymentStatus::PartialCanceled,
            },
        }
    }

    /// What can still be cancelled after the first `cancels` of its cancels.
    pub(crate) fn balance_after(&self, cancels: usize) -> Krw {
        less(self.total, self.cancels[..cancels].iter().map(|cancel| cancel.amount))
    }

    pub(crate) fn tax_free_after(&self, cancels: usize) -> Krw {
        less(self.tax_free, self.cancels[..cancels].iter().map(|cancel| cancel.tax_free))
    }

    /// Not checked further than this: a payment with a tax exemption can only be cancelled as a whole.
    pub(crate) fn tax_exemption_after(&self, cancels: usize) -> Krw {
        if cancels == 0 { self.tax_exemption } else { Krw::ZERO }
    }

    pub(crate) fn balance(&self) -> Krw {
        self.balance_after(self.cancels.len())
    }

    pub(crate) fn status(&self) -> PaymentStatus {
        self.status_after(self.cancels.len())
    }

    /// The transaction of the approval or of the latest of the first `cancels` cancels.
    pub(crate) fn last_transaction_after(&self, cancels: usize) -> Option<&str> {
        match (&self.cancels[..cancels], &self.state) {
            ([.., last], _) => Some(&last.transaction_key),
            ([], PaymentState::Approved { transaction_key, .. }) => Some(transaction_key),
            ([], _) => None,
        }
    }
}

/// Cancels are checked against the balance before they are booked, so the rest is never negative.
fn less(from: Krw, taken: impl Iterator<Item = Krw>) -> Krw {
    taken.fold(from, |rest, amount| rest.checked_sub(amount).unwrap_or(Krw::ZERO))
}

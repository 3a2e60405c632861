//! A payment as KCP holds it, and what a code tells about its state.

use chrono::{DateTime, Utc};
use kernel::Krw;
use serde::{Deserialize, Serialize};

use super::card::Card;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// Fourteen digits.
    pub(super) tno: String,
    pub(super) site_cd: String,
    pub(super) order_no: String,
    pub(super) good_name: String,
    pub(super) amount: Krw,
    pub(super) quota: String,
    pub(super) card: Card,
    pub(super) app_no: String,
    pub(super) approved_at: DateTime<Utc>,
    pub(super) partly_cancelable: bool,
    pub(super) cancels: Vec<Cancel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cancel {
    pub(super) amount: Krw,
    /// `mod_pcan_seq_no`; whole cancels are not told theirs.
    pub(super) sequence_no: String,
    /// In the full mode, `STSC`.
    pub(super) whole: bool,
    pub(super) at: DateTime<Utc>,
}

impl Payment {
    pub(super) fn remaining(&self) -> Krw {
        // Cancels are checked against the rest before they are booked.
        let taken = self.cancels.iter().map(|cancel| cancel.amount.get()).sum::<i64>();
        Krw::won(self.amount.get() - taken)
    }

    /// As the inquiry saw it at an earlier time; `None` if it was not there yet.
    pub(super) fn as_of(&self, instant: DateTime<Utc>) -> Option<Self> {
        let mut payment = self.clone();
        payment.cancels.retain(|cancel| cancel.at <= instant);
        (self.approved_at <= instant).then_some(payment)
    }

    /// `STSR` paid, `STPC` partly cancelled, `STSC` cancelled.
    pub(super) fn state_code(&self) -> &'static str {
        match self.cancels.as_slice() {
            [] => "STSR",
            [only] if only.whole => "STSC",
            _ => "STPC",
        }
    }
}

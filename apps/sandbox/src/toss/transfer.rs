//! Payments from a bank account, and the cash receipt that comes along with one.

use serde::{Deserialize, Serialize};

use super::card::Card;
use crate::random;

/// Where the money of a one-off payment comes from.
pub(crate) enum PaidFrom {
    Card(Card),
    Account(Transfer),
}

impl PaidFrom {
    pub(super) fn taken_apart(self) -> (Option<Card>, Option<Transfer>) {
        match self {
            Self::Card(card) => (Some(card), None),
            Self::Account(transfer) => (None, Some(transfer)),
        }
    }
}

/// What a payer asks a cash receipt for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CashReceiptType {
    /// A person, for the income tax.
    #[serde(rename = "소득공제")]
    IncomeDeduction,
    /// A business, for its books.
    #[serde(rename = "지출증빙")]
    ExpenseProof,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transfer {
    pub(super) bank_code: String,
    pub(super) cash_receipt: Option<CashReceipt>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CashReceipt {
    pub(super) kind: CashReceiptType,
    pub(super) key: String,
    /// The tax service's number, at most nine characters.
    pub(super) issue_number: String,
}

impl Transfer {
    /// From an account at 토스뱅크.
    pub(super) fn new(cash_receipt: Option<CashReceiptType>) -> Self {
        let cash_receipt = cash_receipt.map(|kind| CashReceipt {
            kind,
            key: random::letters(27),
            issue_number: random::digits(9),
        });
        Self { bank_code: "92".to_owned(), cash_receipt }
    }
}

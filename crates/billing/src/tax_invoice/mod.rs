//! Tax invoices (세금계산서) for payments, with the discipline of money: the invoice is written down with
//! its number and all that it says, committed, issued under that number, and the answer written down.
//!
//! A refund writes the modified invoice (수정세금계산서) down in its own transaction. That one waits until the
//! tax service has accepted its original, which the law asks for. What a crash or a lost answer left open
//! is a row with a due time, and [`sweep`] settles it.

mod ask;
mod content;
mod modify;
mod sweep;

use std::sync::Arc;

use ::tax_invoice::{
    BusinessNumber, ConfirmationNumber, DocumentKey, InvoiceState, ModifyReason, Party, TaxInvoiceIssuer, law,
};
use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use kernel::{BusinessId, VatSplit, at_korean_time, korean_day};
use serde::Serialize;
use utoipa::ToSchema;

pub(crate) use self::ask::Buyer;
use crate::{BillingError, IllegalMove, PaymentId, RefundId};

/// Whoever files our tax invoices, and what this installation decided about them.
#[derive(Clone)]
pub struct TaxInvoicing {
    pub issuer: Arc<dyn TaxInvoiceIssuer>,
    /// 공급자: the operator of the platform, whose sales these are.
    pub seller: Party,
    pub card_slip: CardSlipPolicy,
    pub number_check: NumberCheck,
}

/// What becomes of a tax invoice for a payment that has a card slip already, for which the law wants no
/// other document (Value-Added Tax Act 33(2), Enforcement Decree 71(2)). See `docs/papers.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardSlipPolicy {
    /// Issued, without a word.
    Allow,
    /// Issued, with a warning in the answer and a remark on the document.
    #[default]
    Warn,
    /// Not issued.
    Refuse,
}

/// How far the buyer's business number is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberCheck {
    /// Ten digits. For systems whose examples name nobody.
    Format,
    /// And the last digit fits the others, which catches typing errors.
    Checksum,
}

impl NumberCheck {
    pub(crate) fn passes(self, number: BusinessNumber) -> bool {
        match self {
            Self::Format => true,
            Self::Checksum => number.has_valid_checksum(),
        }
    }
}

/// How a tax invoice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaxInvoiceStatus {
    /// A modified invoice that waits until the tax service has accepted its original.
    Waiting,
    /// Written down and perhaps asked for; nobody knows the answer yet. Published as `PROCESSING`.
    #[serde(rename = "PROCESSING")]
    Pending,
    /// Issued and signed; the tax service gets it by the next business day.
    Issued,
    /// With the tax service, which has not answered.
    Sent,
    /// The tax service took it.
    Accepted,
    /// The tax service refused it: it is void, and another one may be asked for.
    Rejected,
    /// Taken back before it was sent, at the issuer's own pages.
    Withdrawn,
    /// The issuer would not issue it. Its number stays used, so that the numbers of a day have no gap.
    Refused,
}

/// What can happen to a tax invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaxInvoiceMove {
    /// The original was accepted: it is its modification's turn.
    Release,
    Issue,
    Refuse,
    /// The issuer says how it stands. News may be late and may skip steps.
    Hear(InvoiceState),
}

impl TaxInvoiceStatus {
    /// The one place that says how a tax invoice may change.
    pub fn after(self, invoice_move: TaxInvoiceMove) -> Result<Self, IllegalMove> {
        use TaxInvoiceMove::{Hear, Issue, Refuse, Release};
        let illegal = || IllegalMove::new("tax invoice", &self, &invoice_move);
        match (self, invoice_move) {
            (Self::Waiting, Release) => Ok(Self::Pending),
            (Self::Waiting | Self::Pending, Refuse) => Ok(Self::Refused),
            (Self::Pending, Issue) => Ok(Self::Issued),
            (_, Hear(seen)) => {
                let known = self.at_the_issuer().ok_or_else(illegal)?;
                let heard = known.after(seen).map_err(|_| illegal())?;
                Ok(match heard {
                    // One that was issued is never merely saved again.
                    InvoiceState::Saved => self,
                    InvoiceState::Issued => Self::Issued,
                    InvoiceState::Sent => Self::Sent,
                    InvoiceState::Accepted => Self::Accepted,
                    InvoiceState::Rejected => Self::Rejected,
                    InvoiceState::Withdrawn => Self::Withdrawn,
                })
            }
            (
                Self::Waiting
                | Self::Pending
                | Self::Issued
                | Self::Sent
                | Self::Accepted
                | Self::Rejected
                | Self::Withdrawn
                | Self::Refused,
                Release | Issue | Refuse,
            ) => Err(illegal()),
        }
    }

    /// The same in the issuer's words; none where it has no such document.
    fn at_the_issuer(self) -> Option<InvoiceState> {
        match self {
            Self::Waiting | Self::Pending | Self::Refused => None,
            Self::Issued => Some(InvoiceState::Issued),
            Self::Sent => Some(InvoiceState::Sent),
            Self::Accepted => Some(InvoiceState::Accepted),
            Self::Rejected => Some(InvoiceState::Rejected),
            Self::Withdrawn => Some(InvoiceState::Withdrawn),
        }
    }

    /// It counts for the tax, or may still come to.
    pub(crate) fn is_live(self) -> bool {
        match self {
            Self::Waiting | Self::Pending | Self::Issued | Self::Sent | Self::Accepted => true,
            Self::Rejected | Self::Withdrawn | Self::Refused => false,
        }
    }

    /// There is a document to hand out.
    pub(crate) fn is_issued(self) -> bool {
        match self {
            Self::Issued | Self::Sent | Self::Accepted => true,
            Self::Waiting | Self::Pending | Self::Rejected | Self::Withdrawn | Self::Refused => false,
        }
    }

    /// When to look at it next; none where nothing more will come.
    ///
    /// An invoice is filed at 15:00 of the business day after its issue and answered within the hour, so
    /// it is first looked at shortly after.
    fn looked_at_next(self, issued_at: DateTime<Utc>, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::Issued => Some(is_filed_by(issued_at).max(now + LOOK_AGAIN)),
            Self::Sent => Some(now + LOOK_AGAIN_AFTER_SENDING),
            Self::Waiting
            | Self::Pending
            | Self::Accepted
            | Self::Rejected
            | Self::Withdrawn
            | Self::Refused => None,
        }
    }
}

const LOOK_AGAIN: TimeDelta = TimeDelta::hours(1);
const LOOK_AGAIN_AFTER_SENDING: TimeDelta = TimeDelta::minutes(30);

/// A quarter past three on the business day after the issue. Public holidays are not known: on one of
/// them it is looked at in vain.
fn is_filed_by(issued_at: DateTime<Utc>) -> DateTime<Utc> {
    let day_after = korean_day(issued_at).checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX);
    let quarter_past_three = NaiveTime::from_hms_opt(15, 15, 0).unwrap_or_default();
    at_korean_time(law::business_day_from(day_after, |_| false), quarter_past_three)
}

/// A row of `billing.tax_invoice`.
#[derive(Clone, Debug)]
pub(crate) struct WrittenInvoice {
    pub business: BusinessId,
    pub number: DocumentKey,
    pub payment: PaymentId,
    pub modifies: Option<Modifies>,
    pub status: TaxInvoiceStatus,
    pub write_date: NaiveDate,
    /// Negative on a modified one that takes something back.
    pub amount: VatSplit,
    /// Sealed; absent on a modified one, which repeats its original's.
    pub content: Option<String>,
    pub confirmation_number: Option<ConfirmationNumber>,
    pub refusal: Option<TaxInvoiceRefusal>,
    pub tax_service_code: Option<String>,
    pub idempotency_key: Option<String>,
    pub checks: i32,
    pub created_at: DateTime<Utc>,
    pub issued_at: Option<DateTime<Utc>>,
    pub sent_at: Option<DateTime<Utc>>,
    pub answered_at: Option<DateTime<Utc>>,
}

/// What a modified invoice modifies, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Modifies {
    pub original: DocumentKey,
    pub refund: RefundId,
    pub reason: ModifyReason,
}

/// Why there is no document.
#[derive(Clone, Debug)]
pub struct TaxInvoiceRefusal {
    /// The issuer's own code, or a word of ours.
    pub code: String,
    /// What the shop should read.
    pub message: String,
}

impl WrittenInvoice {
    /// What its content is sealed for.
    fn purpose(&self) -> String {
        purpose(self.business, &self.number)
    }
}

fn purpose(business: BusinessId, number: &DocumentKey) -> String {
    format!("billing.tax_invoice:{business}:{number}")
}

/// `INV-20260214-001`: the day it was written down, and which of that day's it is. More than 999 of a day
/// have more digits.
fn number(day: NaiveDate, count: i32) -> Result<DocumentKey, BillingError> {
    let text = format!("INV-{}-{count:03}", day.format("%Y%m%d"));
    text.parse().map_err(|_| BillingError::UnreadableDocument("a day beyond the calendar".to_owned()))
}

#[cfg(test)]
mod tests {
    use InvoiceState::{Accepted, Issued, Rejected, Sent, Withdrawn};

    use super::*;

    const ALL: [TaxInvoiceStatus; 8] = [
        TaxInvoiceStatus::Waiting,
        TaxInvoiceStatus::Pending,
        TaxInvoiceStatus::Issued,
        TaxInvoiceStatus::Sent,
        TaxInvoiceStatus::Accepted,
        TaxInvoiceStatus::Rejected,
        TaxInvoiceStatus::Withdrawn,
        TaxInvoiceStatus::Refused,
    ];

    #[test]
    fn what_is_void_stays_void() {
        for status in ALL.into_iter().filter(|status| !status.is_live()) {
            for seen in [Issued, Sent, Accepted, Rejected, Withdrawn] {
                let after = status.after(TaxInvoiceMove::Hear(seen));
                assert!(after.is_err() || after == Ok(status), "{status:?} {seen:?}");
            }
            for invoice_move in [TaxInvoiceMove::Release, TaxInvoiceMove::Issue, TaxInvoiceMove::Refuse] {
                assert!(status.after(invoice_move).is_err(), "{status:?} {invoice_move:?}");
            }
        }
    }

    #[test]
    fn late_news_change_nothing() {
        let accepted = TaxInvoiceStatus::Accepted;
        for seen in [Issued, Sent, Accepted] {
            assert_eq!(accepted.after(TaxInvoiceMove::Hear(seen)), Ok(accepted));
        }
        assert!(accepted.after(TaxInvoiceMove::Hear(Rejected)).is_err());
    }

    #[test]
    fn what_will_change_is_looked_at_again() {
        let now = "2026-02-14T01:00:00Z".parse().unwrap();
        for status in ALL {
            let will_change = matches!(status, TaxInvoiceStatus::Issued | TaxInvoiceStatus::Sent);
            assert_eq!(status.looked_at_next(now, now).is_some(), will_change, "{status:?}");
        }
    }

    #[test]
    fn an_invoice_of_a_friday_is_looked_at_on_monday() {
        let friday = "2026-02-13T10:00:00+09:00".parse::<DateTime<Utc>>().unwrap();
        let monday = "2026-02-16T15:15:00+09:00".parse::<DateTime<Utc>>().unwrap();
        assert_eq!(TaxInvoiceStatus::Issued.looked_at_next(friday, friday), Some(monday));
        let later = monday + TimeDelta::minutes(5);
        assert_eq!(TaxInvoiceStatus::Issued.looked_at_next(friday, later), Some(later + LOOK_AGAIN));
    }

    #[test]
    fn numbers_have_three_digits_or_more() {
        let day = "2026-02-14".parse().unwrap();
        assert_eq!(number(day, 1).unwrap().as_str(), "INV-20260214-001");
        assert_eq!(number(day, 12_345).unwrap().as_str(), "INV-20260214-12345");
        assert!(number(NaiveDate::MAX, i32::MAX).is_err() || number(NaiveDate::MAX, 1).is_ok());
    }
}

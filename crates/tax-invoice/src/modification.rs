//! Modified tax invoices (수정세금계산서): an issued invoice is never edited, another one corrects it.
//!
//! Source: Enforcement Decree of the Value-Added Tax Act, article 70(1), and Popbill's `modifyCode`.

use chrono::NaiveDate;

use crate::{
    ConfirmationNumber, DocumentKey, Draft, Flaw, LineItem, TaxInvoice,
    law::{self, refund::Correction},
};

/// Why an invoice is modified: the six reasons of the statute, with Popbill's digit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ModifyReason {
    /// 기재사항 착오·정정: an entry was wrong. Two documents: the original taken back, and the right one.
    EntriesCorrected,
    /// 공급가액 변동: more or less became due afterwards. One document about the difference.
    SupplyChanged,
    /// 환입: goods came back.
    GoodsReturned,
    /// 계약의 해제: the contract was undone, as if it had never been.
    ContractCancelled,
    /// 내국신용장 등 사후 개설: a local letter of credit was opened later. Two documents.
    LocalLetterOfCredit,
    /// 착오에 의한 이중발급: issued twice, or where none was due.
    IssuedTwice,
}

impl ModifyReason {
    pub const ALL: [Self; 6] = [
        Self::EntriesCorrected,
        Self::SupplyChanged,
        Self::GoodsReturned,
        Self::ContractCancelled,
        Self::LocalLetterOfCredit,
        Self::IssuedTwice,
    ];

    /// Popbill's `modifyCode`.
    pub fn code(self) -> u8 {
        match self {
            Self::EntriesCorrected => 1,
            Self::SupplyChanged => 2,
            Self::GoodsReturned => 3,
            Self::ContractCancelled => 4,
            Self::LocalLetterOfCredit => 5,
            Self::IssuedTwice => 6,
        }
    }

    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// 수정사유, as the document words it.
    pub fn as_korean(self) -> &'static str {
        match self {
            Self::EntriesCorrected => "기재사항 착오정정",
            Self::SupplyChanged => "공급가액 변동",
            Self::GoodsReturned => "환입",
            Self::ContractCancelled => "계약의 해제",
            Self::LocalLetterOfCredit => "내국신용장 사후개설",
            Self::IssuedTwice => "착오에 의한 이중발급",
        }
    }

    /// The 작성일자 of the modified invoice: the day of the cause where the price changed after the
    /// fact, the original's own day where the original was wrong from the beginning.
    pub fn write_date(self, original: NaiveDate, cause: NaiveDate) -> NaiveDate {
        if self.follows_the_cause() { cause } else { original }
    }

    /// The day that the remark has to name, next to the write date.
    pub fn remark_date(self, original: NaiveDate, cause: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::SupplyChanged | Self::GoodsReturned | Self::ContractCancelled => Some(original),
            Self::LocalLetterOfCredit => Some(cause),
            Self::EntriesCorrected | Self::IssuedTwice => None,
        }
    }

    /// The last day on which it is in time: the 10th of the month after the cause, or the next business
    /// day. `None` for a mistake, to be corrected when it is discovered, and for a letter of credit, for
    /// which the decree has dates of its own.
    pub fn issue_by(self, cause: NaiveDate, is_holiday: impl Fn(NaiveDate) -> bool) -> Option<NaiveDate> {
        self.follows_the_cause().then(|| law::issue_by(cause, is_holiday))
    }

    fn follows_the_cause(self) -> bool {
        match self {
            Self::SupplyChanged | Self::GoodsReturned | Self::ContractCancelled => true,
            Self::EntriesCorrected | Self::LocalLetterOfCredit | Self::IssuedTwice => false,
        }
    }
}

/// What makes an invoice a modified one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modification {
    pub reason: ModifyReason,
    /// The tax service's number of the invoice that is modified. That one must be ACCEPTED: before
    /// filing it is withdrawn instead, and after a rejection a new one is issued.
    pub original: ConfirmationNumber,
}

/// What makes a whole invoice wrong from the beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mistake {
    /// An entry is wrong: the invoice is taken back, and [`TaxInvoice::replaced_by`] makes the right one.
    WrongEntries,
    /// It stands twice, or no invoice was due.
    IssuedTwice,
}

impl From<Mistake> for ModifyReason {
    fn from(mistake: Mistake) -> Self {
        match mistake {
            Mistake::WrongEntries => Self::EntriesCorrected,
            Mistake::IssuedTwice => Self::IssuedTwice,
        }
    }
}

impl TaxInvoice {
    /// The document that a refund of this invoice asks for: one line with the amount taken back.
    pub fn corrected(
        &self,
        key: DocumentKey,
        original: ConfirmationNumber,
        correction: &Correction,
        line: impl Into<String>,
    ) -> Result<Self, Flaw> {
        Self::new(Draft {
            key,
            write_date: correction.write_date,
            lines: vec![LineItem {
                supplied_on: correction.write_date,
                name: line.into(),
                specification: String::new(),
                quantity: None,
                unit_price: None,
                amount: correction.amount,
                remark: String::new(),
            }],
            remarks: correction.remark().into_iter().collect(),
            modification: Some(Modification { reason: correction.reason, original }),
            ..self.clone().into_draft()
        })
    }

    /// The whole invoice taken back on its own date, line by line. `original` is its own number.
    pub fn taken_back(
        &self,
        key: DocumentKey,
        original: ConfirmationNumber,
        mistake: Mistake,
    ) -> Result<Self, Flaw> {
        let lines = self.lines.iter().map(LineItem::negated).collect::<Option<_>>().ok_or(Flaw::Overflow)?;
        let modification = Some(Modification { reason: mistake.into(), original });
        Self::new(Draft { key, lines, modification, ..self.clone().into_draft() })
    }

    /// Makes a draft the second of the pair that corrects this invoice: the right entries, dated as the
    /// wrong ones were.
    pub fn replaced_by(&self, right: Draft, original: ConfirmationNumber) -> Result<Self, Flaw> {
        let modification = Some(Modification { reason: ModifyReason::EntriesCorrected, original });
        Self::new(Draft { write_date: self.write_date, modification, ..right })
    }
}

impl LineItem {
    fn negated(&self) -> Option<Self> {
        let negated = |won: kernel::Krw| won.get().checked_neg().map(kernel::Krw::won);
        let amount =
            kernel::VatSplit { supply: negated(self.amount.supply)?, vat: negated(self.amount.vat)? };
        // So that quantity times unit price is still the supply.
        let unit_price = match self.unit_price {
            Some(price) => Some(negated(price)?),
            None => None,
        };
        Some(Self { unit_price, amount, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::sample;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn reasons_have_the_statutes_codes() {
        for (index, reason) in ModifyReason::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(reason.code()), index + 1);
            assert_eq!(ModifyReason::from_code(reason.code()), Some(reason));
        }
        assert_eq!(ModifyReason::from_code(0), None);
        assert_eq!(ModifyReason::from_code(7), None);
    }

    #[test]
    fn the_write_date_is_the_causes_or_the_originals() {
        let (original, cause) = (day("2026-02-14"), day("2026-03-02"));
        for (reason, write_date, remark) in [
            (ModifyReason::EntriesCorrected, original, None),
            (ModifyReason::SupplyChanged, cause, Some(original)),
            (ModifyReason::GoodsReturned, cause, Some(original)),
            (ModifyReason::ContractCancelled, cause, Some(original)),
            (ModifyReason::LocalLetterOfCredit, original, Some(cause)),
            (ModifyReason::IssuedTwice, original, None),
        ] {
            assert_eq!(reason.write_date(original, cause), write_date, "{reason:?}");
            assert_eq!(reason.remark_date(original, cause), remark, "{reason:?}");
            let due = (write_date == cause).then(|| day("2026-04-10"));
            assert_eq!(reason.issue_by(cause, |_| false), due, "{reason:?}");
        }
    }

    #[test]
    fn an_invoice_issued_twice_is_taken_back_to_the_won() {
        let back = sample::taken_back();
        assert_eq!(back.total_amount().get(), -sample::invoice().total_amount().get());
        assert_eq!(back.write_date, sample::invoice().write_date);
        assert_eq!(back.lines[0].unit_price.unwrap().get(), -30_000, "one times the price is the supply");
    }

    #[test]
    fn wrong_entries_are_corrected_by_a_pair_that_adds_up_to_the_right_one() {
        let wrong = sample::invoice();
        let original: ConfirmationNumber = sample::CONFIRMATION.parse().unwrap();
        let key = "INV-20260301-001".parse().unwrap();
        let back = wrong.taken_back(key, original.clone(), Mistake::WrongEntries).unwrap();
        let mut right = sample::draft();
        right.key = "INV-20260301-002".parse().unwrap();
        right.write_date = day("2026-03-01");
        right.buyer = sample::party("333-33-33336", "헤어살롱 본점");
        let right = wrong.replaced_by(right, original).unwrap();
        assert_eq!(right.write_date, wrong.write_date, "dated as the wrong one was");
        assert_eq!(right.modification.as_ref().unwrap().reason, ModifyReason::EntriesCorrected);
        assert_eq!(back.total().supply.get() + wrong.total().supply.get(), 0);
    }

    #[test]
    fn a_refund_is_one_line_dated_by_its_cause() {
        let invoice = sample::invoice();
        let standing = crate::law::refund::Standing {
            write_date: invoice.write_date,
            issued: invoice.total(),
            left: invoice.total(),
        };
        let refund = crate::law::refund::Refund {
            amount: kernel::Krw::won(11_000),
            on: day("2026-03-02"),
            why: crate::law::refund::RefundCause::Reduced,
        };
        let correction = crate::law::refund::correction_for(&standing, &refund).unwrap();
        let original = sample::CONFIRMATION.parse().unwrap();
        let key = "INV-20260302-001".parse().unwrap();
        let corrected = invoice.corrected(key, original, &correction, "프로 요금제 일부 환불").unwrap();
        assert_eq!(corrected.total_amount().get(), -11_000);
        assert_eq!(corrected.write_date, day("2026-03-02"));
        assert_eq!(corrected.remarks, ["당초 세금계산서 작성일자: 2026-02-14"]);
    }
}

//! The tax invoice (세금계산서) itself: who supplied what to whom, on which day, for how much.

use std::ops::Deref;

use chrono::NaiveDate;
use kernel::{Krw, VatSplit};

use crate::{DocumentKey, Modification, ModifyReason, Party};

/// One line of what was supplied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineItem {
    /// 월일: when it was supplied.
    pub supplied_on: NaiveDate,
    /// 품목
    pub name: String,
    /// 규격
    pub specification: String,
    /// 수량
    pub quantity: Option<u32>,
    /// 단가, without VAT.
    pub unit_price: Option<Krw>,
    /// 공급가액 and 세액. Negative on modified invoices that take something back.
    pub amount: VatSplit,
    /// 비고
    pub remark: String,
}

/// 영수 or 청구: whether the invoice acknowledges a payment or asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// 영수: the amount was received.
    Received,
    /// 청구: the amount is asked for.
    Billed,
}

impl Purpose {
    /// The word on the document, which is also Popbill's.
    pub fn as_korean(self) -> &'static str {
        match self {
            Self::Received => "영수",
            Self::Billed => "청구",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaxKind {
    /// 과세: 10 %.
    Taxed,
    /// 영세: the rate is zero.
    ZeroRated,
}

impl TaxKind {
    pub fn as_korean(self) -> &'static str {
        match self {
            Self::Taxed => "과세",
            Self::ZeroRated => "영세",
        }
    }
}

/// What to do when the legal time of issue has passed (see [`crate::law::issue_by`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AfterDeadline {
    Refuse,
    /// Issue all the same: a surcharge of 1 % of the supply, against 2 % for not issuing (Act 60).
    IssueLate,
}

/// Everything that a tax invoice says, not yet checked.
#[derive(Clone, Debug)]
pub struct Draft {
    pub key: DocumentKey,
    /// 작성일자: the legal date of the invoice, a Korean day. See [`crate::law`] for which day that is.
    pub write_date: NaiveDate,
    pub purpose: Purpose,
    pub tax_kind: TaxKind,
    /// 공급자
    pub seller: Party,
    /// 공급받는자
    pub buyer: Party,
    /// 1 to 99.
    pub lines: Vec<LineItem>,
    /// 비고: at most three, of 150 characters.
    pub remarks: Vec<String>,
    /// Set on a modified invoice (수정세금계산서).
    pub modification: Option<Modification>,
    pub after_deadline: AfterDeadline,
}

/// A tax invoice that may be issued: its lines add up and its amounts have the sign that its kind asks for.
#[derive(Clone, Debug)]
pub struct TaxInvoice {
    draft: Draft,
    total: VatSplit,
}

/// Why a draft is not an invoice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("an invoice has 1 to 99 lines")]
    Lines,
    #[error("an invoice has at most three remarks of 150 characters")]
    Remarks,
    #[error("the {0} has no name")]
    Nameless(&'static str),
    #[error("a line has no name")]
    NamelessLine,
    #[error("the place of a business is four digits")]
    Place,
    #[error("the amounts do not fit")]
    Overflow,
    #[error("the amount has the wrong sign for this kind of invoice")]
    Sign,
    #[error("the tax is not a tenth of the supply")]
    Tax,
}

const MOST_LINES: usize = 99;
const MOST_REMARKS: usize = 3;
const LONGEST_REMARK: usize = 150;

impl TaxInvoice {
    /// Checks what the law and the issuer would refuse. Whether the numbers of the parties have a valid
    /// checksum is not asked here: that belongs to the form where somebody types them.
    pub fn new(draft: Draft) -> Result<Self, Flaw> {
        if !(1..=MOST_LINES).contains(&draft.lines.len()) {
            return Err(Flaw::Lines);
        }
        if draft.remarks.len() > MOST_REMARKS
            || draft.remarks.iter().any(|remark| remark.chars().count() > LONGEST_REMARK)
        {
            return Err(Flaw::Remarks);
        }
        check_party(&draft.seller, "seller")?;
        check_party(&draft.buyer, "buyer")?;
        if draft.lines.iter().any(|line| line.name.trim().is_empty()) {
            return Err(Flaw::NamelessLine);
        }
        let total = total(&draft.lines).ok_or(Flaw::Overflow)?;
        check_sign(&draft, total)?;
        check_tax(&draft, total)?;
        Ok(Self { draft, total })
    }

    /// 공급가액 and 세액 of all lines.
    pub fn total(&self) -> VatSplit {
        self.total
    }

    /// 합계금액: supply and VAT together.
    pub fn total_amount(&self) -> Krw {
        // `new` made sure that it fits.
        Krw::won(self.total.supply.get() + self.total.vat.get())
    }

    pub fn into_draft(self) -> Draft {
        self.draft
    }
}

impl Deref for TaxInvoice {
    type Target = Draft;

    fn deref(&self) -> &Draft {
        &self.draft
    }
}

fn check_party(party: &Party, which: &'static str) -> Result<(), Flaw> {
    if party.name.trim().is_empty() {
        return Err(Flaw::Nameless(which));
    }
    let is_place = |place: &String| place.len() == 4 && place.bytes().all(|byte| byte.is_ascii_digit());
    party.place.as_ref().is_none_or(is_place).then_some(()).ok_or(Flaw::Place)
}

fn total(lines: &[LineItem]) -> Option<VatSplit> {
    let sum = |amount: fn(&LineItem) -> Krw| {
        lines.iter().try_fold(Krw::ZERO, |sum, line| sum.checked_add(amount(line)))
    };
    let total = VatSplit { supply: sum(|line| line.amount.supply)?, vat: sum(|line| line.amount.vat)? };
    total.supply.checked_add(total.vat).map(|_| total)
}

fn check_sign(draft: &Draft, total: VatSplit) -> Result<(), Flaw> {
    let (supply, vat) = (total.supply.get(), total.vat.get());
    let fits = match draft.modification.as_ref().map(|modification| modification.reason) {
        None => supply > 0 && vat >= 0,
        Some(ModifyReason::GoodsReturned | ModifyReason::ContractCancelled | ModifyReason::IssuedTwice) => {
            supply < 0 && vat <= 0
        }
        // One of a pair takes back, the other stands for it; a difference goes either way.
        Some(
            ModifyReason::EntriesCorrected | ModifyReason::SupplyChanged | ModifyReason::LocalLetterOfCredit,
        ) => (supply != 0 || vat != 0) && supply.signum() * vat.signum() >= 0,
    };
    fits.then_some(()).ok_or(Flaw::Sign)
}

/// Rounding leaves each line up to a won away from a tenth, and a refund that takes the last won of an
/// invoice one more; more than that is a mistake.
fn check_tax(draft: &Draft, total: VatSplit) -> Result<(), Flaw> {
    let (supply, vat) = (i128::from(total.supply.get()), i128::from(total.vat.get()));
    let fits = match draft.tax_kind {
        TaxKind::Taxed => {
            let lines = i128::try_from(draft.lines.len()).unwrap_or(i128::MAX);
            (vat * 10 - supply).abs() <= 11 * (lines + 1)
        }
        TaxKind::ZeroRated => vat == 0,
    };
    fits.then_some(()).ok_or(Flaw::Tax)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::document::sample;

    fn flaw(change: impl FnOnce(&mut Draft)) -> Option<Flaw> {
        let mut draft = sample::draft();
        change(&mut draft);
        TaxInvoice::new(draft).err()
    }

    fn amount(supply: i64, vat: i64) -> VatSplit {
        VatSplit { supply: Krw::won(supply), vat: Krw::won(vat) }
    }

    #[test]
    fn the_total_is_what_the_lines_add_up_to() {
        let invoice = sample::invoice();
        assert_eq!(invoice.total(), amount(39_000, 3_900));
        assert_eq!(invoice.total_amount(), Krw::won(42_900));
    }

    #[test]
    fn a_draft_with_a_flaw_is_no_invoice() {
        assert_eq!(flaw(|_| ()), None);
        assert_eq!(flaw(|draft| draft.lines.clear()), Some(Flaw::Lines));
        assert_eq!(flaw(|draft| draft.lines = vec![draft.lines[0].clone(); 100]), Some(Flaw::Lines));
        assert_eq!(flaw(|draft| draft.lines = vec![draft.lines[0].clone(); 99]), None);
        assert_eq!(flaw(|draft| draft.remarks = vec!["가".repeat(151)]), Some(Flaw::Remarks));
        assert_eq!(flaw(|draft| draft.remarks = vec!["가".repeat(150); 4]), Some(Flaw::Remarks));
        assert_eq!(flaw(|draft| draft.seller.name = " ".to_owned()), Some(Flaw::Nameless("seller")));
        assert_eq!(flaw(|draft| draft.buyer.place = Some("12".to_owned())), Some(Flaw::Place));
        assert_eq!(flaw(|draft| draft.lines[1].name.clear()), Some(Flaw::NamelessLine));
        assert_eq!(flaw(|draft| draft.lines[0].amount = amount(i64::MAX, 0)), Some(Flaw::Overflow));
        assert_eq!(flaw(|draft| draft.lines[0].amount = amount(30_000, 2_000)), Some(Flaw::Tax));
        assert_eq!(flaw(|draft| draft.tax_kind = TaxKind::ZeroRated), Some(Flaw::Tax));
    }

    #[test]
    fn each_kind_of_invoice_has_its_sign() {
        let with = |reason: Option<ModifyReason>, supply, vat| {
            flaw(|draft| {
                let original = sample::CONFIRMATION.parse().unwrap();
                draft.modification = reason.map(|reason| Modification { reason, original });
                draft.lines.truncate(1);
                draft.lines[0].amount = amount(supply, vat);
            })
        };
        assert_eq!(with(None, -30_000, -3_000), Some(Flaw::Sign));
        assert_eq!(with(None, 0, 0), Some(Flaw::Sign));
        for reason in ModifyReason::ALL {
            let both_ways = matches!(
                reason,
                ModifyReason::EntriesCorrected
                    | ModifyReason::SupplyChanged
                    | ModifyReason::LocalLetterOfCredit
            );
            assert_eq!(with(Some(reason), -30_000, -3_000), None, "{reason:?}");
            assert_eq!(with(Some(reason), 30_000, 3_000).is_none(), both_ways, "{reason:?}");
            assert_eq!(with(Some(reason), 0, 0), Some(Flaw::Sign), "{reason:?}");
        }
    }

    #[test]
    fn nobodys_name_or_address_is_in_the_debug_text() {
        let text = format!("{:?}", sample::invoice());
        for secret in ["김단골", "월드컵로", "이담당", "billing@shop.example", "02-000-0000"] {
            assert!(!text.contains(secret), "{secret}");
        }
    }

    proptest! {
        /// Whatever prices the lines have: split as the law module splits them, they make an invoice.
        #[test]
        fn lines_split_by_our_rule_are_never_refused(prices in prop::collection::vec(1..10_000_000_i64, 1..99)) {
            let prices: Vec<Krw> = prices.into_iter().map(Krw::won).collect();
            let amounts = crate::law::vat::split_lines(&prices).unwrap();
            let line = sample::draft().lines[0].clone();
            let flaw = flaw(|draft| {
                draft.lines = amounts.into_iter().map(|amount| LineItem { amount, ..line.clone() }).collect();
            });
            prop_assert_eq!(flaw, None);
        }
    }
}

//! Which modified invoice a refund asks for.
//!
//! Source: Decree 70(1)2 to 4. That a subscription's refund falls under them this way is our reading.

use chrono::NaiveDate;
use kernel::{Krw, VatSplit};

use super::vat::split_refund;
use crate::ModifyReason;

/// An accepted invoice as it stands now: its own amount and all modifications of it so far, added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The original's 작성일자.
    pub write_date: NaiveDate,
    /// What the original said.
    pub issued: VatSplit,
    /// What is left of it.
    pub left: VatSplit,
}

impl Standing {
    /// What is left of an invoice after these modifications, each with its sign. `None` where the sums
    /// do not fit, or more was taken back than there was.
    pub fn after(
        write_date: NaiveDate,
        issued: VatSplit,
        modifications: impl IntoIterator<Item = VatSplit>,
    ) -> Option<Self> {
        let left = modifications.into_iter().try_fold(issued, |left, change| {
            Some(VatSplit {
                supply: left.supply.checked_add(change.supply)?,
                vat: left.vat.checked_add(change.vat)?,
            })
        })?;
        let is_whole = left.supply >= Krw::ZERO && left.vat >= Krw::ZERO;
        is_whole.then_some(Self { write_date, issued, left })
    }
}

/// Money given back, VAT included, positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refund {
    pub amount: Krw,
    /// The Korean day on which it became due: the cancellation, the agreement on a discount.
    pub on: NaiveDate,
    pub why: RefundCause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundCause {
    /// The contract ended before any of it was performed.
    CancelledUnused,
    /// The contract ended midway (해지), or part of the price was waived afterwards.
    Reduced,
    /// Goods came back, such as a tablet.
    GoodsReturned,
}

/// The modified invoice that a refund asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    pub reason: ModifyReason,
    pub write_date: NaiveDate,
    /// Negative.
    pub amount: VatSplit,
    /// The day that the remark must name.
    pub remark_date: Option<NaiveDate>,
}

impl Correction {
    /// The sentence of the remark, in the document's language.
    pub fn remark(&self) -> Option<String> {
        let date = self.remark_date?;
        Some(format!("당초 세금계산서 작성일자: {}", date.format("%Y-%m-%d")))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCorrection {
    #[error("more was refunded than the invoice is about")]
    MoreThanLeft,
    #[error("nothing was refunded")]
    Nothing,
}

/// A contract undone wholly is reason 4 and takes back all of the invoice; where a part was given back
/// before, the rest is a change of the amount, since no document may take back more than is left.
pub fn correction_for(invoice: &Standing, refund: &Refund) -> Result<Correction, NoCorrection> {
    if !refund.amount.is_positive() {
        return Err(NoCorrection::Nothing);
    }
    let amount = split_refund(invoice.left, refund.amount).ok_or(NoCorrection::MoreThanLeft)?;
    let reason = match refund.why {
        RefundCause::GoodsReturned => ModifyReason::GoodsReturned,
        RefundCause::CancelledUnused if amount == invoice.issued => ModifyReason::ContractCancelled,
        RefundCause::CancelledUnused | RefundCause::Reduced => ModifyReason::SupplyChanged,
    };
    Ok(Correction {
        reason,
        write_date: reason.write_date(invoice.write_date, refund.on),
        amount: VatSplit { supply: Krw::won(-amount.supply.get()), vat: Krw::won(-amount.vat.get()) },
        remark_date: reason.remark_date(invoice.write_date, refund.on),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn invoice(left: i64) -> Standing {
        Standing {
            write_date: day("2026-02-14"),
            issued: Krw::won(33_000).split_vat(),
            left: Krw::won(left).split_vat(),
        }
    }

    fn correction(left: i64, amount: i64, why: RefundCause) -> Result<Correction, NoCorrection> {
        let refund = Refund { amount: Krw::won(amount), on: day("2026-03-02"), why };
        correction_for(&invoice(left), &refund)
    }

    #[test]
    fn a_contract_undone_before_any_service_is_taken_back_whole() {
        let correction = correction(33_000, 33_000, RefundCause::CancelledUnused).unwrap();
        assert_eq!(correction.reason, ModifyReason::ContractCancelled);
        assert_eq!(correction.write_date, day("2026-03-02"), "the day of the cancellation");
        assert_eq!(correction.remark_date, Some(day("2026-02-14")), "the original's day");
        assert_eq!((correction.amount.supply.get(), correction.amount.vat.get()), (-30_000, -3_000));
        assert_eq!(correction.remark().unwrap(), "당초 세금계산서 작성일자: 2026-02-14");
    }

    #[test]
    fn a_contract_ended_midway_changes_the_amount() {
        let correction = correction(33_000, 11_000, RefundCause::Reduced).unwrap();
        assert_eq!(correction.reason, ModifyReason::SupplyChanged);
        assert_eq!((correction.amount.supply.get(), correction.amount.vat.get()), (-10_000, -1_000));
        assert_eq!(correction.write_date, day("2026-03-02"));
    }

    #[test]
    fn what_is_left_after_a_first_refund_is_a_change_of_the_amount() {
        let correction = correction(22_000, 22_000, RefundCause::CancelledUnused).unwrap();
        assert_eq!(correction.reason, ModifyReason::SupplyChanged);
    }

    #[test]
    fn goods_that_came_back_have_their_own_reason() {
        let correction = correction(33_000, 11_000, RefundCause::GoodsReturned).unwrap();
        assert_eq!(correction.reason, ModifyReason::GoodsReturned);
    }

    #[test]
    fn modifications_add_up_to_what_is_left() {
        let issued = Krw::won(33_000).split_vat();
        let change = |supply, vat| VatSplit { supply: Krw::won(supply), vat: Krw::won(vat) };
        let standing = Standing::after(day("2026-02-14"), issued, [change(-10_000, -1_000), change(500, 50)]);
        assert_eq!(standing.unwrap().left, change(20_500, 2_050));
        assert_eq!(Standing::after(day("2026-02-14"), issued, [change(-30_001, 0)]), None);
    }

    #[test]
    fn nothing_and_too_much_have_no_document() {
        assert_eq!(correction(33_000, 0, RefundCause::Reduced), Err(NoCorrection::Nothing));
        assert_eq!(correction(33_000, -1, RefundCause::Reduced), Err(NoCorrection::Nothing));
        assert_eq!(correction(22_000, 22_001, RefundCause::Reduced), Err(NoCorrection::MoreThanLeft));
    }
}

//! Supply and VAT in whole won.
//!
//! 10 %, and a price that does not say otherwise includes it: supply = price × 100/110 (Act 29(7)). How
//! to round to a whole won is no rule of the law. Ours is [`Krw::split_vat`], the card companies' way:
//! VAT is an eleventh rounded half up, the supply takes the rest, and both always add up to the price.

use kernel::{Krw, VatSplit};

/// Splits the prices of several lines, VAT included, so that the lines together say exactly what their
/// sum says as one price. `None` where the sum does not fit, or a price is negative.
///
/// Each line gets what the running total gains by it, so no line is more than a won away from its own
/// split, and no remainder is left for the last one.
pub fn split_lines(prices: &[Krw]) -> Option<Vec<VatSplit>> {
    let mut so_far = Krw::ZERO;
    let mut vat_so_far = Krw::ZERO;
    prices
        .iter()
        .map(|price| {
            if *price < Krw::ZERO {
                return None;
            }
            so_far = so_far.checked_add(*price)?;
            let total_vat = so_far.split_vat().vat;
            // A price of one to ten won may gain a whole won of VAT; never more than itself.
            let vat = total_vat.checked_sub(vat_so_far)?;
            vat_so_far = total_vat;
            Some(VatSplit { supply: price.checked_sub(vat)?, vat })
        })
        .collect()
}

/// Takes a refund, VAT included, out of what is left of an invoice. `None` where less than that is left.
///
/// It is the rest that is split as a price is; the refund is what the invoice loses by it. So what is
/// left stays a proper split after any number of refunds, and refunds of the whole price give back
/// exactly its supply and its VAT.
pub fn split_refund(left: VatSplit, refund: Krw) -> Option<VatSplit> {
    let left_in_all = left.supply.checked_add(left.vat)?;
    let left_after = left_in_all.checked_sub(refund)?;
    if refund < Krw::ZERO {
        return None;
    }
    // Bent where what is left was no proper split: a zero-rated invoice has no VAT to give back.
    let vat = left.vat.checked_sub(left_after.split_vat().vat).unwrap_or(Krw::ZERO).min(refund);
    let supply = refund.checked_sub(vat)?.min(left.supply);
    Some(VatSplit { supply, vat: refund.checked_sub(supply)? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(supply: i64, vat: i64) -> VatSplit {
        VatSplit { supply: Krw::won(supply), vat: Krw::won(vat) }
    }

    #[test]
    fn prices_are_taken_apart() {
        for (price, supply, vat) in [(33_000, 30_000, 3_000), (9_900, 9_000, 900), (10_000, 9_091, 909)] {
            assert_eq!(split_lines(&[Krw::won(price)]), Some(vec![split(supply, vat)]));
        }
        assert_eq!(split_lines(&[]), Some(vec![]));
        assert_eq!(split_lines(&[Krw::won(-1)]), None);
        assert_eq!(split_lines(&[Krw::won(i64::MAX), Krw::won(1)]), None);
    }

    #[test]
    fn the_last_refund_takes_what_is_left() {
        let whole = Krw::won(10_000).split_vat();
        let third = split_refund(whole, Krw::won(3_333)).unwrap();
        assert_eq!(third, split(3_030, 303));
        let left = split(whole.supply.get() - 3_030, whole.vat.get() - 303);
        assert_eq!(split_refund(left, Krw::won(6_667)), Some(left));
        assert_eq!(split_refund(left, Krw::won(6_668)), None);
        assert_eq!(split_refund(left, Krw::won(-1)), None);
    }

    #[test]
    fn a_hundred_small_refunds_do_not_pile_up_their_rounding() {
        let mut left = Krw::won(500).split_vat();
        for _ in 0..100 {
            let part = split_refund(left, Krw::won(5)).unwrap();
            assert!(part.vat <= Krw::won(1), "{part:?}");
            left = split(left.supply.get() - part.supply.get(), left.vat.get() - part.vat.get());
        }
        assert_eq!(left, split(0, 0));
    }

    #[test]
    fn a_zero_rated_invoice_has_no_vat_to_give_back() {
        assert_eq!(split_refund(split(10_000, 0), Krw::won(4_000)), Some(split(4_000, 0)));
        assert_eq!(split_refund(split(10_000, 0), Krw::won(10_000)), Some(split(10_000, 0)));
    }

    proptest! {
        #[test]
        fn lines_add_up_to_what_their_sum_says(
            prices in prop::collection::vec(0..1_000_000_000_i64, 0..99),
        ) {
            let prices: Vec<Krw> = prices.into_iter().map(Krw::won).collect();
            let lines = split_lines(&prices).unwrap();
            let sum: i64 = prices.iter().map(|price| price.get()).sum();
            let whole = Krw::won(sum).split_vat();
            prop_assert_eq!(lines.iter().map(|line| line.vat.get()).sum::<i64>(), whole.vat.get());
            prop_assert_eq!(lines.iter().map(|line| line.supply.get()).sum::<i64>(), whole.supply.get());
            for (line, price) in lines.iter().zip(prices) {
                prop_assert_eq!(line.supply.get() + line.vat.get(), price.get());
                prop_assert!((line.vat.get() - price.split_vat().vat.get()).abs() <= 1);
                prop_assert!(line.supply >= Krw::ZERO && line.vat >= Krw::ZERO);
            }
        }

        #[test]
        fn refunds_in_any_parts_give_back_exactly_the_whole(
            price in 1..10_000_000_i64, cuts in prop::collection::vec(0.0..1.0_f64, 0..20),
        ) {
            let whole = Krw::won(price).split_vat();
            let mut left = whole;
            let mut back = (0, 0);
            for cut in cuts.iter().chain([&1.0]) {
                let left_in_all = left.supply.get() + left.vat.get();
                #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "any part will do")]
                let refund = ((left_in_all as f64 * cut) as i64).min(left_in_all);
                let part = split_refund(left, Krw::won(refund)).unwrap();
                prop_assert_eq!(part.supply.get() + part.vat.get(), refund);
                prop_assert!(part.supply >= Krw::ZERO && part.supply <= left.supply);
                prop_assert!(part.vat >= Krw::ZERO && part.vat <= left.vat);
                prop_assert!((part.vat.get() - Krw::won(refund).split_vat().vat.get()).abs() <= 1);
                back = (back.0 + part.supply.get(), back.1 + part.vat.get());
                left = split(left.supply.get() - part.supply.get(), left.vat.get() - part.vat.get());
            }
            prop_assert_eq!(back, (whole.supply.get(), whole.vat.get()));
        }
    }
}

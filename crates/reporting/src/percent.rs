//! Percentages with one decimal, computed in whole tenths so that they are the same everywhere.

use serde::{Serialize, Serializer};

/// Tenths of a percent: 956 is 95.6 %. Written as a number with one decimal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Percent(i64);

impl Percent {
    /// `part` of `whole`, rounded half up; none of nothing.
    pub(crate) fn of(part: i64, whole: i64) -> Option<Self> {
        if whole == 0 {
            return None;
        }
        rounded(i128::from(part) * 1000, i128::from(whole)).map(Self)
    }

    /// How much more `now` is than `before`; none where there was nothing before, for nobody grows by infinity.
    pub(crate) fn growth(before: i64, now: i64) -> Option<Self> {
        if before <= 0 {
            return None;
        }
        rounded((i128::from(now) - i128::from(before)) * 1000, i128::from(before)).map(Self)
    }

    #[cfg(test)]
    pub(crate) fn tenths(self) -> i64 {
        self.0
    }
}

/// Half away from zero, so that a loss is rounded as a gain is.
fn rounded(numerator: i128, denominator: i128) -> Option<i64> {
    let magnitude = (numerator.abs() * 2 + denominator.abs()) / (denominator.abs() * 2);
    let signed = if (numerator < 0) == (denominator < 0) { magnitude } else { -magnitude };
    i64::try_from(signed).ok()
}

/// The share of each amount in their sum. The shares add up to 100.0, unless there is nothing to share:
/// what rounding down leaves over goes, a tenth each, to those that it took most from, of equal ones
/// to the first.
pub(crate) fn shares(amounts: &[i64]) -> Vec<Percent> {
    let sum: i128 = amounts.iter().map(|amount| i128::from(*amount)).sum();
    if sum <= 0 {
        return vec![Percent(0); amounts.len()];
    }
    let exact = amounts.iter().map(|amount| i128::from(*amount) * 1000);
    let mut tenths: Vec<i128> = exact.clone().map(|exact| exact / sum).collect();
    let left_over = usize::try_from(1000 - tenths.iter().sum::<i128>()).unwrap_or_default();
    let mut by_loss: Vec<(usize, i128)> = exact.map(|exact| exact % sum).enumerate().collect();
    by_loss.sort_by_key(|(place, loss)| (-loss, *place));
    for (place, _) in by_loss.into_iter().take(left_over) {
        tenths[place] += 1;
    }
    tenths.into_iter().map(|tenths| Percent(i64::try_from(tenths).unwrap_or_default())).collect()
}

impl Serialize for Percent {
    #[expect(clippy::cast_precision_loss, reason = "tenths of a percent are far below 2^53")]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0 as f64 / 10.0)
    }
}

impl utoipa::PartialSchema for Percent {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Type};
        ObjectBuilder::new()
            .schema_type(Type::Number)
            .description(Some("Percent with one decimal."))
            .examples([95.6])
            .into()
    }
}

impl utoipa::ToSchema for Percent {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tenths(shares: &[Percent]) -> Vec<i64> {
        shares.iter().map(|share| share.tenths()).collect()
    }

    #[test]
    fn percentages_are_rounded_half_up_to_one_decimal() {
        for (part, whole, expected) in [(43, 45, 956), (35, 43, 814), (5, 43, 116), (1, 2000, 1), (0, 7, 0)] {
            assert_eq!(Percent::of(part, whole), Some(Percent(expected)), "{part} of {whole}");
        }
        assert_eq!(Percent::of(1, 0), None);
    }

    #[test]
    fn growth_from_nothing_is_no_number() {
        assert_eq!(Percent::growth(0, 100), None);
        assert_eq!(Percent::growth(200, 225), Some(Percent(125)));
        assert_eq!(Percent::growth(200, 0), Some(Percent(-1000)));
        assert_eq!(Percent::growth(800, 799), Some(Percent(-1)), "a loss is rounded as a gain is");
        assert_eq!(Percent::growth(800, 801), Some(Percent(1)));
        assert_eq!(Percent::growth(1, i64::MAX).map(|_| ()), None, "and what does not fit is none either");
    }

    #[test]
    fn three_equal_shares_add_up() {
        assert_eq!(tenths(&shares(&[1, 1, 1])), [334, 333, 333]);
        assert_eq!(tenths(&shares(&[0, 0])), [0, 0]);
        assert_eq!(tenths(&shares(&[])), [0_i64; 0]);
    }

    proptest! {
        #[test]
        fn shares_add_up_and_none_is_off_by_a_tenth(amounts in prop::collection::vec(0i64..1_000_000_000, 1..200)) {
            let sum: i64 = amounts.iter().sum();
            prop_assume!(sum > 0);
            let shares = shares(&amounts);
            prop_assert_eq!(tenths(&shares).iter().sum::<i64>(), 1000);
            for (amount, share) in amounts.iter().zip(&shares) {
                let off = i128::from(*amount) * 1000 - i128::from(share.tenths()) * i128::from(sum);
                prop_assert!(off.abs() < i128::from(sum));
            }
        }
    }
}

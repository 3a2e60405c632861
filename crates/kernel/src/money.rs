//! Korean won.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An amount in whole won. The won has no smaller unit, so there is nothing to round.
///
/// Arithmetic is checked: an amount that does not fit is `None`, never a wrapped number.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, sqlx::Type,
)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Krw(i64);

/// A price that includes VAT, taken apart: `supply + vat` is always the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VatSplit {
    /// Value of supply (공급가액), won.
    pub supply: Krw,
    /// VAT (부가세), won.
    pub vat: Krw,
}

impl Krw {
    pub const ZERO: Self = Self(0);

    pub const fn won(amount: i64) -> Self {
        Self(amount)
    }

    pub const fn get(self) -> i64 {
        self.0
    }

    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// `None` where the result would be negative as well: nobody owes less than nothing.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).filter(|rest| *rest >= 0).map(Self)
    }

    /// Splits a non-negative price that includes 10 % VAT.
    ///
    /// VAT is an eleventh of the price, rounded half up, as Toss Payments reports it in `vat`;
    /// the supply value takes the rest, so that the two add up to the price to the won.
    pub fn split_vat(self) -> VatSplit {
        let vat = self.0 / 11 + i64::from(self.0 % 11 * 2 >= 11);
        VatSplit { supply: Self(self.0 - vat), vat: Self(vat) }
    }
}

impl fmt::Display for Krw {
    /// `29,000원`, as people in Korea write it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.unsigned_abs().to_string();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        f.write_str("원")
    }
}

impl utoipa::PartialSchema for Krw {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
            .description(Some("Whole won, VAT included."))
            .examples([29_000])
            .into()
    }
}

impl utoipa::ToSchema for Krw {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vat_is_what_toss_reports_for_the_same_amount() {
        // The samples of the provider's own payments: total -> (supply, vat).
        for (total, supply, vat) in
            [(163_020, 148_200, 14_820), (30_000, 27_273, 2_727), (9_026, 8_205, 821), (1_000, 909, 91)]
        {
            let expected = VatSplit { supply: Krw(supply), vat: Krw(vat) };
            assert_eq!(Krw(total).split_vat(), expected);
        }
    }

    #[test]
    fn won_is_written_with_thousands_separators() {
        assert_eq!(Krw(0).to_string(), "0원");
        assert_eq!(Krw(-29_000).to_string(), "-29,000원");
        assert_eq!(Krw(1_490_000).to_string(), "1,490,000원");
    }

    proptest! {
        #[test]
        fn supply_and_vat_add_up_to_the_price_to_the_won(price in 0..=i64::MAX) {
            let VatSplit { supply, vat } = Krw(price).split_vat();
            prop_assert_eq!(supply.checked_add(vat), Some(Krw(price)));
            // Half up: the exact eleventh is at most half a won away.
            prop_assert!((i128::from(vat.get()) * 11 - i128::from(price)).abs() * 2 <= 11);
        }

        #[test]
        fn taking_away_never_leaves_less_than_nothing(a in 0..=i64::MAX, b in 0..=i64::MAX) {
            match Krw(a).checked_sub(Krw(b)) {
                Some(rest) => prop_assert_eq!(rest.checked_add(Krw(b)), Some(Krw(a))),
                None => prop_assert!(b > a),
            }
        }
    }
}

//! Coupons: what they take off, and when they may be used.

pub(crate) mod code;

use chrono::NaiveDate;
use kernel::Krw;
use platform::FieldError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::text;

kernel::number_id!(
    /// Names a coupon of a business.
    CouponId
);

/// The most won that a coupon speaks of, as the most that a service costs.
const MOST_WON: i64 = 1_000_000_000;
/// The most codes of one coupon.
const MOST_CODES: i64 = 10_000_000;
/// The most that one thing costs that a coupon is used for.
const MOST_AMOUNT: i64 = 100_000_000_000;

/// How a discount is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DiscountType {
    /// Won.
    Amount,
    /// Percent of what is to be paid.
    Percent,
}

impl DiscountType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Amount => "AMOUNT",
            Self::Percent => "PERCENT",
        }
    }
}

/// What a coupon takes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Discount {
    Amount(Krw),
    /// Percent, up to so many won.
    Percent(i64, Option<Krw>),
}

impl Discount {
    /// What is taken off an amount: never more than it is, and of a percentage whole won, rounded down.
    pub(crate) fn of(self, amount: Krw) -> Krw {
        let taken = match self {
            Self::Amount(won) => won,
            Self::Percent(percent, most) => {
                // Hundred times what anything may cost is far from the end of the numbers.
                let part = Krw::won(amount.get().saturating_mul(percent) / 100);
                most.map_or(part, |most| part.min(most))
            }
        };
        taken.min(amount)
    }
}

/// The terms of a coupon, which stay as they are: people hold codes for them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms {
    pub discount: Discount,
    pub minimum_spend: Krw,
    pub valid_from: NaiveDate,
    pub valid_until: NaiveDate,
}

impl Terms {
    /// What a code is worth at a price on a day, if it is worth anything.
    pub(crate) fn discount_on(&self, today: NaiveDate, amount: Krw) -> Result<Krw, CouponRefusal> {
        if today < self.valid_from {
            return Err(CouponRefusal::NotYetValid(self.valid_from));
        }
        if today > self.valid_until {
            return Err(CouponRefusal::Expired(self.valid_until));
        }
        if amount < self.minimum_spend {
            return Err(CouponRefusal::BelowMinimum(self.minimum_spend));
        }
        Ok(self.discount.of(amount))
    }
}

/// Why a coupon cannot be used, given back or given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CouponRefusal {
    UnknownCode,
    OfAnotherCustomer,
    NotYetValid(NaiveDate),
    Expired(NaiveDate),
    BelowMinimum(Krw),
    /// For something else.
    AlreadyRedeemed,
    /// For the same thing at another price.
    OtherAmount,
    /// For the same thing, and given back since.
    RestoredBefore,
    NotRedeemed,
    Stopped,
    LimitReached,
}

/// A coupon as somebody wants it.
#[derive(Clone, Debug)]
pub(crate) struct CouponText {
    pub name: String,
    pub discount_type: DiscountType,
    pub discount_value: i64,
    pub max_discount: Option<i64>,
    pub minimum_spend: i64,
    pub valid_from: String,
    pub valid_until: String,
    pub total_limit: Option<i64>,
}

/// A coupon that can be.
#[derive(Clone, Debug)]
pub(crate) struct NewCoupon {
    pub name: String,
    pub terms: Terms,
    pub total_limit: Option<i32>,
}

impl CouponText {
    pub(crate) fn read(self) -> Result<NewCoupon, Vec<FieldError>> {
        let mut errors = Vec::new();
        let mut refuse = |field: &str, code, message: &str| {
            errors.push(FieldError { field: field.to_owned(), code, message: message.to_owned() });
        };
        let name =
            text::name(&self.name).map_err(|refusal| refuse("name", refusal.code, refusal.message)).ok();
        let discount = match self.discount_type {
            DiscountType::Amount => {
                if !(1..=MOST_WON).contains(&self.discount_value) {
                    refuse("discountValue", "INVALID_AMOUNT", "1원에서 1,000,000,000원 사이여야 합니다.");
                }
                if self.max_discount.is_some() {
                    refuse("maxDiscount", "NOT_ALLOWED", "금액 할인에는 최대 할인 금액을 쓸 수 없습니다.");
                }
                Discount::Amount(Krw::won(self.discount_value))
            }
            DiscountType::Percent => {
                if !(1..=100).contains(&self.discount_value) {
                    refuse("discountValue", "INVALID_PERCENT", "1에서 100 사이의 정수여야 합니다.");
                }
                if self.max_discount.is_some_and(|most| !(1..=MOST_WON).contains(&most)) {
                    refuse("maxDiscount", "INVALID_AMOUNT", "1원에서 1,000,000,000원 사이여야 합니다.");
                }
                Discount::Percent(self.discount_value, self.max_discount.map(Krw::won))
            }
        };
        if !(0..=MOST_WON).contains(&self.minimum_spend) {
            refuse("minimumSpend", "INVALID_AMOUNT", "0원에서 1,000,000,000원 사이여야 합니다.");
        }
        let valid_from = text::day(&self.valid_from)
            .map_err(|refusal| refuse("validFrom", refusal.code, refusal.message))
            .ok();
        let valid_until = text::day(&self.valid_until)
            .map_err(|refusal| refuse("validUntil", refusal.code, refusal.message))
            .ok();
        if valid_from.zip(valid_until).is_some_and(|(from, until)| until < from) {
            refuse("validUntil", "INVALID_RANGE", "종료일이 시작일보다 빠릅니다.");
        }
        let total_limit =
            limit(self.total_limit).map_err(|()| refuse("totalLimit", "INVALID_NUMBER", WRONG_LIMIT));
        match (name, valid_from, valid_until, total_limit) {
            (Some(name), Some(valid_from), Some(valid_until), Ok(total_limit)) if errors.is_empty() => {
                let minimum_spend = Krw::won(self.minimum_spend);
                let terms = Terms { discount, minimum_spend, valid_from, valid_until };
                Ok(NewCoupon { name, terms, total_limit })
            }
            _ => Err(errors),
        }
    }
}

pub(crate) const WRONG_LIMIT: &str = "1에서 10,000,000 사이의 정수여야 합니다.";

/// How many codes there may be.
pub(crate) fn limit(given: Option<i64>) -> Result<Option<i32>, ()> {
    let possible = |limit: i64| i32::try_from(limit).ok().filter(|_| (1..=MOST_CODES).contains(&limit));
    given.map(|limit| possible(limit).ok_or(())).transpose()
}

/// What a coupon is used for: a price, and the shop's own name for it.
pub(crate) fn amount(given: i64) -> Result<Krw, FieldError> {
    if (1..=MOST_AMOUNT).contains(&given) {
        return Ok(Krw::won(given));
    }
    Err(FieldError {
        field: "amount".to_owned(),
        code: "INVALID_AMOUNT",
        message: "1원에서 100,000,000,000원 사이여야 합니다.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().expect("a day")
    }

    #[test]
    fn a_percentage_is_rounded_down_and_capped() {
        let tenth = Discount::Percent(10, Some(Krw::won(5_000)));
        for (amount, discount) in [(9, 0), (10, 1), (19_999, 1_999), (50_000, 5_000), (900_000, 5_000)] {
            assert_eq!(tenth.of(Krw::won(amount)), Krw::won(discount), "{amount}");
        }
    }

    #[test]
    fn a_coupon_is_good_from_its_first_to_its_last_day() {
        let terms = Terms {
            discount: Discount::Amount(Krw::won(5_000)),
            minimum_spend: Krw::won(30_000),
            valid_from: day("2026-02-01"),
            valid_until: day("2026-02-28"),
        };
        let price = Krw::won(30_000);
        assert_eq!(
            terms.discount_on(day("2026-01-31"), price),
            Err(CouponRefusal::NotYetValid(terms.valid_from))
        );
        assert_eq!(terms.discount_on(day("2026-02-01"), price), Ok(Krw::won(5_000)));
        assert_eq!(terms.discount_on(day("2026-02-28"), price), Ok(Krw::won(5_000)));
        assert_eq!(
            terms.discount_on(day("2026-03-01"), price),
            Err(CouponRefusal::Expired(terms.valid_until))
        );
        let less = terms.discount_on(day("2026-02-01"), Krw::won(29_999));
        assert_eq!(less, Err(CouponRefusal::BelowMinimum(Krw::won(30_000))));
    }

    fn discount() -> impl Strategy<Value = Discount> {
        prop_oneof![
            (1..=MOST_WON).prop_map(|won| Discount::Amount(Krw::won(won))),
            (1i64..=100, prop::option::of(1..=MOST_WON))
                .prop_map(|(percent, most)| Discount::Percent(percent, most.map(Krw::won))),
        ]
    }

    proptest! {
        #[test]
        fn nobody_is_paid_for_coming(discount in discount(), amount in 1..=MOST_AMOUNT) {
            let taken = discount.of(Krw::won(amount));
            prop_assert!((0..=amount).contains(&taken.get()));
            prop_assert!(Krw::won(amount).checked_sub(taken).is_some());
        }

        #[test]
        fn whoever_spends_more_saves_no_less(discount in discount(), less in 1..=MOST_AMOUNT, more in 1..=MOST_AMOUNT) {
            let (less, more) = (less.min(more), less.max(more));
            prop_assert!(discount.of(Krw::won(less)) <= discount.of(Krw::won(more)));
        }

        #[test]
        fn a_percentage_is_less_than_a_won_off(percent in 1i64..=100, amount in 1..=MOST_AMOUNT) {
            let taken = Discount::Percent(percent, None).of(Krw::won(amount)).get();
            let exact = i128::from(amount) * i128::from(percent);
            prop_assert!((0..100).contains(&(exact - i128::from(taken) * 100)));
        }
    }
}

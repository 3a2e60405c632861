//! The business registration number (사업자등록번호) that a Korean tax office gives every business.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, de};

/// A business registration number: ten digits, `123-45-67891`.
///
/// Reading one checks the form alone. [`Self::has_valid_checksum`] tells a typing error from a number
/// that can exist; whether it does exist, and is not closed, only the tax service knows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BusinessNumber([u8; 10]);

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a business number has ten digits, such as 123-45-67891")]
pub struct NotABusinessNumber;

impl BusinessNumber {
    /// What each of the first nine digits counts in the checksum.
    const WEIGHTS: [u32; 9] = [1, 3, 7, 1, 3, 7, 1, 3, 5];

    /// Whether the last digit is what the other nine make it.
    ///
    /// The weighted digits are added up, and the tens of the ninth product once more; the last digit
    /// fills the sum up to the next ten.
    pub fn has_valid_checksum(self) -> bool {
        let digits = self.0.map(u32::from);
        let weighted: u32 = digits.iter().zip(Self::WEIGHTS).map(|(digit, weight)| digit * weight).sum();
        let sum = weighted + digits[8] * Self::WEIGHTS[8] / 10;
        (10 - sum % 10) % 10 == digits[9]
    }

    /// The ten digits without hyphens, as Popbill and the tax service take them.
    pub fn digits(self) -> String {
        self.0.iter().map(|digit| char::from(b'0' + digit)).collect()
    }
}

impl FromStr for BusinessNumber {
    type Err = NotABusinessNumber;

    /// Reads `123-45-67891` or `1234567891`, and hyphens nowhere else.
    fn from_str(text: &str) -> Result<Self, NotABusinessNumber> {
        let hyphenated: Vec<&str> = text.split('-').collect();
        let plain = match hyphenated.as_slice() {
            [plain] => (*plain).to_owned(),
            [office, kind, serial] if (office.len(), kind.len()) == (3, 2) => {
                format!("{office}{kind}{serial}")
            }
            _ => return Err(NotABusinessNumber),
        };
        let mut digits: [u8; 10] = plain.as_bytes().try_into().map_err(|_| NotABusinessNumber)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(NotABusinessNumber);
        }
        for digit in &mut digits {
            *digit -= b'0';
        }
        Ok(Self(digits))
    }
}

impl fmt::Display for BusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits();
        write!(f, "{}-{}-{}", &digits[..3], &digits[3..5], &digits[5..])
    }
}

impl fmt::Debug for BusinessNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for BusinessNumber {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BusinessNumber {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_valid(text: &str) -> bool {
        text.parse::<BusinessNumber>().unwrap().has_valid_checksum()
    }

    #[test]
    fn known_numbers_are_told_from_typing_errors() {
        for valid in ["123-45-67891", "111-11-11119", "222-22-22227", "333-33-33336"] {
            assert!(is_valid(valid), "{valid}");
        }
        for invalid in ["123-45-67890", "123-45-67892", "111-11-11111"] {
            assert!(!is_valid(invalid), "{invalid}");
        }
    }

    #[test]
    fn hyphens_stand_where_they_belong_or_nowhere() {
        for text in ["123-45-67891", "1234567891"] {
            assert_eq!(text.parse::<BusinessNumber>().unwrap().to_string(), "123-45-67891");
        }
        for text in [
            "",
            "123",
            "123-4567891",
            "12-345-67891",
            "123-45-6789",
            "123-45-678912",
            "123 45 67891",
            "१२३४५६७८९१",
            "123-45-6789a",
            "----------",
            "-123456789",
        ] {
            assert_eq!(text.parse::<BusinessNumber>(), Err(NotABusinessNumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_number_reads_back_in_both_ways_of_writing(digits in "[0-9]{10}") {
            let number: BusinessNumber = digits.parse().unwrap();
            prop_assert_eq!(number.digits(), digits);
            prop_assert_eq!(number.to_string().parse(), Ok(number));
        }

        #[test]
        fn nine_digits_have_exactly_one_tenth(nine in "[0-9]{9}") {
            let valid = (0..10).filter(|last| is_valid(&format!("{nine}{last}"))).count();
            prop_assert_eq!(valid, 1);
        }

        /// Not for the ninth digit, whose tens are added once more: there the check sees less.
        #[test]
        fn one_wrong_digit_among_the_first_eight_is_noticed(
            nine in "[0-9]{9}", place in 0..8_usize, by in 1..10_u8,
        ) {
            let last = (0..10).find(|last| is_valid(&format!("{nine}{last}"))).unwrap();
            let mut digits = format!("{nine}{last}").into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + by) % 10;
            prop_assert!(!is_valid(std::str::from_utf8(&digits).unwrap()));
        }

        #[test]
        fn any_text_at_all_is_survived(text in "\\PC{0,20}") {
            let _ = text.parse::<BusinessNumber>();
        }
    }
}

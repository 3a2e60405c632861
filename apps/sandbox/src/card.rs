//! Test cards: the same numbers at every provider, whatever each makes of them.

use serde::{Deserialize, Serialize};

/// What the issuer says when the card is charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Fate {
    Approved,
    InsufficientFunds,
    LimitExceeded,
    Suspended,
}

/// 13 to 19 digits. The check digit is not checked.
pub(crate) struct CardNumber(String);

impl CardNumber {
    /// Reads `4300-0000-0000-0001` and the like.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        let is_number = (13..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then_some(Self(digits))
    }

    /// The number in a key that names a test card. Numbers may be typed with hyphens and spaces; a
    /// key has one spelling.
    pub(crate) fn in_key(key: &str, prefix: &str) -> Option<Self> {
        let digits = key.strip_prefix(prefix)?;
        Self::parse(digits).filter(|number| number.0 == digits)
    }

    pub(crate) fn digits(&self) -> &str {
        &self.0
    }

    pub(crate) fn last_digit(&self) -> usize {
        usize::from(self.0.as_bytes()[self.0.len() - 1] - b'0')
    }

    pub(crate) fn fate(&self) -> Fate {
        match self.0.as_str() {
            "4300000000000002" => Fate::InsufficientFunds,
            "4300000000000003" => Fate::LimitExceeded,
            "4300000000000004" => Fate::Suspended,
            _ => Fate::Approved,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_have_their_fates() {
        let fate = |number| CardNumber::parse(number).unwrap().fate();
        assert_eq!(fate("4300-0000-0000-0001"), Fate::Approved);
        assert_eq!(fate("4300 0000 0000 0002"), Fate::InsufficientFunds);
        assert_eq!(fate("4300000000000003"), Fate::LimitExceeded);
        assert_eq!(fate("4300000000000004"), Fate::Suspended);
        assert_eq!(fate("5555444433332222"), Fate::Approved);
    }

    #[test]
    fn short_long_and_lettered_numbers_are_no_cards() {
        for number in
            ["", "430000", "43000000000000000000", "4300-0000-0000-000x", "４３００００００００００００００"]
        {
            assert!(CardNumber::parse(number).is_none(), "{number}");
        }
    }

    #[test]
    fn a_key_spells_its_card_in_one_way() {
        assert!(CardNumber::in_key("test_pay_4300000000000001", "test_pay_").is_some());
        assert!(CardNumber::in_key("test_pay_4300-0000-0000-0001", "test_pay_").is_none());
        assert!(CardNumber::in_key("4300000000000001", "test_pay_").is_none());
    }
}

//! Test cards: the same for every provider, which each says in its own words what became of a charge.

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

impl Fate {
    pub(crate) fn of(digits: &str) -> Self {
        match digits {
            "4300000000000002" => Self::InsufficientFunds,
            "4300000000000003" => Self::LimitExceeded,
            "4300000000000004" => Self::Suspended,
            _ => Self::Approved,
        }
    }
}

/// Reads `4300-0000-0000-0001` and the like: 13 to 19 digits, no check digit.
pub(crate) fn digits(number: &str) -> Option<String> {
    let digits: String = number.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
    let is_card = (13..=19).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_card.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn test_cards_have_their_fates() {
        let fate = |number| Fate::of(&digits(number).unwrap());
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
            assert_eq!(digits(number), None, "{number}");
        }
    }
}

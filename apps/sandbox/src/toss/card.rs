//! Test cards, and what becomes of a charge to them.

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
    /// The code that the issuer's refusal arrives as; `None` if it pays.
    pub(crate) fn refusal(self) -> Option<&'static str> {
        match self {
            Self::Approved => None,
            Self::InsufficientFunds => Some("REJECT_CARD_PAYMENT"),
            Self::LimitExceeded => Some("EXCEED_MAX_DAILY_PAYMENT_COUNT"),
            Self::Suspended => Some("INVALID_STOPPED_CARD"),
        }
    }
}

/// A card, without the number that nobody may store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    pub(crate) masked: String,
    pub(crate) issuer: String,
    pub(crate) fate: Fate,
}

/// Issuers by the last digit of the number: 토스뱅크, 삼성, 국민, 신한, 현대, 롯데, BC, 농협, 하나, 카카오뱅크.
const ISSUERS: [&str; 10] = ["24", "51", "11", "41", "61", "71", "31", "91", "21", "15"];

impl Card {
    /// Reads `4300-0000-0000-0001` and the like: 13 to 19 digits, no check digit.
    ///
    /// Six digits are not enough, whatever the guides say: measured, `INVALID_CARD_NUMBER`.
    pub(crate) fn from_number(number: &str) -> Option<Self> {
        let digits: String = number.chars().filter(|c| !matches!(c, '-' | ' ')).collect();
        if !(13..=19).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let last = usize::from(digits.as_bytes()[digits.len() - 1] - b'0');
        Some(Self { masked: mask(&digits), issuer: ISSUERS[last].to_owned(), fate: fate(&digits) })
    }
}

fn fate(digits: &str) -> Fate {
    match digits {
        "4300000000000002" => Fate::InsufficientFunds,
        "4300000000000003" => Fate::LimitExceeded,
        "4300000000000004" => Fate::Suspended,
        _ => Fate::Approved,
    }
}

/// `43000000****000*`: the first eight digits and the three before the last stay readable.
fn mask(digits: &str) -> String {
    let tail = digits.len() - 4;
    format!("{}{}{}*", &digits[..8], "*".repeat(tail - 8), &digits[tail..digits.len() - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_masked_as_toss_masks_them() {
        let card = Card::from_number("4300-0000-0000-0001").unwrap();
        assert_eq!(card.masked, "43000000****000*");
        assert_eq!(card.issuer, "51");
        assert_eq!(Card::from_number("4330123412341234").unwrap().masked, "43301234****123*");
        assert_eq!(Card::from_number("1234567890123").unwrap().masked, "12345678*012*");
    }

    #[test]
    fn test_cards_have_their_fates() {
        let fate = |number| Card::from_number(number).unwrap().fate;
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
            assert_eq!(Card::from_number(number), None, "{number}");
        }
    }
}

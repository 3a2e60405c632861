//! Cards as Toss tells of them.

use serde::{Deserialize, Serialize};

use crate::card::{CardNumber, Fate};

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
    /// Six digits are not enough, whatever the guides say: measured, `INVALID_CARD_NUMBER`.
    pub(crate) fn from_number(number: &str) -> Option<Self> {
        CardNumber::parse(number).map(Self::from)
    }

    /// The code that the issuer's refusal arrives as; `None` if it pays.
    pub(crate) fn refusal(&self) -> Option<&'static str> {
        match self.fate {
            Fate::Approved => None,
            Fate::InsufficientFunds => Some("REJECT_CARD_PAYMENT"),
            Fate::LimitExceeded => Some("EXCEED_MAX_DAILY_PAYMENT_COUNT"),
            Fate::Suspended => Some("INVALID_STOPPED_CARD"),
        }
    }
}

impl From<CardNumber> for Card {
    fn from(number: CardNumber) -> Self {
        Self {
            masked: mask(number.digits()),
            issuer: ISSUERS[number.last_digit()].to_owned(),
            fate: number.fate(),
        }
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
}

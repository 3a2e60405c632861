//! Cards as PortOne tells of them, and how each PG says no.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{channel::Pg, errors::PgWord};
use crate::card::{CardNumber, Fate};

/// A card, without the number that nobody may store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    masked: String,
    issuer: String,
    fate: Fate,
}

/// Issuers by the last digit of the number. The vocabulary of the server API is not documented; these
/// are the words of the browser SDK.
const ISSUERS: [&str; 10] = [
    "TOSS_BANK",
    "SAMSUNG_CARD",
    "KOOKMIN_CARD",
    "SHINHAN_CARD",
    "HYUNDAI_CARD",
    "LOTTE_CARD",
    "BC_CARD",
    "NH_CARD",
    "HANA_CARD",
    "KAKAO_BANK",
];

impl Card {
    pub(crate) fn from_number(number: &str) -> Option<Self> {
        CardNumber::parse(number).map(Self::from)
    }

    /// `brand` is a word that a switch may change.
    pub(crate) fn body(&self, brand: &str) -> Value {
        json!({
            "publisher": self.issuer,
            "issuer": self.issuer,
            "brand": brand,
            "type": "CREDIT",
            "ownerType": "PERSONAL",
            "bin": &self.masked[..6],
            "name": "단골 테스트카드",
            "number": self.masked,
        })
    }

    /// What the PG says when this card is charged; `None` if it pays.
    ///
    /// The words of Toss Payments and KCP are theirs. Smartro's were found nowhere: made up.
    pub(crate) fn refusal(&self, pg: Pg) -> Option<PgWord> {
        let (toss, kcp, smartro, message) = match self.fate {
            Fate::Approved => return None,
            Fate::InsufficientFunds => ("REJECT_CARD_PAYMENT", "CC10", "9001", "한도초과 혹은 잔액부족"),
            Fate::LimitExceeded => ("EXCEED_MAX_DAILY_PAYMENT_COUNT", "CC08", "9002", "1일 한도초과"),
            Fate::Suspended => ("INVALID_STOPPED_CARD", "CC45", "9003", "정지된 카드 입니다."),
        };
        let code = match pg {
            Pg::TossPayments => toss,
            Pg::Kcp => kcp,
            Pg::Smartro => smartro,
        };
        Some(PgWord { code: code.to_owned(), message: message.to_owned() })
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

/// `43000000****000*`, as Toss Payments masks it; PortOne passes the PG's mask on.
fn mask(digits: &str) -> String {
    let tail = digits.len() - 4;
    format!("{}{}{}*", &digits[..8], "*".repeat(tail - 8), &digits[tail..digits.len() - 1])
}

//! Cards as Bootpay tells of them, and how the PG behind it says no.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::card::{CardNumber, Fate};

/// A card, without the number that nobody may store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Card {
    masked: String,
    company: String,
    company_code: String,
    fate: Fate,
}

/// Issuers by the last digit of the number.
const ISSUERS: [(&str, &str); 10] = [
    ("15", "카카오뱅크"),
    ("04", "삼성"),
    ("02", "KB국민"),
    ("06", "신한"),
    ("07", "현대"),
    ("08", "롯데"),
    ("01", "비씨"),
    ("12", "NH농협"),
    ("03", "하나"),
    ("15", "카카오뱅크"),
];

impl Card {
    pub(super) fn from_number(number: &CardNumber) -> Self {
        let digits = number.digits();
        let tail = digits.len() - 4;
        let (company_code, company) = ISSUERS[number.last_digit()];
        Self {
            masked: format!("{}{}{}*", &digits[..8], "*".repeat(tail - 8), &digits[tail..digits.len() - 1]),
            company: company.to_owned(),
            company_code: company_code.to_owned(),
            fate: number.fate(),
        }
    }

    /// `card_data` of a receipt.
    pub(super) fn on_receipt(&self, tid: &str) -> Value {
        json!({
            "tid": tid, "card_approve_no": "00000001", "card_no": self.masked, "card_quota": "00",
            "card_company_code": self.company_code, "card_company": self.company, "card_interest": "0",
        })
    }

    /// `billing_data` of a billing key.
    pub(super) fn behind_key(&self) -> Value {
        json!({
            "card_no": self.masked, "card_company": self.company, "card_company_code": self.company_code,
            "card_type": "0",
        })
    }

    /// What the PG says when this card is charged; `None` if it pays. The words are such as PGs use.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self.fate {
            Fate::Approved => None,
            Fate::InsufficientFunds => Some("잔액이 부족합니다."),
            Fate::LimitExceeded => Some("1회 이용한도초과"),
            Fate::Suspended => Some("거래정지 카드입니다."),
        }
    }
}

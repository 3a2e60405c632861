//! The two numbers of a document: ours, and the tax service's.

use std::{fmt, str::FromStr};

/// Our number of the document, such as `INV-20260214-001`: 1 to 24 of `[A-Za-z0-9_-]`.
///
/// The issuer keeps it unique for ever, so it is what makes issuing idempotent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentKey(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document key is 1 to 24 of A-Z a-z 0-9 - _")]
pub struct NotADocumentKey;

impl DocumentKey {
    /// The limit of Popbill's `mgtKey`.
    pub const LONGEST: usize = 24;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DocumentKey {
    type Err = NotADocumentKey;

    fn from_str(text: &str) -> Result<Self, NotADocumentKey> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotADocumentKey)
        }
    }
}

impl fmt::Display for DocumentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number that the National Tax Service knows the document by (국세청 승인번호): 24 letters and digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConfirmationNumber(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a confirmation number is 24 letters and digits")]
pub struct NotAConfirmationNumber;

impl ConfirmationNumber {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConfirmationNumber {
    type Err = NotAConfirmationNumber;

    /// Reads it with or without hyphens, as people copy it from the tax service's pages.
    fn from_str(text: &str) -> Result<Self, NotAConfirmationNumber> {
        let plain: String = text.chars().filter(|character| *character != '-').collect();
        if plain.len() == 24 && plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(plain))
        } else {
            Err(NotAConfirmationNumber)
        }
    }
}

impl fmt::Display for ConfirmationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_confirmation_numbers_have_their_form() {
        for key in ["INV-20260214-001", "a", "A_b-9", &"k".repeat(24)] {
            assert!(key.parse::<DocumentKey>().is_ok(), "{key}");
        }
        for key in ["", " ", "a/b", "가", "a.b", &"k".repeat(25)] {
            assert!(key.parse::<DocumentKey>().is_err(), "{key}");
        }
        let number: ConfirmationNumber = "20260214-41000203-00000001".parse().unwrap();
        assert_eq!(number.as_str(), "202602144100020300000001");
        assert!("2026021441000203000000".parse::<ConfirmationNumber>().is_err());
    }
}

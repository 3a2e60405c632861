//! Whom a message goes to, written as everybody writes numbers and addresses (`platform::contact`), so that the same person is
//! found by the same hash.

use platform::{Vault, contact};
use secrecy::{ExposeSecret, SecretString};

use crate::message::Channel;

/// A number or an address that something can be sent to.
#[derive(Clone, Debug)]
pub(crate) struct Contact(SecretString);

impl Contact {
    /// `None` for what the channel cannot reach.
    pub(crate) fn read(channel: Channel, text: &SecretString) -> Option<Self> {
        match channel {
            Channel::Sms | Channel::Kakao => mobile(text.expose_secret()),
            Channel::Email => contact::email(text.expose_secret()),
        }
        .map(|contact| Self(contact.into()))
    }

    pub(crate) fn secret(&self) -> &SecretString {
        &self.0
    }

    pub(crate) fn hash(&self, vault: &Vault) -> Vec<u8> {
        vault.keyed_hash(&self.0)
    }
}

/// Only mobile numbers take texts (and 0505 ones that lead to them).
pub(crate) fn mobile(text: &str) -> Option<String> {
    contact::phone(text).filter(|digits| {
        (digits.starts_with("01") && (10..=11).contains(&digits.len()))
            || (digits.starts_with("050") && (11..=12).contains(&digits.len()))
    })
}

/// For who need not call or write: `010-****-5678`, `k***@misohair.com`.
pub(crate) fn masked(contact: &SecretString) -> String {
    match contact.expose_secret() {
        "" => "****".to_owned(),
        address if address.contains('@') => contact::masked_email(address),
        number => contact::masked_phone(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mobile_numbers_take_texts() {
        for (text, number) in [
            ("010-1234-5678", Some("01012345678")),
            ("+82 10-1234-5678", Some("01012345678")),
            ("0111234567", Some("0111234567")),
            ("02-312-3456", None),
            ("1588-1234", None),
            ("+14155550100", None),
            ("", None),
        ] {
            assert_eq!(mobile(text).as_deref(), number, "{text}");
        }
    }

    #[test]
    fn what_is_shown_is_not_enough_to_reach_anybody() {
        assert_eq!(masked(&"01012345678".into()), "010-****-5678");
        assert_eq!(masked(&"kim@misohair.com".into()), "k***@misohair.com");
        assert_eq!(masked(&"".into()), "****");
    }
}

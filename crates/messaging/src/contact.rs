//! Whom a message goes to, written one way: as booking writes its customers' numbers and addresses, so that the same
//! person is found by the same hash.

use platform::Vault;
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
            Channel::Email => address(text.expose_secret()),
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

/// Digits alone. Only mobile numbers take texts (and 0505 ones that lead to them).
pub(crate) fn mobile(text: &str) -> Option<String> {
    let plain: String = text.chars().filter(|c| !matches!(c, '-' | ' ' | '.' | '(' | ')')).collect();
    let digits = match plain.strip_prefix("+82").or_else(|| plain.strip_prefix("0082")) {
        Some(rest) => format!("0{}", rest.trim_start_matches('0')),
        None => plain,
    };
    let is_mobile = digits.bytes().all(|byte| byte.is_ascii_digit())
        && ((digits.starts_with("01") && (10..=11).contains(&digits.len()))
            || (digits.starts_with("050") && (11..=12).contains(&digits.len())));
    is_mobile.then_some(digits)
}

/// In lower case. Whether it is one, only a mail can tell.
fn address(text: &str) -> Option<String> {
    let address = text.trim().to_lowercase();
    let (local, domain) = address.split_once('@')?;
    let is_plausible = address.len() <= 254
        && !local.is_empty()
        && domain.contains('.')
        && !address.contains(|c: char| c.is_whitespace() || c.is_control() || "<>()[],;:\\\"".contains(c));
    is_plausible.then_some(address)
}

/// For who need not call or write: `010-****-5678`, `k***@misohair.com`.
pub(crate) fn masked(contact: &SecretString) -> String {
    let text = contact.expose_secret();
    if let Some((local, domain)) = text.split_once('@') {
        let first: String = local.chars().take(1).collect();
        return format!("{first}***@{domain}");
    }
    let (Some(head), Some(tail)) = (text.get(..3), text.get(text.len().saturating_sub(4)..)) else {
        return "****".to_owned();
    };
    format!("{head}-****-{tail}")
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

//! What a mail server's replies mean, in one table.
//!
//! Source: RFC 5321 and RFC 3463. A 4xx is a moment's no, a 5xx a lasting one; which of us it is about stands in the
//! enhanced code, where the server gives one.

use std::error::Error as _;

use lettre::transport::smtp::Error;

use super::super::Refusal;
use crate::FailureClass::{self, Account, BadNumber, OurBug, SpamFilter, Temporary, TooLong, Unreachable};

#[rustfmt::skip] // One code, one line.
const ENHANCED: &[(&str, FailureClass)] = &[
    ("5.1.0", BadNumber),
    ("5.1.1", BadNumber),
    ("5.1.2", BadNumber),
    ("5.1.3", BadNumber),
    ("5.1.6", BadNumber),
    ("5.1.10", BadNumber),
    ("5.2.1", BadNumber),
    ("5.2.2", Unreachable),
    ("5.2.3", TooLong),
    ("5.3.4", TooLong),
    ("5.4.1", BadNumber),
    ("5.4.4", BadNumber),
    // Of our reputation, our records or the receiver's policy: not of the person.
    ("5.7.1", SpamFilter),
    ("5.7.23", OurBug),
    ("5.7.26", OurBug),
    ("5.7.27", OurBug),
    ("5.7.28", SpamFilter),
    ("5.7.509", OurBug),
];

/// A no that was said; `None` where nobody said anything.
pub(super) fn judge(error: &Error) -> Option<Refusal> {
    let code = error.status()?.to_string();
    let text = error.source().map(ToString::to_string).unwrap_or_default();
    let enhanced = text.split_whitespace().next().filter(|word| is_enhanced(word));
    let class = match enhanced.and_then(|word| ENHANCED.iter().find(|(known, _)| known == &word)) {
        Some((_, class)) => *class,
        None if error.is_transient() => Temporary,
        // 530, 534, 535, 538: who we are. 552: too large.
        None if code.starts_with("53") => Account,
        None if code == "552" => TooLong,
        None if matches!(code.as_str(), "550" | "551" | "553") => BadNumber,
        None => FailureClass::Unexplained,
    };
    Some(Refusal::new(class, enhanced.map_or(code.clone(), |word| format!("{code} {word}"))))
}

fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

/// For operators. A server may repeat an address in what it says, so only its code is told.
pub(super) fn describe(error: &Error) -> String {
    match error.status() {
        Some(code) => format!("the server said {code}"),
        None if error.is_timeout() => "no answer in time".to_owned(),
        None if error.is_tls() => "no encrypted connection came about".to_owned(),
        None if error.is_client() => "the server cannot do what the mail needs".to_owned(),
        None => "the connection failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning() {
        for (index, (code, _)) in ENHANCED.iter().enumerate() {
            assert!(is_enhanced(code));
            assert!(ENHANCED[index + 1..].iter().all(|(other, _)| other != code), "{code}");
        }
        assert!(!is_enhanced("kim@misohair.com") && !is_enhanced("5.1"));
    }
}

//! What becomes of what is sent to a number or an address.

use serde::{Deserialize, Serialize};

/// What a phone, or a mailbox, does with what arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Fate {
    #[default]
    Delivered,
    /// Taken at first; there is no such subscriber. A mail server says so at once.
    NoSuchNumber,
    /// Refused at once: its owner called the 080 line.
    Blocked,
    /// No KakaoTalk there: a text arrives in its place, if it may.
    NoKakao,
    /// No KakaoTalk there, and no text arrives either.
    Nothing,
    /// Switched off until the carrier gives up.
    PhoneOff,
    /// Nobody ever reports.
    NeverReported,
}

impl Fate {
    /// `010-0000-000N` and `bounce@…` have a fate of their own; all others arrive.
    pub(super) fn by_address(to: &str) -> Self {
        if let Some((local, _)) = to.split_once('@') {
            return match local {
                "bounce" => Self::NoSuchNumber,
                "blocked" => Self::Blocked,
                _ => Self::Delivered,
            };
        }
        match to.strip_prefix("0100000000") {
            Some("2") => Self::NoSuchNumber,
            Some("3") => Self::Blocked,
            Some("4") => Self::NoKakao,
            Some("5") => Self::Nothing,
            Some("6") => Self::PhoneOff,
            Some("7") => Self::NeverReported,
            _ => Self::Delivered,
        }
    }
}

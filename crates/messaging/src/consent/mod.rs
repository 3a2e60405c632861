//! Who agreed to advertising, and who no longer does.
//!
//! A ledger: every word is a line that is never changed, and how somebody stands is the last one for a channel and a
//! purpose. [`notice`] tells people within fourteen days what was written down about them; [`renewal`] asks again before
//! two years are over. A number that refused is on a list of its own ([`refuse`]), since it may be anybody's.

mod notice;
mod record;
mod refuse;
mod renewal;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::law::good_until;

pub(crate) use record::Said;
pub(crate) use renewal::{ask_again_at, renewal_window};

kernel::number_id!(
    /// Names a line of the ledger of consents.
    ConsentId
);

/// What somebody agrees to.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ConsentPurpose {
    Marketing,
    /// Between nine in the evening and eight in the morning; worth nothing without the other.
    MarketingNight,
}

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Act {
    Given,
    Withdrawn,
    /// Asked after two years and not refused.
    Reconfirmed,
}

/// The last that somebody said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastWord {
    pub(crate) act: Act,
    pub(crate) acted_at: DateTime<Utc>,
}

impl LastWord {
    pub(crate) fn holds(self, now: DateTime<Utc>) -> bool {
        match self.act {
            Act::Given | Act::Reconfirmed => now < good_until(self.acted_at),
            Act::Withdrawn => false,
        }
    }
}

/// How it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Method {
    Paper,
    Web,
    Kiosk,
    Phone,
    /// Said to the shop, who writes it down.
    Desk,
    /// Came along with a list of customers, whose proof somebody named.
    Import,
    /// The link in an advertisement.
    Link,
    /// The button of a mail program (RFC 8058).
    OneClick,
    /// The 080 line.
    RefusalLine,
    /// The carrier's list of those who refuse.
    ProviderList,
    /// The notice that asks again after two years.
    Notice,
}

/// By which way a refusal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Source {
    Link,
    OneClick,
    RefusalLine,
    ProviderList,
    Desk,
}

impl Source {
    pub(crate) fn method(self) -> Method {
        match self {
            Self::Link => Method::Link,
            Self::OneClick => Method::OneClick,
            Self::RefusalLine => Method::RefusalLine,
            Self::ProviderList => Method::ProviderList,
            Self::Desk => Method::Desk,
        }
    }
}

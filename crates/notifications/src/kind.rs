//! What people are told of, and over what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a notification is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationType {
    /// To the shop: somebody reserved.
    ReservationNew,
    /// To the customer: the shop said yes.
    ReservationConfirm,
    /// To both: it will not take place.
    ReservationCancel,
    /// To the customer, the day before.
    ReservationReminder,
    /// To the shop: somebody said how it was.
    ReviewNew,
    /// To the shop: its subscription was paid.
    PaymentSuccess,
    /// To the shop: it could not be charged.
    PaymentFailed,
    /// To the shop: its plan ends in a few days.
    SubscriptionExpiring,
    /// To everybody, from the platform.
    System,
}

impl NotificationType {
    pub const ALL: [Self; 9] = [
        Self::ReservationNew,
        Self::ReservationConfirm,
        Self::ReservationCancel,
        Self::ReservationReminder,
        Self::ReviewNew,
        Self::PaymentSuccess,
        Self::PaymentFailed,
        Self::SubscriptionExpiring,
        Self::System,
    ];

    /// `None` for one that only a later version knows.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReservationNew => "RESERVATION_NEW",
            Self::ReservationConfirm => "RESERVATION_CONFIRM",
            Self::ReservationCancel => "RESERVATION_CANCEL",
            Self::ReservationReminder => "RESERVATION_REMINDER",
            Self::ReviewNew => "REVIEW_NEW",
            Self::PaymentSuccess => "PAYMENT_SUCCESS",
            Self::PaymentFailed => "PAYMENT_FAILED",
            Self::SubscriptionExpiring => "SUBSCRIPTION_EXPIRING",
            Self::System => "SYSTEM",
        }
    }
}

/// Over what somebody is told.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sqlx::Type,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Channel {
    /// On the screen: the list, the count, WebSocket and SSE.
    InApp,
    Email,
    Kakao,
    Sms,
}

impl Channel {
    pub const ALL: [Self; 4] = [Self::InApp, Self::Email, Self::Kakao, Self::Sms];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::InApp => "IN_APP",
            Self::Email => "EMAIL",
            Self::Kakao => "KAKAO",
            Self::Sms => "SMS",
        }
    }
}

/// Some types, as a set that costs a connection two bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Types(u16);

impl Types {
    pub(crate) fn with(self, kind: NotificationType) -> Self {
        Self(self.0 | 1 << kind as u16)
    }

    /// From the names that a column holds.
    pub(crate) fn named(names: &[String]) -> Self {
        names.iter().filter_map(|name| NotificationType::named(name)).fold(Self::default(), Self::with)
    }

    pub(crate) fn contains(self, kind: NotificationType) -> bool {
        self.0 & 1 << kind as u16 != 0
    }

    pub(crate) fn bits(self) -> u16 {
        self.0
    }

    pub(crate) fn of_bits(bits: u16) -> Self {
        Self(bits)
    }

    /// All others that there are in this version, as SQL takes them.
    pub(crate) fn others(self) -> Vec<String> {
        let others = NotificationType::ALL.into_iter().filter(|kind| !self.contains(*kind));
        others.map(|kind| kind.as_str().to_owned()).collect()
    }
}

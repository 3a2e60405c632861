//! Events, as far as they are news.

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use kernel::{BusinessId, KoreanTime, Krw};
use platform::events::Happened;
use serde::Deserialize;

use crate::{NotificationType, notice::NoticePublished, reminder::ReminderDue};

/// A reservation that says it was made longer ago than this is history that somebody loads, and no news.
const FRESH: TimeDelta = TimeDelta::days(1);

/// Something that happened, and may be worth telling.
#[derive(Clone, Debug)]
pub(crate) struct News {
    pub business: BusinessId,
    pub at: DateTime<Utc>,
    pub transaction: String,
    pub fact: Fact,
}

/// What happened.
#[derive(Clone, Debug)]
pub(crate) enum Fact {
    Reserved(Visit),
    Confirmed(Visit),
    Cancelled(Visit),
    Remind(Visit),
    Reviewed(Review),
    Paid(Paid),
    NotPaid(NotPaid),
    Expiring(Expiring),
    Notice(NoticePublished),
    CustomerErased { customer_id: i64 },
}

/// A reservation.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Visit {
    pub reservation_id: i64,
    pub customer_id: Option<i64>,
    #[serde(default)]
    pub services: Vec<Named>,
    pub start_at: KoreanTime,
    #[serde(default)]
    pub status: String,
    /// When it was made, where the event says so.
    pub created_at: Option<KoreanTime>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Named {
    pub name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Review {
    pub review_id: i64,
    pub customer_id: Option<i64>,
    pub rating: i16,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Paid {
    pub payment_id: i64,
    pub amount: Krw,
    pub next_payment_date: Option<NaiveDate>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NotPaid {
    pub payment_id: i64,
    pub amount: Krw,
    pub failure: Why,
    pub next_attempt_date: Option<NaiveDate>,
}

/// Why a payment failed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Why {
    pub message: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Expiring {
    pub plan_name: String,
    /// The first day without it.
    pub access_until: NaiveDate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Erased {
    customer_id: i64,
}

impl News {
    /// `None` for an event of which nobody is told, and for one that cannot be read.
    pub(crate) fn read(event: &Happened) -> Option<Self> {
        let fact = match event.kind.as_str() {
            "reservation.created" => Fact::Reserved(event.read()?),
            "reservation.confirmed" => Fact::Confirmed(event.read()?),
            "reservation.cancelled" => Fact::Cancelled(event.read()?),
            "reminder.due" => Fact::Remind(event.read::<ReminderDue>()?.into()),
            "review.created" => Fact::Reviewed(event.read()?),
            "payment.succeeded" => Fact::Paid(event.read()?),
            "payment.failed" => Fact::NotPaid(event.read()?),
            "subscription.expiring" => Fact::Expiring(event.read()?),
            "notice.published" => Fact::Notice(event.read()?),
            "customer.erased" => Fact::CustomerErased { customer_id: event.read::<Erased>()?.customer_id },
            _ => return None,
        };
        Some(Self { business: event.business, at: event.at, transaction: event.transaction.clone(), fact })
    }

    /// The customer whom it is about.
    pub(crate) fn customer(&self) -> Option<i64> {
        match &self.fact {
            Fact::Reserved(visit) | Fact::Confirmed(visit) | Fact::Cancelled(visit) | Fact::Remind(visit) => {
                visit.customer_id
            }
            Fact::Reviewed(review) => review.customer_id,
            Fact::Paid(_)
            | Fact::NotPaid(_)
            | Fact::Expiring(_)
            | Fact::Notice(_)
            | Fact::CustomerErased { .. } => None,
        }
    }

    /// As what the shop is told of it, and whom it is about. Of the past nobody is told: it came with a load of history.
    pub(crate) fn for_admins(&self) -> Option<(NotificationType, Option<i64>)> {
        let kind = match &self.fact {
            Fact::Reserved(visit) if self.is_news(visit) && visit.is_open() => {
                NotificationType::ReservationNew
            }
            Fact::Cancelled(visit) if self.is_to_come(visit) => NotificationType::ReservationCancel,
            Fact::Reviewed(_) => NotificationType::ReviewNew,
            Fact::Paid(_) => NotificationType::PaymentSuccess,
            Fact::NotPaid(_) => NotificationType::PaymentFailed,
            Fact::Expiring(_) => NotificationType::SubscriptionExpiring,
            Fact::Reserved(_)
            | Fact::Confirmed(_)
            | Fact::Cancelled(_)
            | Fact::Remind(_)
            | Fact::Notice(_)
            | Fact::CustomerErased { .. } => return None,
        };
        Some((kind, self.customer()))
    }

    /// As what its customer is told of a visit.
    pub(crate) fn for_customer(&self) -> Option<(NotificationType, &Visit)> {
        match &self.fact {
            // A shop that says yes at once.
            Fact::Reserved(visit) if self.is_news(visit) && visit.status == "CONFIRMED" => {
                Some((NotificationType::ReservationConfirm, visit))
            }
            Fact::Confirmed(visit) if self.is_to_come(visit) => {
                Some((NotificationType::ReservationConfirm, visit))
            }
            Fact::Cancelled(visit) if self.is_to_come(visit) => {
                Some((NotificationType::ReservationCancel, visit))
            }
            Fact::Remind(visit) => Some((NotificationType::ReservationReminder, visit)),
            _ => None,
        }
    }

    fn is_to_come(&self, visit: &Visit) -> bool {
        visit.start_at.0 > self.at
    }

    fn is_news(&self, visit: &Visit) -> bool {
        self.is_to_come(visit) && visit.created_at.is_none_or(|created| self.at - created.0 < FRESH)
    }
}

impl Visit {
    fn is_open(&self) -> bool {
        matches!(self.status.as_str(), "PENDING" | "CONFIRMED")
    }
}

impl From<ReminderDue> for Visit {
    fn from(due: ReminderDue) -> Self {
        Self {
            reservation_id: due.reservation_id,
            customer_id: Some(due.customer_id),
            services: due.services.into_iter().map(|name| Named { name }).collect(),
            start_at: due.start_at,
            status: String::new(),
            created_at: None,
        }
    }
}

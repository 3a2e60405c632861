//! What booking tells the rest of the platform. Nothing of it says who a customer is: ids do.

use kernel::KoreanTime;
use platform::events::Event;
use serde::Serialize;

use crate::{
    customer::CustomerId,
    reservation::{ReservationId, ReservationStatus},
    review::ReviewId,
    service::ServiceId,
    staff::StaffId,
};

/// An event of this context. The members of each variant are its published `data`.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
pub(crate) enum BookingEvent {
    ReservationCreated(Visit),
    /// A reservation has come to stand as it says.
    ReservationMoved(Visit),
    ReviewCreated {
        review_id: ReviewId,
        reservation_id: ReservationId,
        customer_id: Option<CustomerId>,
        rating: i16,
    },
    CustomerCreated {
        customer_id: CustomerId,
    },
    /// Whoever keeps something about this customer has to forget it.
    CustomerErased {
        customer_id: CustomerId,
    },
}

/// A reservation as it is after the event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Visit {
    pub reservation_id: ReservationId,
    pub customer_id: Option<CustomerId>,
    pub staff: Option<VisitedStaff>,
    pub services: Vec<VisitedService>,
    pub start_at: KoreanTime,
    pub status: ReservationStatus,
    pub price: i64,
    /// When it was made, which may be long before it came here; said once, when it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_at: Option<KoreanTime>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitedStaff {
    pub staff_id: StaffId,
    pub name: String,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VisitedService {
    pub service_id: ServiceId,
    pub name: String,
    pub price: i64,
}

impl Event for BookingEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::ReservationCreated(_) => "reservation.created",
            Self::ReservationMoved(visit) => match visit.status {
                ReservationStatus::Pending => "reservation.reopened",
                ReservationStatus::Confirmed => "reservation.confirmed",
                ReservationStatus::Completed => "reservation.completed",
                ReservationStatus::Cancelled => "reservation.cancelled",
                ReservationStatus::NoShow => "reservation.no_show",
            },
            Self::ReviewCreated { .. } => "review.created",
            Self::CustomerCreated { .. } => "customer.created",
            Self::CustomerErased { .. } => "customer.erased",
        }
    }
}

//! Reviews.

use kernel::BusinessId;
use platform::FieldError;

use crate::{
    Booking, BookingError, ReservationStatus,
    event::BookingEvent,
    reservation::ReservationId,
    review::ReviewView,
    store::{
        reservation,
        review::{self, ReviewFilter},
    },
};

impl Booking {
    /// Whoever was there says once how it was.
    pub(crate) async fn add_review(
        &self,
        business: BusinessId,
        reservation_id: ReservationId,
        rating: i16,
        content: &str,
    ) -> Result<ReviewView, BookingError> {
        let mut tx = self.write(business).await?;
        let visit = reservation::planned(&mut tx, business, reservation_id).await?;
        let visit = visit.ok_or_else(|| BookingError::Invalid(vec![unknown_reservation()]))?;
        if visit.status != ReservationStatus::Completed {
            return Err(BookingError::NotVisited);
        }
        let now = self.clock.now();
        let added = review::insert(&mut tx, business, now, reservation_id, rating, content).await?;
        let review_id = added.ok_or(BookingError::ReviewExists)?;
        let event =
            BookingEvent::ReviewCreated { review_id, reservation_id, customer_id: visit.customer, rating };
        self.publish(&mut tx, &[(business, event)]).await?;
        let filter = ReviewFilter { only: Some(review_id), limit: 1, ..ReviewFilter::default() };
        let view = review::list(&mut tx, business, &filter).await?.pop().ok_or(BookingError::NotFound)?;
        tx.commit().await?;
        Ok(view)
    }
}

fn unknown_reservation() -> FieldError {
    FieldError {
        field: "reservationId".to_owned(),
        code: "UNKNOWN_RESERVATION",
        message: "등록되지 않은 예약입니다.".to_owned(),
    }
}

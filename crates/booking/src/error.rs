//! What can go wrong here, and how it looks as a [`Problem`].

use platform::{FieldError, Problem, VaultError};

use crate::reservation::ReservationStatus;

/// A move that a reservation's status does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a reservation that is {from:?} cannot become {wanted:?}")]
pub struct IllegalMove {
    pub from: ReservationStatus,
    pub wanted: ReservationStatus,
}

#[derive(Debug, thiserror::Error)]
pub enum BookingError {
    #[error("no such business")]
    NoSuchBusiness,
    #[error("no such thing, or not this business's")]
    NotFound,
    #[error("fields cannot be like that")]
    Invalid(Vec<FieldError>),
    #[error(transparent)]
    IllegalMove(#[from] IllegalMove),
    #[error("the reservation has a review already")]
    ReviewExists,
    #[error("the customer was not there")]
    NotVisited,
    #[error("a stored secret cannot be opened")]
    Vault(#[from] VaultError),
    #[error("booking database failed")]
    Db(#[from] sqlx::Error),
}

impl From<BookingError> for Problem {
    fn from(error: BookingError) -> Self {
        match error {
            BookingError::NoSuchBusiness => Self::not_found("사업장을 찾을 수 없습니다."),
            BookingError::NotFound => Self::not_found("요청한 항목을 찾을 수 없습니다."),
            BookingError::Invalid(errors) => Self::invalid(errors),
            BookingError::IllegalMove(IllegalMove { from, wanted }) => Self::conflict(
                "ILLEGAL_STATUS",
                format!("예약 상태를 {}에서 {}(으)로 바꿀 수 없습니다.", from.as_str(), wanted.as_str()),
            ),
            BookingError::ReviewExists => {
                Self::conflict("REVIEW_EXISTS", "이 예약에는 이미 후기가 있습니다.")
            }
            BookingError::NotVisited => {
                Self::conflict("NOT_VISITED", "방문이 완료된 예약에만 후기를 남길 수 있습니다.")
            }
            BookingError::Vault(_) => Self::internal(&error),
            BookingError::Db(error) => error.into(),
        }
    }
}

//! What can go wrong here, and how it looks as a [`Problem`].

use platform::{FieldError, Problem};

#[derive(Debug, thiserror::Error)]
pub enum NotificationsError {
    #[error("no such notification, or not this person's")]
    NotFound,
    #[error("fields cannot be like that")]
    Invalid(Vec<FieldError>),
    #[error("the notifications' database failed")]
    Db(#[from] sqlx::Error),
}

impl From<NotificationsError> for Problem {
    fn from(error: NotificationsError) -> Self {
        match error {
            NotificationsError::NotFound => Self::not_found("알림을 찾을 수 없습니다."),
            NotificationsError::Invalid(errors) => Self::invalid(errors),
            NotificationsError::Db(error) => error.into(),
        }
    }
}

//! What can go wrong here, and how it looks as a [`Problem`].

use platform::Problem;

use crate::range::InvalidRange;

#[derive(Debug, thiserror::Error)]
pub enum ReportingError {
    #[error(transparent)]
    InvalidRange(#[from] InvalidRange),
    #[error("the reports' database failed")]
    Db(#[from] sqlx::Error),
}

impl From<ReportingError> for Problem {
    fn from(error: ReportingError) -> Self {
        match error {
            ReportingError::InvalidRange(invalid) => Self::bad_request(
                "INVALID_RANGE",
                match invalid {
                    InvalidRange::Backwards => "종료일이 시작일보다 빠릅니다.",
                    InvalidRange::TooLong => "조회 기간은 최대 5년입니다.",
                    InvalidRange::OutOfTime => "2000년부터 2099년 사이의 날짜를 입력해 주세요.",
                },
            ),
            ReportingError::Db(error) => error.into(),
        }
    }
}

//! What can go wrong here, and how it looks as a [`Problem`].

use axum::http::StatusCode;
use platform::{FieldError, Problem, VaultError};

use crate::{range::InvalidDays, storage::StorageError};

#[derive(Debug, thiserror::Error)]
pub enum ExportsError {
    #[error("no such business")]
    NoSuchBusiness,
    #[error("no such export, or not this business's")]
    NotFound,
    #[error(transparent)]
    InvalidDays(#[from] InvalidDays),
    #[error("fields cannot be like that")]
    Invalid(Vec<FieldError>),
    #[error("the plan does not allow exports")]
    PlanUpgradeRequired(Problem),
    #[error("too many exports are waiting")]
    TooMany,
    #[error("the file is not there yet")]
    NotReady,
    #[error("nothing came of the export")]
    Failed,
    #[error("the file has expired and is deleted")]
    Expired,
    #[error("the file shows how customers are reached")]
    PersonalData,
    #[error("a stored secret cannot be opened")]
    Vault(#[from] VaultError),
    #[error("the storage of files failed")]
    Storage(#[from] StorageError),
    #[error("the exports' database failed")]
    Db(#[from] sqlx::Error),
}

impl From<ExportsError> for Problem {
    fn from(error: ExportsError) -> Self {
        match error {
            ExportsError::NoSuchBusiness => Self::not_found("사업장을 찾을 수 없습니다."),
            ExportsError::NotFound => Self::not_found("내보내기를 찾을 수 없습니다."),
            ExportsError::InvalidDays(invalid) => Self::bad_request(
                "INVALID_RANGE",
                match invalid {
                    InvalidDays::Backwards => "종료일이 시작일보다 빠릅니다.",
                    InvalidDays::TooMany => "내보내기 기간은 최대 5년입니다.",
                    InvalidDays::OutOfTime => "2000년부터 2099년 사이의 날짜를 입력해 주세요.",
                },
            ),
            ExportsError::Invalid(errors) => Self::invalid(errors),
            ExportsError::PlanUpgradeRequired(problem) => problem,
            ExportsError::TooMany => Self::conflict(
                "TOO_MANY_EXPORTS",
                "준비 중인 내보내기가 너무 많습니다. 완료된 뒤 다시 요청해 주세요.",
            ),
            ExportsError::NotReady => {
                Self::conflict("EXPORT_NOT_READY", "내보내기를 아직 준비하고 있습니다.")
            }
            ExportsError::Failed => {
                Self::conflict("EXPORT_FAILED", "파일을 만들지 못한 내보내기입니다. 다시 요청해 주세요.")
            }
            ExportsError::Expired => Self::new(
                StatusCode::GONE,
                "EXPORT_EXPIRED",
                "Export expired",
                "다운로드 기간이 지나 파일이 삭제되었습니다. 다시 요청해 주세요.",
            ),
            ExportsError::PersonalData => Self::forbidden(
                "PERMISSION_REQUIRED",
                "연락처가 그대로 표시된 파일입니다. 개인정보 열람 권한이 필요합니다.",
            ),
            ExportsError::Storage(ref failed) => {
                tracing::error!(error = %failed, "the storage of files failed");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "STORAGE_UNAVAILABLE",
                    "Service unavailable",
                    "파일 저장소에 연결하지 못했습니다. 잠시 후 다시 시도해 주세요.",
                )
            }
            ExportsError::Vault(_) => Self::internal(&error),
            ExportsError::Db(error) => error.into(),
        }
    }
}

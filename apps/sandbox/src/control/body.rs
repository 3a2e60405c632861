//! Bodies of the control surface: plain JSON in, plain JSON out, errors as `{"code", "message"}`.

use axum::{
    Json,
    extract::{FromRequest, Request, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::complaint::Complaint;

pub(crate) type Answered = Result<Response, ControlError>;

pub(crate) struct ControlError {
    status: StatusCode,
    code: String,
    message: String,
}

impl ControlError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: "INVALID_REQUEST".into(), message: message.into() }
    }
}

impl From<Complaint> for ControlError {
    fn from(complaint: Complaint) -> Self {
        let status = if complaint.code.starts_with("NOT_FOUND") {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::BAD_REQUEST
        };
        Self { status, code: complaint.code, message: complaint.message }
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"code": self.code, "message": self.message}))).into_response()
    }
}

/// `axum::Json`, except that a body it cannot read is an error of ours.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<S: Send + Sync, T> FromRequest<S> for JsonBody<T>
where
    Json<T>: FromRequest<S, Rejection = JsonRejection>,
{
    type Rejection = ControlError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ControlError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(ControlError::bad_request(rejection.body_text())),
        }
    }
}

pub(crate) async fn not_found() -> ControlError {
    ControlError {
        status: StatusCode::NOT_FOUND,
        code: "NOT_FOUND".into(),
        message: "샌드박스에 없는 주소입니다. 제어 화면은 /_sandbox, 토스페이먼츠는 /toss, 포트원은 /portone, NHN KCP는 /kcp, 부트페이는 /bootpay/v2, 팝빌은 /popbill과 /linkhub 아래에 있습니다."
            .into(),
    }
}

//! Errors as the API speaks them: RFC 9457 problem documents.

use std::error::Error;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

tokio::task_local! {
    /// The id of the request that this task answers; the gateway sets it, every problem carries it.
    pub static TRACE_ID: TraceId;
}

/// Names one request in answers and in logs.
#[derive(Clone, Debug)]
pub struct TraceId(pub String);

/// What was wrong, where, and what to do about it.
///
/// Boxed, because it is the error half of nearly every result.
#[derive(Clone, Debug)]
pub struct Problem(Box<Document>);

/// What was wrong, where, and what to do about it (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
struct Document {
    /// A stable URI reference for this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "/problems/card-declined")]
    kind: String,
    /// A short English name of the kind of problem.
    #[schema(example = "Card declined")]
    title: &'static str,
    /// The HTTP status, repeated for those who only see the body.
    #[schema(example = 402)]
    status: u16,
    /// What a shop owner may read, in Korean.
    #[schema(example = "카드사에서 결제를 거절했습니다. 잔액 또는 한도를 확인해 주세요.")]
    detail: String,
    /// The stable word that programs match on.
    #[schema(example = "CARD_DECLINED")]
    code: &'static str,
    /// Which fields were wrong, where that is what is wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Quote this id when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    /// Further facts of one kind of problem, as members of their own.
    #[serde(flatten)]
    #[schema(ignore)]
    facts: Map<String, Value>,
}

/// One field that was wrong.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// Where in the request: a path such as `plan` or `services[0].price`.
    #[schema(example = "plan")]
    pub field: String,
    #[schema(example = "UNKNOWN_PLAN")]
    pub code: &'static str,
    #[schema(example = "존재하지 않는 요금제입니다.")]
    pub message: String,
}

impl Problem {
    /// `code` is `SCREAMING_SNAKE`; the type and the title are derived from it.
    pub fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Box::new(Document {
            kind: format!("/problems/{}", code.to_ascii_lowercase().replace('_', "-")),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            code,
            errors: Vec::new(),
            trace_id: None,
            facts: Map::new(),
        }))
    }

    /// A request that cannot be understood at all: 400.
    pub fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, "Bad request", detail)
    }

    /// A request that can be read but asks for something impossible: 422, naming the fields.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = errors.first().map_or_else(String::new, |error| match error.field.as_str() {
            "" => error.message.clone(),
            field => format!("{field}: {}", error.message),
        });
        let mut problem =
            Self::new(StatusCode::UNPROCESSABLE_ENTITY, "VALIDATION_FAILED", "Validation failed", detail);
        problem.0.errors = errors;
        problem
    }

    /// [`Self::invalid`] with one field.
    pub fn invalid_field(field: &str, code: &'static str, message: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { field: field.to_owned(), code, message: message.into() }])
    }

    /// 404. Also the answer for what exists but belongs to somebody else.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", "Not found", detail)
    }

    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, "Conflict", detail)
    }

    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, "Forbidden", detail)
    }

    /// Our own failure. The chain of causes is logged here, once; the client learns only the trace id.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        let mut causes = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            causes.push(cause.to_string());
            next = cause.source();
        }
        tracing::error!(%error, causes = causes.join(": "), "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "INTERNAL_ERROR",
            "Internal error",
            "일시적인 오류가 발생했습니다. 잠시 후 다시 시도해 주세요.",
        )
    }

    /// Adds a fact as a member of the document.
    #[must_use]
    pub fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.0.facts.insert(member.to_owned(), value.into());
        self
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// What was wrong with the fields; where none is named, with the whole.
    pub fn into_field_errors(self) -> Vec<FieldError> {
        let Document { code, detail, errors, .. } = *self.0;
        if errors.is_empty() {
            vec![FieldError { field: String::new(), code, message: detail }]
        } else {
            errors
        }
    }
}

impl utoipa::PartialSchema for Problem {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> std::borrow::Cow<'static, str> {
        Document::name()
    }

    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        Document::schemas(schemas);
    }
}

impl Serialize for Problem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl IntoResponse for Problem {
    fn into_response(mut self) -> Response {
        self.0.trace_id = TRACE_ID.try_with(|id| id.0.clone()).ok();
        let mut response = (self.status(), Json(&self.0)).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status() == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        if let sqlx::Error::PoolTimedOut = error {
            tracing::error!("no database connection became free in time");
            return Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "OVERLOADED",
                "Service unavailable",
                "요청이 많아 처리하지 못했습니다. 잠시 후 다시 시도해 주세요.",
            );
        }
        Self::internal(&error)
    }
}

/// The problems that any authenticated operation may answer with.
#[derive(utoipa::IntoResponses)]
pub enum CommonProblems {
    /// `MALFORMED_JSON`, `NUL_CHARACTER`, `UNREADABLE_BODY`, `BUSINESS_REQUIRED`, `INVALID_PARAMETER`,
    /// `INVALID_CURSOR`, `INVALID_IDEMPOTENCY_KEY`: the request cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// `AUTHENTICATION_REQUIRED`, `TOKEN_EXPIRED`, `TOKEN_INVALID`.
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(Problem),
    /// `PERMISSION_REQUIRED`: the caller's role does not allow this.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(Problem),
    /// `INTERNAL_ERROR`: ours, and logged under the `traceId`.
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(Problem),
}

/// The problems that any operation with a JSON body may answer with besides.
#[derive(utoipa::IntoResponses)]
pub enum BodyProblems {
    /// `BODY_TOO_LARGE`: more than a mebibyte.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// `JSON_REQUIRED`: the `Content-Type` is not `application/json`.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
}

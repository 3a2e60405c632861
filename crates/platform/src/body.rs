//! axum's extractors, answering with a [`Problem`] when the request does not fit.

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, Request,
        rejection::{BytesRejection, FailedToBufferBody},
    },
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use utoipa::ToSchema;

use crate::{FieldError, Problem};

/// The envelope of every success: `{"data": ...}`.
#[derive(Debug, Serialize, ToSchema)]
pub struct Data<T> {
    pub data: T,
}

impl<T> Data<T> {
    pub fn json(data: T) -> Json<Self> {
        Json(Self { data })
    }
}

/// A JSON body, in and out.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let RawBody(body) = RawBody::from_request(request, state).await?;
        read_object(&body).map(Self)
    }
}

impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = Problem;

    /// `None` for a request without a body.
    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let headers = request.headers().clone();
        let RawBody(body) = <RawBody as FromRequest<S>>::from_request(request, state).await?;
        if body.is_empty() {
            return Ok(None);
        }
        require_json(&headers)?;
        read_object(&body).map(|value| Some(Self(value)))
    }
}

/// A body as it came, whatever it is.
#[derive(Debug)]
pub struct RawBody(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Bytes::from_request(request, state).await.map(Self).map_err(unreadable_body)
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "JSON_REQUIRED",
        "Unsupported media type",
        "Content-Type은 application/json이어야 합니다.",
    ))
}

#[expect(clippy::needless_pass_by_value, reason = "the signature that map_err wants")]
fn unreadable_body(rejection: BytesRejection) -> Problem {
    match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "Payload too large",
            "요청 본문이 너무 큽니다.",
        ),
        _ => Problem::bad_request("UNREADABLE_BODY", "요청 본문을 끝까지 읽지 못했습니다."),
    }
}

/// Reads a JSON object. Malformed JSON is a 400; well-formed JSON of the wrong shape is a 422 that names the field.
pub fn read_object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde would take a list for the members of a struct, in the order of the source.
    if body.trim_ascii_start().starts_with(b"[") && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        return Err(Problem::invalid_field("", "INVALID", "JSON 객체여야 합니다."));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        if !error.inner().is_data() {
            return malformed(error.inner());
        }
        let path = error.path().to_string();
        Problem::invalid(vec![FieldError {
            field: if path == "." { String::new() } else { shortened(path) },
            code: "INVALID",
            message: format!("올바르지 않은 값입니다 ({}).", without_position(error.inner())),
        }])
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    if contains_nul(body) {
        return Err(Problem::bad_request("NUL_CHARACTER", "사용할 수 없는 문자(\\u0000)가 들어 있습니다."));
    }
    Ok(value)
}

/// Whether JSON text spells out the one character that PostgreSQL cannot store: `\u0000`, but not
/// `\\u0000`, which is a backslash and six letters.
pub fn contains_nul(json: &[u8]) -> bool {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        if rest[at + 1..].starts_with(b"u0000") {
            return true;
        }
        // The character behind a backslash is escaped by it, and escapes nothing itself.
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::bad_request(
        "MALFORMED_JSON",
        format!("JSON을 읽을 수 없습니다 ({}행 {}열).", error.line(), error.column()),
    )
}

/// serde's sentence, without where it stands.
fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    without_value(text.rsplit_once(" at line ").map_or(text.as_str(), |(sentence, _)| sentence))
}

/// serde's sentence, without the value that was sent: that is the client's own business, may be a
/// secret, and would be kept with the answer to an `Idempotency-Key`.
fn without_value(sentence: &str) -> String {
    // ``invalid type: string "4300-...", expected ...``, ``unknown variant `4300-...`, expected ...``
    let kind =
        ["invalid type", "invalid value", "unknown variant"].iter().find_map(|kind| sentence.find(kind));
    let quote = kind.and_then(|kind| Some(kind + sentence[kind..].find(['"', '`'])?));
    let sentence = match (quote, sentence.rfind(", expected")) {
        (Some(quote), Some(expected)) if quote < expected => {
            format!("{}{}", sentence[..quote].trim_end(), &sentence[expected..])
        }
        _ => sentence.to_owned(),
    };
    shortened(sentence)
}

/// The name of an unknown field is worth repeating, but not at any length.
fn shortened(text: String) -> String {
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Parameters in the path.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    /// An id that cannot be one does not exist: 404, as for one that is nobody's.
    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Path::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Path(value)| Self(value))
            .map_err(|_| Problem::not_found("요청한 항목을 찾을 수 없습니다."))
    }
}

/// Parameters in the query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        axum::extract::Query::<T>::from_request_parts(parts, state)
            .await
            .map(|axum::extract::Query(value)| Self(value))
            .map_err(|rejection| {
                let text = rejection.body_text();
                let sentence =
                    text.rsplit_once("query string: ").map_or(text.as_str(), |(_, sentence)| sentence);
                Problem::bad_request(
                    "INVALID_PARAMETER",
                    format!("조회 조건이 올바르지 않습니다 ({}).", without_value(sentence)),
                )
            })
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only parsed")]
        amount: i64,
    }

    #[test]
    fn a_wrong_type_names_the_field_but_does_not_repeat_the_value() {
        let problem = read_object::<Body>(br#"{"amount": "4300-0000-0000-0001"}"#).unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let text = serde_json::to_string(&problem).unwrap();
        assert!(text.contains(r#""field":"amount""#), "{text}");
        assert!(!text.contains("4300"), "{text}");
    }

    #[test]
    fn no_kind_of_wrong_value_is_repeated() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Card {
            #[expect(dead_code, reason = "only parsed")]
            number: Option<String>,
            #[expect(dead_code, reason = "only parsed")]
            kind: Option<Kind>,
        }
        #[derive(Debug, Deserialize)]
        enum Kind {
            Debit,
        }
        for body in [
            r#"{"number": 4300000000000001}"#,
            r#"{"number": 4300000000000001.5}"#,
            r#"{"kind": "4300000000000001"}"#,
            r#"{"kind": "4300000000000001, expected `nothing`"}"#,
            r#"{"kind": 4300000000000001}"#,
            r#"{"pin": "4300000000000001"}"#,
        ] {
            let text = serde_json::to_string(&read_object::<Card>(body.as_bytes()).unwrap_err()).unwrap();
            assert!(!text.contains("4300"), "{text}");
        }
        assert!(read_object::<Card>(br#"{"number": "1", "kind": "Debit"}"#).is_ok());
    }

    #[test]
    fn what_is_repeated_is_short() {
        let body = format!(r#"{{"{}": 1}}"#, "가".repeat(10_000));
        let text = serde_json::to_string(&read_object::<Body>(body.as_bytes()).unwrap_err()).unwrap();
        assert!(text.contains("unknown field") && text.chars().count() < 1_500, "{text}");
    }

    #[test]
    fn a_character_that_the_database_cannot_store_is_refused() {
        #[derive(Debug, Deserialize)]
        struct Text {
            reason: String,
        }
        for refused in [&br#"{"reason": "\u0000"}"#[..], br#"{"reason": "a\\\u0000"}"#] {
            assert_eq!(read_object::<Text>(refused).unwrap_err().code(), "NUL_CHARACTER");
        }
        for fine in [&br#"{"reason": "\\u0000"}"#[..], br#"{"reason": "\u0001"}"#, br#"{"reason": "\\"}"#] {
            assert!(!read_object::<Text>(fine).unwrap().reason.contains('\0'));
        }
    }

    #[test]
    fn an_unknown_field_is_refused() {
        let problem = read_object::<Body>(br#"{"amount": 1, "amonut": 2}"#).unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[test]
    fn a_list_is_no_object() {
        for list in [&b"[1]"[..], b" \n[]"] {
            assert_eq!(read_object::<Body>(list).unwrap_err().status(), StatusCode::UNPROCESSABLE_ENTITY);
        }
        assert_eq!(read_object::<Body>(b"[1").unwrap_err().status(), StatusCode::BAD_REQUEST);
    }

    #[test]
    fn text_that_is_not_json_is_a_bad_request() {
        for body in [&b"{"[..], b"", b"\xff\xfe", b"{\"amount\":1} trailing"] {
            assert_eq!(read_object::<Body>(body).unwrap_err().status(), StatusCode::BAD_REQUEST);
        }
    }
}

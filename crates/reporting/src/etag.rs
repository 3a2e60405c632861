//! Whether a report that somebody has already read is still the same.
//!
//! `booking` counts every change to what reports show, in the transaction that makes it. The count is read in the
//! snapshot that the report is made from, so that the tag is of exactly what the report shows.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::BusinessId;
use platform::digest;
use serde::Serialize;
use sqlx::PgConnection;

use crate::{ReportingError, store};

/// The version of a report: of the data, of what was asked, and of this program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ETag(HeaderValue);

impl ETag {
    /// `asked` is everything that the report depends on beside the data: its name, and the range after
    /// "today" was filled in.
    pub(crate) async fn read(
        conn: &mut PgConnection,
        business: BusinessId,
        asked: &impl Serialize,
    ) -> Result<Self, ReportingError> {
        let revision = store::revision(conn, business).await?;
        let asked = serde_json::to_string(asked).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let text = format!("{} {} {revision} {asked}", env!("CARGO_PKG_VERSION"), business.0);
        let tag = hex::encode(&digest(text.as_bytes())[..12]);
        let value =
            HeaderValue::try_from(format!("\"{tag}\"")).map_err(|error| sqlx::Error::Encode(error.into()))?;
        Ok(Self(value))
    }

    /// Whether the client names this version as one that it has.
    pub(crate) fn is_known(&self, headers: &HeaderMap) -> bool {
        let ours = self.0.to_str().unwrap_or_default();
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            // Weak or not: a body that is compressed on the way is the same report.
            value
                .split(',')
                .map(|tag| tag.trim().trim_start_matches("W/"))
                .any(|tag| tag == ours || tag == "*")
        })
    }

    pub(crate) fn not_modified(self) -> Response {
        (StatusCode::NOT_MODIFIED, self.headers()).into_response()
    }

    /// Of this shop alone, to be asked about each time.
    pub(crate) fn headers(self) -> [(header::HeaderName, HeaderValue); 2] {
        [(header::ETAG, self.0), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(sent: &str) -> bool {
        let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, sent.parse().unwrap())]);
        ETag(HeaderValue::from_static("\"abc\"")).is_known(&headers)
    }

    #[test]
    fn a_version_is_known_in_a_list_weak_or_as_any() {
        for sent in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert!(known(sent), "{sent}");
        }
        for sent in ["\"x\"", "abc", ""] {
            assert!(!known(sent), "{sent}");
        }
    }
}

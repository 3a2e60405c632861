//! The body of a feed: a JSON array, or a row a line.

use axum::{
    body::{Body, HttpBody},
    extract::{FromRequest, Request},
    http::{StatusCode, header},
};
use futures::StreamExt;
use platform::{FieldError, Problem, RawBody};
use serde::de::IgnoredAny;

use crate::feed::{Feed, Row};

/// How much one call may bring.
pub(crate) const MOST_BYTES: usize = 32 * 1024 * 1024;
const MOST_ROWS: usize = 10_000;
const MOST_BYTES_A_ROW: usize = 64 * 1024;

/// The rows of a call, each read by itself.
pub(crate) struct FeedBody<R: Row>(pub Feed<R>);

impl<R: Row, S: Send + Sync> FromRequest<S> for FeedBody<R> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let declared = request.body().size_hint().lower();
        if declared > u64::try_from(MOST_BYTES).unwrap_or(u64::MAX) {
            return Err(body_too_large());
        }
        let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-ndjson") {
            read_lines(request.into_body()).await.map(Self)
        } else if essence.eq_ignore_ascii_case("application/json") {
            let RawBody(body) = RawBody::from_request(request, state).await?;
            read_array(&body).map(Self)
        } else {
            Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "JSON_REQUIRED",
                "Unsupported media type",
                "Content-Type은 application/json 또는 application/x-ndjson이어야 합니다.",
            ))
        }
    }
}

/// Reads the lines as they come, and holds no more of the body than one of them.
async fn read_lines<R: Row>(body: Body) -> Result<Feed<R>, Problem> {
    let mut chunks = body.into_data_stream();
    let mut lines = Lines::default();
    let mut bytes = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk
            .map_err(|_| Problem::bad_request("UNREADABLE_BODY", "요청 본문을 끝까지 읽지 못했습니다."))?;
        bytes += chunk.len();
        if bytes > MOST_BYTES {
            return Err(body_too_large());
        }
        lines.take(&chunk)?;
    }
    lines.end()
}

/// Cuts a stream into lines.
struct Lines<R: Row> {
    feed: Feed<R>,
    /// The line that has not ended yet.
    open: Vec<u8>,
    ended: usize,
}

impl<R: Row> Default for Lines<R> {
    fn default() -> Self {
        Self { feed: Feed::default(), open: Vec::new(), ended: 0 }
    }
}

impl<R: Row> Lines<R> {
    fn take(&mut self, chunk: &[u8]) -> Result<(), Problem> {
        let mut pieces = chunk.split(|byte| *byte == b'\n');
        self.open_with(pieces.next().unwrap_or_default())?;
        for piece in pieces {
            self.close()?;
            self.open_with(piece)?;
        }
        Ok(())
    }

    fn open_with(&mut self, piece: &[u8]) -> Result<(), Problem> {
        if self.open.len() + piece.len() > MOST_BYTES_A_ROW {
            return Err(too_large(
                "LINE_TOO_LONG",
                &format!("{}번째 줄이 너무 깁니다. 한 줄은 64KiB까지입니다.", self.ended + 1),
            ));
        }
        self.open.extend_from_slice(piece);
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        self.ended += 1;
        let line = self.open.strip_prefix(b"\xef\xbb\xbf").filter(|_| self.ended == 1).unwrap_or(&self.open);
        if !line.trim_ascii().is_empty() {
            if self.feed.len() == MOST_ROWS {
                return Err(too_many_rows());
            }
            self.feed.push_json(self.ended, line);
        }
        self.open.clear();
        Ok(())
    }

    fn end(mut self) -> Result<Feed<R>, Problem> {
        self.close()?;
        Ok(self.feed)
    }
}

/// Cuts an array into its rows, so that one of the wrong shape does not spoil the others.
fn read_array<R: Row>(body: &[u8]) -> Result<Feed<R>, Problem> {
    let mut feed = Feed::default();
    let mut rest = body.trim_ascii().strip_prefix(b"[").ok_or_else(|| no_array(body))?.trim_ascii_start();
    if let Some(after) = rest.strip_prefix(b"]") {
        return if after.is_empty() { Ok(feed) } else { Err(malformed()) };
    }
    loop {
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<IgnoredAny>();
        values.next().ok_or_else(malformed)?.map_err(|_| malformed())?;
        let (row, after) = rest.split_at(values.byte_offset());
        if feed.len() == MOST_ROWS {
            return Err(too_many_rows());
        }
        let position = feed.len() + 1;
        if row.len() > MOST_BYTES_A_ROW {
            feed.refuse(
                position,
                None,
                vec![FieldError {
                    field: String::new(),
                    code: "ROW_TOO_LARGE",
                    message: "한 행은 64KiB까지입니다.".to_owned(),
                }],
            );
        } else {
            feed.push_json(position, row);
        }
        rest = after.trim_ascii_start();
        match rest.split_first() {
            Some((b',', after)) => rest = after,
            Some((b']', [])) => return Ok(feed),
            _ => return Err(malformed()),
        }
    }
}

/// What is JSON but no array has the wrong shape; the rest is no JSON.
fn no_array(body: &[u8]) -> Problem {
    if serde_json::from_slice::<IgnoredAny>(body).is_ok() {
        Problem::invalid_field("", "INVALID", "JSON 배열이어야 합니다.")
    } else {
        malformed()
    }
}

fn malformed() -> Problem {
    Problem::bad_request("MALFORMED_JSON", "JSON을 읽을 수 없습니다.")
}

fn body_too_large() -> Problem {
    too_large("BODY_TOO_LARGE", "요청 본문이 너무 큽니다. 한 번에 32MiB까지 보낼 수 있습니다.")
}

fn too_large(code: &'static str, detail: &str) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, code, "Payload too large", detail)
}

fn too_many_rows() -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "TOO_MANY_ROWS",
        "Too many rows",
        "한 번에 10,000행까지 보낼 수 있습니다. 나누어 보내 주세요.",
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::StaffRow;

    fn array(text: &str) -> Result<(usize, usize), &'static str> {
        read_array::<StaffRow>(text.as_bytes())
            .map(|feed| (feed.report().received, feed.report().failed))
            .map_err(|problem| problem.code())
    }

    /// The same, however the stream is cut.
    fn lines(text: &[u8], chunk: usize) -> Result<(usize, usize), &'static str> {
        let mut lines = Lines::<StaffRow>::default();
        let taken = text.chunks(chunk.max(1)).try_for_each(|chunk| lines.take(chunk));
        taken
            .and_then(|()| lines.end())
            .map(|feed| (feed.report().received, feed.report().failed))
            .map_err(|problem| problem.code())
    }

    const GOOD: &str = r#"{"externalId": "1", "name": "이지은"}"#;

    #[test]
    fn an_array_is_cut_into_its_rows() {
        assert_eq!(array(" [ ] "), Ok((0, 0)));
        assert_eq!(array(&format!("[{GOOD},{GOOD}\n, {GOOD} ]\n")), Ok((3, 0)));
        assert_eq!(array(&format!("[{GOOD}, 1, null, \"a\", [], {{}}, {GOOD}]")), Ok((7, 5)));
    }

    #[test]
    fn an_array_that_does_not_end_well_is_refused_as_a_whole() {
        for text in ["", "[", "[1", "[1,]", "[,1]", "[1 2]", "[1]]", "[1],", "[nul]", "\u{feff}[]", "{"] {
            assert_eq!(array(text), Err("MALFORMED_JSON"), "{text}");
        }
        for text in ["{}", "null", "1", "\"[]\""] {
            assert_eq!(array(text), Err("VALIDATION_FAILED"), "{text}");
        }
        assert_eq!(array(&"[".repeat(500_000)), Err("MALFORMED_JSON"));
    }

    #[test]
    fn a_row_without_end_is_refused_and_not_kept() {
        let name = "가".repeat(MOST_BYTES_A_ROW);
        let long = format!(r#"{{"externalId": "1", "name": "{name}"}}"#);
        assert_eq!(array(&format!("[{long}, {GOOD}]")), Ok((2, 1)));
        assert_eq!(lines(long.as_bytes(), 1_000), Err("LINE_TOO_LONG"));
    }

    #[test]
    fn ten_thousand_rows_are_enough() {
        let rows = vec!["{}"; MOST_ROWS];
        assert_eq!(array(&format!("[{}]", rows.join(","))), Ok((MOST_ROWS, MOST_ROWS)));
        assert_eq!(array(&format!("[{},{{}}]", rows.join(","))), Err("TOO_MANY_ROWS"));
        assert_eq!(lines(rows.join("\n\n").as_bytes(), 77), Ok((MOST_ROWS, MOST_ROWS)));
        assert_eq!(lines(format!("{}\n{{}}", rows.join("\n")).as_bytes(), 77), Err("TOO_MANY_ROWS"));
    }

    proptest! {
        #[test]
        fn lines_are_the_same_however_the_stream_is_cut(chunk in 1usize..80) {
            let text = format!("\u{feff}{GOOD}\r\n\n{GOOD}\n{{\n{GOOD}");
            prop_assert_eq!(lines(text.as_bytes(), chunk), Ok((4, 1)));
        }

        #[test]
        fn no_bytes_at_all_break_anything(bytes in any::<Vec<u8>>(), chunk in 1usize..80) {
            let _ = (lines(&bytes, chunk), read_array::<StaffRow>(&bytes).is_ok());
        }
    }
}

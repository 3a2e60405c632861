//! What a problem document must look like, whoever sends it.

use testkit::Answer;

use crate::document::text;

/// Fails unless `answer` is a problem that a program and a shop owner can use. `asked` says what for.
#[track_caller]
pub(crate) fn must_be_problem(answer: &Answer, asked: &str) {
    let body = &answer.body;
    let shown = format!("{asked} -> {} {body}", answer.status);
    assert!(answer.status.is_client_error() || answer.status.is_server_error(), "{shown}");
    assert_eq!(answer.content_type, "application/problem+json", "{shown}");
    assert_eq!(body["status"], answer.status.as_u16(), "{shown}");
    let code = text(&body["code"]);
    assert!(is_screaming_snake(&code), "{shown}");
    assert_eq!(
        text(&body["type"]),
        format!("/problems/{}", code.to_lowercase().replace('_', "-")),
        "{shown}"
    );
    assert!(!text(&body["title"]).is_empty(), "{shown}");
    assert!(holds_korean(&text(&body["detail"])), "{shown}");
    assert!(text(&body["traceId"]).len() >= 8, "{shown}");
    for error in body["errors"].as_array().into_iter().flatten() {
        assert!(error["field"].is_string() && is_screaming_snake(&text(&error["code"])), "{shown}");
        assert!(holds_korean(&text(&error["message"])), "{shown}");
    }
    // Nobody wants to read their own ten thousand characters again, and a log even less.
    assert!(body.to_string().chars().count() < 2_000, "{shown}");
}

/// The same for a refusal: the caller's mistake, not ours.
#[track_caller]
pub(crate) fn must_be_refused(answer: &Answer, asked: &str) {
    assert!(answer.status.is_client_error(), "{asked} -> {} {}", answer.status, answer.body);
    must_be_problem(answer, asked);
}

fn is_screaming_snake(code: &str) -> bool {
    code.starts_with(|c: char| c.is_ascii_uppercase())
        && code.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn holds_korean(text: &str) -> bool {
    text.chars().any(|c| ('가'..='힣').contains(&c))
}

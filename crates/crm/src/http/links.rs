//! The links in campaigns.

use axum::{
    extract::State,
    http::{HeaderMap, Method, StatusCode, header},
    response::{Html, IntoResponse, Response},
};
use platform::{Path, Problem, SystemTx};
use serde::Deserialize;

use crate::{Crm, CrmError, store::recipient};

#[derive(Deserialize)]
pub(crate) struct CodePath {
    code: String,
}

/// Follow a link
///
/// Leads to the page that the campaign names, and to no other. A `GET` counts as a click of the recipient whose code it is; a
/// `HEAD`, and a program that says it looks ahead (`Sec-Purpose: prefetch`, `Purpose: prefetch`, `X-Purpose: preview`, or a known
/// preview robot), is led there and not counted. Mail scanners that pass for people cannot be told apart.
#[utoipa::path(
    get, path = "/l/{code}", operation_id = "followLink", tag = "campaigns",
    params(("code" = String, Path, example = "Ab3dE6gH9kLm")),
    responses(
        (status = 302, description = "To the page", headers(("location" = String))),
        (status = 404, description = "`NOT_FOUND`: the link is nobody's; a page for people, a problem document for programs", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn follow_link(
    State(crm): State<Crm>,
    Path(path): Path<CodePath>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !is_code(&path.code) {
        return Ok(unknown(&headers));
    }
    let mut tx = SystemTx::begin(&crm.db).await?;
    let Some(target) = recipient::target(&mut tx, &path.code).await? else { return Ok(unknown(&headers)) };
    if method == Method::GET && !looks_ahead(&headers) {
        recipient::clicked(&mut tx, &path.code, crm.clock.now()).await?;
        metrics::counter!("dangol_campaign_clicks_total").increment(1);
    }
    tx.commit().await?;
    let answer = [
        (header::LOCATION, target),
        // Whoever follows it again is counted again, and the page is not told whose link it was.
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    Ok((StatusCode::FOUND, answer).into_response())
}

/// Load the picture of a mail
///
/// One transparent pixel, which shows that the mail was opened. A `HEAD`, and a program that says it looks ahead, is not counted.
#[utoipa::path(
    get, path = "/l/{code}/seen.gif", operation_id = "loadMailPicture", tag = "campaigns",
    params(("code" = String, Path, example = "Ab3dE6gH9kLm")),
    responses(
        (status = 200, description = "The picture", body = [u8], content_type = "image/gif"),
        (status = 404, description = "`NOT_FOUND`: the code is in no mail", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn load_mail_picture(
    State(crm): State<Crm>,
    Path(path): Path<CodePath>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let mut tx = SystemTx::begin(&crm.db).await?;
    if !is_code(&path.code) || !recipient::is_in_a_mail(&mut tx, &path.code).await? {
        return Err(CrmError::NotFound.into());
    }
    if method == Method::GET && !looks_ahead(&headers) {
        recipient::opened(&mut tx, &path.code, crm.clock.now()).await?;
    }
    tx.commit().await?;
    let headers = [(header::CONTENT_TYPE, "image/gif"), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, PIXEL).into_response())
}

/// The smallest picture that there is.
const PIXEL: &[u8] = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02D\x01\0;";

/// What is no code need not be looked for.
fn is_code(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A program that shows what is behind a link, or fetches it before somebody asks.
fn looks_ahead(headers: &HeaderMap) -> bool {
    let value = |name: &str| {
        headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase()
    };
    let purpose = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
    let agent = value(header::USER_AGENT.as_str());
    purpose.iter().any(|name| {
        let purpose = value(name);
        purpose.contains("prefetch") || purpose.contains("preview") || purpose.contains("prerender")
    }) || ROBOTS.iter().any(|robot| agent.contains(robot))
}

/// As they call themselves: KakaoTalk's preview says `kakaotalk-scrap`, most others `bot`.
const ROBOTS: [&str; 6] =
    ["kakaotalk-scrap", "facebookexternalhit", "bot/", "bot;", "crawler", "slackbot-linkexpanding"];

/// A page for people, a problem for programs.
fn unknown(headers: &HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        let headers = [
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
        ];
        return (StatusCode::NOT_FOUND, headers, Html(UNKNOWN)).into_response();
    }
    Problem::from(CrmError::NotFound).into_response()
}

const UNKNOWN: &str = r#"<!doctype html>
<html lang="ko">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>페이지를 찾을 수 없습니다</title>
<style>body{font-family:sans-serif;max-width:28rem;margin:20vh auto;padding:0 1rem;text-align:center;color:#333}</style>
<h1>페이지를 찾을 수 없습니다</h1>
<p>주소가 올바르지 않거나 더 이상 사용할 수 없는 링크입니다.</p>
</html>
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_only_looks_ahead_is_told_apart() {
        let with = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, header::HeaderValue::from_static(value));
            headers
        };
        for (name, value) in [
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-purpose", "preview"),
            ("user-agent", "facebookexternalhit/1.1; kakaotalk-scrap/1.0; +https://devtalk.kakao.com/"),
            ("user-agent", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        ] {
            assert!(looks_ahead(&with(name, value)), "{name}: {value}");
        }
        for agent in ["Mozilla/5.0 (Linux; Android 14) KAKAOTALK 10.8.5", "curl/8.5.0", ""] {
            assert!(!looks_ahead(&with("user-agent", agent)), "{agent}");
        }
    }
}

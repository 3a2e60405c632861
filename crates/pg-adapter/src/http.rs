//! Talking to a provider over HTTP, and what may be concluded from how that went.

use std::{fmt::Write, time::Duration};

use kernel::with_causes;
use reqwest::{
    Client, ClientBuilder, Response, StatusCode, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
    redirect, retry,
};

/// A payment with hundreds of cancels is some hundred kilobytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Shorter than load balancers keep idle connections, so that a charge seldom meets one that was
/// just closed: it would end as unknown.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

/// What came back. Nothing here says yet whether the operation happened.
pub(crate) enum Reply {
    /// A whole answer, in whatever charset.
    Answered { status: StatusCode, body: Vec<u8> },
    /// No connection came about, so no byte of the request left.
    NotSent(String),
    /// No answer in time, a cut connection, a redirect, bytes that are no text.
    Unclear(String),
}

impl Reply {
    /// For providers that write UTF-8. Their JSON parser does not look into fields that it skips, and
    /// bytes in another charset are not from the provider, whatever the part says that is readable.
    pub(crate) fn in_utf8(self) -> Self {
        match self {
            Self::Answered { status, body } if std::str::from_utf8(&body).is_err() => {
                Self::Unclear(format!("{status} with a body that is not UTF-8"))
            }
            other => other,
        }
    }
}

/// The base URL without a slash at its end; `Err` if it is none of an HTTP API.
pub(crate) fn base_url(text: &str) -> Result<String, String> {
    let base_url = text.trim_end_matches('/').to_owned();
    match Url::parse(&base_url) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base() => Ok(base_url),
        _ => Err(base_url),
    }
}

pub(crate) fn client(connect_timeout: Duration) -> ClientBuilder {
    Client::builder()
        .connect_timeout(connect_timeout)
        .pool_idle_timeout(IDLE_CONNECTION)
        // A payment API does not move; following a redirect would send a charge elsewhere.
        .redirect(redirect::Policy::none())
        // Whether to ask again is the caller's decision, after it wrote down what happened.
        .retry(retry::never())
        .no_proxy()
}

/// The header that proves who we are; `None` if the text cannot stand in one.
pub(crate) fn authorization(text: &str) -> Option<HeaderMap> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}

/// A key as it was meant: a byte order mark or a line end copied along with it breaks it.
pub(crate) fn copied(key: &str) -> &str {
    key.trim_start_matches('\u{feff}').trim()
}

pub(crate) fn unanswered(error: reqwest::Error) -> Reply {
    if error.is_connect() { Reply::NotSent(describe(error)) } else { Reply::Unclear(describe(error)) }
}

pub(crate) async fn read(mut response: Response) -> Reply {
    let status = response.status();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(None) => break,
            Ok(Some(chunk)) if body.len() + chunk.len() <= LARGEST_BODY => body.extend_from_slice(&chunk),
            Ok(Some(_)) => return Reply::Unclear(format!("{status}, then a body without end")),
            Err(error) => return Reply::Unclear(format!("{status}, then {}", describe(error))),
        }
    }
    whole(status, body)
}

pub(crate) fn whole(status: StatusCode, body: Vec<u8>) -> Reply {
    if !status.is_success() && !status.is_client_error() && !status.is_server_error() {
        return Reply::Unclear(format!("{status} is not an answer"));
    }
    Reply::Answered { status, body }
}

/// The whole chain of causes. Without the URL, which may contain a billing key.
fn describe(error: reqwest::Error) -> String {
    with_causes(&error.without_url())
}

/// Joins a path, with everything encoded that is not plainly harmless.
///
/// `None` for a part that no encoding can protect: an empty one, and the dots that URL parsers
/// resolve even when they are encoded.
pub(crate) fn path(parts: &[&str]) -> Option<String> {
    let mut path = String::new();
    for part in parts {
        if matches!(*part, "" | "." | "..") {
            return None;
        }
        path.push('/');
        for byte in part.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                // Writing to a string cannot fail.
                let _ = write!(path, "%{byte:02X}");
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_part_can_lead_the_path_elsewhere() {
        assert_eq!(
            path(&["payments", "a/../b?c#d 한="]).as_deref(),
            Some("/payments/a%2F..%2Fb%3Fc%23d%20%ED%95%9C%3D")
        );
        for part in ["", ".", ".."] {
            assert_eq!(path(&["payments", part]), None);
        }
    }

    #[test]
    fn a_base_url_is_one_of_an_http_api() {
        assert_eq!(base_url("https://api.example.com/").as_deref(), Ok("https://api.example.com"));
        for wrong in ["", "api.example.com", "ftp://api.example.com", "mailto:a@b"] {
            assert!(base_url(wrong).is_err(), "{wrong}");
        }
    }
}

//! What every provider's HTTP has in common.

use std::{error::Error as _, time::Duration};

use reqwest::{Client, ClientBuilder, Response, Url, redirect, retry};

/// A payment with hundreds of cancels is some hundred kilobytes.
const LARGEST_BODY: usize = 4 * 1024 * 1024;
/// Shorter than load balancers keep idle connections, so that a charge seldom meets one that was
/// just closed: it would end as unknown.
const IDLE_CONNECTION: Duration = Duration::from_secs(30);

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

/// The address without a trailing slash; `None` if it is not one of an HTTP API.
pub(crate) fn base_url(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base()).then(|| text.to_owned())
}

/// The whole body, or why it is not there.
pub(crate) async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(describe)? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err("a body without end".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The whole chain of causes. Without the URL, which may contain a secret.
pub(crate) fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

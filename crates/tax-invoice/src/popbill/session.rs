//! LinkHub's session token: asked for with a signature, kept until it expires.

use std::time::{Duration, Instant};

use aws_lc_rs::{digest, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::{
    Client,
    header::{CONTENT_TYPE, HeaderValue},
};
use secrecy::ExposeSecret as _;
use tokio::sync::Mutex;

use super::{
    Operation, PopbillConfig, PopbillConfigError,
    http::{self, Answer},
    wire,
};

const VERSION: &str = "2.0";
/// `member` for the account, 110 for tax invoices.
const SCOPE: [&str; 2] = ["member", "110"];
/// A token is given up so long before its end: it has to live until the request that carries it was read.
const MARGIN: Duration = Duration::from_secs(30);

pub(super) struct Sessions {
    client: Client,
    base_url: String,
    path: String,
    link_id: String,
    key: hmac::Key,
    access_id: String,
    from_any_address: bool,
    timeout: Duration,
    /// Held while a new token is fetched, so that a hundred requests fetch one.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    session: Option<Session>,
    /// How the last fetch failed, and when. Whoever waited for it shares the failure: else a hundred
    /// requests would wait for a silent LinkHub one after the other.
    failure: Option<(Instant, String)>,
}

#[derive(Clone)]
pub(super) struct Session {
    /// `Bearer ...`, marked as sensitive.
    pub(super) bearer: HeaderValue,
    until: Instant,
}

impl Sessions {
    pub(super) fn new(config: &PopbillConfig, client: Client) -> Result<Self, PopbillConfigError> {
        HeaderValue::from_str(&config.link_id).map_err(|_| PopbillConfigError::Name)?;
        // A line end or a byte order mark copied along with the key would make every signature wrong.
        let secret = config.secret_key.expose_secret().trim_start_matches('\u{feff}').trim();
        let secret = STANDARD.decode(secret).map_err(|_| PopbillConfigError::SecretKey)?;
        Ok(Self {
            client,
            base_url: http::base_url(&config.auth_base_url)?,
            path: format!("/{}/Token", config.environment.service_id()),
            link_id: config.link_id.clone(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            access_id: config.corp_number.digits(),
            from_any_address: config.from_any_address,
            timeout: config.connect_timeout + config.read_timeout.min(super::LOOK_UP_TIMEOUT),
            held: Mutex::default(),
        })
    }

    /// A token that is still good, fetched if there is none. The error is for operators.
    pub(super) async fn current(&self) -> Result<Session, String> {
        let asked_at = Instant::now();
        let mut held = self.held.lock().await;
        if let Some(session) = held.session.as_ref().filter(|session| session.until > Instant::now()) {
            return Ok(session.clone());
        }
        if let Some((_, reason)) = held.failure.as_ref().filter(|(at, _)| *at >= asked_at) {
            return Err(reason.clone());
        }
        match self.fetch().await {
            Ok(session) => {
                *held = Held { session: Some(session.clone()), failure: None };
                Ok(session)
            }
            Err(reason) => {
                held.failure = Some((Instant::now(), reason.clone()));
                Err(reason)
            }
        }
    }

    /// Gives up a token that was not believed, unless somebody fetched another one meanwhile.
    pub(super) async fn forget(&self, session: &Session) {
        let mut held = self.held.lock().await;
        if held.session.as_ref().is_some_and(|current| current.bearer == session.bearer) {
            held.session = None;
        }
    }

    async fn fetch(&self) -> Result<Session, String> {
        // LinkHub's own time dates the signature and measures the token, so that no clock of ours matters.
        let now = self.server_time().await?;
        let body = serde_json::to_vec(&wire::TokenRequest { access_id: &self.access_id, scope: &SCOPE })
            .map_err(|error| error.to_string())?;
        let date = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        let forwarded = self.from_any_address.then_some("*");
        let signature = sign(&self.key, &body, &date, forwarded, &self.path);
        let mut request = self
            .client
            .post(format!("{}{}", self.base_url, self.path))
            .header("x-lh-date", date)
            .header("x-lh-version", VERSION)
            .header("Authorization", format!("LINKHUB {} {signature}", self.link_id))
            .header(CONTENT_TYPE, "application/json")
            .timeout(self.timeout);
        if let Some(forwarded) = forwarded {
            request = request.header("x-lh-forwarded", forwarded);
        }
        let body = accepted(http::send(Operation::Token, "", request.body(body)).await)?;
        session(&body, now).ok_or_else(|| "the session is not readable".to_owned())
    }

    async fn server_time(&self) -> Result<DateTime<Utc>, String> {
        let request = self.client.get(format!("{}/Time", self.base_url)).timeout(self.timeout);
        let body = accepted(http::send(Operation::Token, "", request).await)?;
        let text = String::from_utf8_lossy(&body);
        text.trim().trim_matches('"').parse().map_err(|_| "the token host's time is not readable".to_owned())
    }
}

fn accepted(answer: Answer) -> Result<Vec<u8>, String> {
    match answer {
        Answer::Accepted(body) => Ok(body),
        Answer::Refused { status, code } => {
            // Somebody has to look at the link id, the secret key or the clock.
            tracing::error!(%status, code, "linkhub gives no session");
            Err(format!("no session: {status} {code}"))
        }
        Answer::Unauthorized => {
            tracing::error!("linkhub gives no session: the link id or its secret key is wrong");
            Err("no session: 401".to_owned())
        }
        Answer::NotSent(reason) | Answer::Unclear(reason) => Err(format!("no session: {reason}")),
    }
}

fn session(body: &[u8], now: DateTime<Utc>) -> Option<Session> {
    let token: wire::Token = serde_json::from_slice(body).ok()?;
    let mut bearer =
        HeaderValue::from_str(&format!("Bearer {}", token.session_token.expose_secret())).ok()?;
    bearer.set_sensitive(true);
    if token.session_token.expose_secret().is_empty() {
        return None;
    }
    // One whose end cannot be read serves the request that it was fetched for, and no other.
    let life = token.expiration.and_then(|expiration| (expiration - now).to_std().ok()).unwrap_or_default();
    // A token that is said to live for a thousand years is asked for again tomorrow.
    let life = life.saturating_sub(MARGIN).min(Duration::from_hours(24));
    Some(Session { bearer, until: Instant::now() + life })
}

/// What LinkHub wants signed, one under the other: method, digest of the body, date, the forwarded line
/// if its header is sent, version, path.
fn sign(key: &hmac::Key, body: &[u8], date: &str, forwarded: Option<&str>, path: &str) -> String {
    let digest = STANDARD.encode(digest::digest(&digest::SHA256, body));
    let lines = ["POST", &digest, date].into_iter().chain(forwarded).chain([VERSION, path]);
    STANDARD.encode(hmac::sign(key, lines.collect::<Vec<_>>().join("\n").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by hand from the algorithm that LinkHub's own clients use.
    #[test]
    fn the_signature_is_the_one_that_linkhubs_clients_make() {
        let secret = STANDARD.decode("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=").unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let body =
            serde_json::to_vec(&wire::TokenRequest { access_id: "1234567891", scope: &SCOPE }).unwrap();
        assert_eq!(body, br#"{"access_id":"1234567891","scope":["member","110"]}"#);
        for (forwarded, signature) in [
            (None, "5VPAmwPyjGp0DL4NLvwJEJY7PDsvE9xX3bmj6I9qdaY="),
            (Some("*"), "dPP8oHTPD0wT1kDJcBWVDH5a3z9nd6/fdQAdzFJ60pU="),
        ] {
            assert_eq!(
                sign(&key, &body, "2026-11-20T01:00:00Z", forwarded, "/POPBILL_TEST/Token"),
                signature
            );
        }
    }

    #[test]
    fn a_session_lives_until_a_little_before_its_end_and_never_for_ever() {
        let now = "2026-11-20T01:00:00Z".parse().unwrap();
        let life = |expiration: &str| {
            let body = format!(r#"{{"session_token":"t","expiration":"{expiration}"}}"#);
            session(body.as_bytes(), now).unwrap().until.saturating_duration_since(Instant::now()).as_secs()
        };
        assert!((1768..=1770).contains(&life("2026-11-20T01:30:00Z")));
        assert_eq!(life("2026-11-20T00:30:00Z"), 0);
        assert_eq!(life("soon"), 0);
        assert!(life("9999-11-20T00:30:00.123Z") <= 24 * 60 * 60);
        assert!(session(br#"{"session_token":""}"#, now).is_none());
        assert!(session(b"{}", now).is_none());
    }
}

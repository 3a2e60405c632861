//! `Idempotency-Key: "<key>"`: the first answer is kept for three hours and given again.

use aws_lc_rs::digest;
use axum::http::{HeaderMap, Method};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{call::Answer, errors::Refusal};

const VALIDITY: TimeDelta = TimeDelta::hours(3);

/// What an idempotency key was used for. That it holds for the whole merchant, whatever the path, is
/// not documented; keys should be unique anyway.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeptAnswer {
    pub(crate) key: String,
    pub(crate) fingerprint: String,
    pub(crate) answer: Answer,
    pub(crate) first_used_at: DateTime<Utc>,
}

impl KeptAnswer {
    pub(crate) fn is_expired(&self, now: DateTime<Utc>) -> bool {
        now - self.first_used_at >= VALIDITY
    }
}

/// A request as far as its idempotency key goes.
pub(crate) struct Idempotency {
    pub(crate) key: String,
    /// Tells one request from another.
    pub(crate) fingerprint: String,
}

impl Idempotency {
    /// Ignored on GET. The double quotes belong to the value, as to any string of RFC 8941.
    pub(crate) fn of(
        headers: &HeaderMap,
        method: &Method,
        path_and_query: &str,
        body: &[u8],
    ) -> Result<Option<Self>, Refusal> {
        let Some(header) = headers.get("idempotency-key").filter(|_| method != Method::GET) else {
            return Ok(None);
        };
        let wrong =
            || Refusal::invalid_request("Idempotency-Key는 큰따옴표로 감싼 16~256자의 ASCII 문자열입니다.");
        let text = header.to_str().map_err(|_| wrong())?;
        let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).ok_or_else(wrong)?;
        if !(16..=256).contains(&key.len()) || key.contains('"') {
            return Err(wrong());
        }
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [method.as_str().as_bytes(), path_and_query.as_bytes(), body] {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            context.update(&part.len().to_le_bytes());
            context.update(part);
        }
        Ok(Some(Self { key: key.to_owned(), fingerprint: hex::encode(context.finish()) }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(header: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), header.parse().unwrap())]);
        Idempotency::of(&headers, &Method::POST, "/", b"").ok().flatten().map(|found| found.key)
    }

    #[test]
    fn a_key_is_quoted_and_long_enough() {
        assert_eq!(key("\"0123456789abcdef\"").as_deref(), Some("0123456789abcdef"));
        for wrong in ["0123456789abcdef", "\"short\"", "\"0123456789abcdef", "\"0123\"456789abcdef\"", ""] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
        assert_eq!(key(&format!("\"{}\"", "k".repeat(257))), None);
    }

    #[test]
    fn get_ignores_it() {
        let headers = HeaderMap::from_iter([("idempotency-key".parse().unwrap(), "x".parse().unwrap())]);
        assert!(Idempotency::of(&headers, &Method::GET, "/", b"").is_ok_and(|found| found.is_none()));
    }
}

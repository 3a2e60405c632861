//! The signature of a request: HMAC-SHA256 over date and salt.

use aws_lc_rs::hmac;
use axum::http::{HeaderMap, header::AUTHORIZATION};
use chrono::{DateTime, TimeDelta, Utc};

use super::{call::Refusal, state::State};

/// How far the date may be from the server's clock, and how long a signature may not be used again.
const WINDOW: TimeDelta = TimeDelta::minutes(15);

pub(super) fn authenticate(
    state: &mut State,
    headers: &HeaderMap,
    now: DateTime<Utc>,
) -> Result<(), Refusal> {
    let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(fields) = header.strip_prefix("HMAC-SHA256 ") else {
        return Err(Refusal::forbidden("InvalidAPIKey", "인증 정보가 없습니다."));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
            .unwrap_or_default()
    };
    let (api_key, date, salt, signature) =
        (field("apiKey"), field("date"), field("salt"), field("signature"));
    let secret = state.secret(api_key).map(str::to_owned);
    let secret = secret.ok_or_else(|| Refusal::forbidden("InvalidAPIKey", "유효하지 않은 API Key입니다."))?;
    let wrong = || Refusal::forbidden("SignatureDoesNotMatch", "시그너처가 일치하지 않습니다.");
    if !(12..=64).contains(&salt.len()) {
        return Err(wrong());
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let given = hex::decode(signature).map_err(|_| wrong())?;
    // Hexadecimal digits are written small.
    let is_small = signature.bytes().all(|byte| !byte.is_ascii_uppercase());
    if !is_small || hmac::verify(&key, format!("{date}{salt}").as_bytes(), &given).is_err() {
        return Err(wrong());
    }
    let signed_at = DateTime::parse_from_rfc3339(date).map_err(|_| wrong())?;
    if (now - signed_at.with_timezone(&Utc)).abs() > WINDOW {
        return Err(Refusal::forbidden("RequestTimeTooSkewed", "요청 시각이 허용 범위를 벗어났습니다."));
    }
    if !state.uses_up(signature, now, WINDOW) {
        return Err(Refusal::forbidden("DuplicatedSignature", "이미 사용된 시그너처입니다."));
    }
    Ok(())
}

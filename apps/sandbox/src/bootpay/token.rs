//! POST /request/token, and who is let in.

use axum::http::{HeaderMap, header::AUTHORIZATION};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    call::{Answer, Call, Change, Decision},
    errors::Refusal,
    state::{Record, State},
};
use crate::random;

const LIFE: TimeDelta = TimeDelta::minutes(30);
/// Whoever asks again so soon gets the same token, with what is left of its life.
const SAME_AGAIN: TimeDelta = TimeDelta::minutes(25);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(crate) value: String,
    pub(crate) application_id: String,
    pub(crate) issued_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct TokenRequest {
    #[serde(default)]
    application_id: String,
    #[serde(default)]
    private_key: String,
}

/// Any pair of keys is welcome.
pub(super) fn issue(state: &State, call: &Call<'_>) -> Decision {
    let request: TokenRequest = call.json()?;
    if request.application_id.is_empty() || request.private_key.is_empty() {
        return Err(Refusal::unauthorized());
    }
    let told = |token: &Token| json!({"access_token": token.value, "expire_in": LIFE.num_seconds()});
    let young = |token: &&Token| {
        token.application_id == request.application_id && call.now - token.issued_at < SAME_AGAIN
    };
    if let Some(token) = state.tokens().find(young) {
        return Ok(Change::answer(Answer::ok(told(token))));
    }
    let token =
        Token { value: random::letters(48), application_id: request.application_id, issued_at: call.now };
    let answer = Answer::ok(told(&token));
    Ok(Change { records: vec![Record::Token(token).into()], ..Change::answer(answer) })
}

/// `Basic` with any pair of keys, or `Bearer` with a token that lives.
pub(super) fn authenticate(state: &State, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), Refusal> {
    let header = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    let is_pair = |encoded: &str| {
        let decoded = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        decoded.is_some_and(|text| {
            text.split_once(':').is_some_and(|(id, key)| !id.is_empty() && !key.is_empty())
        })
    };
    let lives = |value: &str| state.token(value).is_some_and(|token| now - token.issued_at < LIFE);
    let is_welcome = match header.split_once(' ') {
        Some(("Basic", encoded)) => is_pair(encoded),
        Some(("Bearer", value)) => lives(value),
        _ => false,
    };
    if is_welcome { Ok(()) } else { Err(Refusal::unauthorized()) }
}

//! A token, and what it is good for.

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    errors::{self, Refusal},
    state::State,
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(super) token: String,
    /// The seller in whose name it speaks.
    pub(super) corp_num: String,
    pub(super) scope: Vec<String>,
    pub(super) expires_at: DateTime<Utc>,
}

impl Session {
    /// The session that a request shows. What Popbill answers to a bad token is not documented; 401 is
    /// what most do.
    pub(super) fn of<'a>(
        state: &'a State,
        headers: &HeaderMap,
        now: DateTime<Utc>,
    ) -> Result<&'a Self, Refusal> {
        let session = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.strip_prefix("Bearer "))
            .and_then(|token| state.session(token))
            .filter(|session| session.expires_at > now)
            .ok_or_else(|| Refusal::new(errors::NO_SESSION).with_status(401))?;
        if session.scope.iter().any(|scope| scope == "110") {
            Ok(session)
        } else {
            Err(Refusal::new(errors::NO_SCOPE).with_status(403))
        }
    }
}

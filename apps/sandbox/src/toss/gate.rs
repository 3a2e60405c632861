//! The gate: what is answered before idempotency and processing come into it.

use axum::http::{HeaderMap, Method, request::Parts};

use super::{
    auth::SecretKey,
    errors::{self, Refusal},
    idempotency::{MAX_KEY_LENGTH, Slot},
    operation::Target,
};

/// A request that passed the gate.
pub(super) struct Admitted {
    pub(super) target: Target,
    /// Whose key it came with.
    pub(super) merchant: String,
    /// With a test key.
    pub(super) is_test: bool,
    pub(super) idempotency: Option<Idempotency>,
}

pub(super) struct Idempotency {
    pub(super) key: String,
    pub(super) slot: Slot,
}

pub(super) fn admit(parts: &Parts) -> Result<Admitted, Refusal> {
    let secret_key = SecretKey::from_headers(&parts.headers)?;
    let target = Target::parse(&parts.method, parts.uri.path())
        .ok_or_else(|| Refusal::new("NOT_FOUND_HTTP_METHOD"))?;
    let is_test = secret_key.is_test();
    if is_test {
        forced_error(&parts.headers)?;
    }
    let idempotency = match idempotency_key(parts)? {
        None => None,
        Some(key) => Some(Idempotency {
            slot: Slot::new(&secret_key.0, parts.method.as_str(), parts.uri.path(), &key),
            key,
        }),
    };
    Ok(Admitted { target, merchant: secret_key.merchant(), is_test, idempotency })
}

/// `TossPayments-Test-Code`: measured, it is answered before even the payment key is looked at.
///
/// It is answered before idempotency too, so that a forced error occupies no key (unmeasured).
fn forced_error(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(code) = headers.get("tosspayments-test-code") else { return Ok(()) };
    let code = code.to_str().unwrap_or_default();
    let known = errors::known(code).map_or("INVALID_TEST_CODE", |_| code);
    Err(Refusal::new(known))
}

/// Read on POST alone: other methods are said to be idempotent by themselves.
fn idempotency_key(parts: &Parts) -> Result<Option<String>, Refusal> {
    let Some(key) = parts.headers.get("idempotency-key").filter(|_| parts.method == Method::POST) else {
        return Ok(None);
    };
    match key.to_str() {
        Ok("") => Ok(None),
        Ok(key) if key.len() <= MAX_KEY_LENGTH => Ok(Some(key.to_owned())),
        _ => Err(Refusal::new("INVALID_IDEMPOTENCY_KEY")),
    }
}

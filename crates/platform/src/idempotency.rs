//! `Idempotency-Key`: a request that carries one happens once, and repeats of it get its answer.
//!
//! Same key and same request: the stored answer, marked `Idempotency-Replayed: true`. Same key and
//! another request: 422. Still running: 409. An answer of 5xx is not stored, so that the client may
//! try again. Keys belong to the business; they are forgotten after [`KEPT_FOR`].

use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use kernel::{BusinessId, Clock};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Permission, Principal, Problem, RawBody, TenantTx};

/// How long an answer can be had again.
pub const KEPT_FOR: TimeDelta = TimeDelta::days(7);

/// After this long a running request is taken for dead, and a repeat may run. Longer than any request
/// takes: a registration asks the provider up to three times, and each may take a minute. What the
/// repeat does to money is still exactly once: that rests on billing's own rules, not on this table.
const ABANDONED_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Platform operators act for no business of their own.
const PLATFORM: BusinessId = BusinessId(0);

static REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// What the layer needs; give it to `axum::middleware::from_fn_with_state` with [`layer`].
#[derive(Clone)]
pub struct Idempotency {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
}

/// The key that this request carries, for handlers whose own records must not be made twice.
#[derive(Clone, Debug)]
pub struct IdempotencyKey(pub String);

enum Claim {
    /// The request is ours to run, under this name.
    Granted(Uuid),
    Answered(Response),
    Running,
    Mismatch,
}

/// The middleware. Requests without the header pass through untouched.
pub async fn layer(State(idempotency): State<Idempotency>, request: Request, next: Next) -> Response {
    guard(&idempotency, caller, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

/// [`Idempotency`] for routes below `/api/businesses/{businessId}`, where a permission decides who may call them.
#[derive(Clone)]
pub struct InBusiness {
    idempotency: Idempotency,
    permission: Permission,
}

/// The middleware of such routes.
pub async fn layer_in_business(State(guarded): State<InBusiness>, request: Request, next: Next) -> Response {
    let caller = |request: &Request| member(request, guarded.permission);
    let answer = guard(&guarded.idempotency, caller, request, next).await;
    answer.unwrap_or_else(IntoResponse::into_response)
}

async fn guard(
    idempotency: &Idempotency,
    caller: impl Fn(&Request) -> Result<BusinessId, Problem>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(key) = request.headers().get("idempotency-key").cloned() else {
        return Ok(next.run(request).await);
    };
    let key = read_key(&key)?;
    // Whoever may not call the handler at all gets its answer, not ours.
    let Ok(business) = caller(&request) else { return Ok(next.run(request).await) };

    let (parts, body) = request.into_parts();
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let RawBody(body) = RawBody::from_request(Request::from_parts(parts.clone(), body), &()).await?;
    // An operator's key is good for any business, so naming another one makes another request.
    let named = parts.headers.get("x-business-id").filter(|_| business == PLATFORM);
    let named = named.map_or(&b""[..], HeaderValue::as_bytes);
    let fingerprint = fingerprint(method.as_str(), &path, &body, named);

    let claim = match idempotency.claim(business, &key, &fingerprint).await? {
        Claim::Granted(claim) => claim,
        Claim::Answered(answer) => return Ok(answer),
        Claim::Running => {
            return Err(Problem::conflict(
                "IDEMPOTENCY_KEY_IN_USE",
                "같은 Idempotency-Key의 요청을 처리하고 있습니다. 잠시 후 다시 시도해 주세요.",
            ));
        }
        Claim::Mismatch => {
            return Err(Problem::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "IDEMPOTENCY_KEY_REUSED",
                "Idempotency key reused",
                "이 Idempotency-Key는 다른 요청에 이미 사용되었습니다.",
            ));
        }
    };

    let mut request = Request::from_parts(parts, Body::from(body));
    request.extensions_mut().insert(IdempotencyKey(key.clone()));
    let response = next.run(request).await;
    idempotency.record(business, &key, claim, response).await
}

fn read_key(value: &HeaderValue) -> Result<String, Problem> {
    let key = value.to_str().ok().map(str::trim).filter(|key| (1..=255).contains(&key.len()));
    key.map(str::to_owned).ok_or_else(|| {
        Problem::bad_request(
            "INVALID_IDEMPOTENCY_KEY",
            "Idempotency-Key는 1자에서 255자 사이의 영문, 숫자, 기호여야 합니다.",
        )
    })
}

fn caller(request: &Request) -> Result<BusinessId, Problem> {
    let principal = Principal::of(request.extensions())?;
    if principal.is_platform_admin {
        return Ok(PLATFORM);
    }
    principal.business_with(Permission::TenantBilling, request.headers())
}

/// The business in the path, for a member of it who may do this.
fn member(request: &Request, permission: Permission) -> Result<BusinessId, Problem> {
    let principal = Principal::of(request.extensions())?;
    let mut segments = request.uri().path().split('/').skip_while(|segment| *segment != "businesses").skip(1);
    let business = segments.next().and_then(|id| id.parse().ok()).map(BusinessId);
    let permitted = business.filter(|business| principal.may(permission, *business));
    permitted.ok_or_else(|| Problem::not_found("사업장을 찾을 수 없습니다."))
}

fn fingerprint(method: &str, path: &str, body: &[u8], named_business: &[u8]) -> Vec<u8> {
    let mut digest = Context::new(&SHA256);
    for part in [method.as_bytes(), b" ", path.as_bytes(), b"\n", body, named_business] {
        digest.update(part);
    }
    digest.finish().as_ref().to_vec()
}

impl Idempotency {
    pub fn in_business(&self, permission: Permission) -> InBusiness {
        InBusiness { idempotency: self.clone(), permission }
    }

    async fn claim(&self, business: BusinessId, key: &str, fingerprint: &[u8]) -> Result<Claim, Problem> {
        let (now, claim) = (self.clock.now(), Uuid::new_v4());
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let claimed = sqlx::query!(
            "insert into platform.idempotency_key (business_id, key, fingerprint, claim_id, claimed_at)
             values ($1, $2, $3, $4, $5) on conflict do nothing",
            business.0,
            key,
            fingerprint,
            claim,
            now,
        )
        .execute(&mut *tx)
        .await?;
        if claimed.rows_affected() == 1 {
            tx.commit().await?;
            return Ok(Claim::Granted(claim));
        }
        let earlier = sqlx::query!(
            "select fingerprint, claimed_at, status, content_type, body
             from platform.idempotency_key where business_id = $1 and key = $2 for update",
            business.0,
            key,
        )
        .fetch_optional(&mut *tx)
        .await?;
        // Freed this very moment, by a server error: to whoever waits that is still running.
        let Some(earlier) = earlier else { return Ok(Claim::Running) };
        if earlier.fingerprint != fingerprint {
            return Ok(Claim::Mismatch);
        }
        if let (Some(status), Some(body)) = (earlier.status, earlier.body) {
            return Ok(Claim::Answered(replay(status, earlier.content_type, body)));
        }
        // In development the clock may also have been moved back since.
        if (now - earlier.claimed_at).abs() < ABANDONED_AFTER {
            return Ok(Claim::Running);
        }
        sqlx::query!(
            "update platform.idempotency_key set claim_id = $3, claimed_at = $4
             where business_id = $1 and key = $2",
            business.0,
            key,
            claim,
            now,
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Claim::Granted(claim))
    }

    /// Stores the answer and hands it on; a server error frees the key instead. Whoever was taken for
    /// dead, and has lost the key to a repeat, leaves the repeat's answer alone.
    async fn record(
        &self,
        business: BusinessId,
        key: &str,
        claim: Uuid,
        response: Response,
    ) -> Result<Response, Problem> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        if response.status().is_server_error() {
            sqlx::query!(
                "delete from platform.idempotency_key where business_id = $1 and key = $2 and claim_id = $3",
                business.0,
                key,
                claim,
            )
            .execute(&mut *tx)
            .await?;
            tx.commit().await?;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.map_err(|error| Problem::internal(&error))?;
        let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        sqlx::query!(
            "update platform.idempotency_key
             set status = $4, content_type = $5, body = $6, answered_at = $7
             where business_id = $1 and key = $2 and claim_id = $3",
            business.0,
            key,
            claim,
            i16::try_from(parts.status.as_u16()).unwrap_or(i16::MAX),
            content_type,
            &body[..],
            self.clock.now(),
        )
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Response::from_parts(parts, Body::from(body)))
    }
}

fn replay(status: i16, content_type: Option<String>, body: Vec<u8>) -> Response {
    let status =
        u16::try_from(status).ok().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or_default();
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    if let Some(content_type) = content_type.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(header::CONTENT_TYPE, content_type);
    }
    headers.insert(REPLAYED.clone(), HeaderValue::from_static("true"));
    response
}

/// Forgets keys older than [`KEPT_FOR`].
pub async fn forget_old_keys(conn: &mut PgConnection, now: DateTime<Utc>) -> sqlx::Result<u64> {
    let forgotten =
        sqlx::query!("delete from platform.idempotency_key where claimed_at < $1", now - KEPT_FOR)
            .execute(conn)
            .await?;
    Ok(forgotten.rows_affected())
}

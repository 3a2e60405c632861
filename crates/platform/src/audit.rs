//! The audit trail: who took data out of the house, or did something else that must be answerable for.
//!
//! An entry is written in the transaction that does the thing, and never changed or deleted: the
//! database refuses it.

use std::net::IpAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use chrono::{DateTime, Utc};
use kernel::{BusinessId, KoreanTime};
use serde::Serialize;
use serde_json::Value;
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::Principal;

kernel::number_id!(
    /// Names one entry; later entries of a business have larger ids.
    AuditId
);

/// Who does something, and from where.
#[derive(Clone, Debug)]
pub struct Actor {
    pub subject: String,
    /// What they are in the business: `OWNER`, .. or `ADMIN` for an operator of the platform.
    pub role: &'static str,
    pub origin: Option<IpAddr>,
}

impl Actor {
    pub fn new(caller: &Principal, business: BusinessId, origin: Origin) -> Self {
        Self { subject: caller.subject.clone(), role: caller.role_name(business), origin: origin.0 }
    }
}

/// The address that a request came from: what the proxy in front says, or else the other end of the
/// connection. Only the last address of `X-Forwarded-For` is the proxy's own word; those in front of it
/// are the client's, who may write what they like.
#[derive(Clone, Copy, Debug)]
pub struct Origin(pub Option<IpAddr>);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let forwarded = parts.headers.get_all("x-forwarded-for").iter().next_back();
        let proxy_says = forwarded
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.rsplit(',').next())
            .and_then(|address| address.trim().parse().ok());
        let connected = parts.extensions.get::<ConnectInfo<std::net::SocketAddr>>();
        Ok(Self(proxy_says.or_else(|| connected.map(|ConnectInfo(address)| address.ip()))))
    }
}

/// An entry as it was written.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    #[schema(example = 12)]
    pub audit_id: AuditId,
    pub happened_at: KoreanTime,
    /// The user, as the sign-in service names them.
    #[schema(example = "user_1")]
    pub subject: String,
    /// What they were in the business; `ADMIN` is an operator of the platform.
    #[schema(example = "OWNER")]
    pub role: String,
    #[schema(example = "export.downloaded")]
    pub action: String,
    /// The address that the request came from, where it is known.
    #[schema(example = "203.0.113.7")]
    pub origin: Option<String>,
    /// The facts of this kind of action.
    #[schema(value_type = Object, example = json!({"exportId": "exp_20260214_001", "type": "CUSTOMERS", "format": "EXCEL", "rows": 1204, "contactsInFull": true}))]
    pub data: Value,
}

/// Writes down that somebody does something.
pub async fn record(
    conn: &mut PgConnection,
    business: BusinessId,
    now: DateTime<Utc>,
    actor: &Actor,
    action: &str,
    data: &Value,
) -> sqlx::Result<()> {
    // Longer than any sign-in service's: a token is believed, and must not break what it is used for.
    let subject: String = actor.subject.chars().take(200).collect();
    sqlx::query!(
        "insert into platform.audit (business_id, happened_at, subject, role, action, origin, data)
         values ($1, $2, $3, $4, $5, $6::text::inet, $7)",
        business.0,
        now,
        if subject.is_empty() { "(none)" } else { &subject },
        actor.role,
        action,
        actor.origin.map(|address| address.to_string()),
        data,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The entries of a business, newest first, up to `limit` of those before `before`.
pub async fn list(
    conn: &mut PgConnection,
    business: BusinessId,
    before: Option<AuditId>,
    limit: i64,
) -> sqlx::Result<Vec<AuditEntry>> {
    sqlx::query_as!(
        AuditEntry,
        r#"select audit_id as "audit_id: AuditId", happened_at as "happened_at: KoreanTime", subject, role, action,
                  host(origin) as origin, data
           from platform.audit
           where business_id = $1 and ($2::bigint is null or audit_id < $2)
           order by audit_id desc limit $3"#,
        business.0,
        before.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn origin(forwarded: &[&str]) -> Option<IpAddr> {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header("x-forwarded-for", *value);
        }
        let mut parts = request.body(()).unwrap().into_parts().0;
        Origin::from_request_parts(&mut parts, &()).await.unwrap().0
    }

    #[tokio::test]
    async fn only_the_proxy_in_front_is_believed() {
        assert_eq!(origin(&["10.0.0.1, 203.0.113.7"]).await, "203.0.113.7".parse().ok());
        assert_eq!(origin(&["10.0.0.1", "2001:db8::7"]).await, "2001:db8::7".parse().ok());
        for nonsense in [&["203.0.113.7, unknown"][..], &["'; drop table"], &[]] {
            assert_eq!(origin(nonsense).await, None, "{nonsense:?}");
        }
    }
}

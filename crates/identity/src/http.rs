//! The routes of this context, and the layer that every request passes.

use std::sync::Arc;

use axum::{
    extract::{FromRef, Request, State},
    middleware::Next,
    response::Response,
};
use chrono::TimeDelta;
use kernel::{BusinessId, Clock, SystemClock};
use platform::{
    AuthFailure, Authentication, BearerToken, BodyProblems, Caller, CommonProblems, Data, InBusinessOrAdmin,
    Json, List, Membership, PageQuery, Permission, Principal, Problem, Query, Role, SessionEnd, SystemTx,
    TenantAudit, TenantTx,
    audit::{self, AuditEntry, AuditId},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Identity, billing_contact, business, token::Session};

pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(who_am_i))
        .routes(routes!(billing_contact::get_billing_contact, billing_contact::set_billing_contact))
        .routes(routes!(list_audit))
}

/// Routes of a development system only.
pub fn dev_router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Identity: FromRef<S>,
{
    OpenApiRouter::new().routes(routes!(issue_dev_token))
}

/// Finds out who is calling. Never refuses: a handler that needs a caller does that itself.
pub async fn authenticate(State(identity): State<Identity>, mut request: Request, next: Next) -> Response {
    let authentication = match BearerToken::of(request.headers()).0 {
        None => Authentication::Failed(AuthFailure::Missing),
        Some(token) => match identity.tokens.verify(&token) {
            Ok(Session { principal, ends_at }) => {
                request.extensions_mut().insert(SessionEnd(ends_at));
                Authentication::Verified(Arc::new(principal))
            }
            Err(failure) => Authentication::Failed(failure),
        },
    };
    request.extensions_mut().insert(authentication);
    next.run(request).await
}

/// The caller, as the token says.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Me {
    #[schema(example = "user_1")]
    subject: String,
    platform_admin: bool,
    businesses: Vec<MyBusiness>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MyBusiness {
    #[schema(example = 1)]
    business_id: BusinessId,
    #[schema(example = "미소헤어")]
    name: String,
    role: Role,
    permissions: &'static [Permission],
}

/// Who am I
///
/// The caller's businesses with role and permissions, so that a frontend knows which pages to show.
#[utoipa::path(
    get, path = "/api/me", operation_id = "getMe", tag = "identity", security(("bearer" = [])),
    responses((status = 200, description = "The caller", body = Data<Me>), CommonProblems),
)]
async fn who_am_i(
    State(identity): State<Identity>,
    Caller(principal): Caller,
) -> Result<Json<Data<Me>>, Problem> {
    let ids: Vec<i64> = principal.memberships.iter().map(|membership| membership.business_id.0).collect();
    let mut tx = SystemTx::begin(&identity.db).await?;
    let names = business::names(&mut tx, &ids).await?;
    tx.commit().await?;
    let businesses = names
        .into_iter()
        .filter_map(|(business_id, name)| {
            let membership =
                principal.memberships.iter().find(|membership| membership.business_id == business_id)?;
            let role = membership.role;
            Some(MyBusiness { business_id, name, role, permissions: role.permissions() })
        })
        .collect();
    Ok(Data::json(Me {
        subject: principal.subject.clone(),
        platform_admin: principal.is_platform_admin,
        businesses,
    }))
}

/// Who did what
///
/// Every export and download of a business's data, newest first. Entries are never changed or deleted.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/audit", operation_id = "listAudit", tag = "identity",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of the trail", body = List<AuditEntry>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
async fn list_audit(
    State(identity): State<Identity>,
    caller: InBusinessOrAdmin<TenantAudit>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<AuditEntry>>, Problem> {
    let limit = page.limit()?;
    let mut tx = TenantTx::begin(&identity.db, caller.business).await?;
    let entries = audit::list(&mut tx, caller.business, page.after()?.map(AuditId), limit + 1).await?;
    tx.commit().await?;
    Ok(Json(List::cut(entries, limit, |entry| entry.audit_id.0)))
}

/// For whom a development token is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"role": "OWNER", "businessId": 1}))]
struct DevTokenRequest {
    role: DevRole,
    /// Required for every role except `ADMIN`.
    business_id: Option<BusinessId>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DevRole {
    Owner,
    Manager,
    Staff,
    Customer,
    /// An operator of the platform.
    Admin,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DevToken {
    access_token: String,
}

/// Get a token (development only)
///
/// Put the token into Swagger UI's **Authorize** box. It is good for 30 days of real time.
#[utoipa::path(
    post, path = "/api/dev/token", operation_id = "issueDevToken", tag = "dev",
    request_body = DevTokenRequest,
    responses(
        (status = 200, description = "A bearer token", body = Data<DevToken>),
        (status = 400, description = "`MALFORMED_JSON`, `NUL_CHARACTER`, `UNREADABLE_BODY`", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`: no such business", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
async fn issue_dev_token(
    State(identity): State<Identity>,
    Json(request): Json<DevTokenRequest>,
) -> Result<Json<Data<DevToken>>, Problem> {
    let principal = match (request.role.in_business(), request.business_id) {
        (None, _) => {
            Principal { subject: "admin".to_owned(), memberships: Vec::new(), is_platform_admin: true }
        }
        (Some(_), None) => {
            return Err(Problem::invalid_field("businessId", "REQUIRED", "사업장 번호가 필요합니다."));
        }
        (Some(role), Some(business)) => {
            let mut tx = SystemTx::begin(&identity.db).await?;
            if business::names(&mut tx, &[business.0]).await?.is_empty() {
                return Err(Problem::not_found("사업장을 찾을 수 없습니다."));
            }
            member(role, business)
        }
    };
    Ok(Data::json(DevToken { access_token: identity.dev_token(&principal) }))
}

fn member(role: Role, business_id: BusinessId) -> Principal {
    let subject = format!("{role:?}_{business_id}").to_lowercase();
    Principal { subject, memberships: vec![Membership { business_id, role }], is_platform_admin: false }
}

impl DevRole {
    /// `None` for an operator of the platform, who is a member of no business.
    fn in_business(self) -> Option<Role> {
        match self {
            Self::Owner => Some(Role::Owner),
            Self::Manager => Some(Role::Manager),
            Self::Staff => Some(Role::Staff),
            Self::Customer => Some(Role::Customer),
            Self::Admin => None,
        }
    }
}

impl Identity {
    /// A token for development; the business clock has no say in it.
    pub fn dev_token(&self, principal: &Principal) -> String {
        self.tokens.issue(principal, SystemClock.now(), TimeDelta::days(30))
    }
}

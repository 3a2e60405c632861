//! Who is calling, and what they may do.
//!
//! The gateway's authentication layer puts an [`Authentication`] into every request; handlers say in
//! their signature what they need of it, and so cannot forget to ask.

use std::{marker::PhantomData, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{Extensions, HeaderMap, StatusCode, header, request::Parts},
};
use chrono::{DateTime, Utc};
use kernel::BusinessId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Path, Problem};

/// A caller whose token was verified.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The user id that the platform's sign-in gave out.
    pub subject: String,
    pub memberships: Vec<Membership>,
    pub is_platform_admin: bool,
}

/// What somebody is in one business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Membership {
    pub business_id: BusinessId,
    pub role: Role,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Role {
    Owner,
    Manager,
    Staff,
    Customer,
}

/// Something that a member of a business may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub enum Permission {
    /// Cards, payments, refunds, the plan.
    #[serde(rename = "tenant:billing")]
    TenantBilling,
    #[serde(rename = "tenant:reports")]
    TenantReports,
    #[serde(rename = "tenant:exports")]
    TenantExports,
    #[serde(rename = "tenant:crm")]
    TenantCrm,
    /// Customers, staff, services, reservations.
    #[serde(rename = "tenant:booking")]
    TenantBooking,
    /// Telephone numbers and e-mail addresses in full.
    #[serde(rename = "tenant:personal-data")]
    TenantPersonalData,
    /// Who did what that must be answerable for.
    #[serde(rename = "tenant:audit")]
    TenantAudit,
}

impl Role {
    /// Money is the owner's; a manager runs the shop; staff serve its customers, whom they need not be able to
    /// call; customers see only their own pages.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::{
            TenantAudit, TenantBilling, TenantBooking, TenantCrm, TenantExports, TenantPersonalData,
            TenantReports,
        };
        match self {
            Self::Owner => &[
                TenantBilling,
                TenantReports,
                TenantExports,
                TenantCrm,
                TenantBooking,
                TenantPersonalData,
                TenantAudit,
            ],
            Self::Manager => &[TenantReports, TenantExports, TenantCrm, TenantBooking, TenantPersonalData],
            Self::Staff => &[TenantBooking],
            Self::Customer => &[],
        }
    }
}

/// What became of the request's `Authorization` header.
#[derive(Clone, Debug)]
pub enum Authentication {
    Verified(Arc<Principal>),
    Failed(AuthFailure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthFailure {
    Missing,
    Expired,
    Invalid,
}

impl From<AuthFailure> for Problem {
    fn from(failure: AuthFailure) -> Self {
        let (code, detail) = match failure {
            AuthFailure::Missing => ("AUTHENTICATION_REQUIRED", "로그인이 필요합니다."),
            AuthFailure::Expired => ("TOKEN_EXPIRED", "로그인이 만료되었습니다. 다시 로그인해 주세요."),
            AuthFailure::Invalid => ("TOKEN_INVALID", "인증 정보가 올바르지 않습니다."),
        };
        Self::new(StatusCode::UNAUTHORIZED, code, "Unauthorized", detail)
    }
}

impl Principal {
    pub fn of(extensions: &Extensions) -> Result<Arc<Self>, Problem> {
        match extensions.get::<Authentication>() {
            Some(Authentication::Verified(principal)) => Ok(Arc::clone(principal)),
            Some(Authentication::Failed(failure)) => Err((*failure).into()),
            None => Err(AuthFailure::Missing.into()),
        }
    }

    /// The business that this request is about: the one named in `X-Business-Id`, or the only one
    /// that the caller holds the permission in.
    pub fn business_with(&self, permission: Permission, headers: &HeaderMap) -> Result<BusinessId, Problem> {
        let mut permitted = self
            .memberships
            .iter()
            .filter(|membership| membership.role.permissions().contains(&permission))
            .map(|membership| membership.business_id);
        if let Some(named) = named_business(headers)? {
            return permitted.find(|business| *business == named).ok_or_else(permission_required);
        }
        let only = permitted.next().ok_or_else(permission_required)?;
        if permitted.any(|other| other != only) {
            return Err(Problem::bad_request(
                "BUSINESS_REQUIRED",
                "여러 사업장을 관리하고 있습니다. X-Business-Id 헤더로 사업장을 지정해 주세요.",
            ));
        }
        Ok(only)
    }
}

impl Principal {
    /// Whether the caller holds a permission in a business.
    pub fn may(&self, permission: Permission, business: BusinessId) -> bool {
        self.roles_in(business).any(|role| role.permissions().contains(&permission))
    }

    /// What the caller is in a business, at most: `OWNER`, .., or `ADMIN` for an operator of the platform who is no
    /// member of it.
    pub(crate) fn role_name(&self, business: BusinessId) -> &'static str {
        let most = self.roles_in(business).max_by_key(|role| role.permissions().len());
        most.map_or("ADMIN", |role| match role {
            Role::Owner => "OWNER",
            Role::Manager => "MANAGER",
            Role::Staff => "STAFF",
            Role::Customer => "CUSTOMER",
        })
    }

    /// To whom a business is nothing, it does not exist.
    fn must_be_permitted(&self, permission: Permission, business: BusinessId) -> Result<(), Problem> {
        if self.may(permission, business) {
            Ok(())
        } else if self.is_platform_admin || self.roles_in(business).next().is_some() {
            Err(permission_required())
        } else {
            Err(Problem::not_found("사업장을 찾을 수 없습니다."))
        }
    }

    fn roles_in(&self, business: BusinessId) -> impl Iterator<Item = Role> {
        let memberships =
            self.memberships.iter().filter(move |membership| membership.business_id == business);
        memberships.map(|membership| membership.role)
    }
}

fn named_business(headers: &HeaderMap) -> Result<Option<BusinessId>, Problem> {
    let Some(value) = headers.get("x-business-id") else { return Ok(None) };
    let id = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    id.map(|id| Some(BusinessId(id)))
        .ok_or_else(|| Problem::bad_request("INVALID_PARAMETER", "X-Business-Id는 숫자여야 합니다."))
}

fn permission_required() -> Problem {
    Problem::forbidden("PERMISSION_REQUIRED", "이 작업을 할 수 있는 권한이 없습니다.")
}

/// The permission that a [`Tenant`] stands for, as a type.
pub trait Access {
    const PERMISSION: Permission;
}

/// `tenant:billing`
#[derive(Clone, Copy, Debug)]
pub struct TenantBilling;

impl Access for TenantBilling {
    const PERMISSION: Permission = Permission::TenantBilling;
}

/// `tenant:booking`
#[derive(Clone, Copy, Debug)]
pub struct TenantBooking;

impl Access for TenantBooking {
    const PERMISSION: Permission = Permission::TenantBooking;
}

/// `tenant:reports`
#[derive(Clone, Copy, Debug)]
pub struct TenantReports;

impl Access for TenantReports {
    const PERMISSION: Permission = Permission::TenantReports;
}

/// `tenant:exports`
#[derive(Clone, Copy, Debug)]
pub struct TenantExports;

impl Access for TenantExports {
    const PERMISSION: Permission = Permission::TenantExports;
}

/// `tenant:crm`
#[derive(Clone, Copy, Debug)]
pub struct TenantCrm;

impl Access for TenantCrm {
    const PERMISSION: Permission = Permission::TenantCrm;
}

/// `tenant:audit`
#[derive(Clone, Copy, Debug)]
pub struct TenantAudit;

impl Access for TenantAudit {
    const PERMISSION: Permission = Permission::TenantAudit;
}

/// A caller who holds a permission in the business that the request is about.
#[derive(Clone, Debug)]
pub struct Tenant<A> {
    pub business: BusinessId,
    pub caller: Arc<Principal>,
    access: PhantomData<A>,
}

impl<A: Access, S: Send + Sync> FromRequestParts<S> for Tenant<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = Principal::of(&parts.extensions)?;
        let business = caller.business_with(A::PERMISSION, &parts.headers)?;
        Ok(Self { business, caller, access: PhantomData })
    }
}

/// A caller who holds a permission in the business that the path names: `/api/businesses/{businessId}/..`.
///
/// A business that the caller is no member of does not exist (404), whether or not there is one; a member who lacks the
/// permission is told so (403).
#[derive(Clone, Debug)]
pub struct InBusiness<A> {
    pub business: BusinessId,
    pub caller: Arc<Principal>,
    access: PhantomData<A>,
}

impl<A: Access, S: Send + Sync> FromRequestParts<S> for InBusiness<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Principal::of(&parts.extensions)?;
        let business = business_in_path(parts, state).await?;
        caller.must_be_permitted(A::PERMISSION, business)?;
        Ok(Self { business, caller, access: PhantomData })
    }
}

/// As [`InBusiness`], or an operator of the platform, for whom any number is a business: whether there is one is for the
/// handler to find out.
#[derive(Clone, Debug)]
pub struct InBusinessOrAdmin<A> {
    pub business: BusinessId,
    pub caller: Arc<Principal>,
    access: PhantomData<A>,
}

impl<A: Access, S: Send + Sync> FromRequestParts<S> for InBusinessOrAdmin<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Principal::of(&parts.extensions)?;
        let business = business_in_path(parts, state).await?;
        if !caller.is_platform_admin {
            caller.must_be_permitted(A::PERMISSION, business)?;
        }
        Ok(Self { business, caller, access: PhantomData })
    }
}

async fn business_in_path<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<BusinessId, Problem> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(rename = "businessId")]
        business: BusinessId,
    }
    let Path(named) = Path::<Named>::from_request_parts(parts, state).await?;
    Ok(named.business)
}

/// Anybody with a valid token.
#[derive(Clone, Debug)]
pub struct Caller(pub Arc<Principal>);

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Principal::of(&parts.extensions).map(Self)
    }
}

/// When the caller's token runs out, by the machine's time. For what goes on after the request: a connection that stays
/// open must not outlive it.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnd(pub DateTime<Utc>);

impl<S: Send + Sync> FromRequestParts<S> for SessionEnd {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get().copied().ok_or_else(|| AuthFailure::Missing.into())
    }
}

/// An operator of the platform: `platform:admin`.
#[derive(Clone, Debug)]
pub struct PlatformAdmin(pub Arc<Principal>);

impl<S: Send + Sync> FromRequestParts<S> for PlatformAdmin {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = Principal::of(&parts.extensions)?;
        if caller.is_platform_admin { Ok(Self(caller)) } else { Err(permission_required()) }
    }
}

/// Either a business that holds the permission, for its own things, or a platform operator, for any.
#[derive(Clone, Debug)]
pub enum TenantOrAdmin<A> {
    Tenant(Tenant<A>),
    Admin(PlatformAdmin),
}

impl<A: Access + Send, S: Send + Sync> FromRequestParts<S> for TenantOrAdmin<A> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if let Ok(admin) = PlatformAdmin::from_request_parts(parts, state).await {
            return Ok(Self::Admin(admin));
        }
        Tenant::from_request_parts(parts, state).await.map(Self::Tenant)
    }
}

/// The text after `Bearer`, unverified: for the few callers that hold a shared secret and no token.
#[derive(Debug)]
pub struct BearerToken(pub Option<String>);

impl BearerToken {
    pub fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = value.and_then(|value| {
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
        });
        Self(token)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for BearerToken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn member_of(memberships: &[(i64, Role)]) -> Principal {
        let memberships = memberships
            .iter()
            .map(|(id, role)| Membership { business_id: BusinessId(*id), role: *role })
            .collect();
        Principal { subject: "user_1".to_owned(), memberships, is_platform_admin: false }
    }

    fn naming(business: &'static str) -> HeaderMap {
        HeaderMap::from_iter([("x-business-id".parse().unwrap(), HeaderValue::from_static(business))])
    }

    fn billing(principal: &Principal, headers: &HeaderMap) -> Result<i64, &'static str> {
        principal
            .business_with(Permission::TenantBilling, headers)
            .map(|id| id.0)
            .map_err(|problem| problem.code())
    }

    #[test]
    fn an_owner_of_one_business_need_not_name_it() {
        let owner = member_of(&[(7, Role::Owner), (8, Role::Staff)]);
        assert_eq!(billing(&owner, &HeaderMap::new()), Ok(7));
    }

    #[test]
    fn an_owner_of_several_must_say_which() {
        let owner = member_of(&[(7, Role::Owner), (9, Role::Owner)]);
        assert_eq!(billing(&owner, &HeaderMap::new()), Err("BUSINESS_REQUIRED"));
        assert_eq!(billing(&owner, &naming("9")), Ok(9));
        assert_eq!(billing(&owner, &naming("nine")), Err("INVALID_PARAMETER"));
    }

    #[test]
    fn a_business_of_somebody_else_and_one_that_does_not_exist_look_the_same() {
        let owner = member_of(&[(7, Role::Owner)]);
        assert_eq!(billing(&owner, &naming("8")), Err("PERMISSION_REQUIRED"));
        assert_eq!(billing(&owner, &naming("999999")), Err("PERMISSION_REQUIRED"));
    }

    #[test]
    fn who_is_no_member_cannot_tell_whether_a_business_exists() {
        let booking = |principal: &Principal, business: i64| {
            principal
                .must_be_permitted(Permission::TenantBooking, BusinessId(business))
                .map_err(|problem| problem.code())
        };
        let staff = member_of(&[(7, Role::Staff), (8, Role::Customer)]);
        assert_eq!(booking(&staff, 7), Ok(()));
        assert_eq!(booking(&staff, 8), Err("PERMISSION_REQUIRED"));
        assert_eq!(booking(&staff, 9), Err("NOT_FOUND"));
        assert!(!staff.may(Permission::TenantPersonalData, BusinessId(7)));
    }

    #[test]
    fn only_owners_touch_money() {
        for role in [Role::Manager, Role::Staff, Role::Customer] {
            assert_eq!(billing(&member_of(&[(7, role)]), &HeaderMap::new()), Err("PERMISSION_REQUIRED"));
        }
    }
}

//! What every context stands on.
//!
//! - [`Problem`] and the extractors [`Json`], [`RawBody`], [`Path`] and [`Query`]: every error is an RFC 9457 document.
//! - [`Principal`] and the permission extractors [`Tenant`], [`InBusiness`] and [`PlatformAdmin`]: who is calling, and what they may do.
//! - [`TenantTx`] and [`SystemTx`]: transactions behind row-level security.
//! - [`features`]: what a business's plan allows; [`audit`]: who did what must be answerable for.
//! - [`events`], [`jobs`]: facts and follow-up work, written in the transaction that made them true.
//! - [`idempotency`]: `Idempotency-Key` for requests that must not happen twice.
//! - [`Vault`]: secrets and personal data at rest; [`contact`]: how people are reached, written and shown one way.

pub mod audit;
mod body;
pub mod clock;
pub mod contact;
mod crypto;
mod days;
pub mod events;
pub mod features;
pub mod idempotency;
pub mod jobs;
mod page;
mod principal;
mod problem;
mod tx;

pub use body::{Data, Json, Path, Query, RawBody, contains_nul, read_object};
pub use crypto::{Digest, Vault, VaultError, digest};
pub use days::DayRange;
pub use page::{Cursor, List, PageInfo, PageQuery};
pub use principal::{
    Access, AuthFailure, Authentication, BearerToken, Caller, InBusiness, InBusinessOrAdmin, Membership,
    Permission, PlatformAdmin, Principal, Role, SessionEnd, Tenant, TenantAudit, TenantBilling,
    TenantBooking, TenantCrm, TenantExports, TenantOrAdmin, TenantReports,
};
pub use problem::{BodyProblems, CommonProblems, FieldError, Problem, TRACE_ID, TraceId};
pub use tx::{SystemTx, TenantTx, UserTx};

/// This crate's migrations, in schema `platform`. They come first: other contexts build on them.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

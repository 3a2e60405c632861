//! Identity: who is calling.
//!
//! The platform's sign-in service gives out tokens signed with a secret that we share; this context
//! verifies them ([`authenticate`]) and knows the businesses and their members. In development it
//! can also give tokens out ([`dev_router`]).

mod billing_contact;
mod business;
mod http;
mod token;

pub use business::{NewBusiness, business_named, register_missing};
pub use http::{authenticate, dev_router, router};
pub use token::Tokens;

use platform::Vault;
use sqlx::PgPool;

/// What this context needs to work.
#[derive(Clone)]
pub struct Identity {
    pub db: PgPool,
    pub tokens: Tokens,
    /// Seals addresses.
    pub vault: Vault,
}

/// This context's migrations, in schema `identity`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

//! Booking: who comes to a shop, for what, when and to whom.
//!
//! The reservation system is another product. It feeds this context, many rows at a time, under names
//! of its own (`externalId`), so that feeding twice changes nothing; a shop may also write by hand. What is here is
//! read by others through the views of schema `booking_read`.

use std::sync::Arc;

use kernel::Clock;
use platform::Vault;
use sqlx::PgPool;

/// What this context needs to work.
#[derive(Clone)]
pub struct Booking {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Seals phone numbers, e-mail addresses and memos.
    pub vault: Vault,
}

/// This context's migrations, in schema `booking`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

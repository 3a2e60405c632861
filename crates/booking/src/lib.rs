//! Booking: who comes to a shop, for what, when and to whom.
//!
//! The reservation system is another product. It feeds this context, many rows at a time, under names
//! of its own (`externalId`), so that feeding twice changes nothing; a shop may also write by hand. What is here is
//! read by others through the views of schema `booking_read`.

mod announce;
mod change;
mod contact;
mod customer;
mod desk;
mod error;
mod event;
mod feed;
mod field;
mod generate;
mod http;
mod import;
mod reservation;
mod review;
mod service;
mod staff;
mod store;

use std::sync::Arc;

use kernel::{BusinessId, Clock};
use platform::{TenantTx, Vault};
use sqlx::PgPool;

use crate::store::staff::StaffFilter;

pub use customer::{CustomerId, CustomerRow, Gender};
pub use error::{BookingError, IllegalMove};
pub use feed::{Announce, Feed, FeedReport, Row, RowError};
pub use generate::{ShopPlan, uneven_sizes};
pub use http::router;
pub use import::{ImportError, ImportKind, ImportProgress};
pub use reservation::{ReservationId, ReservationRow, ReservationStatus, ServiceLineRow};
pub use review::ReviewId;
pub use service::{ServiceId, ServiceRow};
pub use staff::{StaffId, StaffRow};

/// What this context needs to work.
#[derive(Clone)]
pub struct Booking {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Seals phone numbers, e-mail addresses and memos.
    pub vault: Vault,
}

impl Booking {
    /// Whether anybody works in a business, or did.
    pub async fn has_staff(&self, business: BusinessId) -> Result<bool, BookingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let anybody = StaffFilter { name: None, active: None, only: None, before: None, limit: 1 };
        Ok(!store::staff::list(&mut tx, business, &anybody).await?.is_empty())
    }

    /// A transaction that writes for a business, when nobody else does.
    async fn write(&self, business: BusinessId) -> Result<TenantTx, BookingError> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        if store::lock(&mut tx, business).await? { Ok(tx) } else { Err(BookingError::NoSuchBusiness) }
    }
}

/// This context's migrations, in schema `booking`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

//! Who should come back: a shop's customers by what is true of them, coupons, and campaigns that reach them.
//!
//! A segment keeps a question and no answer. It is a typed tree of conditions (`segment/condition.rs`), read from JSON with every
//! mistake named (`segment/read.rs`) and written as one statement over one narrow table that `booking` keeps up to date
//! (`segment/sql.rs`), so that it is exact at the moment when somebody asks. `docs/segments.md` says what each condition means.

mod campaign;
mod coupon;
mod demo;
mod error;
mod event;
mod http;
mod issue;
mod redeem;
mod segment;
mod store;
mod text;

use std::sync::Arc;

use chrono::TimeDelta;
use kernel::Clock;
use messaging::Messaging;
use platform::Vault;
use sqlx::PgPool;

pub use campaign::{IllegalMove, link::LinkRules};
pub use coupon::CouponRefusal;
pub use error::CrmError;
pub use http::router;

/// What this context needs to work.
#[derive(Clone)]
pub struct Crm {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Opens the telephone numbers and addresses that `booking` publishes sealed.
    pub vault: Vault,
    /// Says what campaigns say.
    pub messaging: Messaging,
    pub settings: Arc<Settings>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Within how long after a message a reservation is its success.
    pub attribution: TimeDelta,
    pub links: LinkRules,
}

/// This context's migrations, in schema `crm`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

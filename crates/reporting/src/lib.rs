//! Reporting: what a shop earned.
//!
//! Everything is computed from the visits themselves when it is asked for, in one pass over one index
//! of `booking`'s read model: there is no rollup that could be behind, and so a reservation committed a
//! millisecond ago is in the next report. What was read before and has not changed since is answered
//! with a 304 after one look at a counter (`etag`). `docs/reports.md` says what each figure means.

mod customers;
mod error;
mod etag;
mod http;
mod losses;
mod percent;
mod period;
mod range;
mod revenue;
mod services;
mod store;
mod utilisation;

use std::sync::Arc;

use kernel::Clock;
use sqlx::PgPool;

pub use error::ReportingError;
pub use http::router;
pub use period::ReportPeriod;
pub use range::InvalidRange;

/// What this context needs to work. It has no tables of its own.
#[derive(Clone)]
pub struct Reporting {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
}

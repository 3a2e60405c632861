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

use kernel::{BusinessId, Clock};
use platform::TenantTx;
use serde_json::Value;
use sqlx::PgPool;

use crate::{range::DateRange, revenue::RevenueReport};

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

impl Reporting {
    /// The revenue report as `GET reports/revenue` answers it, cut in several ways, all of one moment: for
    /// whoever shows the same figures elsewhere.
    pub async fn revenue<const N: usize>(
        &self,
        business: BusinessId,
        (start, end): (chrono::NaiveDate, chrono::NaiveDate),
        periods: [ReportPeriod; N],
    ) -> Result<[Value; N], ReportingError> {
        let range = DateRange::new(start, end)?;
        let mut tx = TenantTx::begin_snapshot(&self.db, business).await?;
        let mut reports = [const { Value::Null }; N];
        for (report, period) in reports.iter_mut().zip(periods) {
            let (cells, before) = store::cells(&mut tx, business, range).await?;
            *report = serde_json::to_value(RevenueReport::new(range, period, cells, before, None))
                .map_err(|error| sqlx::Error::Encode(error.into()))?;
        }
        tx.commit().await?;
        Ok(reports)
    }
}

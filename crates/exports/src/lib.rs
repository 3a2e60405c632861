//! Exports: a shop takes its data away, as Excel or CSV.
//!
//! Somebody asks (`ask`), and what they asked for is written down as a row that is due (`export`). A
//! worker takes the row under a lease (`work`), reads what the file is to hold in one snapshot (`content`),
//! and writes it as a stream through a sheet writer (`sheet`) into object storage (`storage`), so that
//! neither the length of a table nor of a file costs memory. Whoever dies in the middle is followed by
//! another, who starts over under another name: only the file of the attempt that was committed is ever
//! served. `docs/exports.md` says what the columns mean.

mod ask;
mod content;
mod error;
mod event;
mod export;
mod http;
mod range;
mod sheet;
mod storage;
mod store;
mod sweep;
mod work;

use std::sync::Arc;

use futures::future::BoxFuture;
use kernel::{BusinessId, Clock};
use platform::Vault;
use serde_json::Value;
use sqlx::PgPool;
use tokio::sync::{Notify, Semaphore};

pub use error::ExportsError;
pub use export::{ExportFormat, ExportId, ExportStatus, ExportType};
pub use http::router;
pub use range::{Days, InvalidDays};
pub use storage::{S3Settings, Storage, StorageError};
pub use work::MakeExports;

/// What this context needs to work.
#[derive(Clone)]
pub struct Exports {
    pub db: PgPool,
    pub clock: Arc<dyn Clock>,
    /// Opens the telephone numbers and addresses that `booking` publishes sealed.
    pub vault: Vault,
    pub storage: Storage,
    pub settings: Settings,
    /// Where the figures of a revenue export come from.
    pub revenue_reports: RevenueReports,
    /// How many this process makes at once.
    pub workers: Arc<Semaphore>,
    /// Rung when there is something to make.
    pub bell: Arc<Notify>,
}

/// The revenue reports of a business over some days, of one moment: the gateway hands them over, so that a
/// file and a page never say different things.
pub type RevenueReports =
    Arc<dyn Fn(BusinessId, Days) -> BoxFuture<'static, sqlx::Result<Revenue>> + Send + Sync>;

/// What `GET reports/revenue` answers, cut by days and cut by months.
pub struct Revenue {
    pub daily: Value,
    pub monthly: Value,
}

/// How exports are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many of one business are made at once, by all workers together.
    pub per_business: i64,
    /// Rows of a sheet, its header included; what is beyond goes on another.
    pub rows_per_sheet: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { per_business: 2, rows_per_sheet: sheet::MOST_ROWS }
    }
}

/// This context's migrations, in schema `exports`.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// A named step where tests kill the process. Compiled to nothing unless the feature `failpoints` is on.
macro_rules! crash_point {
    ($name:literal) => {
        fail::fail_point!($name, |_| std::process::abort())
    };
}
pub(crate) use crash_point;

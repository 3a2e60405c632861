//! Making files: taking an export under a lease, reading one snapshot, writing one file.
//!
//! An attempt owns a file of its own, under a name that no other attempt has, and writes down that there
//! is one before it begins. It shows every second that it is alive; one that does not is followed by another
//! when its lease ends, and finds that it has lost the export the next time it shows. Which file is
//! served is decided by one statement, in which the attempt says that its file is complete.

mod pipe;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use std::time::Duration;

use chrono::TimeDelta;
use kernel::with_causes;
use platform::{SystemTx, TenantTx, events, jobs::Job};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use self::pipe::Target;
use crate::{
    Exports, ExportsError,
    content::{Contacts, Figures, RevenueDocument},
    crash_point,
    event::ExportEvent,
    export::{Claim, ExportFormat, ExportType, Failure, Selection},
    range::Days,
    sheet::{ExcelBook, SheetError},
    storage::{StorageError, Upload},
    store::{
        self,
        work::{Made, Progress},
    },
};

/// Rings the workers' bell.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeExports {}

impl Job for MakeExports {
    const NAME: &'static str = "exports";
}

/// How long a worker may give no sign of life before it is taken for dead.
const LEASE: TimeDelta = TimeDelta::seconds(30);
/// How often it gives one.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How long a file can be had.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);

/// How long to wait after each failure, in minutes; after the last nobody tries again.
const PAUSES: [f64; 4] = [0.2, 1.0, 5.0, 15.0];

/// Rows that the database puts together at once. It puts all of them into order before it sends the first; with a part of
/// them at a time it works while the part before is written.
const AT_ONCE: i64 = 60_000;

/// How many workers may die over an export. One that kills whoever takes it must not go round for ever.
const MOST_DEATHS: i32 = 5;

/// Why an attempt came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AttemptError {
    #[error("the export is another worker's now, or not wanted any more")]
    Lost,
    #[error("the storage would not take the file")]
    Storage(#[from] StorageError),
    #[error("the data could not be read")]
    Data(#[from] sqlx::Error),
    #[error("the file could not be written")]
    Sheet(#[from] SheetError),
    #[error("the revenue report is not what it used to be")]
    Report(#[from] serde_json::Error),
    #[error("whoever wrote the file panicked")]
    Panicked(#[from] tokio::task::JoinError),
}

impl AttemptError {
    /// What is told of it, and whether it may be better another time.
    fn failure(&self) -> (Failure, bool) {
        match self {
            Self::Lost => (Failure::Interrupted, true),
            Self::Storage(_) | Self::Sheet(SheetError::Io(_)) => (Failure::StorageUnavailable, true),
            Self::Data(_) => (Failure::DataUnavailable, true),
            Self::Sheet(SheetError::Csv(_) | SheetError::Excel(_) | SheetError::Vault(_))
            | Self::Report(_)
            | Self::Panicked(_) => (Failure::Internal, false),
        }
    }
}

/// How far an attempt has come, for whoever shows it.
#[derive(Clone, Debug)]
struct Course {
    expected: Arc<AtomicI64>,
    written: Arc<AtomicI64>,
}

impl Course {
    /// Below zero: not counted yet.
    fn new() -> Self {
        Self { expected: Arc::new(AtomicI64::new(-1)), written: Arc::default() }
    }

    fn progress(&self) -> Progress {
        let expected = self.expected.load(Ordering::Relaxed);
        Progress {
            expected: (expected >= 0).then_some(expected),
            written: self.written.load(Ordering::Relaxed),
        }
    }
}

impl Exports {
    /// Takes the export whose turn it is, if there is one.
    pub(crate) async fn claim(&self) -> Result<Option<Claim>, ExportsError> {
        let now = self.clock.now();
        let mut tx = SystemTx::begin(&self.db).await?;
        let claim = store::work::claim(&mut tx, now, now + LEASE, self.settings.per_business).await?;
        tx.commit().await?;
        Ok(claim)
    }

    /// Makes the file of an export that was taken, whatever comes of it.
    pub(crate) async fn make(&self, claim: Claim) {
        let started = Instant::now();
        let made = if claim.attempt - claim.failures > MOST_DEATHS {
            Err((Failure::Interrupted, false))
        } else {
            self.attempt(&claim).await.map_err(|error| {
                if !matches!(error, AttemptError::Lost) {
                    tracing::error!(business = %claim.selection.business, export = %claim.id, attempt = claim.attempt,
                        error = with_causes(&error), "an export came to nothing");
                }
                error.failure()
            })
        };
        let outcome = if made.is_ok() { "made" } else { "failed" };
        let labels = [
            ("type", claim.selection.kind.as_str()),
            ("format", claim.format.as_str()),
            ("outcome", outcome),
        ];
        metrics::counter!("dangol_exports_total", &labels).increment(1);
        metrics::histogram!("dangol_export_seconds", &labels[..2]).record(started.elapsed());
        if let Ok(made) = &made {
            tracing::info!(business = %claim.selection.business, export = %claim.id, rows = made.rows, bytes = made.size,
                ms = started.elapsed().as_millis(), "an export was made");
        }
        if let Err(error) = self.settle(&claim, made).await {
            // Its lease ends, and another makes it.
            tracing::error!(export = %claim.id, %error, "what became of an export could not be written down");
        }
    }

    async fn settle(&self, claim: &Claim, made: Result<Made, (Failure, bool)>) -> Result<(), ExportsError> {
        let now = self.clock.now();
        let business = claim.selection.business;
        let mut tx = SystemTx::begin(&self.db).await?;
        let (export_id, r#type, format) = (claim.id, claim.selection.kind, claim.format);
        match made {
            Ok(made) => {
                let told = store::work::complete(&mut tx, claim, made, now, now + KEPT_FOR).await?;
                if let Some(asked_by) = told {
                    let Made { rows: row_count, size: file_size } = made;
                    let event =
                        ExportEvent::Completed { export_id, r#type, format, row_count, file_size, asked_by };
                    events::publish(&mut tx, business, now, &event).await?;
                }
            }
            Err((failure, may_be_better)) => {
                let pause = usize::try_from(claim.failures).ok().and_then(|before| PAUSES.get(before));
                if let (true, Some(minutes)) = (may_be_better, pause) {
                    let again = now + TimeDelta::seconds(seconds(*minutes));
                    store::work::try_again(&mut tx, claim, claim.failures + 1, again).await?;
                } else if let Some(asked_by) = store::work::fail(&mut tx, claim, failure, now).await? {
                    let event = ExportEvent::Failed { export_id, r#type, format, error: failure, asked_by };
                    events::publish(&mut tx, business, now, &event).await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }

    /// One file from its first byte to its last, as long as the export is this attempt's.
    async fn attempt(&self, claim: &Claim) -> Result<Made, AttemptError> {
        let course = Course::new();
        let mut upload = Some(self.storage.create(&claim.file()).await?);
        let made = {
            let writing = async {
                if let Some(upload) = &mut upload {
                    self.fill(claim, upload, &course).await?;
                }
                crash_point!("export::written");
                let size = match upload.take() {
                    Some(upload) => upload.finish().await?,
                    None => 0,
                };
                crash_point!("export::stored");
                Ok(Made { rows: course.written.load(Ordering::Relaxed), size })
            };
            tokio::select! {
                made = writing => made,
                lost = self.show_life(claim, &course) => Err(lost),
            }
        };
        if let Some(upload) = upload {
            upload.abort().await;
        }
        made
    }

    /// Shows every second that this attempt is alive, and ends when the export is not its own any more.
    async fn show_life(&self, claim: &Claim, course: &Course) -> AttemptError {
        loop {
            tokio::time::sleep(SIGN_OF_LIFE).await;
            match self.renew(claim, course).await {
                Ok(true) => {}
                Ok(false) => return AttemptError::Lost,
                // Whoever cannot show that they live is followed by another when the lease ends.
                Err(error) => {
                    tracing::warn!(export = %claim.id, %error, "a sign of life was lost");
                }
            }
        }
    }

    async fn renew(&self, claim: &Claim, course: &Course) -> sqlx::Result<bool> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let lease = self.clock.now() + LEASE;
        let is_ours = store::work::renew(&mut tx, claim, course.progress(), lease).await?;
        tx.commit().await?;
        Ok(is_ours)
    }

    /// Writes everything that belongs into the file.
    async fn fill(&self, claim: &Claim, upload: &mut Upload, course: &Course) -> Result<(), AttemptError> {
        let selection = &claim.selection;
        let business = selection.business;
        let target = Target {
            format: claim.format,
            rows_per_sheet: self.settings.rows_per_sheet,
            contacts: Contacts { vault: self.vault.clone(), whole: claim.whole_contacts },
            written: Arc::clone(&course.written),
        };
        let mut tx = TenantTx::begin_snapshot(&self.db, business).await?;
        // Each plan is made for these very days; one that fits all would fit none.
        // What sorts and joins some days' rows stays in memory, and compiling it would take longer than it takes.
        // Nor does a file take more than one of the database's cores.
        let settings = "set local plan_cache_mode = force_custom_plan; set local work_mem = '32MB';
                        set local jit = off; set local max_parallel_workers_per_gather = 0";
        sqlx::raw_sql(settings).execute(&mut *tx).await?;
        if selection.kind != ExportType::Revenue {
            let rows = store::rows::count(&mut tx, selection).await?;
            course.expected.store(rows, Ordering::Relaxed);
            if !self.renew(claim, course).await? {
                return Err(AttemptError::Lost);
            }
        }
        match (selection.kind, selection.days) {
            (ExportType::Reservations, Some(days)) => {
                let (mut pipe, storing) = pipe::open(target, upload);
                let reading = async {
                    for days in days.in_parts(days_at_once(days, course)) {
                        let Selection { status, staff, .. } = *selection;
                        pipe.take(store::rows::reservations(&mut tx, business, days, status, staff)).await?;
                    }
                    pipe.close().await
                };
                tokio::try_join!(reading, storing)?;
            }
            (ExportType::Customers, days) => {
                pipe::pour(store::rows::customers(&mut tx, business, days), target, upload).await?;
            }
            (ExportType::Staffs, Some(days)) => {
                pipe::pour(store::rows::staffs(&mut tx, business, days), target, upload).await?;
            }
            (ExportType::Revenue, Some(days)) => {
                let name = store::export::business_name(&mut tx, business).await?.unwrap_or_default();
                tx.commit().await?;
                return self.fill_with_revenue(claim, name, days, upload, course).await;
            }
            // The database holds that these have days.
            (ExportType::Reservations | ExportType::Staffs | ExportType::Revenue, None) => {}
        }
        tx.commit().await?;
        Ok(())
    }

    async fn fill_with_revenue(
        &self,
        claim: &Claim,
        business: String,
        days: Days,
        upload: &mut Upload,
        course: &Course,
    ) -> Result<(), AttemptError> {
        let revenue = (self.revenue_reports)(claim.selection.business, days).await?;
        let figures = Figures::read(revenue)?;
        let rows = figures.rows();
        let document = RevenueDocument { business, days, figures };
        match claim.format {
            ExportFormat::Csv => upload.write(document.write_csv(Vec::new())?.into()).await?,
            ExportFormat::Excel => {
                let book = ExcelBook::new(self.settings.rows_per_sheet);
                let file = tokio::task::spawn_blocking(move || document.write_excel(book)).await??;
                upload.write_all_of(tokio::fs::File::from_std(file)).await?;
            }
        }
        course.written.store(rows, Ordering::Relaxed);
        Ok(())
    }
}

/// As many days as have [`AT_ONCE`] rows or so.
fn days_at_once(days: Days, course: &Course) -> u64 {
    let rows = course.expected.load(Ordering::Relaxed).max(1);
    u64::try_from(days.count().saturating_mul(AT_ONCE) / rows).unwrap_or(1)
}

#[expect(clippy::cast_possible_truncation, reason = "minutes of a table above")]
fn seconds(minutes: f64) -> i64 {
    (minutes * 60.0) as i64
}

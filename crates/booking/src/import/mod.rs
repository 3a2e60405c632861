//! Importing files: a shop's history, as its former system wrote it down.
//!
//! A file is read as a stream and goes through the same upsert as a feed, a batch at a time. How far it has come is
//! committed with each batch. Rows that cannot be are written beside the file, with their lines and why.

mod columns;
mod records;
mod rejects;
mod scan;

use std::{collections::HashSet, io, path::Path};

use kernel::BusinessId;
use platform::{FieldError, TenantTx};
use tokio::sync::mpsc;

use self::{
    columns::Imported,
    records::{Record, Records, wrong},
    rejects::Rejects,
    scan::Scanned,
};
use crate::{
    Booking, BookingError, CustomerRow, ReservationRow, ServiceRow, StaffRow,
    feed::{Feed, FeedReport},
    store::import_run,
};

/// How many records one transaction takes in.
const BATCH: usize = 8_000;

/// What a file lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportKind {
    Services,
    Staffs,
    Customers,
    Reservations,
}

impl ImportKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Services => "SERVICES",
            Self::Staffs => "STAFFS",
            Self::Customers => "CUSTOMERS",
            Self::Reservations => "RESERVATIONS",
        }
    }
}

/// How far an import has come, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportProgress {
    pub bytes: u64,
    pub of_bytes: u64,
    /// Lines of the file that were read, those of an earlier run that was cut off included.
    pub records: u64,
    pub created: u64,
    pub updated: u64,
    pub unchanged: u64,
    pub failed: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the file cannot be read")]
    File(#[from] io::Error),
    #[error("the file is no CSV that can be read: {0}")]
    Csv(#[from] csv::Error),
    #[error("the file has no column `{0}`")]
    MissingColumn(&'static str),
    #[error("the file has a column `{0}`, which is not known; known are {1}")]
    UnknownColumn(String, String),
    #[error(transparent)]
    Booking(#[from] BookingError),
}

impl From<sqlx::Error> for ImportError {
    fn from(error: sqlx::Error) -> Self {
        BookingError::from(error).into()
    }
}

impl Booking {
    /// Imports a file, or goes on with it; `tell` hears of every batch. Nobody else is told of what changed.
    pub async fn import(
        &self,
        business: BusinessId,
        kind: ImportKind,
        path: &Path,
        tell: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportProgress, ImportError> {
        match kind {
            ImportKind::Services => self.import_rows::<ServiceRow>(business, kind, path, tell).await,
            ImportKind::Staffs => self.import_rows::<StaffRow>(business, kind, path, tell).await,
            ImportKind::Customers => self.import_rows::<CustomerRow>(business, kind, path, tell).await,
            ImportKind::Reservations => self.import_rows::<ReservationRow>(business, kind, path, tell).await,
        }
    }

    async fn import_rows<R: Imported>(
        &self,
        business: BusinessId,
        kind: ImportKind,
        path: &Path,
        mut tell: impl FnMut(ImportProgress) + Send,
    ) -> Result<ImportProgress, ImportError> {
        let scanned = Scanned::of(path)?;
        let mut records = Records::<R>::open(path, &scanned)?;
        let run = import_run::RunKey { business, kind: kind.as_str(), fingerprint: scanned.fingerprint };
        let mut progress = self.progress_of(&run).await?;
        progress.of_bytes = scanned.bytes;
        let mut rejects = Rejects::beside(path, progress.records > 0)?;
        let mut groups = Groups::<R>::default();
        for _ in 0..progress.records {
            let Some(record) = records.next()? else { break };
            groups.pass_over(&record);
        }
        // While the database takes a batch in, the next one is read.
        let (batches, mut read) = mpsc::channel(1);
        let reading = tokio::task::spawn_blocking(move || read_batches(&mut records, groups, &batches));
        while let Some(Batch { feed, taken, bytes, more }) = read.recv().await {
            let mut tx = self.write(business).await?;
            let report = R::upsert(self, &mut tx, business, feed).await?;
            rejects.write(&report)?;
            count(&mut progress, &report, taken, bytes);
            if more {
                import_run::save(&mut tx, &run, self.clock.now(), &progress).await?;
            } else {
                import_run::forget(&mut tx, &run).await?;
            }
            tx.commit().await?;
            tell(progress);
        }
        reading.await.map_err(io::Error::other)??;
        Ok(progress)
    }

    async fn progress_of(&self, run: &import_run::RunKey) -> Result<ImportProgress, ImportError> {
        let mut tx: TenantTx = self.write(run.business).await?;
        let progress = import_run::find(&mut tx, run).await?;
        tx.commit().await?;
        Ok(progress.unwrap_or_default())
    }
}

/// Records that are taken in together.
struct Batch<R: Imported> {
    feed: Feed<R>,
    /// Whatever became of them.
    taken: usize,
    /// Of the file, up to their end.
    bytes: u64,
    more: bool,
}

/// Reads on until the file ends or nobody takes batches any more.
fn read_batches<R: Imported>(
    records: &mut Records<R>,
    mut groups: Groups<R>,
    batches: &mpsc::Sender<Batch<R>>,
) -> Result<(), ImportError> {
    let mut more = true;
    while more {
        more = groups.fill(records)?;
        let (taken, bytes) = (groups.taken, records.bytes_read());
        if batches.blocking_send(Batch { feed: groups.take_feed(), taken, bytes, more }).is_err() {
            break;
        }
    }
    Ok(())
}

fn count(progress: &mut ImportProgress, report: &FeedReport, records: usize, bytes: u64) {
    progress.bytes = bytes;
    progress.records += as_u64(records);
    progress.created += as_u64(report.created);
    progress.updated += as_u64(report.updated);
    progress.unchanged += as_u64(report.unchanged);
    progress.failed += as_u64(report.failed);
}

fn as_u64(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Puts together the records that make one row: several services of a reservation, a record each.
struct Groups<R: Imported> {
    feed: Feed<R>,
    /// Records of the batch, whatever became of them.
    taken: usize,
    /// The first record of the next batch.
    ahead: Option<Record<R>>,
    /// Hashes of the names of rows that are complete.
    complete: HashSet<u64>,
    open: Option<Open<R>>,
}

/// A row whose records are still coming.
struct Open<R> {
    line: usize,
    name: String,
    row: Option<R>,
    /// One bad record spoils its row: a visit without one of its services would be another visit.
    errors: Vec<FieldError>,
}

impl<R: Imported> Default for Groups<R> {
    fn default() -> Self {
        Self { feed: Feed::default(), taken: 0, ahead: None, complete: HashSet::new(), open: None }
    }
}

impl<R: Imported> Groups<R> {
    /// A record that an earlier run took in. A batch ends with a complete row, so none stays open.
    fn pass_over(&mut self, record: &Record<R>) {
        if let (true, Some(name)) = (R::SPANS_RECORDS, record.name()) {
            self.complete.insert(hash(name));
        }
    }

    /// Reads a batch; false at the end of the file.
    fn fill(&mut self, records: &mut Records<R>) -> Result<bool, ImportError> {
        self.taken = 0;
        while let Some(record) = self.ahead.take().map_or_else(|| records.next(), |ahead| Ok(Some(ahead)))? {
            if self.taken >= BATCH && !self.continues(&record) {
                self.close();
                self.ahead = Some(record);
                return Ok(true);
            }
            self.taken += 1;
            self.add(record);
        }
        self.close();
        Ok(false)
    }

    fn continues(&self, record: &Record<R>) -> bool {
        self.open.as_ref().is_some_and(|open| record.name() == Some(open.name.as_str()))
    }

    fn add(&mut self, record: Record<R>) {
        let continues = self.continues(&record);
        let name = record.name().map(str::to_owned);
        let Record { line, row } = record;
        let Some(name) = name.filter(|_| R::SPANS_RECORDS) else {
            match row {
                Ok(row) => self.feed.push(line, row),
                Err((name, errors)) => self.feed.refuse(line, name.as_deref(), errors),
            }
            return;
        };
        if !continues {
            self.close();
            let errors = if self.complete.contains(&hash(&name)) { vec![rows_apart()] } else { Vec::new() };
            self.open = Some(Open { line, name, row: None, errors });
        }
        let Some(open) = &mut self.open else { return };
        match (row, &mut open.row) {
            (Err((_, errors)), _) => open.errors.extend(errors),
            (Ok(row), None) => open.row = Some(row),
            (Ok(row), Some(first)) => open.errors.extend(first.extend(row)),
        }
    }

    fn close(&mut self) {
        let Some(Open { line, name, row, errors }) = self.open.take() else { return };
        self.complete.insert(hash(&name));
        match row.filter(|_| errors.is_empty()) {
            Some(row) => self.feed.push(line, row),
            None => self.feed.refuse(line, Some(&name), errors),
        }
    }

    fn take_feed(&mut self) -> Feed<R> {
        std::mem::take(&mut self.feed)
    }
}

fn rows_apart() -> FieldError {
    wrong("external_id", "ROWS_APART", "같은 예약의 행은 이어져 있어야 합니다.")
}

/// Of millions of names the hashes are enough: two that share one are refused, and told.
fn hash(name: &str) -> u64 {
    let digest = platform::digest(name.as_bytes());
    u64::from_le_bytes([
        digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7],
    ])
}

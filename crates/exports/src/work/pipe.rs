//! From rows to a file: the database, the writer and the storage work side by side, each waiting for the
//! next when that is slower. What lies between them is bounded, so that a long table costs no memory.

use std::{
    fs::File,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use bytes::Bytes;
use futures::{StreamExt, stream::BoxStream};
use tokio::sync::mpsc::{self, Receiver, Sender};

use super::AttemptError;
use crate::{
    content::{Contacts, Record},
    export::ExportFormat,
    sheet::{CsvSheet, ExcelBook, SheetError},
    storage::Upload,
};

/// Rows that go to the writer at once.
const BATCH: usize = 256;
/// Batches that wait for the writer: it has something to do while the database begins with the next days.
/// As many rows as the database puts together at once: some twenty megabytes.
const AHEAD: usize = 60_000 / BATCH;
/// Bytes that go to the storage at once.
const PIECE: usize = 256 * 1024;

/// What rows become.
pub(super) struct Target {
    pub format: ExportFormat,
    pub rows_per_sheet: u32,
    pub contacts: Contacts,
    /// Counts rows, for whoever shows how far it is.
    pub written: Arc<AtomicI64>,
}

/// The end of the pipe that rows go into.
pub(super) struct Pipe<R> {
    batches: Sender<Vec<R>>,
    batch: Vec<R>,
}

/// The writer and the storage of one file; the future ends when the file is written and stored, after the pipe is gone.
pub(super) fn open<R: Record>(
    target: Target,
    upload: &mut Upload,
) -> (Pipe<R>, impl Future<Output = Result<(), AttemptError>>) {
    let (batches, to_write) = mpsc::channel(AHEAD);
    let (pieces, mut to_store) = mpsc::channel::<Bytes>(2);
    let writer = tokio::task::spawn_blocking(move || target.write(to_write, pieces));
    let storing = async move {
        while let Some(piece) = to_store.recv().await {
            upload.write(piece).await?;
        }
        if let Some(file) = writer.await?? {
            upload.write_all_of(tokio::fs::File::from_std(file)).await?;
        }
        Ok(())
    };
    (Pipe { batches, batch: Vec::with_capacity(BATCH) }, storing)
}

/// Writes all rows into the file.
pub(super) async fn pour<R: Record>(
    rows: BoxStream<'_, sqlx::Result<R>>,
    target: Target,
    upload: &mut Upload,
) -> Result<(), AttemptError> {
    let (mut pipe, storing) = open(target, upload);
    let reading = async {
        pipe.take(rows).await?;
        pipe.close().await
    };
    tokio::try_join!(reading, storing)?;
    Ok(())
}

impl<R: Record> Pipe<R> {
    pub(super) async fn take(
        &mut self,
        mut rows: BoxStream<'_, sqlx::Result<R>>,
    ) -> Result<(), AttemptError> {
        while let Some(row) = rows.next().await {
            self.batch.push(row?);
            if self.batch.len() == BATCH {
                let full = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
                if self.batches.send(full).await.is_err() {
                    // The writer has given up, and says why.
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    pub(super) async fn close(self) -> Result<(), AttemptError> {
        // As above.
        let _ = self.batches.send(self.batch).await;
        Ok(())
    }
}

impl Target {
    /// A workbook comes back as a file; of a CSV all is on its way to the storage already.
    fn write<R: Record>(
        self,
        mut batches: Receiver<Vec<R>>,
        pieces: Sender<Bytes>,
    ) -> Result<Option<File>, SheetError> {
        match self.format {
            ExportFormat::Csv => {
                let mut sheet = CsvSheet::begin(Pieces::to(pieces), R::COLUMNS)?;
                while let Some(batch) = batches.blocking_recv() {
                    let mut cells = Vec::with_capacity(R::COLUMNS.len());
                    for row in &batch {
                        cells.clear();
                        row.cells(&self.contacts, &mut cells)?;
                        sheet.row(&cells)?;
                    }
                    self.count(batch.len());
                }
                sheet.finish()?.flush()?;
                Ok(None)
            }
            ExportFormat::Excel => {
                let mut book = ExcelBook::new(self.rows_per_sheet);
                let mut sheet = book.begin(R::NAME, R::COLUMNS)?;
                while let Some(batch) = batches.blocking_recv() {
                    let mut cells = Vec::with_capacity(R::COLUMNS.len());
                    for row in &batch {
                        cells.clear();
                        row.cells(&self.contacts, &mut cells)?;
                        book.row(&mut sheet, &cells)?;
                    }
                    self.count(batch.len());
                }
                book.end(sheet)?;
                // The heads of its columns, and whatever is left, go now; nobody waits for more rows.
                drop(pieces);
                book.finish().map(Some)
            }
        }
    }

    fn count(&self, rows: usize) {
        self.written.fetch_add(i64::try_from(rows).unwrap_or_default(), Ordering::Relaxed);
    }
}

/// Sends what is written in pieces.
struct Pieces {
    to: Sender<Bytes>,
    piece: Vec<u8>,
}

impl Pieces {
    fn to(to: Sender<Bytes>) -> Self {
        Self { to, piece: Vec::with_capacity(PIECE) }
    }
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody stores it any more");
        self.to.blocking_send(piece.into()).map_err(gone)
    }
}

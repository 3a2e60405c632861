//! The rows that could not be, beside the file that they came in.

use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use csv::Writer;

use super::ImportError;
use crate::feed::FeedReport;

pub(super) struct Rejects {
    path: PathBuf,
    writer: Option<Writer<File>>,
}

impl Rejects {
    /// `customers.rejects.csv` beside `customers.csv`. That of an earlier import is gone, unless this one goes on with it.
    pub(super) fn beside(path: &Path, goes_on: bool) -> io::Result<Self> {
        let path = path.with_extension("rejects.csv");
        if !goes_on {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(Self { path, writer: None })
    }

    pub(super) fn write(&mut self, report: &FeedReport) -> Result<(), ImportError> {
        if report.errors.is_empty() {
            return Ok(());
        }
        let writer = if let Some(writer) = &mut self.writer {
            writer
        } else {
            let is_new = !self.path.exists();
            let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            let mut writer = Writer::from_writer(file);
            if is_new {
                writer.write_record(["line", "external_id", "field", "code", "message"])?;
            }
            self.writer.insert(writer)
        };
        for error in &report.errors {
            let external_id = harmless(error.external_id.as_deref().unwrap_or_default());
            let line = error.row.to_string();
            writer.write_record([&line, &external_id, &error.field, error.code, &error.message])?;
        }
        writer.flush()?;
        Ok(())
    }
}

/// Somebody opens this in a spreadsheet, where what begins like a formula is one.
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

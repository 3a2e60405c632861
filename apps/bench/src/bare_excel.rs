//! The yardstick of Excel files: the same rows, from memory, in a bare loop.

use std::{path::PathBuf, time::Instant};

use anyhow::Context;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_xlsxwriter::{Format, Workbook};
use serde::{Deserialize, Serialize};

/// What the exports pack with.
const PACKING: u8 = 1;

#[derive(Serialize, Deserialize)]
pub(crate) struct BareExcel {
    /// The rows, as an export wrote them.
    pub csv: PathBuf,
    pub to: PathBuf,
}

enum Cell {
    Empty,
    Text(String),
    Number(f64),
    Won(f64),
    Time(f64),
}

/// Answers with the seconds that the loop takes.
pub(crate) fn run(task: &BareExcel) -> anyhow::Result<f64> {
    let mut reader = csv::ReaderBuilder::new().has_headers(true).from_path(&task.csv)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let row: Vec<Cell> =
            record.iter().enumerate().map(|(at, text)| cell(at, text)).collect::<Result<_, _>>()?;
        rows.push(row);
    }
    let began = Instant::now();
    let mut book = Workbook::new();
    book.set_zip_compression_level(PACKING);
    let number = Format::new().set_num_format("#,##0");
    let won = Format::new().set_num_format("#,##0\"원\"");
    let time = Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let mut sheet = book.new_worksheet_with_constant_memory()?;
    for (row, cells) in (1..).zip(&rows) {
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => _ = sheet.write_string(row, at, text)?,
                Cell::Number(value) => _ = sheet.write_number_with_format(row, at, *value, &number)?,
                Cell::Won(value) => _ = sheet.write_number_with_format(row, at, *value, &won)?,
                Cell::Time(value) => _ = sheet.write_number_with_format(row, at, *value, &time)?,
            }
        }
    }
    book.push_worksheet(sheet);
    book.save(&task.to)?;
    Ok(began.elapsed().as_secs_f64())
}

/// By the columns of a reservation.
fn cell(at: usize, text: &str) -> anyhow::Result<Cell> {
    if text.is_empty() {
        return Ok(Cell::Empty);
    }
    Ok(match at {
        0 | 4 | 9 => Cell::Number(text.parse()?),
        10 => Cell::Won(text.parse()?),
        2 | 11 => Cell::Time(serial(text)?),
        _ => Cell::Text(text.to_owned()),
    })
}

fn serial(text: &str) -> anyhow::Result<f64> {
    let time = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S")?;
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).context("a day")?.and_time(NaiveTime::MIN);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a century")]
    let seconds = (time - epoch).num_seconds() as f64;
    Ok(seconds / 86_400.0)
}

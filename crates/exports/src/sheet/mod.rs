//! Tables as files. What is here is synchronous and may take its time: it runs off the async threads.

mod csv;
mod excel;

use std::{borrow::Cow, io};

use chrono::{NaiveDate, NaiveDateTime};

pub(crate) use self::{
    csv::CsvSheet,
    excel::{ExcelBook, MOST_ROWS},
};

/// A column: its title, its width in characters of Latin script, and what is in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    pub title: &'static str,
    pub width: f64,
}

impl Column {
    pub(crate) const fn new(title: &'static str, width: f64) -> Self {
        Self { title, width }
    }
}

/// What is in one cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell<'a> {
    Empty,
    Text(Cow<'a, str>),
    Number(i64),
    Won(i64),
    /// Tenths of a percent: 956 is 95.6 %.
    Percent(i64),
    Date(NaiveDate),
    /// Clocks in Korea show it.
    Time(NaiveDateTime),
}

impl<'a> Cell<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    pub(crate) fn some_text(text: Option<&'a str>) -> Self {
        text.map_or(Self::Empty, Self::text)
    }

    pub(crate) fn some_date(date: Option<NaiveDate>) -> Self {
        date.map_or(Self::Empty, Self::Date)
    }
}

/// Why a table could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SheetError {
    #[error("the temporary file or the pipe failed")]
    Io(#[from] io::Error),
    #[error("the CSV could not be written")]
    Csv(#[from] ::csv::Error),
    #[error("the workbook could not be written")]
    Excel(#[from] rust_xlsxwriter::XlsxError),
    #[error("a stored secret cannot be opened")]
    Vault(#[from] platform::VaultError),
}

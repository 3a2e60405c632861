//! The records of a file: CSV with a header, or a row a line, by what stands there.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read},
    path::Path,
};

use csv::{ByteRecord, Reader, ReaderBuilder};
use encoding_rs::Encoding;
use platform::FieldError;

use super::{
    ImportError,
    columns::{Fields, Imported},
    scan::Scanned,
};

/// A record of a file, with its line there.
pub(super) struct Record<R> {
    pub line: usize,
    /// Or the row's name, where it can be read, and what is wrong with it.
    pub row: Result<R, (Option<String>, Vec<FieldError>)>,
}

impl<R: Imported> Record<R> {
    /// The row's name in the system that it comes from.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.row {
            Ok(row) => Some(row.external_id()),
            Err((name, _)) => name.as_deref(),
        }
    }
}

pub(super) struct Records<R: Imported> {
    source: Source,
    encoding: &'static Encoding,
    bytes: u64,
    rows: std::marker::PhantomData<R>,
}

enum Source {
    Csv { reader: Box<Reader<BufReader<File>>>, header: Vec<String>, record: ByteRecord },
    Lines { reader: BufReader<File>, line: Vec<u8>, ended: usize },
}

/// A longer line is no row of anybody.
const MOST_BYTES_A_LINE: u64 = 64 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<R: Imported> Records<R> {
    pub(super) fn open(path: &Path, scanned: &Scanned) -> Result<Self, ImportError> {
        let mut reader = BufReader::with_capacity(256 * 1024, File::open(path)?);
        let mark = if reader.fill_buf()?.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        reader.consume(mark);
        let is_json = reader.fill_buf()?.trim_ascii_start().starts_with(b"{");
        let source = if is_json {
            Source::Lines { reader, line: Vec::new(), ended: 0 }
        } else {
            let mut reader = ReaderBuilder::new().flexible(true).from_reader(reader);
            let header = reader.byte_headers()?.iter().map(|name| decoded(scanned.encoding, name));
            let header: Vec<_> = header.map(|name| name.trim().to_ascii_lowercase()).collect();
            known_columns::<R>(&header)?;
            Source::Csv { reader: Box::new(reader), header, record: ByteRecord::new() }
        };
        Ok(Self { source, encoding: scanned.encoding, bytes: 0, rows: std::marker::PhantomData })
    }

    pub(super) fn bytes_read(&self) -> u64 {
        self.bytes
    }

    pub(super) fn next(&mut self) -> Result<Option<Record<R>>, ImportError> {
        match &mut self.source {
            Source::Csv { reader, header, record } => {
                if !reader.read_byte_record(record)? {
                    self.bytes = reader.position().byte();
                    return Ok(None);
                }
                self.bytes = reader.position().byte();
                let line = record.position().map_or(0, csv::Position::line);
                let line = usize::try_from(line).unwrap_or(usize::MAX);
                let values: Vec<_> = record.iter().map(|value| decoded(self.encoding, value)).collect();
                let fields = Fields { header, values: &values };
                let row = if values.len() == header.len() {
                    R::from_fields(&fields)
                } else {
                    Err(vec![wrong("", "COLUMN_COUNT", "열의 개수가 첫 줄과 다릅니다.")])
                };
                let named = || fields.get("external_id").map(str::to_owned);
                let row = unmangled(&values).and(row).map_err(|errors| (named(), errors));
                Ok(Some(Record { line, row }))
            }
            Source::Lines { reader, line, ended } => loop {
                line.clear();
                let read = reader.by_ref().take(MOST_BYTES_A_LINE).read_until(b'\n', line)?;
                if read == 0 {
                    return Ok(None);
                }
                self.bytes += u64::try_from(read).unwrap_or(u64::MAX);
                *ended += 1;
                let is_cut =
                    line.last() != Some(&b'\n') && u64::try_from(read).ok() == Some(MOST_BYTES_A_LINE);
                if is_cut {
                    self.bytes += skip_line(reader)?;
                    let errors = vec![wrong("", "LINE_TOO_LONG", "한 줄은 64KiB까지입니다.")];
                    return Ok(Some(Record { line: *ended, row: Err((None, errors)) }));
                }
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let text = decoded(self.encoding, line);
                let row = platform::read_object::<R>(text.as_bytes())
                    .map_err(|problem| (None, problem.into_field_errors()));
                return Ok(Some(Record { line: *ended, row }));
            },
        }
    }
}

fn decoded(encoding: &'static Encoding, bytes: &[u8]) -> String {
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Letters that stand for nothing in this encoding would be lost.
fn unmangled(values: &[String]) -> Result<(), Vec<FieldError>> {
    if values.iter().any(|value| value.contains('\u{fffd}')) {
        return Err(vec![wrong("", "UNREADABLE_LETTERS", "읽을 수 없는 글자가 있습니다.")]);
    }
    Ok(())
}

/// Passes over what is left of a line; answers with how much that was.
fn skip_line(reader: &mut BufReader<File>) -> std::io::Result<u64> {
    let mut skipped = 0;
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let length = end.unwrap_or(buffer.len());
        reader.consume(length);
        skipped += u64::try_from(length).unwrap_or(u64::MAX);
        if end.is_some() || length == 0 {
            return Ok(skipped);
        }
    }
}

/// A column that is misspelt would be lost without a word.
fn known_columns<R: Imported>(header: &[String]) -> Result<(), ImportError> {
    for required in R::REQUIRED {
        if !header.iter().any(|name| name == required) {
            return Err(ImportError::MissingColumn(required));
        }
    }
    let is_known = |name: &str| R::REQUIRED.iter().chain(R::OPTIONAL).any(|known| *known == name);
    if let Some(unknown) = header.iter().find(|name| !is_known(name)) {
        let known: Vec<_> = R::REQUIRED.iter().chain(R::OPTIONAL).copied().collect();
        return Err(ImportError::UnknownColumn(unknown.clone(), known.join(", ")));
    }
    Ok(())
}

pub(super) fn wrong(field: &str, code: &'static str, message: &str) -> FieldError {
    FieldError { field: field.to_owned(), code, message: message.to_owned() }
}

//! CSV as Excel in Korea opens it: UTF-8 with a byte order mark, RFC 4180.

use std::{
    borrow::Cow,
    io::{self, Write},
};

use chrono::{Datelike, NaiveDate, Timelike};

use super::{Cell, Column, SheetError};

/// Without it Excel takes the file for CP949.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A table that is written as a stream.
pub(crate) struct CsvSheet<W: Write> {
    writer: ::csv::Writer<W>,
    field: Vec<u8>,
}

impl<W: Write> CsvSheet<W> {
    pub(crate) fn begin(mut to: W, columns: &[Column]) -> Result<Self, SheetError> {
        to.write_all(BYTE_ORDER_MARK)?;
        let mut writer = ::csv::WriterBuilder::new()
            .terminator(::csv::Terminator::CRLF)
            .buffer_capacity(64 * 1024)
            .from_writer(to);
        writer.write_record(columns.iter().map(|column| column.title))?;
        Ok(Self { writer, field: Vec::with_capacity(32) })
    }

    pub(crate) fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), SheetError> {
        for cell in cells {
            self.field.clear();
            match cell {
                Cell::Empty => {}
                Cell::Text(text) => {
                    self.writer.write_field(defused(text).as_bytes())?;
                    continue;
                }
                Cell::Number(number) | Cell::Won(number) => write!(self.field, "{number}")?,
                Cell::Percent(tenths) => {
                    let sign = if *tenths < 0 { "-" } else { "" };
                    let tenths = tenths.unsigned_abs();
                    write!(self.field, "{sign}{}.{}", tenths / 10, tenths % 10)?;
                }
                Cell::Date(day) => date(&mut self.field, *day),
                Cell::Time(time) => {
                    date(&mut self.field, time.date());
                    for (before, part) in [(b' ', time.hour()), (b':', time.minute()), (b':', time.second())]
                    {
                        self.field.push(before);
                        digits(&mut self.field, part, 2);
                    }
                }
            }
            self.writer.write_field(&self.field)?;
        }
        self.writer.write_record(None::<&[u8]>)?;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<W, SheetError> {
        self.writer.into_inner().map_err(|error| SheetError::Io(io::Error::other(error.to_string())))
    }
}

/// `2026-02-14`. A million rows have two times each, and chrono's formatter is slow at them.
fn date(into: &mut Vec<u8>, day: NaiveDate) {
    digits(into, day.year().unsigned_abs(), 4);
    into.push(b'-');
    digits(into, day.month(), 2);
    into.push(b'-');
    digits(into, day.day(), 2);
}

fn digits(into: &mut Vec<u8>, number: u32, how_many: u32) {
    for place in (0..how_many).rev() {
        into.push(b'0' + u8::try_from(number / 10_u32.pow(place) % 10).unwrap_or_default());
    }
}

/// Text that a spreadsheet would run as a formula begins with an apostrophe instead: whoever books under the
/// name `=HYPERLINK(..)` is not to choose what the shop's computer does. The wide forms are taken for the
/// narrow ones where people write Korean.
fn defused(text: &str) -> Cow<'_, str> {
    let is_dangerous =
        |first: char| matches!(first, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if text.starts_with(is_dangerous) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: [Column; 2] = [Column::new("고객명", 10.0), Column::new("금액", 10.0)];

    fn written(rows: &[&[Cell<'_>]]) -> String {
        let mut sheet = CsvSheet::begin(Vec::new(), &COLUMNS).unwrap();
        for row in rows {
            sheet.row(row).unwrap();
        }
        String::from_utf8(sheet.finish().unwrap()).unwrap()
    }

    fn one(cell: Cell<'_>) -> String {
        let text = written(&[&[cell, Cell::Empty]]);
        text.strip_prefix("\u{feff}고객명,금액\r\n").unwrap().strip_suffix(",\r\n").unwrap().to_owned()
    }

    #[test]
    fn lines_end_as_rfc_4180_says_and_quotes_are_doubled() {
        assert_eq!(
            written(&[&[Cell::text("김 \"민서\", 단골"), Cell::Won(28_000)]]),
            "\u{feff}고객명,금액\r\n\"김 \"\"민서\"\", 단골\",28000\r\n"
        );
    }

    #[test]
    fn what_would_run_as_a_formula_does_not() {
        for formula in ["=1+1", "+82", "-2+3", "@SUM(A1)", "＝1+1"] {
            assert_eq!(one(Cell::text(formula)), format!("'{formula}"));
        }
        assert_eq!(one(Cell::text("\t=1")), "'\t=1");
        assert_eq!(one(Cell::text("\r=1")), "\"'\r=1\"");
        assert_eq!(one(Cell::text("a=1")), "a=1");
    }

    #[test]
    fn numbers_of_ours_stay_numbers() {
        assert_eq!(one(Cell::Number(-5)), "-5");
        assert_eq!(one(Cell::Percent(-5)), "-0.5");
        assert_eq!(one(Cell::Percent(1000)), "100.0");
        let day = NaiveDate::from_ymd_opt(2026, 2, 1).unwrap();
        assert_eq!(one(Cell::Date(day)), "2026-02-01");
        assert_eq!(one(Cell::Time(day.and_hms_opt(9, 5, 0).unwrap())), "2026-02-01 09:05:00");
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "\\PC{0,40}|[=+@\"',\r\n\t -]{0,8}|\u{202e}[가-힣]{0,4}👩‍👩‍👧") {
            let file = written(&[&[Cell::text(&text), Cell::Won(1)]]);
            let body = file.strip_prefix('\u{feff}').unwrap();
            let mut reader = ::csv::Reader::from_reader(body.as_bytes());
            let read: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(read.len(), 1);
            prop_assert_eq!(&read[0][0], &*defused(&text));
            prop_assert_eq!(&read[0][1], "1");
        }
    }
}

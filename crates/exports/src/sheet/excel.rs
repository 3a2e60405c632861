//! Excel workbooks. Long tables are written row by row into a temporary file; a workbook is packed when
//! it is complete, since the parts of a ZIP archive follow one another.

use std::{
    fs::File,
    io::{BufWriter, Seek, Write},
};

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use rust_xlsxwriter::{Chart, Color, Format, FormatAlign, FormatBorder, Workbook, Worksheet};

use super::{Cell, Column, SheetError};

/// Of a sheet of Excel, its header included.
pub(crate) const MOST_ROWS: u32 = 1_048_576;

/// Characters of a cell of Excel.
const MOST_CHARACTERS: usize = 32_767;

/// How hard the file is packed, 1 to 9. 1 takes about half the time of 6, which is usual, and what somebody waits
/// for is the file.
const PACKING: u8 = 1;

/// The looks that cells have.
struct Looks {
    title: Format,
    won: Format,
    number: Format,
    percent: Format,
    date: Format,
    time: Format,
}

impl Looks {
    fn new() -> Self {
        let title = Format::new()
            .set_bold()
            .set_background_color(Color::RGB(0x00DD_E7F3))
            .set_align(FormatAlign::Center)
            .set_border_bottom(FormatBorder::Thin);
        let of = |format: &str| Format::new().set_num_format(format);
        Self {
            title,
            won: of("#,##0\"원\""),
            number: of("#,##0"),
            percent: of("0.0%"),
            date: of("yyyy-mm-dd"),
            time: of("yyyy-mm-dd hh:mm"),
        }
    }
}

/// A workbook.
pub(crate) struct ExcelBook {
    book: Workbook,
    looks: Looks,
    rows_per_sheet: u32,
}

/// A table of a workbook, on as many sheets as it takes.
pub(crate) struct ExcelSheet {
    name: &'static str,
    columns: &'static [Column],
    sheet: Worksheet,
    /// Which sheet of this table, from 1.
    part: u32,
    /// The next row.
    row: u32,
}

impl ExcelBook {
    pub(crate) fn new(rows_per_sheet: u32) -> Self {
        let mut book = Workbook::new();
        book.set_zip_compression_level(PACKING);
        Self { book, looks: Looks::new(), rows_per_sheet: rows_per_sheet.clamp(2, MOST_ROWS) }
    }

    /// Begins a table whose rows are not kept in memory.
    pub(crate) fn begin(
        &mut self,
        name: &'static str,
        columns: &'static [Column],
    ) -> Result<ExcelSheet, SheetError> {
        self.begin_part(name, columns, 1)
    }

    fn begin_part(
        &mut self,
        name: &'static str,
        columns: &'static [Column],
        part: u32,
    ) -> Result<ExcelSheet, SheetError> {
        let mut sheet = self.book.new_worksheet_with_constant_memory()?;
        sheet.set_name(if part == 1 { name.to_owned() } else { format!("{name} ({part})") })?;
        sheet.set_freeze_panes(1, 0)?;
        for (at, column) in (0..).zip(columns) {
            sheet.set_column_width(at, column.width)?;
            sheet.write_string_with_format(0, at, column.title, &self.looks.title)?;
        }
        Ok(ExcelSheet { name, columns, sheet, part, row: 1 })
    }

    pub(crate) fn row(&mut self, table: &mut ExcelSheet, cells: &[Cell<'_>]) -> Result<(), SheetError> {
        if table.row == self.rows_per_sheet {
            let next = self.begin_part(table.name, table.columns, table.part + 1)?;
            self.end(std::mem::replace(table, next))?;
        }
        for (at, cell) in (0..).zip(cells) {
            self.looks.write(&mut table.sheet, table.row, at, cell)?;
        }
        table.row += 1;
        Ok(())
    }

    /// The last row has been written.
    pub(crate) fn end(&mut self, mut table: ExcelSheet) -> Result<(), SheetError> {
        let last_column = u16::try_from(table.columns.len().saturating_sub(1)).unwrap_or_default();
        table.sheet.autofilter(0, 0, table.row.saturating_sub(1), last_column)?;
        self.book.push_worksheet(table.sheet);
        Ok(())
    }

    /// A sheet of names and figures, with charts beside them.
    pub(crate) fn facts(
        &mut self,
        name: &str,
        facts: &[(&str, Cell<'_>)],
        charts: &[(u32, u16, Chart)],
    ) -> Result<(), SheetError> {
        let sheet = self.book.add_worksheet();
        sheet.set_name(name)?;
        sheet.set_column_width(0, 20)?.set_column_width(1, 24)?;
        // One page, for whoever prints it.
        sheet.set_landscape().set_paper_size(9).set_print_fit_to_pages(1, 1);
        for (row, (title, cell)) in (0..).zip(facts) {
            sheet.write_string_with_format(row, 0, *title, &self.looks.title)?;
            self.looks.write(sheet, row, 1, cell)?;
        }
        for (row, column, chart) in charts {
            sheet.insert_chart(*row, *column, chart)?;
        }
        Ok(())
    }

    /// The whole workbook, ready to be read from its beginning.
    pub(crate) fn finish(mut self) -> Result<File, SheetError> {
        let mut to = BufWriter::with_capacity(256 * 1024, tempfile::tempfile()?);
        self.book.save_to_writer(&mut to)?;
        to.flush()?;
        let mut file = to.into_inner().map_err(|error| SheetError::Io(error.into_error()))?;
        file.rewind()?;
        Ok(file)
    }
}

impl Looks {
    fn write(&self, sheet: &mut Worksheet, row: u32, at: u16, cell: &Cell<'_>) -> Result<(), SheetError> {
        match cell {
            Cell::Empty => return Ok(()),
            Cell::Text(text) => sheet.write_string(row, at, fitting(text))?,
            Cell::Number(number) => sheet.write_number_with_format(row, at, float(*number), &self.number)?,
            Cell::Won(won) => sheet.write_number_with_format(row, at, float(*won), &self.won)?,
            Cell::Percent(tenths) => {
                sheet.write_number_with_format(row, at, float(*tenths) / 1000.0, &self.percent)?
            }
            Cell::Date(day) => {
                sheet.write_number_with_format(row, at, serial(day.and_time(NaiveTime::MIN)), &self.date)?
            }
            Cell::Time(time) => sheet.write_number_with_format(row, at, serial(*time), &self.time)?,
        };
        Ok(())
    }
}

/// Longer text would make Excel refuse the whole workbook.
fn fitting(text: &str) -> &str {
    // Excel counts UTF-16; no text has more of that than of UTF-8.
    if text.len() <= MOST_CHARACTERS {
        return text;
    }
    let mut room = MOST_CHARACTERS;
    let end = text.char_indices().find_map(|(at, c)| match room.checked_sub(c.len_utf16()) {
        Some(left) => {
            room = left;
            None
        }
        None => Some(at),
    });
    end.map_or(text, |end| &text[..end])
}

#[expect(clippy::cast_precision_loss, reason = "what a cell of Excel holds; won are far below 2^53")]
fn float(number: i64) -> f64 {
    number as f64
}

/// A time as Excel counts it: days since the last but one of 1899.
fn serial(time: NaiveDateTime) -> f64 {
    let epoch = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default().and_time(NaiveTime::MIN);
    float((time - epoch).num_seconds()) / 86_400.0
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use calamine::{Data, Reader, Xlsx, open_workbook_from_rs};
    use proptest::prelude::*;

    use super::*;

    const COLUMNS: &[Column] = &[Column::new("이름", 10.0), Column::new("금액", 10.0)];

    fn book(rows_per_sheet: u32, rows: &[[Cell<'_>; 2]]) -> Xlsx<Cursor<Vec<u8>>> {
        let mut book = ExcelBook::new(rows_per_sheet);
        let mut sheet = book.begin("표", COLUMNS).unwrap();
        for row in rows {
            book.row(&mut sheet, row).unwrap();
        }
        book.end(sheet).unwrap();
        let mut bytes = Vec::new();
        book.finish().unwrap().read_to_end(&mut bytes).unwrap();
        open_workbook_from_rs(Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn what_is_beyond_a_sheet_goes_on_another_with_its_titles() {
        let rows: Vec<_> = (0..7).map(|n| [Cell::text("a"), Cell::Number(n)]).collect();
        let mut book = book(4, &rows);
        assert_eq!(book.sheet_names(), ["표", "표 (2)", "표 (3)"]);
        let mut numbers = Vec::new();
        for name in book.sheet_names() {
            let range = book.worksheet_range(&name).unwrap();
            let mut rows = range.rows();
            assert_eq!(rows.next().unwrap()[1], Data::String("금액".to_owned()));
            numbers.extend(rows.map(|row| row[1].clone()));
        }
        assert_eq!(numbers, (0..7).map(|n| Data::Float(f64::from(n))).collect::<Vec<_>>());
    }

    #[test]
    fn no_rows_at_all_are_a_sheet_with_titles() {
        assert_eq!(book(4, &[]).worksheet_range("표").unwrap().height(), 1);
    }

    #[test]
    fn text_longer_than_a_cell_is_cut_and_the_file_can_be_opened() {
        for (text, characters) in
            [("가".repeat(10_000), 10_000), ("가".repeat(40_000), 32_767), ("👩".repeat(20_000), 16_383)]
        {
            let mut book = book(4, &[[Cell::text(&text), Cell::Won(1)]]);
            let cell = book.worksheet_range("표").unwrap().get((1, 0)).unwrap().to_string();
            assert_eq!(cell.chars().count(), characters);
            assert!(text.starts_with(&cell));
        }
    }

    #[test]
    fn days_are_counted_as_excel_counts_them() {
        let at = |day: &str, time: &str| NaiveDateTime::new(day.parse().unwrap(), time.parse().unwrap());
        let is = |day: &str, time: &str, expected: f64| (serial(at(day, time)) - expected).abs() < 1e-9;
        assert!(is("1900-03-01", "00:00:00", 61.0));
        assert!(is("2026-02-14", "12:00:00", 46_067.5));
        assert!(is("2000-01-01", "23:59:59", 36_526.0 + 86_399.0 / 86_400.0));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_text_comes_back(text in "\\PC{1,30}|[=+@<>&\"'_x0-9A-F-]{1,20}|\u{202e}[가-힣]{1,4}👩‍👩‍👧|_x00[0-9A-F]{2}_") {
            let mut book = book(4, &[[Cell::text(&text), Cell::Won(-5)]]);
            let range = book.worksheet_range("표").unwrap();
            prop_assert_eq!(range.get((1, 0)).unwrap().to_string(), text);
            prop_assert_eq!(range.get((1, 1)).unwrap(), &Data::Float(-5.0));
        }
    }
}

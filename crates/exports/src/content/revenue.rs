//! The revenue report as a file: the very figures that `GET reports/revenue` answers, laid out.

use chrono::NaiveDate;
use kernel::korean_weekday;
use rust_xlsxwriter::{Chart, ChartType};
use serde::Deserialize;

use crate::{
    Revenue,
    range::Days,
    sheet::{Cell, Column, CsvSheet, ExcelBook, SheetError},
};

/// A range longer than this is drawn month by month.
const DAYS_IN_A_CHART: i64 = 62;

/// Services in the chart of shares; a pie with more is unreadable.
const SLICES: usize = 8;

/// The report, as the API publishes it; what is not laid out is not read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    summary: Summary,
    breakdown: Vec<Period>,
    by_service: Vec<Service>,
    by_staff: Vec<Staff>,
    by_day_of_week: Vec<Weekday>,
    peak_hours: Vec<Hour>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    total_revenue: i64,
    total_reservations: i64,
    average_per_reservation: i64,
    growth: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Period {
    period: String,
    revenue: i64,
    reservations: i64,
    completed_rate: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service_name: String,
    revenue: i64,
    count: i64,
    share: f64,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Staff {
    staff_name: String,
    revenue: i64,
    count: i64,
    share: f64,
}

#[derive(Debug, Deserialize)]
struct Weekday {
    label: String,
    revenue: i64,
    count: i64,
}

#[derive(Debug, Deserialize)]
struct Hour {
    hour: i64,
    count: i64,
}

/// What a revenue export lays out.
#[derive(Debug)]
pub(crate) struct Figures {
    daily: Report,
    monthly: Report,
}

/// The figures with what stands above them.
pub(crate) struct RevenueDocument {
    pub business: String,
    pub days: Days,
    pub figures: Figures,
}

const DAY: &[Column] = &[
    Column::new("날짜", 12.0),
    Column::new("요일", 7.0),
    Column::new("매출", 15.0),
    Column::new("예약", 9.0),
    Column::new("완료율(%)", 11.0),
];
const MONTH: &[Column] = &[
    Column::new("월", 12.0),
    Column::new("매출", 15.0),
    Column::new("예약", 9.0),
    Column::new("완료율(%)", 11.0),
];
const SERVICE: &[Column] = &[
    Column::new("서비스", 28.0),
    Column::new("매출", 15.0),
    Column::new("건수", 9.0),
    Column::new("비중(%)", 10.0),
];
const STAFF: &[Column] = &[
    Column::new("담당자", 16.0),
    Column::new("매출", 15.0),
    Column::new("완료 예약", 11.0),
    Column::new("비중(%)", 10.0),
];
const WEEKDAY: &[Column] =
    &[Column::new("요일", 8.0), Column::new("매출", 15.0), Column::new("완료 예약", 11.0)];
const HOUR: &[Column] = &[Column::new("시간대", 10.0), Column::new("완료 예약", 11.0)];

impl Figures {
    pub(crate) fn read(revenue: Revenue) -> Result<Self, serde_json::Error> {
        let Revenue { daily, monthly } = revenue;
        Ok(Self { daily: serde_json::from_value(daily)?, monthly: serde_json::from_value(monthly)? })
    }

    /// Of the table that a CSV has, and that an Excel file is counted by.
    pub(crate) fn rows(&self) -> i64 {
        i64::try_from(self.daily.breakdown.len()).unwrap_or(i64::MAX)
    }
}

impl RevenueDocument {
    /// Day by day: a CSV has one table.
    pub(crate) fn write_csv<W: std::io::Write>(&self, to: W) -> Result<W, SheetError> {
        let mut sheet = CsvSheet::begin(to, DAY)?;
        for period in &self.figures.daily.breakdown {
            sheet.row(&day(period))?;
        }
        sheet.finish()
    }

    pub(crate) fn write_excel(&self, mut book: ExcelBook) -> Result<std::fs::File, SheetError> {
        let Figures { daily, monthly } = &self.figures;
        let by_month = self.days.count() > DAYS_IN_A_CHART;
        let course = if by_month { course("월별", 1, monthly) } else { course("일별", 2, daily) };
        let charts = [(0, 3, course), (18, 3, slices(daily)), (18, 9, weekdays(daily))];
        let Summary { total_revenue, total_reservations, average_per_reservation, growth } = daily.summary;
        let range = format!("{} ~ {}", self.days.start, self.days.end);
        let facts = [
            ("사업장", Cell::text(&self.business)),
            ("기간", Cell::text(&range)),
            ("매출", Cell::Won(total_revenue)),
            ("예약", Cell::Number(total_reservations)),
            ("완료 건당 평균", Cell::Won(average_per_reservation)),
            ("직전 기간 대비", growth.map_or(Cell::text("비교 없음"), percent)),
        ];
        book.facts("요약", &facts, &charts)?;
        table(&mut book, "일별", DAY, daily.breakdown.iter().map(day))?;
        table(&mut book, "월별", MONTH, monthly.breakdown.iter().map(month))?;
        table(
            &mut book,
            "서비스별",
            SERVICE,
            daily.by_service.iter().map(|one| {
                [
                    Cell::text(&one.service_name),
                    Cell::Won(one.revenue),
                    Cell::Number(one.count),
                    percent(one.share),
                ]
            }),
        )?;
        table(
            &mut book,
            "직원별",
            STAFF,
            daily.by_staff.iter().map(|one| {
                [
                    Cell::text(&one.staff_name),
                    Cell::Won(one.revenue),
                    Cell::Number(one.count),
                    percent(one.share),
                ]
            }),
        )?;
        table(
            &mut book,
            "요일별",
            WEEKDAY,
            daily
                .by_day_of_week
                .iter()
                .map(|one| [Cell::text(&one.label), Cell::Won(one.revenue), Cell::Number(one.count)]),
        )?;
        let mut hours: Vec<_> = daily.peak_hours.iter().collect();
        hours.sort_by_key(|one| one.hour);
        table(
            &mut book,
            "시간대별",
            HOUR,
            hours
                .iter()
                .map(|one| [Cell::Text(format!("{:02}시", one.hour).into()), Cell::Number(one.count)]),
        )?;
        book.finish()
    }
}

fn table<'a, const N: usize>(
    book: &mut ExcelBook,
    name: &'static str,
    columns: &'static [Column],
    rows: impl Iterator<Item = [Cell<'a>; N]>,
) -> Result<(), SheetError> {
    let mut sheet = book.begin(name, columns)?;
    for row in rows {
        book.row(&mut sheet, &row)?;
    }
    book.end(sheet)
}

fn day(period: &Period) -> [Cell<'_>; 5] {
    let day: Option<NaiveDate> = period.period.parse().ok();
    [
        day.map_or(Cell::text(&period.period), Cell::Date),
        Cell::some_text(day.map(korean_weekday)),
        Cell::Won(period.revenue),
        Cell::Number(period.reservations),
        percent(period.completed_rate),
    ]
}

fn month(period: &Period) -> [Cell<'_>; 4] {
    [
        Cell::text(&period.period),
        Cell::Won(period.revenue),
        Cell::Number(period.reservations),
        percent(period.completed_rate),
    ]
}

/// The report has one decimal, so this loses nothing.
#[expect(clippy::cast_possible_truncation, reason = "a growth of 10^15 percent would be one of a won")]
fn percent(percent: f64) -> Cell<'static> {
    Cell::Percent((percent * 10.0).round() as i64)
}

/// Where the last row of a table of so many rows is; a chart of nothing still points somewhere.
fn last(rows: usize) -> u32 {
    u32::try_from(rows.max(1)).unwrap_or(u32::MAX)
}

/// Revenue over time. `at` is the column that holds it.
fn course(sheet: &str, at: u16, report: &Report) -> Chart {
    let mut chart = Chart::new(ChartType::Column);
    let end = last(report.breakdown.len());
    chart
        .add_series()
        .set_name("매출")
        .set_categories((sheet, 1, 0, end, 0))
        .set_values((sheet, 1, at, end, at));
    chart.title().set_name(&format!("{sheet} 매출"));
    chart.legend().set_hidden();
    chart.y_axis().set_num_format("#,##0");
    // Of days; months are text.
    chart.x_axis().set_num_format("mm-dd");
    chart.set_width(760).set_height(340);
    chart
}

fn slices(report: &Report) -> Chart {
    let mut chart = Chart::new(ChartType::Doughnut);
    let end = last(report.by_service.len().min(SLICES));
    chart.add_series().set_categories(("서비스별", 1, 0, end, 0)).set_values(("서비스별", 1, 1, end, 1));
    let title = if report.by_service.len() > SLICES {
        "서비스별 매출 (상위 8개)"
    } else {
        "서비스별 매출"
    };
    chart.title().set_name(title);
    chart.set_width(378).set_height(340);
    chart
}

fn weekdays(report: &Report) -> Chart {
    let mut chart = Chart::new(ChartType::Column);
    let end = last(report.by_day_of_week.len());
    chart.add_series().set_name("매출").set_categories(("요일별", 1, 0, end, 0)).set_values((
        "요일별",
        1,
        1,
        end,
        1,
    ));
    chart.title().set_name("요일별 매출");
    chart.legend().set_hidden();
    chart.y_axis().set_num_format("#,##0");
    chart.set_width(378).set_height(340);
    chart
}

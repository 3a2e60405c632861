//! An export: what somebody asked for, and what became of it.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, Utc};
use kernel::{BusinessId, IdError};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use crate::range::Days;

const PREFIX: &str = "exp_";

/// Names an export of a business: `exp_20260214_001` is the first that it asked for on 14 February.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExportId {
    pub asked_on: NaiveDate,
    pub number: i32,
}

impl fmt::Display for ExportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}_{:03}", self.asked_on.format("%Y%m%d"), self.number)
    }
}

impl FromStr for ExportId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let read = || {
            let (day, number) = text.strip_prefix(PREFIX)?.split_once('_')?;
            let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            if day.len() != 8 || !(3..=9).contains(&number.len()) || !is_digits(day) || !is_digits(number) {
                return None;
            }
            let asked_on = NaiveDate::parse_from_str(day, "%Y%m%d").ok()?;
            let id = Self { asked_on, number: number.parse().ok()? };
            // One way to write each: `exp_20260214_0001` is none.
            (id.to_string() == text).then_some(id)
        };
        read().ok_or(IdError { prefix: PREFIX })
    }
}

impl Serialize for ExportId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExportId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl utoipa::PartialSchema for ExportId {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some("^exp_[0-9]{8}_[0-9]{3,9}$"))
            .examples(["exp_20260214_001"])
            .into()
    }
}

impl ToSchema for ExportId {}

/// What a file is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportType {
    /// One row a reservation, by the Korean day of the visit.
    Reservations,
    /// One row a customer, by the day on which the shop got to know them.
    Customers,
    /// The figures of the revenue report.
    Revenue,
    /// One row a member of staff, with what they did in the range.
    Staffs,
}

impl ExportType {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Reservations => "RESERVATIONS",
            Self::Customers => "CUSTOMERS",
            Self::Revenue => "REVENUE",
            Self::Staffs => "STAFFS",
        }
    }

    /// As a file is called.
    pub(crate) fn korean_name(self) -> &'static str {
        match self {
            Self::Reservations => "예약내역",
            Self::Customers => "고객목록",
            Self::Revenue => "매출",
            Self::Staffs => "직원실적",
        }
    }

    /// Whether it says how customers are reached.
    pub(crate) fn has_contacts(self) -> bool {
        match self {
            Self::Reservations | Self::Customers => true,
            Self::Revenue | Self::Staffs => false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportFormat {
    Excel,
    Csv,
}

impl ExportFormat {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Excel => "EXCEL",
            Self::Csv => "CSV",
        }
    }

    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Excel => "xlsx",
            Self::Csv => "csv",
        }
    }

    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Excel => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    /// Rows a second on a slow day: what a client is told to expect.
    pub(crate) fn rows_per_second(self) -> i64 {
        match self {
            Self::Excel => 40_000,
            Self::Csv => 100_000,
        }
    }
}

/// How an export stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ExportStatus {
    /// Waiting for its turn, or being made.
    Processing,
    /// There to be downloaded.
    Completed,
    /// Nothing came of it; `error` says why.
    Failed,
    /// It was there, and is deleted.
    Expired,
}

/// How a reservation stands, as `booking` publishes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = ExportedStatus)]
pub(crate) enum VisitStatus {
    Pending,
    Confirmed,
    Completed,
    Cancelled,
    NoShow,
}

impl VisitStatus {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Confirmed => "CONFIRMED",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::NoShow => "NO_SHOW",
        }
    }

    pub(crate) fn korean(self) -> &'static str {
        match self {
            Self::Pending => "대기",
            Self::Confirmed => "확정",
            Self::Completed => "완료",
            Self::Cancelled => "취소",
            Self::NoShow => "노쇼",
        }
    }
}

/// Which rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Selection {
    pub business: BusinessId,
    pub kind: ExportType,
    /// Of customers: all there ever were, where none are given.
    pub days: Option<Days>,
    pub status: Option<VisitStatus>,
    pub staff: Option<i64>,
}

/// An export that a worker has taken.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub id: ExportId,
    pub selection: Selection,
    pub format: ExportFormat,
    /// Telephone numbers and addresses in full.
    pub whole_contacts: bool,
    /// Which taking of it this is. What a worker writes counts only while nobody has taken it over.
    pub attempt: i32,
    /// How often it came to nothing before.
    pub failures: i32,
}

impl Claim {
    pub(crate) fn file(&self) -> FileKey {
        FileKey { business: self.selection.business, id: self.id, attempt: self.attempt }
    }
}

/// Names the file of one attempt. None is ever written twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileKey {
    pub business: BusinessId,
    pub id: ExportId,
    pub attempt: i32,
}

impl FileKey {
    /// The folder that holds this file and nothing else.
    pub(crate) fn folder(&self) -> String {
        format!("{}/{}/{}", self.business, self.id, self.attempt)
    }
}

/// A row of `exports.export`, as clients see it.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    pub id: ExportId,
    pub kind: ExportType,
    pub format: ExportFormat,
    pub days: Option<Days>,
    pub status_filter: Option<VisitStatus>,
    pub staff_filter: Option<i64>,
    pub whole_contacts: bool,
    pub asked_by: String,
    pub asked_at: DateTime<Utc>,
    pub status: ExportStatus,
    pub due_at: Option<DateTime<Utc>>,
    pub attempt: i32,
    pub rows_expected: i64,
    pub rows_written: i64,
    pub finished_at: Option<DateTime<Utc>>,
    pub file_size: Option<i64>,
    pub error: Option<Failure>,
}

impl Export {
    /// Percent; 100 is there to be downloaded.
    pub(crate) fn progress(&self) -> i64 {
        match self.status {
            ExportStatus::Completed | ExportStatus::Expired => 100,
            ExportStatus::Processing | ExportStatus::Failed => {
                (self.rows_written * 100 / self.rows_expected.max(1)).clamp(0, 99)
            }
        }
    }
}

/// Why nothing came of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
#[schema(as = ExportFailure)]
pub(crate) enum Failure {
    /// The storage would not take the file.
    StorageUnavailable,
    /// The data could not be read.
    DataUnavailable,
    /// Whoever made it died each time.
    Interrupted,
    /// Ours; it is logged.
    Internal,
}

impl Failure {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::StorageUnavailable => "STORAGE_UNAVAILABLE",
            Self::DataUnavailable => "DATA_UNAVAILABLE",
            Self::Interrupted => "INTERRUPTED",
            Self::Internal => "INTERNAL",
        }
    }

    /// What a shop owner reads.
    pub(crate) fn korean(self) -> &'static str {
        match self {
            Self::StorageUnavailable => "파일 저장소에 저장하지 못했습니다. 잠시 후 다시 요청해 주세요.",
            Self::DataUnavailable => "데이터를 읽지 못했습니다. 잠시 후 다시 요청해 주세요.",
            Self::Interrupted => {
                "파일을 만드는 도중 여러 번 중단되었습니다. 기간을 나누어 다시 요청해 주세요."
            }
            Self::Internal => "파일을 만들지 못했습니다. 고객센터로 문의해 주세요.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_day_and_a_number() {
        let id: ExportId = "exp_20260214_001".parse().unwrap();
        assert_eq!((id.asked_on, id.number), (NaiveDate::from_ymd_opt(2026, 2, 14).unwrap(), 1));
        let busy: ExportId = "exp_20260214_1234".parse().unwrap();
        assert_eq!((busy.number, busy.to_string()), (1234, "exp_20260214_1234".to_owned()));
        for nonsense in [
            "",
            "exp_",
            "exp_20260214",
            "exp_20260214_1",
            "exp_20260214_0001",
            "exp_20260230_001",
            "exp_2026021４_001",
            "EXP_20260214_001",
            "exp_20260214_+01",
            "exp_20260214_9999999999",
        ] {
            assert!(nonsense.parse::<ExportId>().is_err(), "{nonsense}");
        }
    }
}

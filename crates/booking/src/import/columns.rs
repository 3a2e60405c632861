//! What the columns of each kind of file mean.

use kernel::BusinessId;
use platform::{FieldError, TenantTx};

use super::records::wrong;
use crate::{
    Booking, BookingError, CustomerRow, Gender, ReservationRow, ReservationStatus, ServiceLineRow,
    ServiceRow, StaffRow,
    feed::{Announce, Feed, FeedReport, Row},
};

/// The fields of a record, by the names in the header.
pub(super) struct Fields<'a> {
    pub header: &'a [String],
    pub values: &'a [String],
}

impl Fields<'_> {
    /// An empty field says nothing.
    pub(super) fn get(&self, column: &str) -> Option<&str> {
        let at = self.header.iter().position(|name| name == column)?;
        self.values.get(at).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn text(&self, column: &str) -> String {
        self.get(column).unwrap_or_default().to_owned()
    }

    fn optional(&self, column: &str) -> Option<String> {
        self.get(column).map(str::to_owned)
    }

    /// `30000`, or `30,000` as people write it.
    fn number(&self, column: &'static str, errors: &mut Vec<FieldError>) -> i64 {
        let Some(text) = self.get(column) else {
            errors.push(wrong(column, "REQUIRED", "값이 필요합니다."));
            return 0;
        };
        text.replace(',', "").parse().unwrap_or_else(|_| {
            errors.push(wrong(column, "INVALID", "정수여야 합니다."));
            0
        })
    }
}

/// A kind of row that files list.
pub(super) trait Imported: Row + Sized + Send + 'static {
    const REQUIRED: &'static [&'static str];
    const OPTIONAL: &'static [&'static str];
    /// Whether several records make one row.
    const SPANS_RECORDS: bool = false;

    fn from_fields(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>>;

    /// Takes in another record of the same row; answers with what does not fit.
    fn extend(&mut self, _: Self) -> Option<FieldError> {
        None
    }

    fn upsert(
        booking: &Booking,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<Self>,
    ) -> impl Future<Output = Result<FeedReport, BookingError>> + Send;
}

impl Imported for StaffRow {
    const REQUIRED: &'static [&'static str] = &["external_id", "name"];
    const OPTIONAL: &'static [&'static str] = &[];

    fn from_fields(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>> {
        Ok(Self { external_id: fields.text("external_id"), name: fields.text("name") })
    }

    async fn upsert(
        booking: &Booking,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<Self>,
    ) -> Result<FeedReport, BookingError> {
        booking.upsert_staffs(tx, business, feed).await
    }
}

impl Imported for ServiceRow {
    const REQUIRED: &'static [&'static str] = &["external_id", "name", "price", "duration_minutes"];
    const OPTIONAL: &'static [&'static str] = &["category"];

    fn from_fields(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let row = Self {
            external_id: fields.text("external_id"),
            name: fields.text("name"),
            category: fields.optional("category"),
            price: fields.number("price", &mut errors),
            duration_minutes: fields.number("duration_minutes", &mut errors),
        };
        if errors.is_empty() { Ok(row) } else { Err(errors) }
    }

    async fn upsert(
        booking: &Booking,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<Self>,
    ) -> Result<FeedReport, BookingError> {
        booking.upsert_services(tx, business, feed).await
    }
}

impl Imported for CustomerRow {
    const REQUIRED: &'static [&'static str] = &["external_id", "name"];
    const OPTIONAL: &'static [&'static str] =
        &["phone", "email", "birthday", "gender", "tags", "marketing_consent", "created_at"];

    fn from_fields(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let gender = fields.get("gender").and_then(|text| {
            let gender = gender(text);
            let unknown = || wrong("gender", "INVALID", "FEMALE, MALE, OTHER 중 하나여야 합니다.");
            errors.extend(gender.is_none().then(unknown));
            gender
        });
        let marketing_consent = fields.get("marketing_consent").and_then(|text| {
            let consent = consent(text);
            let unknown = || wrong("marketing_consent", "INVALID", "true 또는 false여야 합니다.");
            errors.extend(consent.is_none().then(unknown));
            consent
        });
        let tags = fields.get("tags").map(|tags| {
            let tags = tags.split(';').map(str::trim).filter(|tag| !tag.is_empty());
            tags.map(str::to_owned).collect()
        });
        let row = Self {
            external_id: fields.text("external_id"),
            name: fields.text("name"),
            phone: fields.optional("phone"),
            email: fields.optional("email"),
            birthday: fields.optional("birthday"),
            gender,
            tags,
            marketing_consent,
            created_at: fields.get("created_at").map(with_t),
        };
        if errors.is_empty() { Ok(row) } else { Err(errors) }
    }

    async fn upsert(
        booking: &Booking,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<Self>,
    ) -> Result<FeedReport, BookingError> {
        booking.upsert_customers(tx, business, feed, Announce::Nothing).await
    }
}

impl Imported for ReservationRow {
    const REQUIRED: &'static [&'static str] =
        &["external_id", "service_external_id", "start_at", "status", "price"];
    const OPTIONAL: &'static [&'static str] = &["customer_external_id", "staff_external_id", "created_at"];
    const SPANS_RECORDS: bool = true;

    fn from_fields(fields: &Fields<'_>) -> Result<Self, Vec<FieldError>> {
        let mut errors = Vec::new();
        let status = fields.text("status").to_ascii_uppercase();
        let status = ReservationStatus::ALL.into_iter().find(|known| known.as_str() == status);
        let price = fields.number("price", &mut errors);
        let Some(status) = status else {
            let known = ReservationStatus::ALL.map(ReservationStatus::as_str).join(", ");
            errors.push(wrong("status", "INVALID", &format!("{known} 중 하나여야 합니다.")));
            return Err(errors);
        };
        let row = Self {
            external_id: fields.text("external_id"),
            customer_external_id: fields.optional("customer_external_id"),
            staff_external_id: fields.optional("staff_external_id"),
            services: vec![ServiceLineRow { service_external_id: fields.text("service_external_id"), price }],
            start_at: with_t(&fields.text("start_at")),
            status,
            created_at: fields.get("created_at").map(with_t),
        };
        if errors.is_empty() { Ok(row) } else { Err(errors) }
    }

    fn extend(&mut self, record: Self) -> Option<FieldError> {
        let said = |row: &Self| {
            let Self { customer_external_id, staff_external_id, start_at, status, .. } = row.clone();
            (customer_external_id, staff_external_id, start_at, status)
        };
        if said(self) != said(&record) {
            let message = "같은 예약의 행들이 고객, 직원, 시각 또는 상태를 서로 다르게 말합니다.";
            return Some(wrong("external_id", "ROWS_DISAGREE", message));
        }
        self.services.extend(record.services);
        None
    }

    async fn upsert(
        booking: &Booking,
        tx: &mut TenantTx,
        business: BusinessId,
        feed: Feed<Self>,
    ) -> Result<FeedReport, BookingError> {
        booking.upsert_reservations(tx, business, feed, Announce::Nothing).await
    }
}

fn gender(text: &str) -> Option<Gender> {
    match text.to_ascii_uppercase().as_str() {
        "FEMALE" | "F" | "여" | "여성" | "여자" => Some(Gender::Female),
        "MALE" | "M" | "남" | "남성" | "남자" => Some(Gender::Male),
        "OTHER" => Some(Gender::Other),
        _ => None,
    }
}

fn consent(text: &str) -> Option<bool> {
    match text.to_ascii_uppercase().as_str() {
        "TRUE" | "Y" | "YES" | "1" => Some(true),
        "FALSE" | "N" | "NO" | "0" => Some(false),
        _ => None,
    }
}

/// Spreadsheets write a space between day and time.
fn with_t(time: &str) -> String {
    match time.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _, b' ', ..] => time.replacen(' ', "T", 1),
        _ => time.to_owned(),
    }
}

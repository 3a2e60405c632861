//! Feeding rows, many at a time.

use axum::extract::State;
use platform::{CommonProblems, Data, InBusinessOrAdmin, Json, Problem, Query, TenantBooking};
use serde::Deserialize;
use utoipa::IntoParams;

use super::feed_body::FeedBody;
use crate::{
    Booking, CustomerRow, ReservationRow, ServiceRow, StaffRow,
    feed::{Announce, FeedReport},
};

/// How rows are fed whose changes are news.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct FeedQuery {
    /// False for the import of history: nobody is told of what changed.
    #[param(default = true)]
    announce: Option<bool>,
}

impl FeedQuery {
    fn announce(&self) -> Announce {
        if self.announce.unwrap_or(true) { Announce::Changes } else { Announce::Nothing }
    }
}

/// The problems that feeding may answer with besides. Nothing of the call was done then.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
pub(crate) enum FeedProblems {
    /// `NOT_FOUND`: no such business, or the caller is no member of it.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
    /// `BODY_TOO_LARGE`: more than 32 MiB. `LINE_TOO_LONG`: a line of NDJSON has more than 64 KiB.
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(Problem),
    /// `JSON_REQUIRED`: the `Content-Type` is neither `application/json` nor `application/x-ndjson`.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(Problem),
    /// `TOO_MANY_ROWS`: more than 10,000. `VALIDATION_FAILED`: JSON, but no array.
    #[response(status = 422, content_type = "application/problem+json")]
    NoRows(Problem),
}

/// A row a line, as the examples of each kind of feed.
const CUSTOMER_LINES: &str = r#"{"externalId": "C-1001", "name": "김민서", "phone": "010-1234-5678"}
{"externalId": "C-1002", "name": "최우식", "gender": "MALE"}
"#;
const STAFF_LINES: &str = r#"{"externalId": "S-1", "name": "이지은"}
{"externalId": "S-2", "name": "박서준"}
"#;
const SERVICE_LINES: &str = r#"{"externalId": "CUT-F", "name": "여성 컷", "category": "컷", "price": 30000, "durationMinutes": 60}
{"externalId": "CUT-M", "name": "남성 컷", "category": "컷", "price": 22000, "durationMinutes": 40}
"#;
const RESERVATION_LINES: &str = r#"{"externalId": "R-20001", "staffExternalId": "S-1", "services": [{"serviceExternalId": "CUT-F", "price": 28000}], "startAt": "2026-03-14T10:00:00+09:00", "status": "CONFIRMED"}
{"externalId": "R-20002", "services": [{"serviceExternalId": "CUT-M", "price": 22000}], "startAt": "2026-03-14T11:00:00+09:00", "status": "COMPLETED"}
"#;

/// Feed customers
///
/// Up to 10,000 rows: a JSON array, or a row a line as `application/x-ndjson`. A row whose `externalId` is known changes what
/// is known; feeding twice changes nothing. Rows that cannot be are reported one by one, and the others go in.
/// What is left out of a row is erased. A customer whose personal data was erased (`ERASED`) stays so.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/customers/bulk", operation_id = "upsertCustomers", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), FeedQuery),
    request_body(
        content(
            (Vec<CustomerRow> = "application/json", example = json!([
                {"externalId": "C-1001", "name": "김민서", "phone": "010-1234-5678", "email": "minseo@misohair.com",
                 "birthday": "1994-05-08", "gender": "FEMALE", "tags": ["단골"], "marketingConsent": true},
            ])),
            (String = "application/x-ndjson", example = json!(CUSTOMER_LINES)),
        ),
    ),
    responses(
        (status = 200, description = "What became of the rows", body = Data<FeedReport>),
        CommonProblems, FeedProblems,
    ),
)]
pub(crate) async fn upsert_customers(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<FeedQuery>,
    FeedBody(feed): FeedBody<CustomerRow>,
) -> Result<Json<Data<FeedReport>>, Problem> {
    let report = booking.feed_customers(caller.business, feed, query.announce()).await?;
    Ok(Data::json(report))
}

/// Feed staff
///
/// Up to 10,000 rows: a JSON array, or a row a line as `application/x-ndjson`. A row whose `externalId` is known changes what
/// is known; feeding twice changes nothing. Rows that cannot be are reported one by one, and the others go in.
/// Somebody who had left and is fed again works there again.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/staffs/bulk", operation_id = "upsertStaffs", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)),
    request_body(
        content(
            (Vec<StaffRow> = "application/json", example = json!([{"externalId": "S-1", "name": "이지은"}])),
            (String = "application/x-ndjson", example = json!(STAFF_LINES)),
        ),
    ),
    responses(
        (status = 200, description = "What became of the rows", body = Data<FeedReport>),
        CommonProblems, FeedProblems,
    ),
)]
pub(crate) async fn upsert_staffs(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    FeedBody(feed): FeedBody<StaffRow>,
) -> Result<Json<Data<FeedReport>>, Problem> {
    let report = booking.feed_staffs(caller.business, feed).await?;
    Ok(Data::json(report))
}

/// Feed services
///
/// Up to 10,000 rows: a JSON array, or a row a line as `application/x-ndjson`. A row whose `externalId` is known changes what
/// is known; feeding twice changes nothing. Rows that cannot be are reported one by one, and the others go in.
/// A category that is not there yet is made. A service that was withdrawn and is fed again is offered again.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/services/bulk", operation_id = "upsertServices", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)),
    request_body(
        content(
            (Vec<ServiceRow> = "application/json", example = json!([
                {"externalId": "CUT-F", "name": "여성 컷", "category": "컷", "price": 30000, "durationMinutes": 60},
            ])),
            (String = "application/x-ndjson", example = json!(SERVICE_LINES)),
        ),
    ),
    responses(
        (status = 200, description = "What became of the rows", body = Data<FeedReport>),
        CommonProblems, FeedProblems,
    ),
)]
pub(crate) async fn upsert_services(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    FeedBody(feed): FeedBody<ServiceRow>,
) -> Result<Json<Data<FeedReport>>, Problem> {
    let report = booking.feed_services(caller.business, feed).await?;
    Ok(Data::json(report))
}

/// Feed reservations
///
/// Up to 10,000 rows: a JSON array, or a row a line as `application/x-ndjson`. A row whose `externalId` is known changes what
/// is known; feeding twice changes nothing. Rows that cannot be are reported one by one, and the others go in.
/// A row that refers to a customer, a staff member or a service that was not fed before fails (`UNKNOWN_CUSTOMER`,
/// `UNKNOWN_STAFF`, `UNKNOWN_SERVICE`); the others go in. Any status may follow any other here: the feeding system knows.
#[utoipa::path(
    put, path = "/api/businesses/{businessId}/reservations/bulk", operation_id = "upsertReservations", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), FeedQuery),
    request_body(
        content(
            (Vec<ReservationRow> = "application/json", example = json!([
                {"externalId": "R-20001", "customerExternalId": "C-1001", "staffExternalId": "S-1",
                 "services": [{"serviceExternalId": "CUT-F", "price": 28000}],
                 "startAt": "2026-03-14T10:00:00+09:00", "status": "CONFIRMED"},
            ])),
            (String = "application/x-ndjson", example = json!(RESERVATION_LINES)),
        ),
    ),
    responses(
        (status = 200, description = "What became of the rows", body = Data<FeedReport>),
        CommonProblems, FeedProblems,
    ),
)]
pub(crate) async fn upsert_reservations(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<FeedQuery>,
    FeedBody(feed): FeedBody<ReservationRow>,
) -> Result<Json<Data<FeedReport>>, Problem> {
    let report = booking.feed_reservations(caller.business, feed, query.announce()).await?;
    Ok(Data::json(report))
}

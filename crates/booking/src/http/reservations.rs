//! Reservations, one at a time.

use std::{fmt, str::FromStr};

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Datelike, NaiveDate, Utc};
use kernel::KoreanTime;
use platform::{
    BodyProblems, CommonProblems, Data, DayRange, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path,
    Problem, Query, TenantBooking, TenantTx,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::given::stated;
use crate::{
    Booking, BookingError,
    change::Change,
    customer::CustomerId,
    desk::reservations::{ReservationChange, WantedReservation, WantedService, one_reservation},
    field::{self, Checked},
    reservation::{ReservationId, ReservationStatus, ReservationView, how_many},
    service::ServiceId,
    staff::StaffId,
    store::{self, reservation::ReservationFilter},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReservationPath {
    reservation_id: ReservationId,
}

/// Which reservations are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReservationQuery {
    status: Option<ReservationStatus>,
    staff_id: Option<StaffId>,
    customer_id: Option<CustomerId>,
    /// Beginning on this Korean day or later, as `2026-02-01`.
    start_date: Option<NaiveDate>,
    /// Beginning on this Korean day or earlier, as `2026-02-28`.
    end_date: Option<NaiveDate>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// A service that is wanted.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct WantedServiceBody {
    #[schema(example = 1)]
    service_id: ServiceId,
    /// What is actually charged, won; the list price if left out.
    #[schema(minimum = 0, maximum = 1_000_000_000, example = 28000)]
    price: Option<i64>,
}

/// A new reservation.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "customerId": 1, "staffId": 1, "services": [{"serviceId": 1, "price": 28000}],
    "startAt": "2026-03-14T10:00:00+09:00", "status": "CONFIRMED",
}))]
pub(crate) struct ReservationBody {
    /// Left out for somebody who left no name.
    customer_id: Option<CustomerId>,
    /// Left out for whoever is free.
    staff_id: Option<StaffId>,
    #[schema(min_items = 1, max_items = 50)]
    services: Vec<WantedServiceBody>,
    #[schema(value_type = KoreanTime)]
    start_at: String,
    /// `PENDING` if left out.
    status: Option<ReservationStatus>,
}

/// What is to be otherwise; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"status": "COMPLETED"}))]
pub(crate) struct ReservationPatch {
    /// Null for somebody who left no name.
    #[serde(default)]
    #[schema(value_type = Option<CustomerId>)]
    customer_id: Change<CustomerId>,
    /// Null for whoever is free.
    #[serde(default)]
    #[schema(value_type = Option<StaffId>)]
    staff_id: Change<StaffId>,
    /// All of them, in the place of those that there are.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Vec<WantedServiceBody>, required = false, min_items = 1, max_items = 50)]
    services: Option<Vec<WantedServiceBody>>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = KoreanTime, required = false)]
    start_at: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = ReservationStatus, required = false)]
    status: Option<ReservationStatus>,
}

/// Where a page ends: lists are ordered by when reservations begin.
struct Place(DateTime<Utc>, ReservationId);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.timestamp_micros(), self.1)
    }
}

impl FromStr for Place {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (micros, id) = text.split_once(' ').ok_or(())?;
        let start_at = DateTime::from_timestamp_micros(micros.parse().map_err(|_| ())?).ok_or(())?;
        // Beyond, the database cannot follow.
        let id = id.parse().map_err(|_| ())?;
        if (1..=9999).contains(&start_at.year()) { Ok(Self(start_at, ReservationId(id))) } else { Err(()) }
    }
}

/// List the reservations
///
/// Those that begin last first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reservations", operation_id = "listReservations", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), ReservationQuery),
    responses(
        (status = 200, description = "A page of reservations", body = List<ReservationView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_reservations(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<ReservationQuery>,
) -> Result<Json<List<ReservationView>>, Problem> {
    let DayRange { from, until } = DayRange::new(query.start_date, query.end_date)?;
    let mut ids = query.staff_id.map(|id| id.0).into_iter().chain(query.customer_id.map(|id| id.0));
    if ids.any(|id| id < 1) {
        let detail = "staffId와 customerId는 양의 정수여야 합니다.";
        return Err(Problem::bad_request("INVALID_PARAMETER", detail));
    }
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = ReservationFilter {
        status: query.status,
        staff: query.staff_id,
        customer: query.customer_id,
        from,
        until,
        only: None,
        before: page.after()?.map(|Place(start_at, id)| (start_at, id)),
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    store::plan_for_each_value(&mut tx).await?;
    let reservations = store::reservation::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    let place = |view: &ReservationView| Place(view.start_at.0, view.reservation_id);
    Ok(Json(List::cut(reservations, limit, place)))
}

/// Get a reservation
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reservations/{reservationId}", operation_id = "getReservation", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("reservationId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The reservation", body = Data<ReservationView>),
        (status = 404, description = "`NOT_FOUND`: no such reservation, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_reservation(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Path(path): Path<ReservationPath>,
) -> Result<Json<Data<ReservationView>>, Problem> {
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let reservation = one_reservation(&mut tx, caller.business, path.reservation_id).await?;
    tx.commit().await?;
    Ok(Data::json(reservation))
}

/// Make a reservation
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/reservations", operation_id = "addReservation", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = ReservationBody,
    responses(
        (status = 201, description = "Made", body = Data<ReservationView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; also for a customer, staff or service that is not there", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn add_reservation(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<ReservationBody>,
) -> Result<(StatusCode, Json<Data<ReservationView>>), Problem> {
    let mut checked = Checked::default();
    let start_at = checked.take("startAt", field::start(&body.start_at));
    let services = wanted_services(&mut checked, body.services);
    let wanted = start_at.map(|start_at| WantedReservation {
        customer: body.customer_id,
        staff: body.staff_id,
        services,
        start_at,
        status: body.status.unwrap_or(ReservationStatus::Pending),
    });
    let wanted = checked.finish(wanted).map_err(BookingError::Invalid)?;
    let reservation = booking.reserve(caller.business, wanted).await?;
    Ok((StatusCode::CREATED, Data::json(reservation)))
}

/// Change a reservation
///
/// Its status moves on from `PENDING` to `CONFIRMED`, and from there to `COMPLETED`, `CANCELLED` or `NO_SHOW`; who was written down
/// as not there may have come after all. What is fed from another system becomes again what that system says, the next
/// time it says it.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/reservations/{reservationId}", operation_id = "changeReservation", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("reservationId" = i64, Path, example = 1)),
    request_body = ReservationPatch,
    responses(
        (status = 200, description = "Changed", body = Data<ReservationView>),
        (status = 404, description = "`NOT_FOUND`: no such reservation, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`ILLEGAL_STATUS`: the reservation cannot come to stand so any more", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; also for a customer, staff or service that is not there", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_reservation(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<ReservationPath>,
    Json(body): Json<ReservationPatch>,
) -> Result<Json<Data<ReservationView>>, Problem> {
    let mut checked = Checked::default();
    let start_at = body.start_at.and_then(|text| checked.take("startAt", field::start(&text)));
    let services = body.services.map(|services| wanted_services(&mut checked, services));
    let change = ReservationChange {
        customer: body.customer_id,
        staff: body.staff_id,
        services,
        start_at,
        status: body.status,
    };
    let change = checked.finish(Some(change)).map_err(BookingError::Invalid)?;
    Ok(Data::json(booking.change_reservation(caller.business, path.reservation_id, change).await?))
}

/// The services whose prices can be; how many there are is checked as well.
fn wanted_services(checked: &mut Checked, services: Vec<WantedServiceBody>) -> Vec<WantedService> {
    checked.take("services", how_many(services.len()));
    let wanted = services.into_iter().enumerate().map(|(position, body)| WantedService {
        service: body.service_id,
        price: body
            .price
            .and_then(|price| checked.take(&format!("services[{position}].price"), field::price(price))),
    });
    wanted.collect()
}

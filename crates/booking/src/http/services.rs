//! Services, one at a time.

use axum::{extract::State, http::StatusCode};
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, TenantBooking, TenantTx,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::given::{parameter, stated};
use crate::{
    Booking, BookingError,
    change::Change,
    desk::services::{ServiceChange, one_service},
    field::{self, Checked},
    service::{ServiceFacts, ServiceId, ServiceView},
    store::{self, service::ServiceFilter},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServicePath {
    service_id: ServiceId,
}

/// Which services are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ServiceQuery {
    /// The beginning of the name.
    #[param(example = "여성")]
    name: Option<String>,
    /// True for what is offered, false for what is not any more.
    active: Option<bool>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// A service that the shop offers.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "여성 컷", "category": "컷", "price": 30000, "durationMinutes": 60}))]
pub(crate) struct ServiceBody {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// A category by its name; one that is not there yet is made.
    #[schema(max_length = 100)]
    category: Option<String>,
    /// The list price, won.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    price: i64,
    #[schema(minimum = 1, maximum = 1440)]
    duration_minutes: i64,
}

/// What is to be otherwise; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"price": 33000}))]
pub(crate) struct ServicePatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    name: Option<String>,
    /// Null takes it out of its category.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    category: Change<String>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = i64, required = false, minimum = 0, maximum = 1_000_000_000)]
    price: Option<i64>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 1440)]
    duration_minutes: Option<i64>,
    /// True offers again what was withdrawn.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = bool, required = false)]
    active: Option<bool>,
}

/// List the services
///
/// The newest first, those that are not offered any more as well.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/services", operation_id = "listServices", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), ServiceQuery),
    responses(
        (status = 200, description = "A page of services", body = List<ServiceView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_services(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<ServiceQuery>,
) -> Result<Json<List<ServiceView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = ServiceFilter {
        name: parameter("name", query.name.as_deref(), field::name)?,
        active: query.active,
        only: None,
        before: page.after()?.map(ServiceId),
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let services = store::service::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    Ok(Json(List::cut(services, limit, |service| service.service_id)))
}

/// Get a service
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/services/{serviceId}", operation_id = "getService", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("serviceId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The service", body = Data<ServiceView>),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_service(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Path(path): Path<ServicePath>,
) -> Result<Json<Data<ServiceView>>, Problem> {
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let service = one_service(&mut tx, caller.business, path.service_id).await?;
    tx.commit().await?;
    Ok(Data::json(service))
}

/// Add a service
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/services", operation_id = "addService", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = ServiceBody,
    responses(
        (status = 201, description = "Added", body = Data<ServiceView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn add_service(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<ServiceBody>,
) -> Result<(StatusCode, Json<Data<ServiceView>>), Problem> {
    let mut checked = Checked::default();
    let facts =
        ServiceFacts::read(&mut checked, &body.name, body.category, body.price, body.duration_minutes);
    let facts = checked.finish(facts).map_err(BookingError::Invalid)?;
    let service = booking.add_service(caller.business, facts).await?;
    Ok((StatusCode::CREATED, Data::json(service)))
}

/// Change a service
///
/// What was charged at visits stays. What is fed from another system becomes again what that system says, the next time
/// it says it.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/services/{serviceId}", operation_id = "changeService", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("serviceId" = i64, Path, example = 1)),
    request_body = ServicePatch,
    responses(
        (status = 200, description = "Changed", body = Data<ServiceView>),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_service(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<ServicePath>,
    Json(body): Json<ServicePatch>,
) -> Result<Json<Data<ServiceView>>, Problem> {
    let change = ServiceChange {
        name: body.name,
        category: body.category,
        price: body.price,
        duration_minutes: body.duration_minutes,
        active: body.active,
    };
    Ok(Data::json(booking.change_service(caller.business, path.service_id, change).await?))
}

/// Withdraw a service
///
/// It is not offered any more. Visits keep it.
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/services/{serviceId}", operation_id = "withdrawService", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("serviceId" = i64, Path, example = 1)),
    responses(
        (status = 204, description = "Withdrawn"),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn withdraw_service(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<ServicePath>,
) -> Result<StatusCode, Problem> {
    let withdrawn = ServiceChange { active: Some(false), ..ServiceChange::default() };
    booking.change_service(caller.business, path.service_id, withdrawn).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! Staff, one at a time.

use axum::{extract::State, http::StatusCode};
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, TenantBooking, TenantTx,
};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::given::{member, parameter, stated};
use crate::{
    Booking,
    desk::staffs::one_staff,
    field,
    staff::{StaffId, StaffView},
    store::{self, staff::StaffFilter},
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StaffPath {
    staff_id: StaffId,
}

/// Which staff are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct StaffQuery {
    /// The beginning of the name.
    #[param(example = "이")]
    name: Option<String>,
    /// True for those who work there, false for those who have left.
    active: Option<bool>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// Somebody who works in the shop.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "이지은"}))]
pub(crate) struct StaffBody {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
}

/// What is to be otherwise; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "이지은 원장"}))]
pub(crate) struct StaffPatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 100)]
    name: Option<String>,
    /// True brings back who had left.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = bool, required = false)]
    active: Option<bool>,
}

/// List the staff
///
/// Those who came last first, those who have left as well.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/staffs", operation_id = "listStaffs", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), StaffQuery),
    responses(
        (status = 200, description = "A page of staff", body = List<StaffView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_staffs(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Query(query): Query<StaffQuery>,
) -> Result<Json<List<StaffView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = StaffFilter {
        name: parameter("name", query.name.as_deref(), field::name)?,
        active: query.active,
        only: None,
        before: page.after()?.map(StaffId),
        limit: limit + 1,
    };
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let staffs = store::staff::list(&mut tx, caller.business, &filter).await?;
    tx.commit().await?;
    Ok(Json(List::cut(staffs, limit, |staff| staff.staff_id)))
}

/// Get a member of staff
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/staffs/{staffId}", operation_id = "getStaff", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("staffId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "Them", body = Data<StaffView>),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_staff(
    State(booking): State<Booking>,
    caller: InBusinessOrAdmin<TenantBooking>,
    Path(path): Path<StaffPath>,
) -> Result<Json<Data<StaffView>>, Problem> {
    let mut tx = TenantTx::begin(&booking.db, caller.business).await?;
    let staff = one_staff(&mut tx, caller.business, path.staff_id).await?;
    tx.commit().await?;
    Ok(Data::json(staff))
}

/// Add a member of staff
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/staffs", operation_id = "addStaff", tag = "booking",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = StaffBody,
    responses(
        (status = 201, description = "Added", body = Data<StaffView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn add_staff(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<StaffBody>,
) -> Result<(StatusCode, Json<Data<StaffView>>), Problem> {
    let name = member("name", field::name(&body.name))?;
    let staff = booking.add_staff(caller.business, name).await?;
    Ok((StatusCode::CREATED, Data::json(staff)))
}

/// Change a member of staff
///
/// Who is fed from another system becomes again what that system says, the next time it says it.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/staffs/{staffId}", operation_id = "changeStaff", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("staffId" = i64, Path, example = 1)),
    request_body = StaffPatch,
    responses(
        (status = 200, description = "Changed", body = Data<StaffView>),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_staff(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<StaffPath>,
    Json(body): Json<StaffPatch>,
) -> Result<Json<Data<StaffView>>, Problem> {
    let name = body.name.map(|name| member("name", field::name(&name))).transpose()?;
    Ok(Data::json(booking.change_staff(caller.business, path.staff_id, name, body.active).await?))
}

/// Take a member of staff off the list
///
/// They have left. What they did stays theirs.
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/staffs/{staffId}", operation_id = "removeStaff", tag = "booking",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("staffId" = i64, Path, example = 1)),
    responses(
        (status = 204, description = "They have left"),
        (status = 404, description = "`NOT_FOUND`: no such thing, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn remove_staff(
    State(booking): State<Booking>,
    caller: InBusiness<TenantBooking>,
    Path(path): Path<StaffPath>,
) -> Result<StatusCode, Problem> {
    booking.change_staff(caller.business, path.staff_id, None, Some(false)).await?;
    Ok(StatusCode::NO_CONTENT)
}

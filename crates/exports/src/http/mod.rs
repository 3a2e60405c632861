//! The routes of exports. Only these files know axum and the shapes of the API.

mod download;
mod range;

use axum::{
    extract::{FromRef, State},
    http::StatusCode,
};
use chrono::{Datelike, NaiveDate};
use kernel::KoreanTime;
use platform::{
    BodyProblems, CommonProblems, Data, FieldError, InBusiness, InBusinessOrAdmin, Json, List, PageQuery,
    Path, Permission, Problem, Query, TenantExports, TenantTx,
    audit::{Actor, Origin},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Exports, ExportsError,
    ask::Wanted,
    export::{Export, ExportFormat, ExportId, ExportStatus, ExportType, Failure, Selection, VisitStatus},
    range::Days,
    store::{self, export::ExportFilter},
};

pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Exports: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(request_export))
        .routes(routes!(list_exports))
        .routes(routes!(get_export))
        .routes(routes!(remove_export))
        .routes(routes!(download::download_export))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExportPath {
    export_id: ExportId,
}

/// What to take away.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "type": "RESERVATIONS", "format": "EXCEL", "startDate": "2026-01-01", "endDate": "2026-02-28",
    "filters": {"status": "COMPLETED", "staffId": 1},
}))]
struct ExportBody {
    r#type: ExportType,
    format: ExportFormat,
    /// The first Korean day. The first of the month of `endDate` if left out; of `CUSTOMERS`, all there are.
    start_date: Option<NaiveDate>,
    /// The last Korean day. Today if left out.
    end_date: Option<NaiveDate>,
    filters: Option<Filters>,
}

/// Which rows: of `RESERVATIONS` only.
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ExportFilters)]
struct Filters {
    #[schema(inline)]
    status: Option<VisitStatus>,
    #[schema(example = 1)]
    staff_id: Option<i64>,
}

/// An export that will be made.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestedExport {
    export_id: ExportId,
    status: ExportStatus,
    /// Seconds until it is there, about.
    #[schema(example = 30)]
    estimated_time: i64,
    #[schema(example = "내보내기를 준비 중입니다.")]
    message: &'static str,
}

/// An export and what became of it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ExportView {
    export_id: ExportId,
    r#type: ExportType,
    format: ExportFormat,
    start_date: Option<NaiveDate>,
    end_date: Option<NaiveDate>,
    #[schema(inline)]
    status_filter: Option<VisitStatus>,
    staff_filter: Option<i64>,
    status: ExportStatus,
    /// Percent; 100 is there to be downloaded.
    #[schema(minimum = 0, maximum = 100, example = 100)]
    progress: i64,
    /// Rows so far, without those that are titles.
    #[schema(example = 342)]
    row_count: i64,
    /// Where to download it, while it is there.
    #[schema(example = "/api/businesses/1/exports/exp_20260214_001/download")]
    download_url: Option<String>,
    /// Until when it is there.
    expires_at: Option<KoreanTime>,
    /// Bytes.
    #[schema(example = 28_304)]
    file_size: Option<i64>,
    /// Telephone numbers and addresses stand in it in full.
    contacts_in_full: bool,
    /// The user who asked for it, as the sign-in service names them.
    #[schema(example = "user_1")]
    requested_by: String,
    requested_at: KoreanTime,
    finished_at: Option<KoreanTime>,
    /// Why nothing came of it.
    error: Option<ExportErrorView>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = ExportError)]
struct ExportErrorView {
    code: Failure,
    #[schema(example = "파일 저장소에 저장하지 못했습니다. 잠시 후 다시 요청해 주세요.")]
    message: &'static str,
}

impl ExportView {
    fn of(export: Export, business: kernel::BusinessId) -> Self {
        let is_there = export.status == ExportStatus::Completed;
        Self {
            progress: export.progress(),
            download_url: is_there
                .then(|| format!("/api/businesses/{business}/exports/{}/download", export.id)),
            expires_at: export.due_at.filter(|_| is_there).map(KoreanTime),
            export_id: export.id,
            r#type: export.kind,
            format: export.format,
            start_date: export.days.map(|days| days.start),
            end_date: export.days.map(|days| days.end),
            status_filter: export.status_filter,
            staff_filter: export.staff_filter,
            status: export.status,
            row_count: export.rows_written,
            file_size: export.file_size,
            contacts_in_full: export.whole_contacts,
            requested_by: export.asked_by,
            requested_at: KoreanTime(export.asked_at),
            finished_at: export.finished_at.map(KoreanTime),
            error: export.error.map(|code| ExportErrorView { code, message: code.korean() }),
        }
    }
}

impl Exports {
    /// The days that are meant. Of customers one may want all there ever were.
    fn days(
        &self,
        kind: ExportType,
        start: Option<NaiveDate>,
        end: Option<NaiveDate>,
    ) -> Result<Option<Days>, ExportsError> {
        if kind == ExportType::Customers && start.is_none() && end.is_none() {
            return Ok(None);
        }
        let end = end.unwrap_or_else(|| self.clock.today());
        let start = start.or_else(|| end.with_day(1)).unwrap_or(end);
        Ok(Some(Days::new(start, end)?))
    }
}

/// Filters that do not fit are refused: whoever sent them would take the file for something that it is not.
fn fitting(kind: ExportType, filters: &Filters) -> Result<(), ExportsError> {
    if kind == ExportType::Reservations {
        return Ok(());
    }
    let given =
        [("filters.status", filters.status.is_some()), ("filters.staffId", filters.staff_id.is_some())];
    let unfit: Vec<_> = given
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(field, _)| FieldError {
            field: field.to_owned(),
            code: "NOT_APPLICABLE",
            message: "예약 내보내기에만 사용할 수 있는 조건입니다.".to_owned(),
        })
        .collect();
    if unfit.is_empty() { Ok(()) } else { Err(ExportsError::Invalid(unfit)) }
}

/// Ask for an export
///
/// It is made in the background; ask for it with `getExport` until it is `COMPLETED`. Telephone numbers and
/// addresses are masked unless you hold `tenant:personal-data`. For plans with the feature `EXPORTS`:
/// the shop of the demo has none until a card is registered with `"plan": "PRO"`.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/exports", operation_id = "requestExport", tag = "exports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = ExportBody,
    responses(
        (status = 202, description = "It will be made", body = Data<RequestedExport>),
        (status = 400, description = "`INVALID_RANGE`: the days are no range, or more than five years. Also `MALFORMED_JSON`, `NUL_CHARACTER`, `UNREADABLE_BODY`, `BUSINESS_REQUIRED`, `INVALID_PARAMETER`", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "`AUTHENTICATION_REQUIRED`, `TOKEN_EXPIRED`, `TOKEN_INVALID`", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`PLAN_UPGRADE_REQUIRED`: the plan has no exports; `requiredPlan` names the cheapest that has. `PERMISSION_REQUIRED`: the caller's role does not allow this", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`TOO_MANY_EXPORTS`: fifty are waiting", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`; also for filters that do not fit, and a member of staff that is not there", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "`INTERNAL_ERROR`: ours, and logged under the `traceId`", body = Problem, content_type = "application/problem+json"),
        BodyProblems,
    ),
)]
async fn request_export(
    State(exports): State<Exports>,
    tenant: InBusiness<TenantExports>,
    origin: Origin,
    Json(body): Json<ExportBody>,
) -> Result<(StatusCode, Json<Data<RequestedExport>>), Problem> {
    let business = tenant.business;
    let filters = body.filters.unwrap_or_default();
    fitting(body.r#type, &filters)?;
    let selection = Selection {
        business,
        kind: body.r#type,
        days: exports.days(body.r#type, body.start_date, body.end_date)?,
        status: filters.status,
        staff: filters.staff_id,
    };
    let may_see = tenant.caller.may(Permission::TenantPersonalData, business);
    let whole_contacts = body.r#type.has_contacts() && may_see;
    let wanted = Wanted { selection, format: body.format, whole_contacts };
    let asked = exports.ask(&wanted, &Actor::new(&tenant.caller, business, origin)).await?;
    let requested = RequestedExport {
        export_id: asked.id,
        status: ExportStatus::Processing,
        estimated_time: asked.estimated_seconds,
        message: "내보내기를 준비 중입니다.",
    };
    Ok((StatusCode::ACCEPTED, Data::json(requested)))
}

/// List the exports
///
/// Newest first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/exports", operation_id = "listExports", tag = "exports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of exports", body = List<ExportView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
async fn list_exports(
    State(exports): State<Exports>,
    tenant: InBusinessOrAdmin<TenantExports>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<ExportView>>, Problem> {
    let limit = page.limit()?;
    let filter = ExportFilter { only: None, before: page.after()?, limit: limit + 1 };
    let mut tx = TenantTx::begin(&exports.db, tenant.business).await?;
    let found = store::export::list(&mut tx, tenant.business, filter).await?;
    tx.commit().await?;
    let views = found.into_iter().map(|export| ExportView::of(export, tenant.business)).collect();
    Ok(Json(List::cut(views, limit, |view| view.export_id)))
}

/// How an export stands
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/exports/{exportId}", operation_id = "getExport", tag = "exports",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("exportId" = String, Path, example = "exp_20260201_001")),
    responses(
        (status = 200, description = "The export", body = Data<ExportView>),
        (status = 404, description = "`NOT_FOUND`: no such export, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
async fn get_export(
    State(exports): State<Exports>,
    tenant: InBusinessOrAdmin<TenantExports>,
    Path(path): Path<ExportPath>,
) -> Result<Json<Data<ExportView>>, Problem> {
    let mut tx = TenantTx::begin(&exports.db, tenant.business).await?;
    let export = store::export::find(&mut tx, tenant.business, path.export_id).await?;
    tx.commit().await?;
    let export = export.ok_or(ExportsError::NotFound)?;
    Ok(Data::json(ExportView::of(export, tenant.business)))
}

/// Cancel or remove an export
///
/// One that is being made is stopped; the file of one that was made is deleted.
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/exports/{exportId}", operation_id = "removeExport", tag = "exports",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("exportId" = String, Path, example = "exp_20260201_001")),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "`NOT_FOUND`: no such export, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
async fn remove_export(
    State(exports): State<Exports>,
    tenant: InBusiness<TenantExports>,
    origin: Origin,
    Path(path): Path<ExportPath>,
) -> Result<StatusCode, Problem> {
    let actor = Actor::new(&tenant.caller, tenant.business, origin);
    exports.remove(tenant.business, path.export_id, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

//! The routes of reporting. Only this file knows axum and how reports are asked for.

use axum::{
    extract::{FromRef, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use chrono::{Datelike, NaiveDate};
use platform::{CommonProblems, Data, InBusinessOrAdmin, Problem, Query, TenantReports, TenantTx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    ReportPeriod, Reporting, ReportingError,
    customers::{Cohort, CustomerReport, cohorts},
    etag::ETag,
    losses::LossReport,
    range::DateRange,
    revenue::{Compared, RevenueReport},
    services::{self, ServiceReport},
    store,
    utilisation::{StaffUtilisation, utilisation},
};

pub fn router<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Reporting: FromRef<S>,
{
    OpenApiRouter::new()
        .routes(routes!(get_revenue_report))
        .routes(routes!(get_service_report))
        .routes(routes!(get_customer_report))
        .routes(routes!(get_retention_report))
        .routes(routes!(get_loss_report))
        .routes(routes!(get_utilisation_report))
}

/// What a revenue report is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CompareTo {
    /// As many days right before.
    Previous,
    /// The same days of the year before.
    LastYear,
}

/// Which days, and how fine.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct PeriodQuery {
    /// How long each entry of the breakdown is. `MONTHLY` if absent.
    #[param(inline)]
    period: Option<ReportPeriod>,
    /// The first Korean day, as `2026-01-01`. The first of the month of `endDate` if absent.
    start_date: Option<NaiveDate>,
    /// The last Korean day, as `2026-02-28`. Today if absent.
    end_date: Option<NaiveDate>,
}

/// Which days.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct RangeQuery {
    /// The first Korean day, as `2026-01-01`. The first of the month of `endDate` if absent.
    start_date: Option<NaiveDate>,
    /// The last Korean day, as `2026-02-28`. Today if absent.
    end_date: Option<NaiveDate>,
}

/// What to compare with.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
struct RevenueQuery {
    /// How long each entry of the breakdown is. `MONTHLY` if absent.
    #[param(inline)]
    period: Option<ReportPeriod>,
    /// The first Korean day, as `2026-01-01`. The first of the month of `endDate` if absent.
    start_date: Option<NaiveDate>,
    /// The last Korean day, as `2026-02-28`. Today if absent.
    end_date: Option<NaiveDate>,
    /// Adds `comparison`.
    #[param(inline)]
    compare_to: Option<CompareTo>,
}

/// What a report has been read before with.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the handlers read it")]
struct KnownVersion {
    /// The `ETag` of the report as it was read before: a 304 if nothing has changed since.
    #[param(rename = "If-None-Match", required = false)]
    if_none_match: Option<String>,
}

/// In addition to what every operation answers.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
enum ReportProblems {
    /// Nothing has changed since the version that `If-None-Match` names.
    #[response(status = 304)]
    NotModified,
    /// `INVALID_RANGE`: the days are no range, or longer than five years. Also `INVALID_PARAMETER`: the request
    /// cannot be understood.
    #[response(status = 400, content_type = "application/problem+json")]
    BadRequest(Problem),
    /// `NOT_FOUND`: no business of the caller's.
    #[response(status = 404, content_type = "application/problem+json")]
    NotFound(Problem),
}

impl Reporting {
    fn range(&self, start: Option<NaiveDate>, end: Option<NaiveDate>) -> Result<DateRange, ReportingError> {
        let end = end.unwrap_or_else(|| self.clock.today());
        let start = start.or_else(|| end.with_day(1)).unwrap_or(end);
        Ok(DateRange::new(start, end)?)
    }
}

/// A report, or the news that the caller has it already.
///
/// `asked` names the report and all that it depends on beside the data; `make` is called only if the
/// caller has another version. All of it sees one moment.
async fn answer<T: Serialize>(
    reporting: &Reporting,
    tenant: &InBusinessOrAdmin<TenantReports>,
    headers: &HeaderMap,
    asked: impl Serialize,
    make: impl AsyncFnOnce(&mut TenantTx) -> sqlx::Result<T>,
) -> Result<Response, Problem> {
    let mut tx = TenantTx::begin_snapshot(&reporting.db, tenant.business).await?;
    let tag = ETag::read(&mut tx, tenant.business, &asked).await?;
    if tag.is_known(headers) {
        tx.commit().await?;
        return Ok(tag.not_modified());
    }
    let report = make(&mut tx).await?;
    tx.commit().await?;
    Ok((tag.headers(), Data::json(report)).into_response())
}

/// What a shop earned
///
/// In sum, by period, service, staff, weekday and hour of a range of Korean days, exact to the moment.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/revenue", operation_id = "getRevenueReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), RevenueQuery, KnownVersion),
    responses((status = 200, description = "The report", body = Data<RevenueReport>), CommonProblems, ReportProblems),
)]
async fn get_revenue_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<RevenueQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let period = query.period.unwrap_or_default();
    let compared_with = query.compare_to.map(|to| match to {
        CompareTo::Previous => range.before(),
        CompareTo::LastYear => range.a_year_earlier(),
    });
    let asked = ("revenue", range.start(), range.end(), period, query.compare_to);
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        let (cells, before) = store::cells(tx, tenant.business, range).await?;
        let compared = match compared_with {
            None => None,
            Some(other) if other == range.before() => Some(Compared { range: other, totals: before }),
            Some(other) => {
                Some(Compared { range: other, totals: store::totals(tx, tenant.business, other).await? })
            }
        };
        Ok(RevenueReport::new(range, period, cells, before, compared.as_ref()))
    })
    .await
}

/// What each service brought
///
/// Largest revenue first, each with its course over the range: by day up to three months, by week up to
/// two years, else by month, unless `period` says otherwise.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/revenue/services", operation_id = "getServiceReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PeriodQuery, KnownVersion),
    responses((status = 200, description = "Every service that was done", body = Data<Vec<ServiceReport>>), CommonProblems, ReportProblems),
)]
async fn get_service_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<PeriodQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let period = query.period.unwrap_or_else(|| services::period_of_trend(range));
    let asked = ("services", range.start(), range.end(), period);
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        let days = store::service_days(tx, tenant.business, range).await?;
        Ok(services::reports(range, period, days))
    })
    .await
}

/// New and returning customers
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/customers", operation_id = "getCustomerReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PeriodQuery, KnownVersion),
    responses((status = 200, description = "Who came", body = Data<CustomerReport>), CommonProblems, ReportProblems),
)]
async fn get_customer_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<PeriodQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let period = query.period.unwrap_or_default();
    let asked = ("customers", range.start(), range.end(), period);
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        let visited = store::visited(tx, tenant.business, range).await?;
        Ok(CustomerReport::new(range, period, &visited))
    })
    .await
}

/// Who came back
///
/// Monthly cohorts of first visits in the months of the range, each followed month by month to the end of it.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/retention", operation_id = "getRetentionReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), RangeQuery, KnownVersion),
    responses((status = 200, description = "Oldest cohort first", body = Data<Vec<Cohort>>), CommonProblems, ReportProblems),
)]
async fn get_retention_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<RangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let asked = ("retention", range.start(), range.end());
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        Ok(cohorts(range.end(), store::cohort_months(tx, tenant.business, range).await?))
    })
    .await
}

/// What cancelled reservations and no-shows would have brought
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/losses", operation_id = "getLossReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PeriodQuery, KnownVersion),
    responses((status = 200, description = "The losses", body = Data<LossReport>), CommonProblems, ReportProblems),
)]
async fn get_loss_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<PeriodQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let period = query.period.unwrap_or_default();
    let asked = ("losses", range.start(), range.end(), period);
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        Ok(LossReport::new(range, period, &store::lost_days(tx, tenant.business, range).await?))
    })
    .await
}

/// How busy each member of staff was
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/reports/staff-utilisation", operation_id = "getUtilisationReport", tag = "reports",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), RangeQuery, KnownVersion),
    responses((status = 200, description = "Busiest first", body = Data<Vec<StaffUtilisation>>), CommonProblems, ReportProblems),
)]
async fn get_utilisation_report(
    State(reporting): State<Reporting>,
    tenant: InBusinessOrAdmin<TenantReports>,
    Query(query): Query<RangeQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let range = reporting.range(query.start_date, query.end_date)?;
    let asked = ("utilisation", range.start(), range.end());
    answer(&reporting, &tenant, &headers, asked, async |tx| {
        Ok(utilisation(store::worked(tx, tenant.business, range).await?))
    })
    .await
}

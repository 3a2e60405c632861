//! Segments.

use axum::{extract::State, http::StatusCode};
use kernel::KoreanTime;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path, Problem,
    Query, TenantCrm, TenantTx,
    features::{self, Feature},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{PlanProblem, condition_schema::SegmentCondition, stated};
use crate::{
    Crm, CrmError,
    segment::{Segment, SegmentChange, SegmentId},
    store,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentPath {
    pub(crate) segment_id: SegmentId,
}

/// A segment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentView {
    #[schema(example = 1)]
    segment_id: SegmentId,
    #[schema(example = "3개월 이상 미방문")]
    name: String,
    /// All of them are true of everybody in it; as they were sent.
    #[schema(value_type = Vec<SegmentCondition>)]
    conditions: Value,
    /// How many are in it, exactly, at `countedAt`.
    #[schema(example = 45)]
    customer_count: Option<i64>,
    counted_at: Option<KoreanTime>,
    created_at: KoreanTime,
    changed_at: KoreanTime,
}

impl From<Segment> for SegmentView {
    fn from(segment: Segment) -> Self {
        Self {
            segment_id: segment.id,
            name: segment.name,
            conditions: segment.conditions,
            customer_count: segment.customer_count,
            counted_at: segment.counted_at.map(KoreanTime),
            created_at: KoreanTime(segment.created_at),
            changed_at: KoreanTime(segment.changed_at),
        }
    }
}

/// A segment in a list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentEntry {
    #[schema(example = 1)]
    id: SegmentId,
    #[schema(example = "3개월 이상 미방문")]
    name: String,
    /// How many were in it, exactly, at `countedAt`. That is now, unless counting takes longer than two seconds: then as it was
    /// counted last, or null if it never was.
    #[schema(example = 45)]
    customer_count: Option<i64>,
    counted_at: Option<KoreanTime>,
    created_at: KoreanTime,
}

impl From<Segment> for SegmentEntry {
    fn from(segment: Segment) -> Self {
        Self {
            id: segment.id,
            name: segment.name,
            customer_count: segment.customer_count,
            counted_at: segment.counted_at.map(KoreanTime),
            created_at: KoreanTime(segment.created_at),
        }
    }
}

/// A new segment.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "다시 오셨으면 하는 고객",
    "conditions": [
        {"field": "lastVisitDate", "operator": "BEFORE", "value": {"daysAgo": 30}},
        {"any": [
            {"field": "visitCount", "operator": "AT_LEAST", "value": 3},
            {"field": "tag", "operator": "HAS_ANY", "value": ["단골"]},
        ]},
        {"not": {"field": "upcomingReservation", "operator": "IS", "value": true}},
    ],
}))]
pub(crate) struct SegmentBody {
    #[schema(min_length = 1, max_length = 50)]
    name: String,
    /// All of them have to be true. None at all is true of everybody.
    #[schema(value_type = Vec<SegmentCondition>, max_items = 50)]
    conditions: Vec<Value>,
}

/// What is to be otherwise; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"name": "VIP 고객", "conditions": [{"field": "totalSpent", "operator": "AT_LEAST", "value": 500_000}]}))]
pub(crate) struct SegmentPatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 50)]
    name: Option<String>,
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = Vec<SegmentCondition>, required = false, max_items = 50)]
    conditions: Option<Vec<Value>>,
}

/// List the segments
///
/// The newest first. Every shop begins with five ready-made ones. All of a page are counted at once.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/segments", operation_id = "listSegments", tag = "segments",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of segments", body = List<SegmentEntry>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_segments(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<SegmentEntry>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?.map(SegmentId);
    crm.stock(caller.business).await?;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let mut segments = store::segment::list(&mut tx, caller.business, None, before, limit + 1).await?;
    tx.commit().await?;
    let last = segments.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    let beyond = if last { segments.pop() } else { None };
    let mut segments = crm.all_counted(caller.business, segments).await?;
    segments.extend(beyond);
    let entries = segments.into_iter().map(SegmentEntry::from).collect();
    Ok(Json(List::cut(entries, limit, |entry: &SegmentEntry| entry.id)))
}

/// Get a segment
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/segments/{segmentId}", operation_id = "getSegment", tag = "segments",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("segmentId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The segment, counted now", body = Data<SegmentView>),
        (status = 404, description = "`NOT_FOUND`: no such segment, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_segment(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<SegmentPath>,
) -> Result<Json<Data<SegmentView>>, Problem> {
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let segment = crm.counted(&mut tx, caller.business, path.segment_id).await?;
    tx.commit().await?;
    Ok(Data::json(segment.into()))
}

/// Create a segment
///
/// A mistake in the conditions is named by its path, such as `conditions[1].any[0].value`.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/segments", operation_id = "createSegment", tag = "segments",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = SegmentBody,
    responses(
        (status = 201, description = "Created, and counted", body = Data<SegmentView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn create_segment(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<SegmentBody>,
) -> Result<(StatusCode, Json<Data<SegmentView>>), Problem> {
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    features::require(&mut tx, caller.business, Feature::Crm).await?;
    let segment = crm.add_segment(&mut tx, caller.business, &body.name, body.conditions).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Data::json(segment.into())))
}

/// Change a segment
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/segments/{segmentId}", operation_id = "changeSegment", tag = "segments",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("segmentId" = i64, Path, example = 2)),
    request_body = SegmentPatch,
    responses(
        (status = 200, description = "Changed, and counted", body = Data<SegmentView>),
        (status = 404, description = "`NOT_FOUND`: no such segment, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn change_segment(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<SegmentPath>,
    Json(body): Json<SegmentPatch>,
) -> Result<Json<Data<SegmentView>>, Problem> {
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let change = SegmentChange { name: body.name, conditions: body.conditions };
    let segment = crm.change_segment(&mut tx, caller.business, path.segment_id, change).await?;
    tx.commit().await?;
    Ok(Data::json(segment.into()))
}

/// Delete a segment
#[utoipa::path(
    delete, path = "/api/businesses/{businessId}/segments/{segmentId}", operation_id = "deleteSegment", tag = "segments",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("segmentId" = i64, Path, example = 5)),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, description = "`NOT_FOUND`: no such segment, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn delete_segment(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<SegmentPath>,
) -> Result<StatusCode, Problem> {
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    if !store::segment::delete(&mut tx, caller.business, path.segment_id).await? {
        return Err(CrmError::NotFound.into());
    }
    tx.commit().await?;
    Ok(StatusCode::NO_CONTENT)
}

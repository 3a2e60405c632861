//! Who is in a segment.

use axum::extract::State;
use chrono::NaiveDate;
use kernel::Krw;
use platform::{
    BodyProblems, CommonProblems, Data, InBusiness, InBusinessOrAdmin, Json, List, PageQuery, Path,
    Permission, Problem, Query, TenantCrm, TenantTx, Vault, VaultError,
    audit::{self, Actor, Origin},
    contact,
    features::{self, Feature},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{PlanProblem, condition_schema::SegmentCondition, segments::SegmentPath};
use crate::{
    Crm, CrmError,
    segment::read_conditions,
    store::{
        customer::{self, SealedMember},
        segment,
    },
};

/// So many of those in a segment are shown before it is stored.
const SAMPLE: i64 = 5;

/// Somebody in a segment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentMember {
    #[schema(example = 1)]
    customer_id: i64,
    #[schema(example = "김민서")]
    name: String,
    /// Masked for who lacks `tenant:personal-data`, and in previews.
    #[schema(example = "010-****-5678")]
    phone: Option<String>,
    /// Masked for who lacks `tenant:personal-data`, and in previews.
    #[schema(example = "m***@misohair.com")]
    email: Option<String>,
    last_visit_date: Option<NaiveDate>,
    #[schema(example = 7)]
    visit_count: i32,
    total_spent: Krw,
}

/// How telephone numbers and addresses are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Whole,
    Masked,
}

impl SegmentMember {
    fn of(sealed: SealedMember, vault: &Vault, shown: Shown) -> Result<Self, VaultError> {
        let id = sealed.customer_id;
        // `booking` seals them for the customer that they belong to.
        let open = |what: &str, sealed: Option<String>| {
            sealed.map(|sealed| vault.open(&format!("booking.customer.{what}:{id}"), &sealed)).transpose()
        };
        let (phone, email) = (open("phone", sealed.phone)?, open("email", sealed.email)?);
        let shown_phone = |phone: SecretString| match shown {
            Shown::Whole => contact::phone_in_full(phone.expose_secret()),
            Shown::Masked => contact::masked_phone(phone.expose_secret()),
        };
        let shown_email = |email: SecretString| match shown {
            Shown::Whole => email.expose_secret().to_owned(),
            Shown::Masked => contact::masked_email(email.expose_secret()),
        };
        Ok(Self {
            customer_id: id,
            name: sealed.name,
            phone: phone.map(shown_phone),
            email: email.map(shown_email),
            last_visit_date: sealed.last_visit_on,
            visit_count: sealed.visit_count,
            total_spent: Krw::won(sealed.total_spent),
        })
    }
}

impl Crm {
    fn shown(&self, sealed: Vec<SealedMember>, shown: Shown) -> Result<Vec<SegmentMember>, CrmError> {
        let members = sealed.into_iter().map(|sealed| SegmentMember::of(sealed, &self.vault, shown));
        Ok(members.collect::<Result<_, _>>()?)
    }
}

/// Conditions to try.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"conditions": [{"field": "visitCount", "operator": "AT_LEAST", "value": 3}]}))]
pub(crate) struct PreviewBody {
    /// All of them have to be true. None at all is true of everybody.
    #[schema(value_type = Vec<SegmentCondition>, max_items = 50)]
    conditions: Vec<Value>,
}

/// Who would be in a segment.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SegmentPreview {
    /// How many, exactly, now.
    #[schema(example = 45)]
    customer_count: i64,
    /// Up to five of them, the newest first.
    sample: Vec<SegmentMember>,
}

/// Try conditions
///
/// Nothing is stored.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/segments/preview", operation_id = "previewSegment", tag = "segments",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = PreviewBody,
    responses(
        (status = 200, description = "How many, and a few of them", body = Data<SegmentPreview>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn preview_segment(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<PreviewBody>,
) -> Result<Json<Data<SegmentPreview>>, Problem> {
    let at = crm.moment();
    let mut tx = TenantTx::begin_snapshot(&crm.db, caller.business).await?;
    features::require(&mut tx, caller.business, Feature::Crm).await?;
    let condition = read_conditions(&mut tx, caller.business, &body.conditions, at).await?;
    let customer_count = customer::count(&mut tx, caller.business, &condition, at).await?;
    let sample = if customer_count == 0 {
        Vec::new()
    } else {
        customer::members(&mut tx, caller.business, &condition, at, None, SAMPLE.min(customer_count)).await?
    };
    tx.commit().await?;
    Ok(Data::json(SegmentPreview { customer_count, sample: crm.shown(sample, Shown::Masked)? }))
}

/// List who is in a segment
///
/// Now; the newest customers first. Who looked, and whether at telephone numbers and addresses in full, is written to the audit
/// trail.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/segments/{segmentId}/customers", operation_id = "listSegmentCustomers", tag = "segments",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("segmentId" = i64, Path, example = 2), PageQuery),
    responses(
        (status = 200, description = "A page of customers", body = List<SegmentMember>),
        (status = 404, description = "`NOT_FOUND`: no such segment, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems, PlanProblem,
    ),
)]
pub(crate) async fn list_segment_customers(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<SegmentPath>,
    Query(page): Query<PageQuery>,
    origin: Origin,
) -> Result<Json<List<SegmentMember>>, Problem> {
    let limit = page.limit()?;
    let (business, before) = (caller.business, page.after()?);
    let at = crm.moment();
    let mut tx = TenantTx::begin(&crm.db, business).await?;
    let segment = segment::one(&mut tx, business, path.segment_id).await?.ok_or(CrmError::NotFound)?;
    features::require(&mut tx, business, Feature::Crm).await?;
    let sealed = customer::members(&mut tx, business, &segment.condition(at)?, at, before, limit + 1).await?;
    let in_full = caller.caller.may(Permission::TenantPersonalData, business);
    let looked = json!({
        "segmentId": path.segment_id,
        "customers": sealed.len().min(usize::try_from(limit).unwrap_or_default()),
        "contactsInFull": in_full,
    });
    let actor = Actor::new(&caller.caller, business, origin);
    audit::record(&mut tx, business, at.now, &actor, "segment.customers_viewed", &looked).await?;
    tx.commit().await?;
    let members = crm.shown(sealed, if in_full { Shown::Whole } else { Shown::Masked })?;
    Ok(Json(List::cut(members, limit, |member| member.customer_id)))
}

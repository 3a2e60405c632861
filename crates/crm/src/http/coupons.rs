//! Coupons.

use axum::{extract::State, http::StatusCode};
use chrono::NaiveDate;
use kernel::{BusinessId, KoreanTime, Krw};
use platform::{
    BodyProblems, CommonProblems, Data, FieldError, InBusiness, InBusinessOrAdmin, Json, List, PageQuery,
    Path, Problem, Query, TenantCrm, TenantTx,
    features::{self, Feature},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PlanProblem, stated};
use crate::{
    Crm, CrmError,
    coupon::{self, CouponId, CouponText, DiscountType, WRONG_LIMIT},
    store::coupon::{self as table, Coupon},
    text,
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CouponPath {
    pub(crate) coupon_id: CouponId,
}

/// A coupon of a shop.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CouponView {
    #[schema(example = 1)]
    coupon_id: CouponId,
    #[schema(example = "재방문 10% 할인")]
    name: String,
    discount_type: DiscountType,
    /// Won, or percent.
    #[schema(example = 10)]
    discount_value: i64,
    /// The most that a discount in percent takes off.
    max_discount: Option<Krw>,
    minimum_spend: Krw,
    /// The first Korean day.
    valid_from: NaiveDate,
    /// The last Korean day.
    valid_until: NaiveDate,
    /// How many codes there may be; null: as many as are wanted.
    #[schema(example = 500)]
    total_limit: Option<i32>,
    /// How many customers have a code.
    #[schema(example = 45)]
    issued: i32,
    /// How many codes are used up.
    #[schema(example = 5)]
    redeemed: i64,
    /// Codes are given out. What was given out stays good without.
    active: bool,
    created_at: KoreanTime,
}

impl From<Coupon> for CouponView {
    fn from(coupon: Coupon) -> Self {
        Self {
            coupon_id: coupon.id,
            name: coupon.name,
            discount_type: coupon.discount_type,
            discount_value: coupon.discount_value,
            max_discount: coupon.max_discount,
            minimum_spend: coupon.minimum_spend,
            valid_from: coupon.valid_from,
            valid_until: coupon.valid_until,
            total_limit: coupon.total_limit,
            issued: coupon.issued,
            redeemed: coupon.redeemed,
            active: coupon.stopped_at.is_none(),
            created_at: KoreanTime(coupon.created_at),
        }
    }
}

/// A new coupon. What it is worth cannot be changed afterwards: people hold codes for it.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "name": "재방문 10% 할인", "discountType": "PERCENT", "discountValue": 10, "maxDiscount": 10000,
    "minimumSpend": 30000, "validFrom": "2026-02-01", "validUntil": "2099-12-31", "totalLimit": 500,
}))]
pub(crate) struct CouponBody {
    #[schema(min_length = 1, max_length = 50)]
    name: String,
    discount_type: DiscountType,
    /// Won up to 1,000,000,000, or percent from 1 to 100.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    discount_value: i64,
    /// The most that a discount in percent takes off, won.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    max_discount: Option<i64>,
    /// The least that has to be spent, won; nothing if it is left out.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    minimum_spend: Option<i64>,
    /// The first Korean day.
    #[schema(value_type = NaiveDate)]
    valid_from: String,
    /// The last Korean day.
    #[schema(value_type = NaiveDate)]
    valid_until: String,
    /// How many codes there may be.
    #[schema(minimum = 1, maximum = 10_000_000)]
    total_limit: Option<i64>,
}

/// What is to be otherwise; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"validUntil": "2099-12-31", "active": true}))]
pub(crate) struct CouponPatch {
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = String, required = false, min_length = 1, max_length = 50)]
    name: Option<String>,
    /// The last Korean day.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = NaiveDate, required = false)]
    valid_until: Option<String>,
    /// How many codes there may be; not fewer than there are.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = i64, required = false, minimum = 1, maximum = 10_000_000)]
    total_limit: Option<i64>,
    /// False: no more codes are given out.
    #[serde(default, deserialize_with = "stated")]
    #[schema(value_type = bool, required = false)]
    active: Option<bool>,
}

/// List the coupons
///
/// The newest first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/coupons", operation_id = "listCoupons", tag = "coupons",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of coupons", body = List<CouponView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_coupons(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<CouponView>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?.map(CouponId);
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let coupons = table::list(&mut tx, caller.business, None, before, limit + 1).await?;
    tx.commit().await?;
    let coupons = coupons.into_iter().map(CouponView::from).collect();
    Ok(Json(List::cut(coupons, limit, |coupon: &CouponView| coupon.coupon_id)))
}

/// Get a coupon
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/coupons/{couponId}", operation_id = "getCoupon", tag = "coupons",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("couponId" = i64, Path, example = 1)),
    responses(
        (status = 200, description = "The coupon", body = Data<CouponView>),
        (status = 404, description = "`NOT_FOUND`: no such coupon, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_coupon(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CouponPath>,
) -> Result<Json<Data<CouponView>>, Problem> {
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let coupon = one(&mut tx, caller.business, path.coupon_id).await?;
    tx.commit().await?;
    Ok(Data::json(coupon))
}

async fn one(tx: &mut TenantTx, business: BusinessId, id: CouponId) -> Result<CouponView, CrmError> {
    let found = table::list(tx, business, Some(id), None, 1).await?.pop();
    found.map(CouponView::from).ok_or(CrmError::NotFound)
}

/// Create a coupon
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/coupons", operation_id = "createCoupon", tag = "coupons",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = CouponBody,
    responses(
        (status = 201, description = "Created", body = Data<CouponView>),
        (status = 404, description = "`NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn create_coupon(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Json(body): Json<CouponBody>,
) -> Result<(StatusCode, Json<Data<CouponView>>), Problem> {
    let text = CouponText {
        name: body.name,
        discount_type: body.discount_type,
        discount_value: body.discount_value,
        max_discount: body.max_discount,
        minimum_spend: body.minimum_spend.unwrap_or_default(),
        valid_from: body.valid_from,
        valid_until: body.valid_until,
        total_limit: body.total_limit,
    };
    let coupon = text.read().map_err(CrmError::Invalid)?;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    features::require(&mut tx, caller.business, Feature::Crm).await?;
    let id = table::insert(&mut tx, caller.business, crm.clock.now(), &coupon).await?;
    let coupon = one(&mut tx, caller.business, id).await?;
    tx.commit().await?;
    Ok((StatusCode::CREATED, Data::json(coupon)))
}

/// Change a coupon
///
/// Its name, its last day, how many codes there may be, and whether more are given out. What was given out stays worth what it
/// was.
#[utoipa::path(
    patch, path = "/api/businesses/{businessId}/coupons/{couponId}", operation_id = "changeCoupon", tag = "coupons",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("couponId" = i64, Path, example = 1)),
    request_body = CouponPatch,
    responses(
        (status = 200, description = "Changed", body = Data<CouponView>),
        (status = 404, description = "`NOT_FOUND`: no such coupon, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn change_coupon(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CouponPath>,
    Json(body): Json<CouponPatch>,
) -> Result<Json<Data<CouponView>>, Problem> {
    let now = crm.clock.now();
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let mut changed =
        table::lock(&mut tx, caller.business, path.coupon_id).await?.ok_or(CrmError::NotFound)?;
    features::require(&mut tx, caller.business, Feature::Crm).await?;
    let mut errors = Vec::new();
    let mut refuse = |field: &str, code, message: &str| {
        errors.push(FieldError { field: field.to_owned(), code, message: message.to_owned() });
    };
    match body.name.as_deref().map(text::name) {
        Some(Ok(name)) => changed.name = name,
        Some(Err(refusal)) => refuse("name", refusal.code, refusal.message),
        None => {}
    }
    match body.valid_until.as_deref().map(text::day) {
        Some(Ok(day)) if day < changed.valid_from => {
            refuse("validUntil", "INVALID_RANGE", "종료일이 시작일보다 빠릅니다.");
        }
        Some(Ok(day)) => changed.valid_until = day,
        Some(Err(refusal)) => refuse("validUntil", refusal.code, refusal.message),
        None => {}
    }
    match coupon::limit(body.total_limit) {
        Ok(Some(limit)) if limit < changed.issued => {
            refuse("totalLimit", "BELOW_ISSUED", "이미 발급한 수량보다 적을 수 없습니다.");
        }
        Ok(Some(limit)) => changed.total_limit = Some(limit),
        Ok(None) => {}
        Err(()) => refuse("totalLimit", "INVALID_NUMBER", WRONG_LIMIT),
    }
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    match body.active {
        Some(true) => changed.stopped_at = None,
        Some(false) => changed.stopped_at = changed.stopped_at.or(Some(now)),
        None => {}
    }
    table::update(&mut tx, caller.business, now, path.coupon_id, &changed).await?;
    let coupon = one(&mut tx, caller.business, path.coupon_id).await?;
    tx.commit().await?;
    Ok(Data::json(coupon))
}

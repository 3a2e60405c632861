//! Codes: giving them out, using them, giving them back.

use axum::extract::State;
use kernel::{KoreanTime, Krw};
use platform::{
    BodyProblems, CommonProblems, Data, FieldError, InBusiness, InBusinessOrAdmin, Json, List, PageQuery,
    Path, Problem, Query, TenantBooking, TenantCrm, TenantTx,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{PlanProblem, coupons::CouponPath};
use crate::{
    Crm, CrmError,
    coupon::{self, CouponId, CouponRefusal, code::Code},
    issue::MOST_AT_ONCE,
    redeem::{Use, UsedCode},
    store::coupon::{self as table, IssuedCode},
    text,
};

/// A customer's code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CouponCode {
    /// As people read it; it may be typed in any other way.
    #[schema(example = "K7QM-3XWD-9TFH")]
    code: String,
    #[schema(example = 1)]
    customer_id: i64,
    issued_at: KoreanTime,
    /// What it is used for; null while it can be used.
    #[schema(example = "R-20260214-3")]
    reference: Option<String>,
    redeemed_at: Option<KoreanTime>,
}

impl From<IssuedCode> for CouponCode {
    fn from(issued: IssuedCode) -> Self {
        Self {
            code: Code::shown(&issued.code),
            customer_id: issued.customer_id,
            issued_at: KoreanTime(issued.issued_at),
            reference: issued.reference,
            redeemed_at: issued.redeemed_at.map(KoreanTime),
        }
    }
}

/// Who is to get a code.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"customerIds": [1, 2]}))]
pub(crate) struct IssueBody {
    #[schema(min_items = 1, max_items = 1000)]
    customer_ids: Vec<i64>,
}

/// Give out codes
///
/// One for each customer, all or none. Who has one already keeps it, so that asking twice gives nobody two.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/coupons/{couponId}/codes", operation_id = "issueCouponCodes", tag = "coupons",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("couponId" = i64, Path, example = 1)),
    request_body = IssueBody,
    responses(
        (status = 200, description = "The codes of all of them", body = Data<Vec<CouponCode>>),
        (status = 404, description = "`NOT_FOUND`: no such coupon, or not yours", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`COUPON_STOPPED`, `COUPON_EXPIRED`, `COUPON_LIMIT_REACHED`: no more are given out", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, PlanProblem,
    ),
)]
pub(crate) async fn issue_coupon_codes(
    State(crm): State<Crm>,
    caller: InBusiness<TenantCrm>,
    Path(path): Path<CouponPath>,
    Json(body): Json<IssueBody>,
) -> Result<Json<Data<Vec<CouponCode>>>, Problem> {
    if !(1..=MOST_AT_ONCE).contains(&body.customer_ids.len()) {
        return Err(Problem::invalid_field(
            "customerIds",
            "INVALID_LIST",
            "고객은 1명에서 1,000명까지 지정할 수 있습니다.",
        ));
    }
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let codes = crm.issue_codes(&mut tx, caller.business, path.coupon_id, &body.customer_ids).await?;
    tx.commit().await?;
    Ok(Data::json(codes.into_iter().map(CouponCode::from).collect()))
}

/// List a coupon's codes
///
/// Those of the newest customers first.
#[utoipa::path(
    get, path = "/api/businesses/{businessId}/coupons/{couponId}/codes", operation_id = "listCouponCodes", tag = "coupons",
    security(("bearer" = [])),
    params(("businessId" = i64, Path, example = 1), ("couponId" = i64, Path, example = 1), PageQuery),
    responses(
        (status = 200, description = "A page of codes", body = List<CouponCode>),
        (status = 404, description = "`NOT_FOUND`: no such coupon, or not yours", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn list_coupon_codes(
    State(crm): State<Crm>,
    caller: InBusinessOrAdmin<TenantCrm>,
    Path(path): Path<CouponPath>,
    Query(page): Query<PageQuery>,
) -> Result<Json<List<CouponCode>>, Problem> {
    let limit = page.limit()?;
    let before = page.after()?;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    if table::list(&mut tx, caller.business, Some(path.coupon_id), None, 1).await?.is_empty() {
        return Err(CrmError::NotFound.into());
    }
    let codes = table::codes(&mut tx, caller.business, path.coupon_id, None, before, limit + 1).await?;
    tx.commit().await?;
    let codes = codes.into_iter().map(CouponCode::from).collect();
    Ok(Json(List::cut(codes, limit, |code: &CouponCode| code.customer_id)))
}

/// A code, and what it is to be used for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"code": "K7QM-3XWD-9TFH", "customerId": 1, "reference": "R-20260214-3", "amount": 55000}))]
pub(crate) struct RedeemBody {
    /// However it is typed: in small letters, with hyphens or without.
    code: String,
    /// Who is at the counter.
    customer_id: i64,
    /// Your own name for what it is used for, such as a reservation's or a receipt's number.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
    /// What is to be paid before the discount, won.
    #[schema(minimum = 1, maximum = 100_000_000_000i64)]
    amount: i64,
}

/// What a code was used for.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"code": "K7QM-3XWD-9TFH", "reference": "R-20260214-3"}))]
pub(crate) struct RestoreBody {
    /// However it is typed: in small letters, with hyphens or without.
    code: String,
    /// The name that it was used by.
    #[schema(min_length = 1, max_length = 100)]
    reference: String,
}

/// A use of a code.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CouponUse {
    #[schema(example = 1)]
    coupon_id: CouponId,
    #[schema(example = "재방문 10% 할인")]
    coupon_name: String,
    #[schema(example = 1)]
    customer_id: i64,
    #[schema(example = "R-20260214-3")]
    reference: String,
    /// What was to be paid.
    #[schema(value_type = i64, example = 55_000)]
    amount: Krw,
    /// What is taken off.
    #[schema(value_type = i64, example = 5_500)]
    discount: Krw,
    /// What is left to be paid.
    #[schema(value_type = i64, example = 49_500)]
    to_pay: Krw,
    redeemed_at: KoreanTime,
    /// When it was given back.
    restored_at: Option<KoreanTime>,
}

impl From<UsedCode> for CouponUse {
    fn from(used: UsedCode) -> Self {
        let redemption = used.redemption;
        Self {
            coupon_id: used.coupon,
            coupon_name: used.coupon_name,
            customer_id: used.customer_id,
            amount: redemption.amount,
            discount: redemption.discount,
            to_pay: redemption.amount.checked_sub(redemption.discount).unwrap_or_default(),
            redeemed_at: KoreanTime(redemption.redeemed_at),
            restored_at: redemption.restored_at.map(KoreanTime),
            reference: redemption.reference,
        }
    }
}

/// Use a code
///
/// Once: it is used up by the `reference` that it is used for. The same request again gets the same answer. A shop whose plan no
/// longer has CRM goes on taking what it gave out.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/coupons/redeem", operation_id = "redeemCoupon", tag = "coupons",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = RedeemBody,
    responses(
        (status = 200, description = "Used", body = Data<CouponUse>),
        (status = 404, description = "`UNKNOWN_COUPON_CODE`: nobody has this code; `NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`COUPON_OF_ANOTHER_CUSTOMER`, `COUPON_NOT_YET_VALID`, `COUPON_EXPIRED`, `COUPON_BELOW_MINIMUM`, `COUPON_ALREADY_REDEEMED`, `COUPON_REDEEMED_OTHERWISE`, `COUPON_RESTORED`: it cannot be used for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn redeem_coupon(
    State(crm): State<Crm>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<RedeemBody>,
) -> Result<Json<Data<CouponUse>>, Problem> {
    let amount = coupon::amount(body.amount);
    let reference = text::reference(&body.reference).map_err(|refusal| wrong_reference(&refusal));
    let (amount, reference) = match (amount, reference) {
        (Ok(amount), Ok(reference)) => (amount, reference),
        (amount, reference) => {
            return Err(Problem::invalid(amount.err().into_iter().chain(reference.err()).collect()));
        }
    };
    let code = Code::parse(&body.code).ok_or(CrmError::Coupon(CouponRefusal::UnknownCode))?;
    let wanted = Use { code, customer_id: body.customer_id, reference, amount };
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let used = crm.redeem(&mut tx, caller.business, wanted).await?;
    tx.commit().await?;
    Ok(Data::json(used.into()))
}

/// Give a used code back
///
/// It can be used again, for something else. The same request again gets the same answer.
#[utoipa::path(
    post, path = "/api/businesses/{businessId}/coupons/restore", operation_id = "restoreCoupon", tag = "coupons",
    security(("bearer" = [])), params(("businessId" = i64, Path, example = 1)), request_body = RestoreBody,
    responses(
        (status = 200, description = "Given back", body = Data<CouponUse>),
        (status = 404, description = "`UNKNOWN_COUPON_CODE`: nobody has this code; `NOT_FOUND`: no such business, or you are no member of it", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`COUPON_NOT_REDEEMED`: it was not used for this", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn restore_coupon(
    State(crm): State<Crm>,
    caller: InBusiness<TenantBooking>,
    Json(body): Json<RestoreBody>,
) -> Result<Json<Data<CouponUse>>, Problem> {
    let reference = text::reference(&body.reference)
        .map_err(|refusal| Problem::invalid(vec![wrong_reference(&refusal)]))?;
    let code = Code::parse(&body.code).ok_or(CrmError::Coupon(CouponRefusal::UnknownCode))?;
    let mut tx = TenantTx::begin(&crm.db, caller.business).await?;
    let used = crm.restore(&mut tx, caller.business, &code, &reference).await?;
    tx.commit().await?;
    Ok(Data::json(used.into()))
}

fn wrong_reference(refusal: &text::Refusal) -> FieldError {
    FieldError { field: "reference".to_owned(), code: refusal.code, message: refusal.message.to_owned() }
}

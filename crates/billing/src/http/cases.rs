//! Operator cases: what the machine could not settle, for a platform operator to decide.

use axum::extract::State;
use kernel::{BusinessId, KoreanTime, Krw};
use platform::{
    BodyProblems, CommonProblems, Data, Json, List, PageQuery, Path, PlatformAdmin, Problem, Query, SystemTx,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{CardProblems, free_text::without_card_number, providers::ProviderName};
use crate::{
    Billing, BillingError,
    case::{CaseId, CaseKind, CaseStatus, Decision, Resolution},
    merchant::MerchantAccountId,
    payment::PaymentId,
    refund::RefundId,
    store::{self, case::CaseFilter},
};

/// Something for an operator to decide, with its evidence.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaseView {
    pub case_id: CaseId,
    pub kind: CaseKind,
    pub status: CaseStatus,
    #[schema(value_type = ProviderName)]
    pub provider: String,
    /// The business's own contract with it; null where it is the platform's.
    pub merchant_account_id: Option<MerchantAccountId>,
    /// Null where nobody knows whose money it is.
    #[schema(example = 1)]
    pub business_id: Option<BusinessId>,
    #[schema(example = 101)]
    pub payment_id: Option<PaymentId>,
    pub refund_id: Option<RefundId>,
    #[schema(example = "dg5f0c7a1e9b3d4c2f8a6e0d1b2c3f4a5e")]
    pub order_id: Option<String>,
    /// The provider's id of the payment, as far as it is known.
    pub payment_key: Option<String>,
    /// What our books say, won.
    #[schema(example = 29000)]
    pub our_amount: Option<Krw>,
    /// What the provider says, won.
    pub their_amount: Option<Krw>,
    /// How it was found.
    #[schema(example = "the answer to the charge was lost, and the provider cannot be asked by order id")]
    pub evidence: String,
    /// Empty once resolved.
    pub possible_resolutions: Vec<Resolution>,
    pub opened_at: KoreanTime,
    pub resolution: Option<Resolution>,
    pub resolution_note: Option<String>,
    /// `sub` of whoever decided; `the machine` where the provider told later what had been unknown.
    pub resolved_by: Option<String>,
    pub resolved_at: Option<KoreanTime>,
}

/// Which cases are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    status: Option<CaseStatus>,
    kind: Option<CaseKind>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List operator cases
///
/// What the machine could not settle by itself, newest first.
#[utoipa::path(
    get, path = "/api/admin/cases", operation_id = "listCases", tag = "admin",
    security(("bearer" = [])), params(CaseQuery),
    responses((status = 200, description = "A page of cases", body = List<CaseView>), CommonProblems),
)]
pub(crate) async fn list_cases(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<CaseQuery>,
) -> Result<Json<List<CaseView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = CaseFilter {
        status: query.status,
        kind: query.kind,
        before: page.after()?,
        only: None,
        limit: limit + 1,
    };
    let mut tx = SystemTx::begin(&billing.db).await?;
    let cases = store::case::list(&mut tx, &filter).await?;
    Ok(Json(List::cut(cases, limit, |case| case.case_id)))
}

/// Get an operator case
#[utoipa::path(
    get, path = "/api/admin/cases/{caseId}", operation_id = "getCase", tag = "admin",
    security(("bearer" = [])),
    params(("caseId" = String, Path, example = "case_0199f6b2c0de7a52a0f1d2c3b4a59687")),
    responses(
        (status = 200, description = "The case", body = Data<CaseView>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn get_case(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Path(id): Path<CaseId>,
) -> Result<Json<Data<CaseView>>, Problem> {
    Ok(Data::json(billing.case_view(id).await?))
}

/// What is decided, and why.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"resolution": "WRITE_OFF", "reason": "결제사 관리자에서 승인 내역이 없음을 확인"}))]
pub(crate) struct ResolveCase {
    resolution: Resolution,
    /// 1 to 500 characters, kept with the case.
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
    /// The provider's id of the payment, from its console: where the case does not know it. 1 to 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    payment_key: Option<String>,
}

/// Resolve an operator case
///
/// `ADOPT`: it is so, our books follow the provider's. `REFUND`: the provider gives the money back.
/// `WRITE_OFF`: it did not happen, or is lost. Who decided and why is kept. The provider is asked first:
/// nothing is adopted that it does not show.
#[utoipa::path(
    post, path = "/api/admin/cases/{caseId}/resolve", operation_id = "resolveCase", tag = "admin",
    security(("bearer" = [])),
    params(("caseId" = String, Path, example = "case_0199f6b2c0de7a52a0f1d2c3b4a59687")), request_body = ResolveCase,
    responses(
        (status = 200, description = "Resolved", body = Data<CaseView>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "`CASE_RESOLVED`, `CASE_BEING_DECIDED`: by somebody else at this moment, `RESOLUTION_NOT_POSSIBLE`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `REQUIRED` or `NOT_THIS_PAYMENT` for `paymentKey`, `INVALID_LENGTH`", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "`PROVIDER_UNAVAILABLE`: nothing was changed; try again", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems, CardProblems,
    ),
)]
pub(crate) async fn resolve_case(
    State(billing): State<Billing>,
    PlatformAdmin(operator): PlatformAdmin,
    Path(id): Path<CaseId>,
    Json(body): Json<ResolveCase>,
) -> Result<Json<Data<CaseView>>, Problem> {
    let reason = body.reason.trim();
    if !(1..=500).contains(&reason.chars().count()) {
        let message = "사유는 1자에서 500자 사이여야 합니다.";
        return Err(Problem::invalid_field("reason", "INVALID_LENGTH", message));
    }
    without_card_number(reason)?;
    if body.payment_key.as_ref().is_some_and(|key| !(1..=200).contains(&key.chars().count())) {
        let message = "거래번호는 1자에서 200자 사이여야 합니다.";
        return Err(Problem::invalid_field("paymentKey", "INVALID_LENGTH", message));
    }
    let decision = Decision {
        resolution: body.resolution,
        note: reason.to_owned(),
        by: operator.subject.clone(),
        payment_key: body.payment_key,
    };
    billing.resolve_case(id, &decision).await?;
    Ok(Data::json(billing.case_view(id).await?))
}

impl Billing {
    async fn case_view(&self, id: CaseId) -> Result<CaseView, BillingError> {
        let mut tx = SystemTx::begin(&self.db).await?;
        let only = CaseFilter { status: None, kind: None, before: None, only: Some(id), limit: 1 };
        store::case::list(&mut tx, &only).await?.pop().ok_or(BillingError::NotFound)
    }
}

//! The daily reconciliation and the ledger, for platform operators.

use std::{fmt, str::FromStr};

use axum::extract::State;
use chrono::{Datelike, NaiveDate};
use kernel::{BusinessId, KoreanTime, Krw};
use pg_adapter::Provider;
use platform::{
    BodyProblems, CommonProblems, Data, Json, List, PageQuery, PlatformAdmin, Problem, Query, SystemTx,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::providers::ProviderName;
use crate::{
    Account, Billing, BillingError,
    merchant::{Merchant, MerchantAccountId},
    reconciliation::{ComparedDay, Occasion, ReconciliationStatus},
    store::{
        self,
        reconciliation::{Listed, ReconciliationFilter},
    },
};

/// A provider's day against our books.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReconciliationView {
    #[schema(value_type = ProviderName)]
    pub provider: String,
    /// The contract that a business has with it; null where it is the platform's.
    pub merchant_account_id: Option<MerchantAccountId>,
    /// A Korean day.
    #[schema(example = "2026-02-14")]
    pub day: NaiveDate,
    pub status: ReconciliationStatus,
    pub theirs: SideView,
    pub ours: SideView,
    /// Differences at first.
    #[schema(example = 0)]
    pub found: i64,
    /// Differences that nothing explains yet: there are operator cases about them.
    #[schema(example = 0)]
    pub unexplained: i64,
    /// Why the list could not be read.
    pub failure: Option<String>,
    pub started_at: KoreanTime,
    pub finished_at: Option<KoreanTime>,
    pub next_attempt_at: Option<KoreanTime>,
}

/// One side's totals of a day.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SideView {
    #[schema(example = 12)]
    pub charges: i64,
    #[schema(example = 348_000)]
    pub charged: Krw,
    #[schema(example = 1)]
    pub cancels: i64,
    #[schema(example = 15_000)]
    pub canceled: Krw,
}

/// Which comparisons are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReconciliationQuery {
    /// In whatever case.
    #[param(value_type = Option<ProviderName>, example = "TOSS")]
    provider: Option<String>,
    status: Option<ReconciliationStatus>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// A comparison as a cursor names it.
struct Compared(Listed);

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.0.day, self.0.provider, self.0.account.simple())
    }
}

impl FromStr for Compared {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (day, merchant) = text.split_once(' ').ok_or(())?;
        let (provider, account) = merchant.split_once(' ').ok_or(())?;
        let day: NaiveDate = day.parse().map_err(|_| ())?;
        let is_a_name = provider.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !(1..=9999).contains(&day.year()) || !is_a_name {
            return Err(());
        }
        let account = account.parse().map_err(|_| ())?;
        Ok(Self(Listed { day, provider: provider.to_owned(), account }))
    }
}

impl From<&ReconciliationView> for Compared {
    fn from(view: &ReconciliationView) -> Self {
        let account = view.merchant_account_id.map_or_else(Uuid::nil, |account| account.0);
        Self(Listed { day: view.day, provider: view.provider.clone(), account })
    }
}

/// List daily reconciliations
///
/// Each day, every provider's list of transactions is compared with our payments and refunds, to the
/// won. Newest first.
#[utoipa::path(
    get, path = "/api/admin/reconciliations", operation_id = "listReconciliations", tag = "admin",
    security(("bearer" = [])), params(ReconciliationQuery),
    responses(
        (status = 200, description = "A page of comparisons", body = List<ReconciliationView>),
        CommonProblems,
    ),
)]
pub(crate) async fn list_reconciliations(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<ReconciliationQuery>,
) -> Result<Json<List<ReconciliationView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let provider = query.provider.map(|name| name.parse::<Provider>()).transpose();
    let provider = provider
        .map_err(|_| Problem::bad_request("INVALID_PARAMETER", "provider는 지원하는 결제사여야 합니다."))?;
    let filter = ReconciliationFilter {
        provider,
        status: query.status,
        only: None,
        before: page.after::<Compared>()?.map(|Compared(listed)| listed),
        limit: limit + 1,
    };
    let mut tx = SystemTx::begin(&billing.db).await?;
    let comparisons = store::reconciliation::list(&mut tx, &filter).await?;
    Ok(Json(List::cut(comparisons, limit, |one| Compared::from(one))))
}

/// What is to be compared.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"provider": "TOSS", "day": "2026-02-14"}))]
pub(crate) struct ReconcileDay {
    #[schema(value_type = ProviderName)]
    provider: String,
    /// The contract that a business has with it; the platform's if absent.
    merchant_account_id: Option<MerchantAccountId>,
    /// A Korean day, today at the latest.
    day: NaiveDate,
}

/// Reconcile a day now
///
/// Compares a provider's day with our books, again if it was compared before.
#[utoipa::path(
    post, path = "/api/admin/reconciliations", operation_id = "reconcileDay", tag = "admin",
    security(("bearer" = [])),
    // The other two have no list.
    request_body(content = ReconcileDay, examples(
        ("Toss" = (summary = "Toss Payments", value = json!({"provider": "TOSS", "day": "2026-02-14"}))),
        ("PortOne" = (summary = "PortOne", value = json!({"provider": "PORTONE", "day": "2026-02-14"}))),
    )),
    responses(
        (status = 200, description = "Compared", body = Data<ReconciliationView>),
        (status = 409, description = "`RECONCILIATION_RUNNING`: another worker is at it", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `UNKNOWN_PROVIDER`, `PROVIDER_NOT_CONFIGURED`, `NO_TRANSACTION_LIST`, `INVALID_DAY`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn reconcile_day(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Json(body): Json<ReconcileDay>,
) -> Result<Json<Data<ReconciliationView>>, Problem> {
    let provider: Provider = body.provider.parse().map_err(BillingError::from)?;
    let merchant = Merchant { provider, account: body.merchant_account_id };
    billing.gateway(merchant).await?;
    if !billing.gateways.capabilities(provider).lists_transactions {
        let message = "이 결제사는 거래 목록을 제공하지 않습니다.";
        return Err(Problem::invalid_field("provider", "NO_TRANSACTION_LIST", message));
    }
    if body.day > billing.clock.today() || !(2000..=9999).contains(&body.day.year()) {
        return Err(Problem::invalid_field("day", "INVALID_DAY", "오늘까지의 날짜를 보내 주세요."));
    }
    if !billing.reconcile_day(merchant, body.day, Occasion::Request).await? {
        return Err(Problem::conflict("RECONCILIATION_RUNNING", "이미 대사를 진행하고 있습니다."));
    }
    let only = ReconciliationFilter {
        provider: None,
        status: None,
        only: Some(ComparedDay::new(merchant, body.day)),
        before: None,
        limit: 1,
    };
    let mut tx = SystemTx::begin(&billing.db).await?;
    let compared = store::reconciliation::list(&mut tx, &only).await?.pop();
    Ok(Data::json(compared.ok_or(BillingError::NotFound)?))
}

/// Whose balances are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BalanceQuery {
    /// One business's; all together if absent.
    #[param(example = 1, minimum = 1)]
    business_id: Option<BusinessId>,
}

/// What an account of the ledger holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BalanceView {
    pub account: Account,
    #[schema(value_type = ProviderName)]
    pub provider: String,
    /// Won, debits less credits: what is owed to us is positive, income and tax collected negative.
    #[schema(example = 28_159)]
    pub balance: i64,
}

/// Show the balances of the ledger
///
/// By account and provider. All of them together add up to nothing.
#[utoipa::path(
    get, path = "/api/admin/ledger/balances", operation_id = "listLedgerBalances", tag = "admin",
    security(("bearer" = [])), params(BalanceQuery),
    responses((status = 200, description = "The balances", body = Data<Vec<BalanceView>>), CommonProblems),
)]
pub(crate) async fn list_ledger_balances(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<BalanceQuery>,
) -> Result<Json<Data<Vec<BalanceView>>>, Problem> {
    if query.business_id.is_some_and(|id| id.0 < 1) {
        return Err(Problem::bad_request("INVALID_PARAMETER", "businessId는 1 이상의 숫자여야 합니다."));
    }
    let mut tx = SystemTx::begin(&billing.db).await?;
    let balances = store::ledger::balances(&mut tx, query.business_id).await?;
    tx.commit().await?;
    Ok(Data::json(balances))
}

//! Which providers there are, how they are doing, and the rules that lead to them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

use axum::extract::State;
use chrono::TimeDelta;
use kernel::{BusinessId, KoreanTime};
use pg_adapter::{Capabilities, Provider, Repeats};
use platform::{
    BodyProblems, CommonProblems, Data, Json, PlatformAdmin, Problem, Query, SystemTx, Tenant, TenantBilling,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{ObjectBuilder, Type},
    },
};

use super::{BusinessHeader, merchant_accounts::CredentialFieldView};
use crate::{
    Billing, BillingError, BreakerState,
    merchant::MerchantAccount,
    routing::{PLATFORM, Route},
    store,
};

/// How long back the figures reach.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// The provider to go to.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteTaken {
    /// Whose SDK to open.
    #[schema(value_type = ProviderName)]
    provider: &'static str,
    /// All that can be named instead.
    #[schema(value_type = Vec<ProviderName>, example = json!(["TOSS", "PORTONE", "KCP", "BOOTPAY"]))]
    providers: Vec<&'static str>,
    /// What the SDK of each of them is opened with, by name; no secrets. Of the business's own contract
    /// where it has one.
    #[schema(example = json!({"TOSS": {"clientKey": "test_ck_dangol"}, "KCP": {"siteCd": "T0000", "groupId": "A52Q71000489"}}))]
    #[schema(value_type = BTreeMap<ProviderName, BTreeMap<String, String>>)]
    windows: BTreeMap<&'static str, BTreeMap<&'static str, String>>,
}

/// How the document spells a provider; requests may write it in whatever case. Made from the providers
/// that there are, so that a new one cannot be missing.
pub(crate) struct ProviderName;

impl PartialSchema for ProviderName {
    fn schema() -> RefOr<Schema> {
        let names = Provider::ALL.iter().map(|provider| provider.as_str());
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("A payment provider."))
            .enum_values(Some(names))
            .examples([Provider::Toss.as_str()])
            .into()
    }
}

impl ToSchema for ProviderName {
    fn name() -> Cow<'static, str> {
        "PaymentProvider".into()
    }
}

/// Which provider to go to
///
/// Tells a frontend whose SDK to open for this business now: by the rules of the business or of the
/// platform, past providers that are down.
#[utoipa::path(
    get, path = "/api/payments/route", operation_id = "getPaymentRoute", tag = "checkout",
    security(("bearer" = [])), params(BusinessHeader),
    responses((status = 200, description = "The provider", body = Data<RouteTaken>), CommonProblems),
)]
pub(crate) async fn get_payment_route(
    State(billing): State<Billing>,
    tenant: Tenant<TenantBilling>,
) -> Result<Json<Data<RouteTaken>>, Problem> {
    let provider = billing.route(tenant.business).await?.as_str();
    let windows = billing.windows(tenant.business).await?;
    let all = Provider::ALL.iter().map(|provider| provider.as_str());
    let providers = all.filter(|provider| windows.contains_key(provider)).collect();
    Ok(Data::json(RouteTaken { provider, providers, windows }))
}

/// How a provider is doing.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProviderView {
    #[schema(value_type = ProviderName)]
    provider: &'static str,
    /// This process has credentials for it.
    is_configured: bool,
    /// Used where no rule says otherwise.
    is_default: bool,
    breaker: BreakerView,
    /// Of the last 24 hours.
    figures: FiguresView,
    capabilities: CapabilitiesView,
    /// What a contract with it comes with.
    credential_fields: Vec<CredentialFieldView>,
}

/// The circuit breaker of a provider.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BreakerView {
    state: BreakerState,
    /// When it opened last; null if it never did.
    opened_at: Option<KoreanTime>,
    /// When it is tried again; null while it is closed.
    waits_until: Option<KoreanTime>,
}

/// What became of a provider's charges lately.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiguresView {
    #[schema(example = 96)]
    pub approved: i64,
    #[schema(example = 4)]
    pub declined: i64,
    /// Not known yet, however old.
    #[schema(example = 0)]
    pub open: i64,
    /// Approved among those that were answered, percent with one decimal; null if there was none.
    #[schema(example = 96.0)]
    pub approval_rate: Option<f64>,
}

/// What a provider can and cannot do.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "each is a separate fact about a provider")]
pub(crate) struct CapabilitiesView {
    /// It can be asked for a payment by our order id.
    finds_by_order: bool,
    /// It lists a day's movements, so that its books are compared with ours every day.
    lists_transactions: bool,
    /// A payment shows its cancels, so that a lost answer to one is found again.
    lists_cancels: bool,
    signs_webhooks: bool,
    /// Asking for a billing key again with the same auth key returns the same key.
    repeats_issue: bool,
    /// How long the same charge sent again is the same: `ALWAYS`, `NEVER`, or seconds.
    #[schema(example = "ALWAYS")]
    repeats_charge: String,
    /// The same of a cancel.
    #[schema(example = "1209600")]
    repeats_cancel: String,
    /// What is left of a payment of which a part was cancelled can be cancelled as a whole.
    full_cancel_after_partial: bool,
    /// Cancels of one payment have to wait for each other.
    cancels_in_turn: bool,
}

impl From<Capabilities> for CapabilitiesView {
    fn from(able: Capabilities) -> Self {
        let repeats = |repeats| match repeats {
            Repeats::Always => "ALWAYS".to_owned(),
            Repeats::Never => "NEVER".to_owned(),
            Repeats::For(limit) => limit.num_seconds().to_string(),
        };
        Self {
            finds_by_order: able.finds_by_order,
            lists_transactions: able.lists_transactions,
            lists_cancels: able.lists_cancels,
            signs_webhooks: able.signs_webhooks,
            repeats_issue: able.repeats_issue,
            repeats_charge: repeats(able.repeats_charge),
            repeats_cancel: repeats(able.repeats_cancel),
            full_cancel_after_partial: able.full_cancel_after_partial,
            cancels_in_turn: able.cancels_in_turn,
        }
    }
}

/// How are the providers doing
#[utoipa::path(
    get, path = "/api/admin/providers", operation_id = "listProviders", tag = "admin",
    security(("bearer" = [])),
    responses((status = 200, description = "Every provider that this version knows", body = Data<Vec<ProviderView>>), CommonProblems),
)]
pub(crate) async fn list_providers(
    State(billing): State<Billing>,
    _: PlatformAdmin,
) -> Result<Json<Data<Vec<ProviderView>>>, Problem> {
    let since = billing.clock.now() - LATELY;
    let mut tx = SystemTx::begin(&billing.db).await?;
    let mut views = Vec::with_capacity(Provider::ALL.len());
    for provider in Provider::ALL {
        let breaker = store::breaker::find(&mut tx, *provider).await?;
        let state = breaker.as_ref().map_or(BreakerState::Closed, |breaker| breaker.state);
        let gateway = billing.gateways.get(*provider);
        views.push(ProviderView {
            provider: provider.as_str(),
            is_configured: gateway.is_some(),
            is_default: billing.gateways.default == *provider,
            breaker: BreakerView {
                state,
                opened_at: breaker.as_ref().map(|breaker| KoreanTime(breaker.opened_at)),
                waits_until: breaker
                    .as_ref()
                    .filter(|_| state != BreakerState::Closed)
                    .map(|breaker| KoreanTime(breaker.waits_until())),
            },
            figures: store::view::figures(&mut tx, *provider, since).await?,
            capabilities: billing.gateways.capabilities(*provider).into(),
            credential_fields: provider.credential_fields().iter().map(CredentialFieldView::from).collect(),
        });
    }
    tx.commit().await?;
    Ok(Data::json(views))
}

/// Whose rules are meant.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RouteQuery {
    /// One business's; the platform's if absent.
    #[param(example = 1)]
    business_id: Option<BusinessId>,
}

impl RouteQuery {
    fn whose(&self) -> Result<BusinessId, Problem> {
        Ok(a_business(self.business_id)?.unwrap_or(PLATFORM))
    }
}

/// A business that a query names, if it could be one.
pub(super) fn a_business(named: Option<BusinessId>) -> Result<Option<BusinessId>, Problem> {
    if named.is_some_and(|business| business.0 < 1) {
        return Err(Problem::bad_request("INVALID_PARAMETER", "businessId는 1 이상의 숫자여야 합니다."));
    }
    Ok(named)
}

/// A rule: a provider, and when it is used.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RouteRule {
    #[schema(value_type = ProviderName)]
    provider: String,
    /// 1 to 9, lower first; a later one is for when every provider of those before it is down.
    #[schema(minimum = 1, maximum = 9, example = 1)]
    rank: i32,
    /// 1 to 1000: the share among those of the same rank.
    #[schema(minimum = 1, maximum = 1000, example = 1)]
    weight: i32,
}

impl From<Route> for RouteRule {
    fn from(route: Route) -> Self {
        Self { provider: route.provider.as_str().to_owned(), rank: route.rank, weight: route.weight }
    }
}

/// The rules of a business, or of the platform.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"routes": [
    {"provider": "TOSS", "rank": 1, "weight": 3}, {"provider": "PORTONE", "rank": 1, "weight": 1}, {"provider": "KCP", "rank": 2, "weight": 1}
]}))]
pub(crate) struct Routes {
    /// None: what the platform's rules say, or the configured provider.
    #[schema(max_items = 9)]
    routes: Vec<RouteRule>,
}

/// Show the rules of routing
#[utoipa::path(
    get, path = "/api/admin/routes", operation_id = "getRoutes", tag = "admin",
    security(("bearer" = [])), params(RouteQuery),
    responses((status = 200, description = "The rules", body = Data<Routes>), CommonProblems),
)]
pub(crate) async fn get_routes(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<RouteQuery>,
) -> Result<Json<Data<Routes>>, Problem> {
    let whose = query.whose()?;
    let mut tx = SystemTx::begin(&billing.db).await?;
    let routes = store::route::of(&mut tx, whose).await?;
    tx.commit().await?;
    Ok(Data::json(Routes { routes: routes.into_iter().map(RouteRule::from).collect() }))
}

/// Set the rules of routing
///
/// In the place of all that there were. They lead new cards and orders; a card stays where it is.
#[utoipa::path(
    put, path = "/api/admin/routes", operation_id = "setRoutes", tag = "admin",
    security(("bearer" = [])), params(RouteQuery), request_body = Routes,
    responses(
        (status = 200, description = "The rules", body = Data<Routes>),
        (status = 422, description = "`VALIDATION_FAILED`: `UNKNOWN_PROVIDER`, `PROVIDER_NOT_CONFIGURED`, `OUT_OF_RANGE`, `TWICE`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn set_routes(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<RouteQuery>,
    Json(body): Json<Routes>,
) -> Result<Json<Data<Routes>>, Problem> {
    let whose = query.whose()?;
    let mut tx = SystemTx::begin(&billing.db).await?;
    let own = store::merchant_account::all_active(&mut tx, whose).await?;
    let routes = billing.checked_routes(body.routes, &own)?;
    store::route::replace(&mut tx, whose, &routes).await?;
    tx.commit().await?;
    Ok(Data::json(Routes { routes: routes.into_iter().map(RouteRule::from).collect() }))
}

impl Billing {
    /// What the browser opens each provider's window with, for this business.
    async fn windows(
        &self,
        business: BusinessId,
    ) -> Result<BTreeMap<&'static str, BTreeMap<&'static str, String>>, BillingError> {
        let configured = self.gateways.all().map(|gateway| gateway.provider());
        let of_platform = configured
            .filter_map(|provider| Some((provider.as_str(), self.gateways.public_values(provider)?.clone())));
        let mut windows: BTreeMap<_, _> = of_platform.collect();
        let mut tx = SystemTx::begin(&self.db).await?;
        for account in store::merchant_account::all_active(&mut tx, business).await? {
            windows.insert(account.provider.as_str(), self.credentials(&account)?.public_values());
        }
        tx.commit().await?;
        Ok(windows)
    }

    fn checked_routes(&self, rules: Vec<RouteRule>, own: &[MerchantAccount]) -> Result<Vec<Route>, Problem> {
        let mut seen = HashSet::new();
        rules
            .into_iter()
            .map(|rule| {
                let provider: Provider = rule.provider.parse().map_err(BillingError::from)?;
                let is_own = own.iter().any(|account| account.provider == provider);
                if !is_own && self.gateways.get(provider).is_none() {
                    return Err(BillingError::ProviderNotConfigured(provider).into());
                }
                if !(1..=9).contains(&rule.rank) || !(1..=1000).contains(&rule.weight) {
                    let message = "rank는 1에서 9, weight는 1에서 1000 사이여야 합니다.";
                    return Err(Problem::invalid_field("routes", "OUT_OF_RANGE", message));
                }
                if !seen.insert(provider) {
                    let message = "결제사마다 규칙은 하나입니다.";
                    return Err(Problem::invalid_field("routes", "TWICE", message));
                }
                Ok(Route { provider, rank: rule.rank, weight: rule.weight })
            })
            .collect()
    }
}

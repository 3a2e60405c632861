//! The contracts that businesses have with providers themselves, for platform operators.

use std::collections::BTreeMap;

use axum::{extract::State, http::StatusCode};
use kernel::{BusinessId, KoreanTime};
use pg_adapter::{CredentialField, Credentials, Provider};
use platform::{
    BodyProblems, CommonProblems, Data, Json, List, PageQuery, Path, PlatformAdmin, Problem, Query, SystemTx,
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::providers::a_business;
use crate::{
    Billing, BillingError,
    merchant::{MerchantAccount, MerchantAccountId, MerchantAccountStatus},
    store::{
        self,
        merchant_account::{AccountFilter, ListedAccount},
    },
};

/// Longer than any certificate with its chain.
const LONGEST_VALUE: usize = 20_000;

/// A contract that a business has with a provider.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MerchantAccountView {
    merchant_account_id: MerchantAccountId,
    #[schema(example = 1)]
    business_id: BusinessId,
    #[schema(example = "TOSS")]
    provider: &'static str,
    status: MerchantAccountStatus,
    /// The credentials that are no secrets.
    #[schema(example = json!({"clientKey": "test_ck_salon"}))]
    public_values: BTreeMap<&'static str, String>,
    /// Where the provider is to send its webhooks, below this API's address.
    #[schema(example = "/api/webhooks/toss/ma_0199f6b2c0de7a52a0f1d2c3b4a59687")]
    webhook_path: String,
    /// Cards that are charged by it.
    #[schema(example = 1)]
    cards: i64,
    /// `sub` of whoever changed it last.
    changed_by: String,
    created_at: KoreanTime,
    changed_at: KoreanTime,
}

/// A value of a provider's credentials, to be asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialFieldView {
    #[schema(example = "secretKey")]
    name: &'static str,
    /// Never shown again once it was sent.
    is_secret: bool,
    is_required: bool,
    about: &'static str,
}

impl From<&CredentialField> for CredentialFieldView {
    fn from(field: &CredentialField) -> Self {
        let CredentialField { name, is_secret, is_required, about } = *field;
        Self { name, is_secret, is_required, about }
    }
}

/// Which contracts are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MerchantAccountQuery {
    /// One business's; all of them if absent.
    #[param(example = 1)]
    business_id: Option<BusinessId>,
    /// How many entries at most, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `nextCursor` of the page before; absent for the first page.
    cursor: Option<String>,
}

/// List the contracts of businesses
///
/// Merchant accounts that businesses have with providers themselves, newest first.
#[utoipa::path(
    get, path = "/api/admin/merchant-accounts", operation_id = "listMerchantAccounts", tag = "admin",
    security(("bearer" = [])), params(MerchantAccountQuery),
    responses((status = 200, description = "A page of contracts", body = List<MerchantAccountView>), CommonProblems),
)]
pub(crate) async fn list_merchant_accounts(
    State(billing): State<Billing>,
    _: PlatformAdmin,
    Query(query): Query<MerchantAccountQuery>,
) -> Result<Json<List<MerchantAccountView>>, Problem> {
    let page = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = page.limit()?;
    let filter = AccountFilter {
        business: a_business(query.business_id)?,
        before: page.after()?,
        only: None,
        limit: limit + 1,
    };
    let mut tx = SystemTx::begin(&billing.db).await?;
    let listed = store::merchant_account::list(&mut tx, &filter).await?;
    tx.commit().await?;
    let views = listed.into_iter().map(|listed| billing.account_view(listed)).collect();
    Ok(Json(List::cut(views, limit, |view: &MerchantAccountView| view.merchant_account_id)))
}

/// A contract to register.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({
    "businessId": 2, "provider": "TOSS", "credentials": {"secretKey": "test_sk_salon.0000", "clientKey": "test_ck_salon.0000"}
}))]
pub(crate) struct NewMerchantAccount {
    #[schema(minimum = 1)]
    business_id: BusinessId,
    /// In whatever case.
    provider: String,
    /// By name, as `credentialFields` of `GET /api/admin/providers` lists them.
    #[schema(value_type = BTreeMap<String, String>)]
    credentials: BTreeMap<String, SecretString>,
}

/// Other credentials of the same contract.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(example = json!({"credentials": {"secretKey": "test_sk_salon.0001", "clientKey": "test_ck_salon.0000"}}))]
pub(crate) struct ChangedCredentials {
    /// All of them, also those that stay as they are.
    #[schema(value_type = BTreeMap<String, String>)]
    credentials: BTreeMap<String, SecretString>,
}

/// Register a business's own contract
///
/// From now on the business's new cards and orders at this provider go by its own contract instead of the
/// platform's, and where no rule says otherwise the business is led to this provider. Cards that it has
/// stay where they are. The contract has to be used by dangol alone, since a charge that dangol did not
/// ask for becomes an operator case. The credentials are kept encrypted and never shown; whether the provider knows
/// them shows with the first request.
#[utoipa::path(
    post, path = "/api/admin/merchant-accounts", operation_id = "createMerchantAccount", tag = "admin",
    security(("bearer" = [])), request_body = NewMerchantAccount,
    responses(
        (status = 201, description = "Registered", body = Data<MerchantAccountView>),
        (status = 409, description = "`MERCHANT_ACCOUNT_EXISTS`: retire the one that the business has at this provider, or change its credentials", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: `UNKNOWN_PROVIDER`, `UNKNOWN_BUSINESS`, and for `credentials` `REQUIRED`, `UNKNOWN_FIELD`, `INVALID_LENGTH`, `INVALID_CREDENTIALS`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn create_merchant_account(
    State(billing): State<Billing>,
    PlatformAdmin(operator): PlatformAdmin,
    Json(body): Json<NewMerchantAccount>,
) -> Result<(StatusCode, Json<Data<MerchantAccountView>>), Problem> {
    let provider: Provider = body.provider.parse().map_err(BillingError::from)?;
    let credentials = checked(provider, body.credentials)?;
    let now = billing.clock.now();
    let (business, id) = (body.business_id, MerchantAccountId::new(now));
    let sealed = billing.seal_credentials(business, id, &credentials)?;
    let account = MerchantAccount { business, id, provider, credentials: sealed, version: 1 };
    let mut tx = SystemTx::begin(&billing.db).await?;
    if !store::merchant_account::is_business(&mut tx, business).await? {
        return Err(Problem::invalid_field("businessId", "UNKNOWN_BUSINESS", "등록되지 않은 사업장입니다."));
    }
    let inserted = store::merchant_account::insert(&mut tx, &account, &operator.subject, now).await;
    inserted.map_err(|error| match &error {
        sqlx::Error::Database(refused) if refused.constraint() == Some("merchant_account_one_active") => {
            BillingError::MerchantAccountExists
        }
        _ => error.into(),
    })?;
    tx.commit().await?;
    tracing::info!(%business, account = %id, %provider, by = operator.subject, "a merchant account was registered");
    Ok((StatusCode::CREATED, Data::json(billing.account_by_id(id).await?)))
}

/// Change the credentials of a business's contract
///
/// For a key that is replaced by another one of the same contract. Another contract is another account: once
/// something was paid, the new credentials have to show the latest payment.
#[utoipa::path(
    put, path = "/api/admin/merchant-accounts/{merchantAccountId}/credentials",
    operation_id = "changeMerchantCredentials", tag = "admin", security(("bearer" = [])),
    params(("merchantAccountId" = String, Path, example = "ma_0199f6b2c0de7a52a0f1d2c3b4a59687")),
    request_body = ChangedCredentials,
    responses(
        (status = 200, description = "Used from the next request on", body = Data<MerchantAccountView>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "`VALIDATION_FAILED`: for `credentials` `REQUIRED`, `UNKNOWN_FIELD`, `INVALID_LENGTH`, `INVALID_CREDENTIALS`, `OTHER_CONTRACT`, `NOT_VERIFIED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn change_merchant_credentials(
    State(billing): State<Billing>,
    PlatformAdmin(operator): PlatformAdmin,
    Path(id): Path<MerchantAccountId>,
    Json(body): Json<ChangedCredentials>,
) -> Result<Json<Data<MerchantAccountView>>, Problem> {
    let mut tx = SystemTx::begin(&billing.db).await?;
    let account = store::merchant_account::find(&mut tx, id).await?.ok_or(BillingError::NotFound)?;
    let paid = store::merchant_account::latest_payment(&mut tx, &account).await?;
    tx.commit().await?;
    let credentials = checked(account.provider, body.credentials)?;
    if let Some(payment_key) = paid {
        billing.must_show(&credentials, &payment_key).await?;
    }
    let sealed = billing.seal_credentials(account.business, id, &credentials)?;
    let mut tx = SystemTx::begin(&billing.db).await?;
    let (by, now) = (operator.subject.as_str(), billing.clock.now());
    store::merchant_account::change_credentials(&mut tx, &account, &sealed, by, now).await?;
    tx.commit().await?;
    tracing::info!(account = %id, by, "the credentials of a merchant account were changed");
    Ok(Data::json(billing.account_by_id(id).await?))
}

/// Retire a business's contract
///
/// New cards and orders go by the platform's contract again. Cards that are charged by it go on being
/// charged, and its payments can be refunded, so its credentials are kept.
#[utoipa::path(
    delete, path = "/api/admin/merchant-accounts/{merchantAccountId}", operation_id = "retireMerchantAccount",
    tag = "admin", security(("bearer" = [])),
    params(("merchantAccountId" = String, Path, example = "ma_0199f6b2c0de7a52a0f1d2c3b4a59687")),
    responses(
        (status = 200, description = "Retired, also if it was before", body = Data<MerchantAccountView>),
        (status = 404, description = "`NOT_FOUND`", body = Problem, content_type = "application/problem+json"),
        CommonProblems,
    ),
)]
pub(crate) async fn retire_merchant_account(
    State(billing): State<Billing>,
    PlatformAdmin(operator): PlatformAdmin,
    Path(id): Path<MerchantAccountId>,
) -> Result<Json<Data<MerchantAccountView>>, Problem> {
    let mut tx = SystemTx::begin(&billing.db).await?;
    let account = store::merchant_account::find(&mut tx, id).await?.ok_or(BillingError::NotFound)?;
    store::merchant_account::retire(&mut tx, &account, &operator.subject, billing.clock.now()).await?;
    tx.commit().await?;
    tracing::info!(account = %id, by = operator.subject, "a merchant account was retired");
    Ok(Data::json(billing.account_by_id(id).await?))
}

fn checked(provider: Provider, values: BTreeMap<String, SecretString>) -> Result<Credentials, Problem> {
    use secrecy::ExposeSecret;
    if let Some((name, _)) = values.iter().find(|(_, value)| value.expose_secret().len() > LONGEST_VALUE) {
        let message = format!("값은 {LONGEST_VALUE}자 이하여야 합니다.");
        return Err(Problem::invalid_field(&format!("credentials.{name}"), "INVALID_LENGTH", message));
    }
    Ok(Credentials::new(provider, values).map_err(BillingError::from)?)
}

impl Billing {
    async fn account_by_id(&self, id: MerchantAccountId) -> Result<MerchantAccountView, BillingError> {
        let filter = AccountFilter { only: Some(id), limit: 1, ..AccountFilter::default() };
        let mut tx = SystemTx::begin(&self.db).await?;
        let listed = store::merchant_account::list(&mut tx, &filter).await?.pop();
        tx.commit().await?;
        Ok(self.account_view(listed.ok_or(BillingError::NotFound)?))
    }

    fn account_view(&self, listed: ListedAccount) -> MerchantAccountView {
        let ListedAccount { account, status, cards, changed_by, created_at, changed_at } = listed;
        let provider = account.provider.as_str();
        MerchantAccountView {
            merchant_account_id: account.id,
            business_id: account.business,
            provider,
            status,
            // An account whose credentials cannot be read has to be listed all the same, to be mended.
            public_values: self.credentials(&account).map(|it| it.public_values()).unwrap_or_default(),
            webhook_path: format!("/api/webhooks/{}/{}", provider.to_ascii_lowercase(), account.id),
            cards,
            changed_by,
            created_at,
            changed_at,
        }
    }
}

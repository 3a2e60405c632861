//! Where a business wants to be written to about its subscription.

use axum::extract::State;
use kernel::BusinessId;
use platform::{
    BodyProblems, CommonProblems, Data, Json, Problem, Tenant, TenantBilling, TenantTx, VaultError, contact,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;

/// Where a business wants to be written to about its subscription.
#[derive(Serialize, ToSchema)]
pub(crate) struct BillingContact {
    /// Null: nobody is written to.
    #[schema(example = "owner@misohair.com")]
    email: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"email": "owner@misohair.com"}))]
pub(crate) struct BillingContactBody {
    /// Null: nobody is written to any more.
    #[schema(max_length = 254)]
    email: Option<String>,
}

/// The header with which a caller who manages several businesses picks one.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; the permission extractor reads it")]
pub(crate) struct WhichBusiness {
    /// Which business, for a caller who manages several.
    #[param(rename = "X-Business-Id", required = false)]
    business: Option<i64>,
}

/// Where the business is written to about its subscription
#[utoipa::path(
    get, path = "/api/billing-contact", operation_id = "getBillingContact", tag = "identity",
    security(("bearer" = [])), params(WhichBusiness),
    responses((status = 200, description = "The address", body = Data<BillingContact>), CommonProblems),
)]
pub(crate) async fn get_billing_contact(
    State(identity): State<Identity>,
    caller: Tenant<TenantBilling>,
) -> Result<Json<Data<BillingContact>>, Problem> {
    let mut tx = TenantTx::begin(&identity.db, caller.business).await?;
    let sealed = sqlx::query_scalar!(
        "select billing_email from identity.business where business_id = $1",
        caller.business.0,
    )
    .fetch_optional(&mut *tx)
    .await?
    .flatten();
    tx.commit().await?;
    let open = |sealed: String| identity.vault.open(&purpose(caller.business), &sealed);
    let email = sealed.map(open).transpose().map_err(|error: VaultError| Problem::internal(&error))?;
    Ok(Data::json(BillingContact { email: email.map(|email| email.expose_secret().to_owned()) }))
}

/// Say where the business is written to about its subscription
///
/// Receipts, failed payments, renewals and the like. Null stops them.
#[utoipa::path(
    put, path = "/api/billing-contact", operation_id = "setBillingContact", tag = "identity",
    security(("bearer" = [])), params(WhichBusiness), request_body = BillingContactBody,
    responses(
        (status = 200, description = "The address", body = Data<BillingContact>),
        (status = 422, description = "`VALIDATION_FAILED`", body = Problem, content_type = "application/problem+json"),
        CommonProblems, BodyProblems,
    ),
)]
pub(crate) async fn set_billing_contact(
    State(identity): State<Identity>,
    caller: Tenant<TenantBilling>,
    Json(body): Json<BillingContactBody>,
) -> Result<Json<Data<BillingContact>>, Problem> {
    let email =
        match body.email {
            None => None,
            Some(text) => Some(contact::email(&text).ok_or_else(|| {
                Problem::invalid_field("email", "INVALID", "올바른 이메일 주소가 아닙니다.")
            })?),
        };
    let mut tx = TenantTx::begin(&identity.db, caller.business).await?;
    identity.store(&mut tx, caller.business, email.as_deref()).await?;
    tx.commit().await?;
    Ok(Data::json(BillingContact { email }))
}

impl Identity {
    /// Gives a business an address, unless it has one.
    pub async fn give_billing_email(&self, business: BusinessId, email: &str) -> sqlx::Result<()> {
        let mut tx = TenantTx::begin(&self.db, business).await?;
        let has_one = sqlx::query_scalar!(
            r#"select billing_email is not null as "has!" from identity.business where business_id = $1 for update"#,
            business.0,
        )
        .fetch_optional(&mut *tx)
        .await?;
        if has_one == Some(false) {
            self.store(&mut tx, business, Some(email)).await?;
        }
        tx.commit().await
    }

    async fn store(&self, tx: &mut TenantTx, business: BusinessId, email: Option<&str>) -> sqlx::Result<()> {
        let sealed = email.map(|email| self.vault.seal(&purpose(business), &SecretString::from(email)));
        sqlx::query!(
            "update identity.business set billing_email = $2 where business_id = $1",
            business.0,
            sealed,
        )
        .execute(&mut **tx)
        .await?;
        Ok(())
    }
}

fn purpose(business: BusinessId) -> String {
    format!("identity.business.billing_email:{business}")
}

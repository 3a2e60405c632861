//! By whose contract with a provider money moves: the platform's, or one that a business has itself.
//!
//! Whatever was asked under a contract can be asked about under that contract alone, so payments, cards,
//! webhooks, cases and comparisons remember it, and it never changes under them.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use kernel::BusinessId;
use pg_adapter::{Credentials, Lookup, PaymentGateway, Provider};
use platform::SystemTx;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use utoipa::ToSchema;

use crate::{Billing, BillingError, store};

kernel::id!(
    /// A contract that a business has with a provider.
    MerchantAccountId, "ma_"
);

/// As whom a provider is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Merchant {
    pub provider: Provider,
    /// None: as the platform.
    pub account: Option<MerchantAccountId>,
}

impl Merchant {
    pub(crate) fn platform(provider: Provider) -> Self {
        Self { provider, account: None }
    }
}

impl fmt::Display for Merchant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.account {
            None => self.provider.fmt(f),
            Some(account) => write!(f, "{} {account}", self.provider),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sqlx::Type)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[sqlx(type_name = "text", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MerchantAccountStatus {
    /// New cards and orders of the business come to it.
    Active,
    /// None do any more. What it has stays with it.
    Retired,
}

/// A row of `billing.merchant_account`.
pub(crate) struct MerchantAccount {
    pub business: BusinessId,
    pub id: MerchantAccountId,
    pub provider: Provider,
    /// Sealed.
    pub credentials: String,
    pub version: i32,
}

impl MerchantAccount {
    pub(crate) fn merchant(&self) -> Merchant {
        Merchant { provider: self.provider, account: Some(self.id) }
    }

    /// What its credentials are sealed for.
    fn purpose(business: BusinessId, id: MerchantAccountId) -> String {
        format!("billing.merchant_account:{business}:{id}")
    }
}

/// The connections that this process has made with the credentials of businesses.
#[derive(Default)]
pub struct Connections(Mutex<HashMap<MerchantAccountId, Connection>>);

struct Connection {
    version: i32,
    gateway: Arc<dyn PaymentGateway>,
}

impl Connections {
    fn get(&self, account: &MerchantAccount) -> Option<Arc<dyn PaymentGateway>> {
        let connections = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = connections.get(&account.id).filter(|known| known.version == account.version)?;
        Some(Arc::clone(&known.gateway))
    }

    fn keep(&self, account: &MerchantAccount, gateway: &Arc<dyn PaymentGateway>) {
        let connection = Connection { version: account.version, gateway: Arc::clone(gateway) };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(account.id, connection);
    }
}

impl Billing {
    /// The way to a provider, as the merchant that is meant.
    pub(crate) async fn gateway(&self, merchant: Merchant) -> Result<Arc<dyn PaymentGateway>, BillingError> {
        let Some(id) = merchant.account else {
            let configured = self.gateways.get(merchant.provider);
            return configured.cloned().ok_or(BillingError::ProviderNotConfigured(merchant.provider));
        };
        let mut tx = SystemTx::begin(&self.db).await?;
        let account = store::merchant_account::find(&mut tx, id).await?;
        tx.commit().await?;
        let account = account.filter(|account| account.provider == merchant.provider);
        let account = account.ok_or(BillingError::NotFound)?;
        if let Some(gateway) = self.connections.get(&account) {
            return Ok(gateway);
        }
        let gateway = self.gateways.connector.connect(&self.credentials(&account)?)?;
        self.connections.keep(&account, &gateway);
        Ok(gateway)
    }

    /// As whom a business's new cards and orders come to a provider: by its own contract if it has one.
    pub(crate) async fn merchant_at(
        &self,
        tx: &mut PgConnection,
        business: BusinessId,
        provider: Provider,
    ) -> Result<Merchant, BillingError> {
        if let Some(account) = store::merchant_account::active(tx, business, provider).await? {
            return Ok(account.merchant());
        }
        if self.gateways.get(provider).is_none() {
            return Err(BillingError::ProviderNotConfigured(provider));
        }
        Ok(Merchant::platform(provider))
    }

    pub(crate) fn credentials(&self, account: &MerchantAccount) -> Result<Credentials, BillingError> {
        let purpose = MerchantAccount::purpose(account.business, account.id);
        let opened = self.vault.open(&purpose, &account.credentials)?;
        let values: HashMap<String, String> = serde_json::from_str(opened.expose_secret())
            .map_err(|error| BillingError::Db(sqlx::Error::Decode(error.into())))?;
        let values = values.into_iter().map(|(name, value)| (name, SecretString::from(value)));
        Ok(Credentials::new(account.provider, values)?)
    }

    /// Other credentials must show what was paid with those that they replace: what one contract took can
    /// only be looked up and given back under that contract.
    pub(crate) async fn must_show(
        &self,
        credentials: &Credentials,
        payment_key: &str,
    ) -> Result<(), BillingError> {
        let gateway = self.gateways.connector.connect(credentials)?;
        let refused = |code, message| BillingError::InvalidField { field: "credentials", code, message };
        match gateway.find(payment_key).await {
            Lookup::Approved(_) => Ok(()),
            Lookup::Unknown(reason) => {
                tracing::warn!(reason, "new credentials could not be verified");
                Err(refused(
                    "NOT_VERIFIED",
                    "결제사에서 이 연동 정보로 기존 결제를 조회하지 못했습니다. 확인 후 다시 시도해 주세요.",
                ))
            }
            Lookup::NotFound | Lookup::Failed(_) | Lookup::InProgress | Lookup::AwaitingDeposit(_) => Err(
                refused("OTHER_CONTRACT", "다른 계약의 연동 정보입니다. 새 가맹점 계정으로 등록해 주세요."),
            ),
        }
    }

    /// Sealed for the account that they are to be stored with. Refused if no connection can be made with
    /// them, which says nothing about whether the provider knows them.
    pub(crate) fn seal_credentials(
        &self,
        business: BusinessId,
        id: MerchantAccountId,
        credentials: &Credentials,
    ) -> Result<String, BillingError> {
        self.gateways.connector.connect(credentials)?;
        let values: HashMap<_, _> =
            credentials.values().map(|(name, value)| (name, value.expose_secret())).collect();
        let values = serde_json::to_string(&values).unwrap_or_default();
        Ok(self.vault.seal(&MerchantAccount::purpose(business, id), &values.into()))
    }
}

//! How to reach Bootpay, and as whom.

use std::time::Duration;

use secrecy::SecretString;

use crate::{CredentialField, Credentials};

/// What a contract with Bootpay comes with.
pub const CREDENTIALS: &[CredentialField] = &[
    CredentialField::secret("applicationId", "Application id for REST"),
    CredentialField::secret("privateKey", "Private key"),
    CredentialField::public("webApplicationId", "Application id for the web, with which windows are opened")
        .optional(),
];

#[derive(Clone, Debug)]
pub struct BootpayConfig {
    /// `https://api.bootpay.co.kr/v2`, or a sandbox. There is no test host for merchants: the project decides.
    pub base_url: String,
    /// The application id for REST; not the one for the web, Android or iOS.
    pub application_id: String,
    pub private_key: SecretString,
    /// Take the receipts of a sandbox project for real ones. Never in production.
    pub accept_sandbox: bool,
    pub connect_timeout: Duration,
    /// For whatever moves money. Look-ups wait ten seconds at most.
    pub read_timeout: Duration,
}

impl BootpayConfig {
    pub(crate) fn of(credentials: &Credentials, base_url: &str) -> Self {
        Self::new(base_url, credentials.text("applicationId"), credentials.secret("privateKey"))
    }

    /// With a little more than the minute that Bootpay's own SDK waits.
    pub fn new(
        base_url: impl Into<String>,
        application_id: impl Into<String>,
        private_key: SecretString,
    ) -> Self {
        Self {
            base_url: base_url.into(),
            application_id: application_id.into(),
            private_key,
            accept_sandbox: false,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(65),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BootpayConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("the application id or the private key of Bootpay is empty")]
    Credentials,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

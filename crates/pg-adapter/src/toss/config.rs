//! How to reach Toss, and as whom.

use std::time::Duration;

use secrecy::SecretString;

use crate::{CredentialField, Credentials};

/// What a contract with Toss comes with.
pub const CREDENTIALS: &[CredentialField] = &[
    CredentialField::secret(
        "secretKey",
        "API individual secret key (API 개별 연동 키): `live_sk_...` or `test_sk_...`",
    ),
    CredentialField::public("clientKey", "API individual client key: `live_ck_...` or `test_ck_...`")
        .optional(),
    CredentialField::secret(
        "webhookSecurityKey",
        "Security key (보안 키), which signs webhooks about payouts and sellers",
    )
    .optional(),
];

#[derive(Clone, Debug)]
pub struct TossConfig {
    /// `https://api.tosspayments.com`, or a sandbox. There is no test host: the key decides.
    pub base_url: String,
    /// Of the API-individual kind (`live_sk_..`): the widget's cannot charge billing keys.
    pub secret_key: SecretString,
    /// Signs webhooks about payouts and sellers, and nothing else.
    pub webhook_security_key: Option<SecretString>,
    pub connect_timeout: Duration,
    /// For whatever moves money. Look-ups wait ten seconds at most.
    pub read_timeout: Duration,
    /// 1 to 5,000: how many rows of the transaction list are asked for at once.
    pub transactions_per_page: usize,
}

impl TossConfig {
    pub(crate) fn of(credentials: &Credentials, base_url: &str) -> Self {
        let mut config = Self::new(base_url, credentials.secret("secretKey"));
        config.webhook_security_key = credentials.get("webhookSecurityKey");
        config
    }

    /// With the time that Toss asks for: a charge may take 60 seconds, and who hangs up earlier
    /// turns real charges into unknown ones.
    pub fn new(base_url: impl Into<String>, secret_key: SecretString) -> Self {
        Self {
            base_url: base_url.into(),
            secret_key,
            webhook_security_key: None,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(65),
            transactions_per_page: 1000,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TossConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("the secret key of Toss contains characters that no header may carry")]
    SecretKey,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

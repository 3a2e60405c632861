//! How to reach Toss, and as whom.

use std::time::Duration;

use secrecy::SecretString;

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

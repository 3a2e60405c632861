//! How to reach PortOne, and as whom.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use crate::{CredentialField, Credentials};

/// What a contract with PortOne comes with.
pub const CREDENTIALS: &[CredentialField] = &[
    CredentialField::secret("apiSecret", "V2 API secret of the console"),
    CredentialField::public("storeId", "`store-...`: whose payments these are"),
    CredentialField::public(
        "channelKey",
        "`channel-key-...`: the contract with a PG that windows are opened with",
    ),
    CredentialField::secret(
        "webhookSecret",
        "`whsec_...`; two, separated by a comma, while one is replaced by the other",
    ),
];

#[derive(Clone, Debug)]
pub struct PortOneConfig {
    /// `https://api.portone.io`, or a sandbox. There is no test host: the channel decides.
    pub base_url: String,
    /// The V2 API secret of the console. Neither a V1 key nor a secret of the PG behind PortOne.
    pub api_secret: SecretString,
    /// `store-..`: whose payments these are. A credential may reach several stores.
    pub store_id: String,
    /// `channel-key-..`: the contract with a PG that the windows are opened with.
    pub channel_key: String,
    /// `whsec_..`: two while one is replaced by the other.
    pub webhook_secrets: Vec<SecretString>,
    /// Take payments and billing keys of test channels for real ones. Never in production: a
    /// manipulated page could pay with one.
    pub accept_test_channels: bool,
    /// At most 1,000.
    pub events_per_page: usize,
    pub connect_timeout: Duration,
    /// For whatever moves money. Look-ups wait ten seconds at most.
    pub read_timeout: Duration,
}

impl PortOneConfig {
    pub(crate) fn of(credentials: &Credentials, base_url: &str) -> Self {
        let (store_id, channel_key) = (credentials.text("storeId"), credentials.text("channelKey"));
        let mut config = Self::new(base_url, credentials.secret("apiSecret"), store_id, channel_key);
        let both = credentials.secret("webhookSecret");
        let each = both.expose_secret().split(',').map(str::trim).filter(|one| !one.is_empty());
        config.webhook_secrets = each.map(SecretString::from).collect();
        config
    }

    /// With the time that PortOne asks for: at least 60 seconds, since PGs and issuers can be slow.
    pub fn new(
        base_url: impl Into<String>,
        api_secret: SecretString,
        store_id: impl Into<String>,
        channel_key: impl Into<String>,
    ) -> Self {
        Self {
            base_url: base_url.into(),
            api_secret,
            store_id: store_id.into(),
            channel_key: channel_key.into(),
            webhook_secrets: Vec::new(),
            accept_test_channels: false,
            events_per_page: 1000,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_secs(65),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PortOneConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("the API secret of PortOne contains characters that no header may carry")]
    ApiSecret,
    #[error("a webhook secret of PortOne is not Base64")]
    WebhookSecret,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

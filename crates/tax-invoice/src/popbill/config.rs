//! How to reach Popbill, and as whom.

use std::time::Duration;

use secrecy::SecretString;

use crate::BusinessNumber;

#[derive(Clone, Debug)]
pub struct PopbillConfig {
    /// The token host, `https://auth.linkhub.co.kr`, or a sandbox.
    pub auth_base_url: String,
    /// `https://popbill.linkhub.co.kr`, its test twin, or a sandbox.
    pub api_base_url: String,
    pub environment: Environment,
    /// The partner's id (`LinkID`), which the secret key belongs to.
    pub link_id: String,
    /// Base64, as LinkHub mails it.
    pub secret_key: SecretString,
    /// The seller, who must be a member of Popbill under the partner.
    pub corp_number: BusinessNumber,
    /// The seller's user at Popbill; absent is its first one.
    pub user_id: Option<String>,
    /// LinkHub binds a token to the address that asked for it. Set this where requests leave from
    /// several addresses.
    pub from_any_address: bool,
    /// What Popbill shows in `X-Api-Key` of its webhooks, where one was agreed upon. Without one a webhook
    /// could come from anybody, which costs a look-up and nothing else.
    pub webhook_api_key: Option<SecretString>,
    pub connect_timeout: Duration,
    /// For issuing and withdrawing. Look-ups wait ten seconds at most.
    pub read_timeout: Duration,
}

/// Which of Popbill's two worlds. Both have the same API; documents of the test one reach no tax office,
/// but their mails do reach the buyer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Environment {
    Production,
    Test,
}

impl Environment {
    pub(super) fn service_id(self) -> &'static str {
        match self {
            Self::Production => "POPBILL",
            Self::Test => "POPBILL_TEST",
        }
    }

    fn api_base_url(self) -> &'static str {
        match self {
            Self::Production => "https://popbill.linkhub.co.kr",
            Self::Test => "https://popbill-test.linkhub.co.kr",
        }
    }
}

impl PopbillConfig {
    pub fn new(
        environment: Environment,
        link_id: impl Into<String>,
        secret_key: SecretString,
        corp_number: BusinessNumber,
    ) -> Self {
        Self {
            auth_base_url: "https://auth.linkhub.co.kr".to_owned(),
            api_base_url: environment.api_base_url().to_owned(),
            environment,
            link_id: link_id.into(),
            secret_key,
            corp_number,
            user_id: None,
            from_any_address: false,
            webhook_api_key: None,
            connect_timeout: Duration::from_secs(3),
            read_timeout: Duration::from_mins(1),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PopbillConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("the secret key of LinkHub is not base64")]
    SecretKey,
    #[error("the link id or the user id contains characters that no header may carry")]
    Name,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

//! How to reach KCP, and as whom.

use std::time::Duration;

use secrecy::SecretString;

use crate::{CredentialField, Credentials};

/// What a contract with KCP comes with.
pub const CREDENTIALS: &[CredentialField] = &[
    CredentialField::public("siteCd", "Site code, five characters"),
    CredentialField::public("groupId", "Group id of recurring payments"),
    CredentialField::secret("certificate", "Service certificate, the text of the PEM file"),
    CredentialField::secret("privateKey", "Encrypted private key (PKCS#8), the text of the PEM file"),
    CredentialField::secret("privateKeyPassword", "Password of the private key"),
];

#[derive(Clone, Debug)]
pub struct KcpConfig {
    /// `https://spl.kcp.co.kr`, `https://stg-spl.kcp.co.kr` for tests, or a sandbox.
    pub base_url: String,
    /// Where the receipt pages are: `https://admin8.kcp.co.kr`, `https://testadmin8.kcp.co.kr` for tests.
    pub receipt_base_url: String,
    /// Five characters, of the contract.
    pub site_cd: String,
    /// The recurring-payment group that batch keys belong to.
    pub group_id: String,
    /// The service certificate, the file as it was downloaded.
    pub certificate_pem: String,
    /// Its private key: PKCS#8, encrypted, the file as it was downloaded.
    pub private_key_pem: SecretString,
    /// The password that was chosen for the private key.
    pub passphrase: SecretString,
    pub connect_timeout: Duration,
    /// For whatever moves money. Inquiries wait ten seconds at most.
    pub read_timeout: Duration,
}

/// Codes and files of the contract.
#[derive(Clone, Debug)]
pub struct KcpCredentials {
    pub site_cd: String,
    pub group_id: String,
    pub certificate_pem: String,
    pub private_key_pem: SecretString,
    pub passphrase: SecretString,
}

impl KcpConfig {
    pub(crate) fn of(credentials: &Credentials, base_url: &str, receipt_base_url: &str) -> Self {
        let contract = KcpCredentials {
            site_cd: credentials.text("siteCd"),
            group_id: credentials.text("groupId"),
            certificate_pem: credentials.text("certificate"),
            private_key_pem: credentials.secret("privateKey"),
            passphrase: credentials.secret("privateKeyPassword"),
        };
        Self::new(base_url, receipt_base_url, contract)
    }

    /// With generous time: no guide names one, and who hangs up before the card company answered
    /// turns real charges into unknown ones, which nobody can look up at KCP.
    pub fn new(
        base_url: impl Into<String>,
        receipt_base_url: impl Into<String>,
        credentials: KcpCredentials,
    ) -> Self {
        let KcpCredentials { site_cd, group_id, certificate_pem, private_key_pem, passphrase } = credentials;
        Self {
            base_url: base_url.into(),
            receipt_base_url: receipt_base_url.into(),
            site_cd,
            group_id,
            certificate_pem,
            private_key_pem,
            passphrase,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_mins(1),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum KcpConfigError {
    #[error("`{0}` is not the base URL of an HTTP API")]
    BaseUrl(String),
    #[error("`{0}` is not a site code of KCP: five letters and digits")]
    SiteCode(String),
    #[error("the group id of KCP is missing or has characters that no group id has")]
    GroupId,
    #[error("the certificate of KCP is not readable: {0}")]
    Certificate(&'static str),
    #[error("the private key of KCP is not readable: {0}")]
    PrivateKey(&'static str),
    #[error("the private key of KCP does not open with this passphrase")]
    Passphrase,
    #[error(
        "the private key of KCP is encrypted in a way that is no longer safe (PBES1); encrypt it anew: \
         openssl pkcs8 -in OLD.pem -topk8 -v2 aes256 -out NEW.pem"
    )]
    OldEncryption,
    #[error("the private key and the certificate of KCP do not belong together")]
    Mismatch,
    #[error("no HTTP client can be made")]
    Client(#[source] reqwest::Error),
}

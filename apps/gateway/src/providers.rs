//! The payment providers that a process is configured for: any of them, one or several.

use std::{fmt, fs, sync::Arc};

use anyhow::{Context, bail};
use clap::Args;
use kernel::Clock;
use pg_adapter::{Addresses, Connector, Credentials, Gateways, Provider};
use secrecy::{ExposeSecret, SecretString};

use crate::config::secret;

/// Credentials and addresses. A provider is used if all of its credentials are there.
#[derive(Args, Clone, Debug)]
pub struct ProviderSettings {
    /// Toss Payments: the API individual secret key (`test_sk_...` or `live_sk_...`).
    #[arg(long, env = "TOSS_SECRET_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub toss_secret_key: Option<SecretString>,

    /// Toss Payments: the API individual client key, which frontends open windows with.
    #[arg(long, env = "TOSS_CLIENT_KEY", global = true)]
    pub toss_client_key: Option<String>,

    /// Toss Payments: the security key that signs payout and seller webhooks.
    #[arg(long, env = "TOSS_WEBHOOK_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub toss_webhook_secret: Option<SecretString>,

    #[arg(long, env = "TOSS_API_BASE_URL", default_value = "https://api.tosspayments.com", global = true)]
    pub toss_api_base_url: String,

    /// `PortOne`: the V2 API secret.
    #[arg(long, env = "PORTONE_API_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub portone_api_secret: Option<SecretString>,

    /// `PortOne`: `store-...`.
    #[arg(long, env = "PORTONE_STORE_ID", global = true)]
    pub portone_store_id: Option<String>,

    /// `PortOne`: `channel-key-...`, the contract with a PG that windows are opened with.
    #[arg(long, env = "PORTONE_CHANNEL_KEY", global = true)]
    pub portone_channel_key: Option<String>,

    /// `PortOne`: `whsec_...`; two, separated by a comma, while one is replaced by the other.
    #[arg(long, env = "PORTONE_WEBHOOK_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub portone_webhook_secret: Option<SecretString>,

    #[arg(long, env = "PORTONE_API_BASE_URL", default_value = "https://api.portone.io", global = true)]
    pub portone_api_base_url: String,

    /// NHN KCP: the site code, five characters.
    #[arg(long, env = "KCP_SITE_CD", global = true)]
    pub kcp_site_cd: Option<String>,

    /// NHN KCP: the group id of recurring payments.
    #[arg(long, env = "KCP_GROUP_ID", global = true)]
    pub kcp_group_id: Option<String>,

    /// NHN KCP: the service certificate, PEM text or the path of the file.
    #[arg(long, env = "KCP_CERT", global = true)]
    pub kcp_cert: Option<String>,

    /// NHN KCP: the encrypted private key, PEM text or the path of the file.
    #[arg(long, env = "KCP_PRIVATE_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub kcp_private_key: Option<SecretString>,

    /// NHN KCP: the password of the private key.
    #[arg(long, env = "KCP_PRIVATE_KEY_PASSWORD", hide_env_values = true, value_parser = secret, global = true)]
    pub kcp_private_key_password: Option<SecretString>,

    #[arg(long, env = "KCP_API_BASE_URL", default_value = "https://spl.kcp.co.kr", global = true)]
    pub kcp_api_base_url: String,

    /// NHN KCP: where its receipt pages are.
    #[arg(long, env = "KCP_RECEIPT_BASE_URL", default_value = "https://admin8.kcp.co.kr", global = true)]
    pub kcp_receipt_base_url: String,

    /// Bootpay: the application id for REST.
    #[arg(long, env = "BOOTPAY_APPLICATION_ID", global = true)]
    pub bootpay_application_id: Option<String>,

    /// Bootpay: the private key.
    #[arg(long, env = "BOOTPAY_PRIVATE_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub bootpay_private_key: Option<SecretString>,

    /// Bootpay: the application id for the web, which frontends open windows with.
    #[arg(long, env = "BOOTPAY_WEB_APPLICATION_ID", global = true)]
    pub bootpay_web_application_id: Option<String>,

    #[arg(long, env = "BOOTPAY_API_BASE_URL", default_value = "https://api.bootpay.co.kr/v2", global = true)]
    pub bootpay_api_base_url: String,

    /// The provider that is meant where neither a request nor a rule of routing names one.
    #[arg(long, env = "DANGOL_DEFAULT_PROVIDER", default_value = "TOSS", global = true)]
    pub default_provider: Provider,
}

/// Whether payments of a provider's test channels count as payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Development,
    Production,
}

impl ProviderSettings {
    /// All providers are the sandbox's from now on.
    pub fn speak_with(&mut self, sandbox_url: &str) {
        self.toss_api_base_url = format!("{sandbox_url}/toss");
        self.portone_api_base_url = format!("{sandbox_url}/portone");
        self.kcp_api_base_url = format!("{sandbox_url}/kcp");
        self.kcp_receipt_base_url = format!("{sandbox_url}/kcp");
        self.bootpay_api_base_url = format!("{sandbox_url}/bootpay/v2");
    }

    /// What is wrong with them, each a line.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let mut complaints = Vec::new();
        let mut configured = Vec::new();
        for (provider, variables) in self.variables() {
            let required = variables.iter().filter(|variable| variable.is_required(provider));
            let (set, missing): (Vec<_>, Vec<_>) = required.partition(|variable| variable.value.is_some());
            if missing.is_empty() {
                configured.push(provider);
            } else if !set.is_empty() {
                complaints.extend(
                    missing
                        .iter()
                        .map(|missing| format!("{} is not set, and others of {provider} are", missing.name)),
                );
            }
        }
        if configured.is_empty() {
            complaints.push("TOSS_SECRET_KEY is not set, nor the credentials of another provider".to_owned());
        } else if !configured.contains(&self.default_provider) {
            complaints.push(format!(
                "DANGOL_DEFAULT_PROVIDER is {}, whose credentials are not set",
                self.default_provider
            ));
        }
        complaints
    }

    /// The variables of each provider, by the field of its credentials that they are.
    fn variables(&self) -> [(Provider, Vec<Variable>); 4] {
        let secret =
            |name, field, value: &Option<SecretString>| Variable { name, field, value: value.clone() };
        let text = |name, field, value: &Option<String>| Variable {
            name,
            field,
            value: value.as_deref().map(SecretString::from),
        };
        [
            (
                Provider::Toss,
                vec![
                    secret("TOSS_SECRET_KEY", "secretKey", &self.toss_secret_key),
                    text("TOSS_CLIENT_KEY", "clientKey", &self.toss_client_key),
                    secret("TOSS_WEBHOOK_SECRET", "webhookSecurityKey", &self.toss_webhook_secret),
                ],
            ),
            (
                Provider::PortOne,
                vec![
                    secret("PORTONE_API_SECRET", "apiSecret", &self.portone_api_secret),
                    text("PORTONE_STORE_ID", "storeId", &self.portone_store_id),
                    text("PORTONE_CHANNEL_KEY", "channelKey", &self.portone_channel_key),
                    secret("PORTONE_WEBHOOK_SECRET", "webhookSecret", &self.portone_webhook_secret),
                ],
            ),
            (
                Provider::Kcp,
                vec![
                    text("KCP_SITE_CD", "siteCd", &self.kcp_site_cd),
                    text("KCP_GROUP_ID", "groupId", &self.kcp_group_id),
                    text("KCP_CERT", "certificate", &self.kcp_cert),
                    secret("KCP_PRIVATE_KEY", "privateKey", &self.kcp_private_key),
                    secret("KCP_PRIVATE_KEY_PASSWORD", "privateKeyPassword", &self.kcp_private_key_password),
                ],
            ),
            (
                Provider::Bootpay,
                vec![
                    text("BOOTPAY_APPLICATION_ID", "applicationId", &self.bootpay_application_id),
                    secret("BOOTPAY_PRIVATE_KEY", "privateKey", &self.bootpay_private_key),
                    text("BOOTPAY_WEB_APPLICATION_ID", "webApplicationId", &self.bootpay_web_application_id),
                ],
            ),
        ]
    }

    /// The gateways to those providers that are configured, and the way to those of businesses.
    pub fn gateways(&self, stage: Stage, clock: &Arc<dyn Clock>) -> anyhow::Result<Gateways> {
        let connector = Connector {
            addresses: Addresses {
                toss: self.toss_api_base_url.clone(),
                portone: self.portone_api_base_url.clone(),
                kcp: self.kcp_api_base_url.clone(),
                kcp_receipts: self.kcp_receipt_base_url.clone(),
                bootpay: self.bootpay_api_base_url.clone(),
            },
            accepts_tests: stage == Stage::Development,
            clock: Arc::clone(clock),
        };
        let mut all = Vec::new();
        for (provider, variables) in self.variables() {
            let is_configured =
                variables.iter().all(|variable| variable.value.is_some() || !variable.is_required(provider));
            if is_configured {
                all.push(credentials(provider, variables)?);
            }
        }
        Gateways::connect(self.default_provider, connector, all)
            .context("the credentials or the address of a payment provider")
    }
}

/// An environment variable that is a field of a provider's credentials.
struct Variable {
    name: &'static str,
    field: &'static str,
    value: Option<SecretString>,
}

impl Variable {
    fn is_required(&self, provider: Provider) -> bool {
        provider.credential_fields().iter().any(|field| field.name == self.field && field.is_required)
    }
}

fn credentials(provider: Provider, variables: Vec<Variable>) -> anyhow::Result<Credentials> {
    let mut values = Vec::with_capacity(variables.len());
    for Variable { name, field, value } in variables {
        let Some(value) = value else { continue };
        let value = match name {
            "KCP_CERT" | "KCP_PRIVATE_KEY" => pem(value.expose_secret()).context(name)?.into(),
            _ => value,
        };
        values.push((field.to_owned(), value));
    }
    Ok(Credentials::new(provider, values)?)
}

/// PEM text as it is, or what stands in the file of that name.
fn pem(text_or_path: &str) -> anyhow::Result<String> {
    if text_or_path.trim_start().starts_with("-----BEGIN") {
        return Ok(text_or_path.to_owned());
    }
    match fs::read_to_string(text_or_path) {
        Ok(text) => Ok(text),
        // Not the text itself: it may be a key that lost its first line.
        Err(error) => bail!("neither PEM text nor a file that can be read: {error}"),
    }
}

impl fmt::Display for ProviderSettings {
    /// One variable a line; of secrets, only whether they are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Variable { name, value, .. } in self.variables().into_iter().flat_map(|(_, variables)| variables)
        {
            writeln!(f, "{name:<28} {}", if value.is_some() { "(set)" } else { "(not set)" })?;
        }
        writeln!(f, "TOSS_API_BASE_URL            {}", self.toss_api_base_url)?;
        writeln!(f, "PORTONE_API_BASE_URL         {}", self.portone_api_base_url)?;
        writeln!(f, "KCP_API_BASE_URL             {}", self.kcp_api_base_url)?;
        writeln!(f, "KCP_RECEIPT_BASE_URL         {}", self.kcp_receipt_base_url)?;
        writeln!(f, "BOOTPAY_API_BASE_URL         {}", self.bootpay_api_base_url)?;
        write!(f, "DANGOL_DEFAULT_PROVIDER      {}", self.default_provider)
    }
}

//! The payment providers that a process is configured for: any of them, one or several.

use std::{fmt, fs, sync::Arc};

use anyhow::{Context, bail};
use clap::Args;
use kernel::Clock;
use pg_adapter::{Gateways, PaymentGateway, Provider, bootpay, kcp, portone, toss};
use secrecy::{ExposeSecret, SecretString};

use crate::config::secret;

/// Credentials and addresses. A provider is used if all of its credentials are there.
#[derive(Args, Clone, Debug)]
pub struct ProviderSettings {
    /// Toss Payments: the API individual secret key (`test_sk_...` or `live_sk_...`).
    #[arg(long, env = "TOSS_SECRET_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub toss_secret_key: Option<SecretString>,

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
        for (provider, credentials) in self.credentials() {
            let missing: Vec<_> =
                credentials.iter().filter(|(_, is_set)| !is_set).map(|(name, _)| *name).collect();
            if missing.is_empty() {
                configured.push(provider);
            } else if missing.len() < credentials.len() {
                complaints.extend(
                    missing.iter().map(|name| format!("{name} is not set, and others of {provider} are")),
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

    /// The credentials that each provider cannot do without, and whether they are set.
    fn credentials(&self) -> [(Provider, Vec<(&'static str, bool)>); 4] {
        [
            (Provider::Toss, vec![("TOSS_SECRET_KEY", self.toss_secret_key.is_some())]),
            (
                Provider::PortOne,
                vec![
                    ("PORTONE_API_SECRET", self.portone_api_secret.is_some()),
                    ("PORTONE_STORE_ID", self.portone_store_id.is_some()),
                    ("PORTONE_CHANNEL_KEY", self.portone_channel_key.is_some()),
                    ("PORTONE_WEBHOOK_SECRET", self.portone_webhook_secret.is_some()),
                ],
            ),
            (
                Provider::Kcp,
                vec![
                    ("KCP_SITE_CD", self.kcp_site_cd.is_some()),
                    ("KCP_GROUP_ID", self.kcp_group_id.is_some()),
                    ("KCP_CERT", self.kcp_cert.is_some()),
                    ("KCP_PRIVATE_KEY", self.kcp_private_key.is_some()),
                    ("KCP_PRIVATE_KEY_PASSWORD", self.kcp_private_key_password.is_some()),
                ],
            ),
            (
                Provider::Bootpay,
                vec![
                    ("BOOTPAY_APPLICATION_ID", self.bootpay_application_id.is_some()),
                    ("BOOTPAY_PRIVATE_KEY", self.bootpay_private_key.is_some()),
                ],
            ),
        ]
    }

    /// The gateways to those providers that are configured.
    pub fn gateways(&self, stage: Stage, clock: &Arc<dyn Clock>) -> anyhow::Result<Gateways> {
        let all = [self.toss()?, self.portone(stage, clock)?, self.kcp(clock)?, self.bootpay(stage, clock)?];
        Ok(Gateways::new(self.default_provider, all.into_iter().flatten()))
    }

    fn toss(&self) -> anyhow::Result<Option<Arc<dyn PaymentGateway>>> {
        let Some(secret_key) = self.toss_secret_key.clone() else { return Ok(None) };
        let mut config = toss::TossConfig::new(&self.toss_api_base_url, secret_key);
        config.webhook_security_key.clone_from(&self.toss_webhook_secret);
        let gateway = toss::TossGateway::new(config).context("TOSS_SECRET_KEY or TOSS_API_BASE_URL")?;
        Ok(Some(Arc::new(gateway)))
    }

    fn portone(
        &self,
        stage: Stage,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Option<Arc<dyn PaymentGateway>>> {
        let (Some(api_secret), Some(store_id), Some(channel_key)) =
            (self.portone_api_secret.clone(), &self.portone_store_id, &self.portone_channel_key)
        else {
            return Ok(None);
        };
        let mut config =
            portone::PortOneConfig::new(&self.portone_api_base_url, api_secret, store_id, channel_key);
        let secrets = self.portone_webhook_secret.iter().flat_map(|both| both.expose_secret().split(','));
        config.webhook_secrets = secrets.map(|one| SecretString::from(one.trim())).collect();
        config.accept_test_channels = stage == Stage::Development;
        let gateway = portone::PortOneGateway::new(config, Arc::clone(clock))
            .context("PORTONE_API_SECRET, PORTONE_WEBHOOK_SECRET or PORTONE_API_BASE_URL")?;
        Ok(Some(Arc::new(gateway)))
    }

    fn kcp(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Arc<dyn PaymentGateway>>> {
        let (Some(site_cd), Some(group_id), Some(certificate), Some(private_key), Some(passphrase)) = (
            self.kcp_site_cd.clone(),
            self.kcp_group_id.clone(),
            &self.kcp_cert,
            &self.kcp_private_key,
            self.kcp_private_key_password.clone(),
        ) else {
            return Ok(None);
        };
        let credentials = kcp::KcpCredentials {
            site_cd,
            group_id,
            certificate_pem: pem(certificate).context("KCP_CERT")?,
            private_key_pem: pem(private_key.expose_secret()).context("KCP_PRIVATE_KEY")?.into(),
            passphrase,
        };
        let config = kcp::KcpConfig::new(&self.kcp_api_base_url, &self.kcp_receipt_base_url, credentials);
        let gateway = kcp::KcpGateway::new(config, Arc::clone(clock))
            .context("KCP_SITE_CD, KCP_GROUP_ID, KCP_CERT, KCP_PRIVATE_KEY, KCP_PRIVATE_KEY_PASSWORD or KCP_API_BASE_URL")?;
        // KCP renews from 30 days before the end; afterwards approvals and cancels stop at once.
        let days_left = (gateway.certificate_expires_at() - clock.now()).num_days();
        if days_left < 30 {
            tracing::error!(days_left, "the certificate of KCP ends soon: renew it in KCP's partner admin");
        }
        Ok(Some(Arc::new(gateway)))
    }

    fn bootpay(
        &self,
        stage: Stage,
        clock: &Arc<dyn Clock>,
    ) -> anyhow::Result<Option<Arc<dyn PaymentGateway>>> {
        let (Some(application_id), Some(private_key)) =
            (&self.bootpay_application_id, self.bootpay_private_key.clone())
        else {
            return Ok(None);
        };
        let mut config = bootpay::BootpayConfig::new(&self.bootpay_api_base_url, application_id, private_key);
        config.accept_sandbox = stage == Stage::Development;
        let gateway = bootpay::BootpayGateway::new(&config, Arc::clone(clock))
            .context("BOOTPAY_APPLICATION_ID, BOOTPAY_PRIVATE_KEY or BOOTPAY_API_BASE_URL")?;
        Ok(Some(Arc::new(gateway)))
    }
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
        for (name, is_set) in self.credentials().into_iter().flat_map(|(_, credentials)| credentials) {
            writeln!(f, "{name:<28} {}", if is_set { "(set)" } else { "(not set)" })?;
        }
        let toss_webhooks = if self.toss_webhook_secret.is_some() { "(set)" } else { "(not set)" };
        writeln!(f, "TOSS_WEBHOOK_SECRET          {toss_webhooks}")?;
        writeln!(f, "TOSS_API_BASE_URL            {}", self.toss_api_base_url)?;
        writeln!(f, "PORTONE_API_BASE_URL         {}", self.portone_api_base_url)?;
        writeln!(f, "KCP_API_BASE_URL             {}", self.kcp_api_base_url)?;
        writeln!(f, "KCP_RECEIPT_BASE_URL         {}", self.kcp_receipt_base_url)?;
        writeln!(f, "BOOTPAY_API_BASE_URL         {}", self.bootpay_api_base_url)?;
        write!(f, "DANGOL_DEFAULT_PROVIDER      {}", self.default_provider)
    }
}

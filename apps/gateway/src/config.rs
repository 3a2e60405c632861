//! The configuration: read once from the environment (or flags), typed, and printable without secrets.

mod exports;
mod messages;
mod papers;

use std::{convert::Infallible, fmt, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, bail};
use chrono::{NaiveTime, TimeDelta};
use clap::Args;
use platform::Vault;
use secrecy::{ExposeSecret, SecretString};

use crate::providers::{ProviderSettings, Stage};

pub use self::{
    exports::ExportsConfig,
    messages::{Messages, MessagesConfig},
    papers::{Papers, PapersConfig},
};

/// What can be configured. The names of the variables are the public ones; flags exist for trying things out.
#[derive(Args, Clone, Debug)]
pub struct Config {
    /// PostgreSQL to use. In development, leave it out to have a private one started.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_parser = secret, global = true)]
    pub database_url: Option<SecretString>,

    /// Where a development system keeps its data, and every system its files unless `S3_BUCKET` is set.
    #[arg(long, env = "DANGOL_DATA_DIR", default_value = ".dangol", global = true)]
    pub data_dir: PathBuf,

    /// Where the API listens.
    #[arg(long, env = "DANGOL_HTTP_ADDR", default_value = "127.0.0.1:8080", global = true)]
    pub http_addr: SocketAddr,

    /// Where the sandbox of a development system listens.
    #[arg(long, env = "DANGOL_SANDBOX_ADDR", default_value = "127.0.0.1:8090", global = true)]
    pub sandbox_addr: SocketAddr,

    /// Secret shared with the sign-in service, which signs the bearer tokens; 32 bytes or more.
    #[arg(long, env = "DANGOL_JWT_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub jwt_secret: Option<SecretString>,

    /// Keys for data at rest: `id:base64 of 32 bytes`, the newest first, separated by commas.
    #[arg(long, env = "DANGOL_ENCRYPTION_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub encryption_key: Option<SecretString>,

    /// What an outside scheduler presents to `POST /api/payments/billing/auto`.
    #[arg(long, env = "CRON_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub cron_secret: Option<SecretString>,

    #[command(flatten)]
    pub providers: ProviderSettings,

    /// The time of day in Korea at which renewals are charged.
    #[arg(long, env = "DANGOL_CHARGE_TIME", default_value = "10:00", value_parser = time_of_day, global = true)]
    pub charge_time: NaiveTime,

    /// The time of day in Korea at which customers are reminded of the next day's visit.
    #[arg(long, env = "DANGOL_REMINDER_TIME", default_value = "18:00", value_parser = time_of_day, global = true)]
    pub reminder_time: NaiveTime,

    /// NATS, through which processes wake each other; without it they do so through PostgreSQL.
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_parser = secret, global = true)]
    pub nats_url: Option<SecretString>,

    /// How often a process looks by itself for what no signal told it of, milliseconds.
    #[arg(long, env = "DANGOL_LOOK_AGAIN", default_value = "1000", value_parser = milliseconds, global = true)]
    pub look_again: Duration,

    /// Within how many days after a campaign's message a reservation is its success.
    #[arg(long, env = "DANGOL_ATTRIBUTION_DAYS", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..=90), global = true)]
    pub attribution_days: u16,

    /// The only hosts that campaigns may link to, and those below them: `misohair.kr,booking.example`. Any, if none is named.
    #[arg(long, env = "DANGOL_LINK_HOSTS", value_delimiter = ',', global = true)]
    pub link_hosts: Vec<String>,

    /// How many charges a billing run has under way at once.
    #[arg(long, env = "DANGOL_BILLING_CONCURRENCY", default_value_t = 64, value_parser = at_least_one, global = true)]
    pub billing_concurrency: usize,

    /// Connections to PostgreSQL per process.
    #[arg(long, env = "DANGOL_DATABASE_CONNECTIONS", default_value_t = 20, global = true)]
    pub database_connections: u32,

    #[command(flatten)]
    pub papers: PapersConfig,

    #[command(flatten)]
    pub messages: MessagesConfig,

    #[command(flatten)]
    pub exports: ExportsConfig,
}

#[expect(clippy::unnecessary_wraps, reason = "the signature that clap wants")]
pub(crate) fn secret(text: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(text))
}

fn time_of_day(text: &str) -> Result<NaiveTime, String> {
    NaiveTime::parse_from_str(text, "%H:%M").map_err(|_| "expected a time such as 10:00".to_owned())
}

fn milliseconds(text: &str) -> Result<Duration, String> {
    let milliseconds = text.parse().ok().filter(|n| *n > 0).map(Duration::from_millis);
    milliseconds.ok_or_else(|| "expected a number of milliseconds of at least 1".to_owned())
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "expected a number of at least 1".to_owned())
}

/// The secrets that a process cannot do without.
#[derive(Clone)]
pub struct Secrets {
    pub jwt: SecretString,
    pub vault: Vault,
    pub cron: SecretString,
    /// With credentials for at least one provider.
    pub providers: ProviderSettings,
    pub stage: Stage,
    pub nats_url: Option<SecretString>,
    /// Who sells, and who files the tax invoices about it.
    pub papers: Papers,
    /// Who carries messages, and as whom the platform writes.
    pub messages: Messages,
}

/// The secrets of a development system. They are public, so production refuses each of them.
mod development {
    pub(super) const JWT: &str = "dangol-development-jwt-secret-not-for-production";
    pub(super) const ENCRYPTION: &str = "dev:ZGFuZ29sLWRldmVsb3BtZW50LWtleS0zMi1ieXRlcyE=";
    pub(super) const CRON: &str = "dangol-development-cron-secret";
    pub(super) const TOSS: &str = "test_sk_dangol_development";
    pub(super) const TOSS_CLIENT: &str = "test_ck_dangol_development";
    pub(super) const PORTONE: &str = "dangol-development-portone-secret";
    pub(super) const BOOTPAY_APPLICATION: &str = "dangol-development-bootpay";
    pub(super) const BOOTPAY: &str = "dangol-development-bootpay-key";
}

impl Config {
    pub(crate) fn campaign_settings(&self) -> crm::Settings {
        let hosts = self.link_hosts.iter().map(|host| host.trim().to_lowercase());
        let own = [&self.messages.public_url, &self.messages.shop_url];
        crm::Settings {
            attribution: TimeDelta::days(self.attribution_days.into()),
            links: crm::LinkRules {
                hosts: hosts.filter(|host| !host.is_empty()).collect(),
                own: own.into_iter().cloned().collect(),
            },
        }
    }

    /// The secrets of a production process. Names everything that is missing or must not be used, at once.
    pub fn production_secrets(&self) -> anyhow::Result<Secrets> {
        let mut complaints = Vec::new();
        let mut required = |name: &str, value: &Option<SecretString>, development: &str| {
            let Some(value) = value else {
                complaints.push(format!("{name} is not set"));
                return SecretString::default();
            };
            if value.expose_secret() == development {
                complaints.push(format!("{name} is the development secret, which everybody knows"));
            }
            value.clone()
        };
        required("DATABASE_URL", &self.database_url, "");
        let jwt = required("DANGOL_JWT_SECRET", &self.jwt_secret, development::JWT);
        let encryption = required("DANGOL_ENCRYPTION_KEY", &self.encryption_key, development::ENCRYPTION);
        let cron = required("CRON_SECRET", &self.cron_secret, development::CRON);
        if self.jwt_secret.is_some() && jwt.expose_secret().len() < 32 {
            complaints.push("DANGOL_JWT_SECRET is shorter than 32 bytes".to_owned());
        }
        if self.cron_secret.is_some() && cron.expose_secret().len() < 16 {
            complaints.push("CRON_SECRET is shorter than 16 bytes".to_owned());
        }
        let known = |name: &str, value: &Option<SecretString>, development: &str| {
            let is_known = value.as_ref().is_some_and(|value| value.expose_secret() == development);
            is_known.then(|| format!("{name} is the development secret, which everybody knows"))
        };
        complaints.extend(known("TOSS_SECRET_KEY", &self.providers.toss_secret_key, development::TOSS));
        complaints.extend(known(
            "PORTONE_API_SECRET",
            &self.providers.portone_api_secret,
            development::PORTONE,
        ));
        complaints.extend(self.providers.complaints());
        let vault = Vault::new(&encryption);
        if self.encryption_key.is_some() && vault.is_err() {
            complaints.push("DANGOL_ENCRYPTION_KEY is not `id:base64 of 32 bytes`".to_owned());
        }
        let papers = self.papers.production(&mut complaints);
        let messages = self.messages.production(&mut complaints);
        complaints.extend(self.exports.complaints());
        match (vault, papers, messages) {
            (Ok(vault), Some(papers), Some(messages)) if complaints.is_empty() => {
                let (providers, stage) = (self.providers.clone(), Stage::Production);
                let nats_url = self.nats_url.clone();
                Ok(Secrets { jwt, vault, cron, providers, stage, nats_url, papers, messages })
            }
            _ => bail!("not fit for production:\n  - {}", complaints.join("\n  - ")),
        }
    }

    /// What is configured, and public secrets for the rest.
    pub fn development_secrets(&self) -> anyhow::Result<Secrets> {
        let or = |value: &Option<SecretString>, development: &str| {
            value.clone().unwrap_or_else(|| development.into())
        };
        Ok(Secrets {
            jwt: or(&self.jwt_secret, development::JWT),
            vault: Vault::new(&or(&self.encryption_key, development::ENCRYPTION))
                .context("DANGOL_ENCRYPTION_KEY")?,
            cron: or(&self.cron_secret, development::CRON),
            providers: self.development_providers(),
            stage: Stage::Development,
            nats_url: self.nats_url.clone(),
            papers: self.papers.development().context("the seller, or Popbill")?,
            messages: self.messages.development().context("messages")?,
        })
    }

    /// All of the sandbox's providers, where nothing else is configured.
    fn development_providers(&self) -> ProviderSettings {
        let kcp = sandbox::kcp_dev_credentials();
        let mut providers = self.providers.clone();
        let text = |value: &mut Option<String>, development: &str| {
            value.get_or_insert_with(|| development.to_owned());
        };
        let secret = |value: &mut Option<SecretString>, development: &str| {
            value.get_or_insert_with(|| development.into());
        };
        secret(&mut providers.toss_secret_key, development::TOSS);
        text(&mut providers.toss_client_key, development::TOSS_CLIENT);
        secret(&mut providers.portone_api_secret, development::PORTONE);
        secret(&mut providers.portone_webhook_secret, sandbox::PORTONE_WEBHOOK_SECRET);
        text(&mut providers.portone_store_id, sandbox::PORTONE_STORE_ID);
        text(&mut providers.portone_channel_key, sandbox::PORTONE_CHANNEL_KEY);
        text(&mut providers.kcp_site_cd, &kcp.site_cd);
        text(&mut providers.kcp_group_id, &kcp.group_id);
        text(&mut providers.kcp_cert, &kcp.certificate_pem);
        secret(&mut providers.kcp_private_key, &kcp.private_key_pem);
        secret(&mut providers.kcp_private_key_password, &kcp.passphrase);
        text(&mut providers.bootpay_application_id, development::BOOTPAY_APPLICATION);
        secret(&mut providers.bootpay_private_key, development::BOOTPAY);
        providers
    }

    pub fn billing_settings(&self, secrets: &Secrets) -> billing::Settings {
        billing::Settings {
            charge_time: self.charge_time,
            concurrency: self.billing_concurrency,
            cron_secret: secrets.cron.clone(),
            seller: secrets.papers.seller.clone(),
        }
    }
}

impl fmt::Display for Config {
    /// One variable a line; of secrets, only whether they are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |value: &Option<SecretString>| if value.is_some() { "(set)" } else { "(not set)" };
        writeln!(f, "DATABASE_URL                 {}", set(&self.database_url))?;
        writeln!(f, "DANGOL_HTTP_ADDR             {}", self.http_addr)?;
        writeln!(f, "DANGOL_JWT_SECRET            {}", set(&self.jwt_secret))?;
        writeln!(f, "DANGOL_ENCRYPTION_KEY        {}", set(&self.encryption_key))?;
        writeln!(f, "CRON_SECRET                  {}", set(&self.cron_secret))?;
        writeln!(f, "{}", self.providers)?;
        writeln!(f, "DANGOL_CHARGE_TIME           {} KST", self.charge_time.format("%H:%M"))?;
        writeln!(f, "DANGOL_REMINDER_TIME         {} KST", self.reminder_time.format("%H:%M"))?;
        writeln!(f, "NATS_URL                     {}", set(&self.nats_url))?;
        writeln!(f, "DANGOL_LOOK_AGAIN            {} ms", self.look_again.as_millis())?;
        writeln!(f, "DANGOL_BILLING_CONCURRENCY   {}", self.billing_concurrency)?;
        writeln!(f, "DANGOL_DATABASE_CONNECTIONS  {}", self.database_connections)?;
        writeln!(f, "{}", self.papers)?;
        writeln!(f, "{}", self.messages)?;
        write!(f, "{}", self.exports)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        config: Config,
    }

    fn config(flags: &[&str]) -> Config {
        Line::parse_from(["dangol"].iter().chain(flags)).config
    }

    const GOOD: &[&str] = &[
        "--database-url=postgres://db/dangol",
        "--jwt-secret=0123456789abcdef0123456789abcdef",
        "--encryption-key=k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "--cron-secret=0123456789abcdef",
        "--toss-secret-key=live_sk_0123456789",
    ];

    #[test]
    fn production_names_every_secret_that_is_missing_at_once() {
        let complaint = config(&[]).production_secrets().err().unwrap().to_string();
        for name in
            ["DATABASE_URL", "DANGOL_JWT_SECRET", "DANGOL_ENCRYPTION_KEY", "CRON_SECRET", "TOSS_SECRET_KEY"]
        {
            assert!(complaint.contains(&format!("{name} is not set")), "{complaint}");
        }
    }

    #[test]
    fn production_refuses_development_secrets() {
        let cron = format!("--cron-secret={}", development::CRON);
        let flags: Vec<&str> =
            GOOD.iter().copied().filter(|flag| !flag.contains("cron")).chain([cron.as_str()]).collect();
        let complaint = config(&flags).production_secrets().err().unwrap().to_string();
        assert!(complaint.contains("CRON_SECRET is the development secret"), "{complaint}");
        assert!(config(GOOD).production_secrets().is_ok());
    }

    #[test]
    fn half_the_credentials_of_a_provider_are_none() {
        let flags: Vec<&str> = GOOD.iter().copied().chain(["--kcp-site-cd=A52Q7"]).collect();
        let complaint = config(&flags).production_secrets().err().unwrap().to_string();
        assert!(complaint.contains("KCP_CERT is not set, and others of KCP are"), "{complaint}");
    }

    #[test]
    fn another_provider_than_toss_will_do() {
        let portone = [
            "--portone-api-secret=0123456789",
            "--portone-store-id=store-1",
            "--portone-channel-key=channel-key-1",
            "--portone-webhook-secret=whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY",
        ];
        let without_toss = GOOD.iter().copied().filter(|flag| !flag.contains("toss"));
        let flags: Vec<&str> = without_toss.chain(portone).collect();
        let complaint = config(&flags).production_secrets().err().unwrap().to_string();
        assert!(complaint.contains("DANGOL_DEFAULT_PROVIDER is TOSS"), "{complaint}");
        let flags: Vec<&str> = flags.into_iter().chain(["--default-provider=PORTONE"]).collect();
        assert!(config(&flags).production_secrets().is_ok());
    }

    /// With these flags beside the good ones.
    fn papers(more: &[&str]) -> Result<Papers, String> {
        let flags: Vec<&str> = GOOD.iter().chain(more).copied().collect();
        let secrets = config(&flags).production_secrets();
        secrets.map(|secrets| secrets.papers).map_err(|complaint| complaint.to_string())
    }

    const SELLER: &[&str] = &[
        "--seller-business-number=111-11-11119",
        "--seller-company=주식회사 단골",
        "--seller-owner=이단골",
        "--popbill-link-id=SOMEBODY",
        "--popbill-secret-key=MDEyMzQ1Njc4OTAxMjM0NQ==",
    ];

    #[test]
    fn tax_invoices_are_optional_and_nothing_of_them_may_be_half_configured() {
        assert!(papers(&[]).unwrap().tax_invoicing.is_none());
        let tax_invoicing = papers(SELLER).unwrap().tax_invoicing.unwrap();
        assert_eq!(tax_invoicing.number_check, billing::NumberCheck::Checksum);
        assert_eq!(tax_invoicing.card_slip, billing::CardSlipPolicy::Warn);
        for (missing, complaint) in [
            ("popbill-secret-key", "POPBILL_SECRET_KEY is not set"),
            ("popbill-link-id", "POPBILL_LINK_ID is not set"),
            ("seller-owner", "all of them, or none"),
        ] {
            let flags: Vec<&str> = SELLER.iter().copied().filter(|flag| !flag.contains(missing)).collect();
            let told = papers(&flags).err().unwrap();
            assert!(told.contains(complaint), "{told}");
        }
        let known = "--popbill-secret-key=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        for (flag, complaint) in [
            (known, "POPBILL_SECRET_KEY is the development secret"),
            ("--seller-business-number=111-11-11111", "has a wrong last digit"),
            ("--popbill-corp-num=222-22-22227", "another business than the seller"),
        ] {
            let name = flag.split('=').next().unwrap_or_default();
            let others = SELLER.iter().copied().filter(|other| !other.starts_with(name));
            let told = papers(&others.chain([flag]).collect::<Vec<_>>()).err().unwrap();
            assert!(told.contains(complaint), "{told}");
        }
    }

    #[test]
    fn what_is_printed_holds_no_secret() {
        let flags: Vec<&str> = GOOD.iter().chain(SELLER).copied().collect();
        let printed = format!("{} {:?}", config(&flags), config(&flags));
        for secret in ["postgres://db", "0123456789", "MDEyMzQ1"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

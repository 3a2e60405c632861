//! Who carries texts, KakaoTalk and mail, and as whom the platform writes.

use std::{fmt, num::NonZeroU32, sync::Arc};

use anyhow::bail;
use chrono::NaiveTime;
use clap::Args;
use kernel::{Clock, SystemClock};
use messaging::{
    AdvertisingHours, Channel, Channels, PlatformSender, Prices, Provider, Settings,
    channel::MessageChannel,
    nhn::{Nhn, NhnConfig},
    smtp::Smtp,
    solapi::{Solapi, SolapiConfig},
};
use secrecy::{ExposeSecret, SecretString};

use super::{secret, time_of_day};

/// The variables about messages. All of them are optional: what has no carrier is not offered.
#[derive(Args, Clone, Debug)]
pub struct MessagesConfig {
    /// Where links in messages lead: the address of this API as people reach it.
    #[arg(long, env = "DANGOL_PUBLIC_URL", default_value = "http://127.0.0.1:8080", global = true)]
    pub public_url: String,

    /// Where links in mails to shop owners lead: the pages on which they run their business.
    #[arg(long, env = "DANGOL_SHOP_URL", default_value = "http://127.0.0.1:3000", global = true)]
    pub shop_url: String,

    /// The mail server: `smtps://user:password@host`, or `smtp://host:587?tls=required`. Without it no mail is sent.
    #[arg(long, env = "SMTP_URL", hide_env_values = true, value_parser = secret, global = true)]
    pub smtp_url: Option<SecretString>,

    /// The address that receipts and notices come from.
    #[arg(long, env = "DANGOL_MAIL_FROM", global = true)]
    pub mail_from: Option<String>,

    /// The address that advertising comes from: another, since mail providers judge an address by all that comes from it.
    #[arg(long, env = "DANGOL_ADVERTISING_MAIL_FROM", global = true)]
    pub advertising_mail_from: Option<String>,

    /// Solapi: the API key. With it texts and KakaoTalk go through Solapi.
    #[arg(long, env = "SOLAPI_API_KEY", global = true)]
    pub solapi_api_key: Option<String>,

    /// Solapi: the API secret.
    #[arg(long, env = "SOLAPI_API_SECRET", hide_env_values = true, value_parser = secret, global = true)]
    pub solapi_api_secret: Option<SecretString>,

    #[arg(long, env = "SOLAPI_API_BASE_URL", default_value = "https://api.solapi.com", global = true)]
    pub solapi_api_base_url: String,

    /// NHN Cloud: the app key of SMS.
    #[arg(long, env = "NHN_SMS_APP_KEY", global = true)]
    pub nhn_sms_app_key: Option<String>,

    /// NHN Cloud: the secret key of SMS.
    #[arg(long, env = "NHN_SMS_SECRET_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub nhn_sms_secret_key: Option<SecretString>,

    /// NHN Cloud: the app key of KakaoTalk Bizmessage.
    #[arg(long, env = "NHN_KAKAO_APP_KEY", global = true)]
    pub nhn_kakao_app_key: Option<String>,

    /// NHN Cloud: the secret key of KakaoTalk Bizmessage.
    #[arg(long, env = "NHN_KAKAO_SECRET_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub nhn_kakao_secret_key: Option<SecretString>,

    /// NHN Cloud: the signature of its webhooks, as its console has it.
    #[arg(long, env = "NHN_WEBHOOK_SIGNATURE", hide_env_values = true, value_parser = secret, global = true)]
    pub nhn_webhook_signature: Option<SecretString>,

    #[arg(
        long,
        env = "NHN_SMS_API_BASE_URL",
        default_value = "https://sms.api.nhncloudservice.com",
        global = true
    )]
    pub nhn_sms_api_base_url: String,

    #[arg(
        long,
        env = "NHN_KAKAO_API_BASE_URL",
        default_value = "https://kakaotalk-bizmessage.api.nhncloudservice.com",
        global = true
    )]
    pub nhn_kakao_api_base_url: String,

    /// Who carries texts and KakaoTalk where both are configured: SOLAPI or NHN.
    #[arg(long, env = "DANGOL_TEXT_CARRIER", default_value = "SOLAPI", value_parser = carrier, global = true)]
    pub text_carrier: TextCarrier,

    /// The platform's Kakao channel: a pfId at Solapi, a sender key at NHN Cloud. A business may have its own.
    #[arg(long, env = "KAKAO_PF_ID", global = true)]
    pub kakao_pf_id: Option<String>,

    /// The platform's sender number (발신번호), digits alone. A business may have its own.
    #[arg(long, env = "DANGOL_SENDER_PHONE", global = true)]
    pub sender_phone: Option<String>,

    /// The platform's 080 number where advertising is refused. A business may have its own; without one there is no
    /// advertising by text.
    #[arg(long, env = "DANGOL_REFUSAL_NUMBER", global = true)]
    pub refusal_number: Option<String>,

    /// From when on advertising may go out, Korean time: 08:00 or later.
    #[arg(long, env = "DANGOL_ADVERTISING_FROM", default_value = "08:00", value_parser = time_of_day, global = true)]
    pub advertising_from: NaiveTime,

    /// Until when: 21:00 or earlier. Kakao stops at 20:50.
    #[arg(long, env = "DANGOL_ADVERTISING_UNTIL", default_value = "20:50", value_parser = time_of_day, global = true)]
    pub advertising_until: NaiveTime,

    /// How many advertisements one number or address may get from one business in seven days.
    #[arg(long, env = "DANGOL_ADVERTISEMENTS_A_WEEK", default_value_t = 3, global = true)]
    pub advertisements_a_week: u16,

    /// What the carriers ask for one message, in won: `SMS=18,LMS=45,ALIMTALK=13,BRAND=30,EMAIL=1`. Shown before many are sent.
    #[arg(long, env = "DANGOL_MESSAGE_PRICES", value_parser = prices, global = true)]
    pub message_prices: Option<Prices>,

    /// How many requests a second this process makes to a carrier at most.
    #[arg(long, env = "DANGOL_MESSAGE_REQUESTS_PER_SECOND", default_value = "20", global = true)]
    pub message_requests_per_second: NonZeroU32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextCarrier {
    Solapi,
    Nhn,
}

fn prices(text: &str) -> Result<Prices, String> {
    let mut prices = Prices::default();
    for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (kind, won) = pair.split_once('=').ok_or_else(|| format!("`{pair}` is not KIND=WON"))?;
        let price = match kind.trim() {
            "SMS" => &mut prices.sms,
            "LMS" => &mut prices.lms,
            "ALIMTALK" => &mut prices.alim_talk,
            "BRAND" => &mut prices.brand,
            "EMAIL" => &mut prices.email,
            kind => return Err(format!("`{kind}` is none of SMS, LMS, ALIMTALK, BRAND, EMAIL")),
        };
        *price = Some(won.trim().parse().map_err(|_| format!("`{won}` is no price in won"))?);
    }
    Ok(prices)
}

/// Reached from this machine alone.
fn is_here(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]", "0.0.0.0"].iter().any(|here| host.starts_with(here))
}

fn carrier(text: &str) -> Result<TextCarrier, String> {
    match text {
        "SOLAPI" => Ok(TextCarrier::Solapi),
        "NHN" => Ok(TextCarrier::Nhn),
        _ => Err("expected SOLAPI or NHN".to_owned()),
    }
}

/// Messages as this process sends them.
#[derive(Clone)]
pub struct Messages {
    /// With all credentials that are to be used.
    complete: MessagesConfig,
    pub settings: Arc<Settings>,
}

/// The accounts of a development system, as the sandbox knows them.
mod development {
    pub(super) const SOLAPI_KEY: &str = "NCSDANGOLDEVELOP";
    pub(super) const SOLAPI_SECRET: &str = "dangol-development-solapi-secret";
    pub(super) const NHN_KEY: &str = "dangol-development";
    pub(super) const NHN_SECRET: &str = "dangol-development-nhn-secret";
    pub(super) const NHN_SIGNATURE: &str = "dangol-development-nhn-signature";
    pub(super) const KAKAO: &str = "KA01PF000000000000000000dangol";
    /// Numbers that nobody has.
    pub(super) const SENDER: &str = "0200000000";
    pub(super) const REFUSAL: &str = "0800000000";
}

/// So many requests to a carrier at a time: several batches are on their way while the next is written down.
const CONCURRENCY: usize = 4;

impl MessagesConfig {
    /// Of a development system: the sandbox carries everything. Mail has its own address there ([`Self::smtp_url`]).
    pub fn speak_with(&mut self, sandbox_url: &str) {
        self.solapi_api_base_url = format!("{sandbox_url}/solapi");
        self.nhn_sms_api_base_url = format!("{sandbox_url}/nhn/sms");
        self.nhn_kakao_api_base_url = format!("{sandbox_url}/nhn/kakao");
    }

    /// As configured. Adds to `complaints` what is missing or must not be used.
    pub(super) fn production(&self, complaints: &mut Vec<String>) -> Option<Messages> {
        let before = complaints.len();
        let mut both = |one: (&str, bool), other: (&str, bool)| {
            for (set, missing) in [(one, other), (other, one)] {
                if set.1 && !missing.1 {
                    complaints.push(format!("{} is not set, and {} is", missing.0, set.0));
                }
            }
        };
        both(
            ("SOLAPI_API_KEY", self.solapi_api_key.is_some()),
            ("SOLAPI_API_SECRET", self.solapi_api_secret.is_some()),
        );
        both(
            ("NHN_SMS_APP_KEY", self.nhn_sms_app_key.is_some()),
            ("NHN_SMS_SECRET_KEY", self.nhn_sms_secret_key.is_some()),
        );
        both(
            ("NHN_KAKAO_APP_KEY", self.nhn_kakao_app_key.is_some()),
            ("NHN_KAKAO_SECRET_KEY", self.nhn_kakao_secret_key.is_some()),
        );
        both(("SMTP_URL", self.smtp_url.is_some()), ("DANGOL_MAIL_FROM", self.mail_from.is_some()));
        for (name, value, known) in [
            ("SOLAPI_API_SECRET", &self.solapi_api_secret, development::SOLAPI_SECRET),
            ("NHN_SMS_SECRET_KEY", &self.nhn_sms_secret_key, development::NHN_SECRET),
            ("NHN_KAKAO_SECRET_KEY", &self.nhn_kakao_secret_key, development::NHN_SECRET),
            ("NHN_WEBHOOK_SIGNATURE", &self.nhn_webhook_signature, development::NHN_SIGNATURE),
        ] {
            if value.as_ref().is_some_and(|value| value.expose_secret() == known) {
                complaints.push(format!("{name} is the development secret, which everybody knows"));
            }
        }
        let has_carrier = self.solapi_api_key.is_some()
            || self.nhn_sms_app_key.is_some()
            || self.nhn_kakao_app_key.is_some();
        if (has_carrier || self.smtp_url.is_some()) && is_here(&self.public_url) {
            let message = "DANGOL_PUBLIC_URL is an address of this machine: nobody who gets a message could follow its link to refuse";
            complaints.push(message.to_owned());
        }
        if self.smtp_url.is_some() && is_here(&self.shop_url) {
            complaints.push(
                "DANGOL_SHOP_URL is an address of this machine: no shop could follow the links in its mails"
                    .to_owned(),
            );
        }
        if complaints.len() > before {
            return None;
        }
        let complete = self.clone().complete();
        match complete.and_then(|messages| messages.channels(&(Arc::new(SystemClock) as _)).map(|_| messages))
        {
            Ok(messages) => Some(messages),
            Err(error) => {
                complaints.push(format!("messages: {error}"));
                None
            }
        }
    }

    /// What is configured, and the sandbox's accounts for the rest.
    pub(super) fn development(&self) -> anyhow::Result<Messages> {
        let mut complete = self.clone();
        let text = |value: &mut Option<String>, development: &str| {
            value.get_or_insert_with(|| development.to_owned());
        };
        let secret = |value: &mut Option<SecretString>, development: &str| {
            value.get_or_insert_with(|| development.into());
        };
        text(&mut complete.solapi_api_key, development::SOLAPI_KEY);
        secret(&mut complete.solapi_api_secret, development::SOLAPI_SECRET);
        text(&mut complete.nhn_sms_app_key, development::NHN_KEY);
        secret(&mut complete.nhn_sms_secret_key, development::NHN_SECRET);
        text(&mut complete.nhn_kakao_app_key, development::NHN_KEY);
        secret(&mut complete.nhn_kakao_secret_key, development::NHN_SECRET);
        secret(&mut complete.nhn_webhook_signature, development::NHN_SIGNATURE);
        text(&mut complete.kakao_pf_id, development::KAKAO);
        text(&mut complete.sender_phone, development::SENDER);
        text(&mut complete.refusal_number, development::REFUSAL);
        text(&mut complete.mail_from, "billing@dangol.example");
        text(&mut complete.advertising_mail_from, "news@dangol.example");
        complete.complete()
    }

    fn complete(self) -> anyhow::Result<Messages> {
        let Ok(advertising_hours) = AdvertisingHours::new(self.advertising_from, self.advertising_until)
        else {
            bail!(
                "DANGOL_ADVERTISING_FROM and DANGOL_ADVERTISING_UNTIL are wider than the law allows (08:00 to 21:00)"
            );
        };
        let settings = Settings {
            public_url: self.public_url.clone(),
            shop_url: self.shop_url.clone(),
            sender: PlatformSender {
                name: "단골".to_owned(),
                phone: self.sender_phone.clone(),
                refusal_number: self.refusal_number.clone(),
                kakao_channel: self.kakao_pf_id.clone(),
                mail_address: self.mail_from.clone(),
                advertising_mail_address: self
                    .advertising_mail_from
                    .clone()
                    .or_else(|| self.mail_from.clone()),
            },
            advertising_hours,
            advertisements_a_week: self.advertisements_a_week.into(),
            prices: self.message_prices.unwrap_or_default(),
            concurrency: CONCURRENCY,
        };
        Ok(Messages { complete: self, settings: Arc::new(settings) })
    }

    fn solapi(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Option<Solapi>> {
        let (Some(api_key), Some(api_secret)) = (&self.solapi_api_key, &self.solapi_api_secret) else {
            return Ok(None);
        };
        let config = SolapiConfig {
            base_url: self.solapi_api_base_url.clone(),
            api_key: api_key.clone(),
            api_secret: api_secret.clone(),
            requests_per_second: self.message_requests_per_second,
        };
        Ok(Some(Solapi::new(&config, Arc::clone(clock))?))
    }

    fn nhn(&self) -> anyhow::Result<Option<Nhn>> {
        let account = |key: &Option<String>, secret: &Option<SecretString>| key.clone().zip(secret.clone());
        let sms = account(&self.nhn_sms_app_key, &self.nhn_sms_secret_key);
        let kakao = account(&self.nhn_kakao_app_key, &self.nhn_kakao_secret_key);
        if sms.is_none() && kakao.is_none() {
            return Ok(None);
        }
        Ok(Some(Nhn::new(&NhnConfig {
            sms_base_url: self.nhn_sms_api_base_url.clone(),
            kakao_base_url: self.nhn_kakao_api_base_url.clone(),
            sms,
            kakao,
            webhook_signature: self.nhn_webhook_signature.clone(),
            requests_per_second: self.message_requests_per_second,
        })?))
    }
}

impl Messages {
    /// Whoever carries messages for this process.
    pub fn channels(&self, clock: &Arc<dyn Clock>) -> anyhow::Result<Channels> {
        let mut channels = Channels::default();
        let nhn = self.complete.nhn()?.map(|it| Arc::new(it) as Arc<dyn MessageChannel>);
        let solapi = self.complete.solapi(clock)?.map(|it| Arc::new(it) as Arc<dyn MessageChannel>);
        // The last that is added carries what both could.
        let in_order = match self.complete.text_carrier {
            TextCarrier::Solapi => [nhn, solapi],
            TextCarrier::Nhn => [solapi, nhn],
        };
        for carrier in in_order.into_iter().flatten() {
            let carries: &[Channel] = match carrier.provider() {
                Provider::Nhn if self.complete.nhn_kakao_app_key.is_none() => &[Channel::Sms],
                Provider::Nhn if self.complete.nhn_sms_app_key.is_none() => &[Channel::Kakao],
                _ => &[Channel::Sms, Channel::Kakao],
            };
            channels.add(carrier, carries);
        }
        if let Some(url) = &self.complete.smtp_url {
            channels.add(Arc::new(Smtp::new(url)?), &[Channel::Email]);
        }
        Ok(channels)
    }
}

impl fmt::Display for MessagesConfig {
    /// One variable a line; of secrets and of numbers, only whether they are set.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |is_set: bool| if is_set { "(set)" } else { "(not set)" };
        writeln!(f, "DANGOL_PUBLIC_URL            {}", self.public_url)?;
        writeln!(f, "DANGOL_SHOP_URL              {}", self.shop_url)?;
        writeln!(f, "SMTP_URL                     {}", set(self.smtp_url.is_some()))?;
        writeln!(f, "DANGOL_MAIL_FROM             {}", self.mail_from.as_deref().unwrap_or("(not set)"))?;
        writeln!(f, "SOLAPI_API_KEY               {}", set(self.solapi_api_key.is_some()))?;
        writeln!(f, "SOLAPI_API_BASE_URL          {}", self.solapi_api_base_url)?;
        writeln!(f, "NHN_SMS_APP_KEY              {}", set(self.nhn_sms_app_key.is_some()))?;
        writeln!(f, "NHN_KAKAO_APP_KEY            {}", set(self.nhn_kakao_app_key.is_some()))?;
        writeln!(f, "KAKAO_PF_ID                  {}", set(self.kakao_pf_id.is_some()))?;
        writeln!(f, "DANGOL_SENDER_PHONE          {}", set(self.sender_phone.is_some()))?;
        writeln!(f, "DANGOL_REFUSAL_NUMBER        {}", set(self.refusal_number.is_some()))?;
        write!(
            f,
            "DANGOL_ADVERTISING_FROM      {} to {} KST, {} a week",
            self.advertising_from.format("%H:%M"),
            self.advertising_until.format("%H:%M"),
            self.advertisements_a_week
        )
    }
}

//! Mail, by SMTP.
//!
//! A mail is handed over with the dot that ends it: before that nothing was sent, whatever went wrong; between the dot
//! and the server's 250 nobody can tell, and no server can be asked later. So the dialogue is led step by step, and what
//! is about to be sent is written down right before the mail itself goes out.
//!
//! Source: RFC 5321, RFC 8058, and the messaging reference (d).

mod letter;
mod replies;

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use lettre::{
    Address,
    address::Envelope,
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, TlsParameters},
        commands::{Data, Mail, Rcpt, Rset},
        extension::{ClientId, Extension, MailBodyParameter, MailParameter},
    },
};
use reqwest::{Url, header::HeaderMap};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Asked, BeforeSending, Capabilities, Found, ListFailed, MessageChannel, Outbound, Provider, Refusal,
    Refused, Sent, Webhook, WebhookRefused, http::ChannelConfigError,
};
use crate::{Content, FailureClass};

const PATIENCE: Duration = Duration::from_secs(30);
const MOST_IDLE: usize = 4;

/// A mail server that takes our mail.
pub struct Smtp {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
    hello: ClientId,
    /// Connections that wait for the next mail.
    idle: Mutex<Vec<AsyncSmtpConnection>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// `smtp://`: for a relay on the same machine, and the sandbox.
    None,
    /// `smtp://…?tls=required`
    StartTls,
    /// `smtps://`
    Tls,
}

/// What came of the dialogue before the mail itself.
enum Trouble {
    /// This mail will not do, whenever it comes.
    Refused(Refusal),
    /// The server, the way there, or this moment will not do.
    NotNow(String),
}

impl Smtp {
    /// `smtps://user:password@host`, `smtp://host:587?tls=required`, or `smtp://127.0.0.1:8025`. The path, if there is
    /// one, is the name under which this side introduces itself.
    pub fn new(url: &SecretString) -> Result<Self, ChannelConfigError> {
        let wrong = |what: &str| ChannelConfigError::SmtpUrl(what.to_owned());
        let url = Url::parse(url.expose_secret().trim()).map_err(|_| wrong("not a URL"))?;
        let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (Security::None, 25),
            ("smtp", Some("required")) => (Security::StartTls, 587),
            ("smtps", None) => (Security::Tls, 465),
            _ => return Err(wrong("expected smtps://…, smtp://…?tls=required or smtp://…")),
        };
        let host = url.host_str().ok_or_else(|| wrong("no host"))?.to_owned();
        let decoded = |text: &str| {
            let pairs = format!("v={}", text.replace('+', "%2B"));
            form_urlencoded::parse(pairs.as_bytes()).next().map(|(_, value)| value.into_owned())
        };
        let credentials = url
            .password()
            .and_then(|password| Some(Credentials::new(decoded(url.username())?, decoded(password)?)));
        let name = url.path().trim_matches('/');
        let hello = if name.is_empty() { ClientId::default() } else { ClientId::Domain(name.to_owned()) };
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            security,
            credentials,
            hello,
            idle: Mutex::default(),
        })
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let parameters = || TlsParameters::new(self.host.clone());
        let wrapped = (self.security == Security::Tls).then(parameters).transpose()?;
        let server = (self.host.as_str(), self.port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(server, Some(PATIENCE), &self.hello, wrapped, None).await?;
        if self.security == Security::StartTls {
            connection.starttls(parameters()?, &self.hello).await?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// One that is idle and still holds, or a new one.
    async fn connection(&self) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some(mut idle) = idle
            && idle.test_connected().await
        {
            return Ok(idle);
        }
        self.connect().await
    }

    /// Kept for the next mail.
    fn put_aside(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MOST_IDLE && !connection.has_broken() {
            idle.push(connection);
        }
    }

    async fn hand_over(&self, message: &Outbound, before_sending: BeforeSending<'_>) -> Sent {
        let Content::Mail(mail) = &message.content else {
            return Sent::Refused(Refusal::new(FailureClass::OurBug, "NO_MAIL"));
        };
        let (envelope, bytes) = match letter::write(message, mail) {
            Ok(written) => written,
            Err(refusal) => return Sent::Refused(refusal),
        };
        let mut open = match self.connection().await {
            Ok(open) => open,
            // A server that does not know us is no trouble of the way there.
            Err(error) => {
                return match replies::judge(&error) {
                    Some(refusal) if refusal.class == FailureClass::Account => Sent::Refused(refusal),
                    _ => Sent::NotSent(replies::describe(&error)),
                };
            }
        };
        if let Err(trouble) = introduce(&mut open, &envelope).await {
            // What the server says to one mail is nothing against the next.
            if !open.has_broken() && open.command(Rset).await.is_ok() {
                self.put_aside(open);
            }
            return match trouble {
                Trouble::Refused(refusal) => Sent::Refused(refusal),
                Trouble::NotNow(reason) => Sent::NotSent(reason),
            };
        }
        if before_sending(vec![message.clone()]).await.messages.is_empty() {
            // In the middle of DATA there is no way back but to hang up, and what is broken off is not delivered. No
            // farewell: it would be taken for a line of the mail.
            drop(open);
            return Sent::HeldBack;
        }
        match open.message(&bytes).await {
            Ok(_) => {
                self.put_aside(open);
                Sent::Accepted(letter::message_id(message))
            }
            Err(error) => match replies::judge(&error) {
                Some(refusal) => {
                    self.put_aside(open);
                    Sent::Refused(refusal)
                }
                None => Sent::Unknown(replies::describe(&error)),
            },
        }
    }
}

/// The dialogue up to the point where the server waits for the mail.
async fn introduce(connection: &mut AsyncSmtpConnection, envelope: &Envelope) -> Result<(), Trouble> {
    let mut parameters = Vec::new();
    if envelope.to().iter().any(|address| !is_ascii(address)) {
        if !connection.server_info().supports_feature(Extension::SmtpUtfEight) {
            return Err(Trouble::Refused(Refusal::new(FailureClass::BadNumber, "SMTPUTF8")));
        }
        parameters.push(MailParameter::SmtpUtfEight);
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    let said = |error: lettre::transport::smtp::Error| match replies::judge(&error) {
        Some(refusal) => Trouble::Refused(refusal),
        None => Trouble::NotNow(replies::describe(&error)),
    };
    connection.command(Mail::new(envelope.from().cloned(), parameters)).await.map_err(said)?;
    for address in envelope.to() {
        connection.command(Rcpt::new(address.clone(), Vec::new())).await.map_err(said)?;
    }
    connection.command(Data).await.map_err(said)?;
    Ok(())
}

fn is_ascii(address: &Address) -> bool {
    let text: &str = address.as_ref();
    text.is_ascii()
}

#[async_trait]
impl MessageChannel for Smtp {
    fn provider(&self) -> Provider {
        Provider::Smtp
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            largest_batch: 20,
            finds: false,
            absence_is_proof_after: TimeDelta::MAX,
            remembers_for: TimeDelta::zero(),
            reports_delivery: false,
            reports_within: TimeDelta::zero(),
            falls_back: false,
            hears_recipient_first: true,
            lists_refusals: false,
        }
    }

    fn requests(&self, messages: Vec<Outbound>) -> Vec<Vec<Outbound>> {
        messages.into_iter().map(|message| vec![message]).collect()
    }

    async fn send(&self, request: &[Outbound], before_sending: BeforeSending<'_>) -> Vec<Sent> {
        let mut sent = Vec::with_capacity(request.len());
        for message in request {
            let outcome = tokio::time::timeout(PATIENCE * 2, self.hand_over(message, before_sending));
            // Silence in the middle of the dialogue: whether the mail had begun is no longer known here.
            sent.push(outcome.await.unwrap_or_else(|_| Sent::Unknown("no answer in time".to_owned())));
        }
        sent
    }

    async fn find(&self, messages: &[Asked]) -> Vec<Found> {
        messages.iter().map(|_| Found::Unknown("no mail server can be asked".to_owned())).collect()
    }

    async fn refusals_since(&self, _: DateTime<Utc>) -> Result<Vec<Refused>, ListFailed> {
        Ok(Vec::new())
    }

    fn read_webhook(&self, _: &HeaderMap, _: &[u8]) -> Result<Webhook, WebhookRefused> {
        Err(WebhookRefused::Malformed("no mail server sends any".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn smtp(url: &str) -> Result<Smtp, ChannelConfigError> {
        Smtp::new(&url.into())
    }

    #[test]
    fn the_url_says_where_how_and_as_whom() {
        let sandbox = smtp("smtp://127.0.0.1:8025").unwrap();
        assert_eq!(
            (sandbox.host.as_str(), sandbox.port, sandbox.security),
            ("127.0.0.1", 8025, Security::None)
        );
        let relay = smtp("smtps://us%40er:p%2Bw@mail.example").unwrap();
        assert_eq!((relay.port, relay.security), (465, Security::Tls));
        assert!(relay.credentials.is_some());
        let submission = smtp("smtp://mail.example/api.dangol.example?tls=required").unwrap();
        assert_eq!((submission.port, submission.security), (587, Security::StartTls));
        assert_eq!(submission.hello.to_string(), "api.dangol.example");
    }

    #[test]
    fn another_url_is_refused_and_not_repeated() {
        for url in ["", "mail.example", "http://mail.example", "smtp://u:hunter2@m.example?tls=opportunistic"]
        {
            let error = smtp(url).err().unwrap().to_string();
            assert!(error.starts_with("SMTP_URL") && !error.contains("hunter2"), "{error}");
        }
    }
}

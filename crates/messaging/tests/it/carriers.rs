//! The channels, each with the sandbox that it speaks to.

use std::{
    collections::HashMap,
    net::SocketAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, Utc};
use futures::FutureExt;
use kernel::{Clock, MovableClock};
use messaging::{
    Content, FailureClass, Mail, MessageId, Text,
    channel::{Asked, Kind, Leave, MessageChannel, Outbound, Sender, Sent},
    nhn::{Nhn, NhnConfig},
    smtp::Smtp,
    solapi::{Solapi, SolapiConfig},
};
use sandbox::{Fault, FaultKind, Operation, Sandbox, SandboxConfig, WebhookUrls};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Solapi,
    Nhn,
    Smtp,
}

pub(crate) const ALL: [Carrier; 3] = [Carrier::Solapi, Carrier::Nhn, Carrier::Smtp];

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<MovableClock>,
    pub(crate) channel: Arc<dyn MessageChannel>,
    carrier: Carrier,
    /// What was about to be sent, each time.
    marked: Arc<Mutex<Vec<Vec<MessageId>>>>,
}

impl World {
    pub(crate) async fn of(carrier: Carrier) -> Self {
        Self::with_secret(carrier, "dangol-development-solapi-secret", "dangol-development-nhn-secret").await
    }

    pub(crate) async fn with_secret(carrier: Carrier, solapi: &str, nhn: &str) -> Self {
        let clock = Arc::new(MovableClock::default());
        // By day, when advertising may go out.
        clock.set("2026-02-14T03:00:00Z".parse().unwrap());
        let sandbox = Sandbox::start(SandboxConfig {
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: None,
            clock: clock.clone(),
            webhook_urls: WebhookUrls::default(),
            latency: Duration::ZERO,
        })
        .await
        .unwrap();
        let requests_per_second = NonZeroU32::new(1_000).unwrap();
        let channel: Arc<dyn MessageChannel> = match carrier {
            Carrier::Solapi => {
                let config = SolapiConfig {
                    base_url: sandbox.solapi_base_url(),
                    api_key: "NCSDANGOLDEVELOP".to_owned(),
                    api_secret: solapi.into(),
                    requests_per_second,
                };
                Arc::new(Solapi::new(&config, clock.clone()).unwrap())
            }
            Carrier::Nhn => {
                let account = Some(("dangol-development".to_owned(), nhn.into()));
                Arc::new(
                    Nhn::new(&NhnConfig {
                        sms_base_url: format!("{}/nhn/sms", sandbox.base_url()),
                        kakao_base_url: format!("{}/nhn/kakao", sandbox.base_url()),
                        sms: account.clone(),
                        kakao: account,
                        webhook_signature: None,
                        requests_per_second,
                    })
                    .unwrap(),
                )
            }
            Carrier::Smtp => Arc::new(Smtp::new(&sandbox.smtp_url().into()).unwrap()),
        };
        Self { sandbox, clock, channel, carrier, marked: Arc::default() }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Something that this carrier carries, to somebody whom it reaches.
    pub(crate) fn message(&self, said: &str) -> Outbound {
        let to = match self.carrier {
            Carrier::Solapi | Carrier::Nhn => "01012345678",
            Carrier::Smtp => "kim@misohair.com",
        };
        self.message_to(to, said)
    }

    pub(crate) fn message_to(&self, to: &str, said: &str) -> Outbound {
        let content = match self.carrier {
            Carrier::Solapi | Carrier::Nhn => Content::Text(Text::new(said)),
            Carrier::Smtp => Content::Mail(Mail {
                subject: said.to_owned(),
                text: said.to_owned(),
                html: format!("<p>{said}</p>"),
                unsubscribe_url: None,
            }),
        };
        self.outbound(to, content)
    }

    pub(crate) fn outbound(&self, to: &str, content: Content) -> Outbound {
        Outbound {
            reference: MessageId::new(self.now()),
            to: to.into(),
            from: Sender {
                name: "미소헤어".to_owned(),
                phone: Some("0200000000".to_owned()),
                refusal_number: Some("0800000000".to_owned()),
                kakao_channel: Some("KA01PF".to_owned()),
                mail_address: Some("billing@dangol.example".to_owned()),
            },
            content,
            is_advertising: false,
        }
    }

    /// Somebody to whom the carrier sends nothing, and why.
    pub(crate) fn nobody(&self) -> (&'static str, FailureClass) {
        match self.carrier {
            Carrier::Solapi | Carrier::Nhn => ("01000000003", FailureClass::Blocked),
            Carrier::Smtp => ("bounce@misohair.com", FailureClass::BadNumber),
        }
    }

    pub(crate) async fn sends(&self, messages: &[Outbound]) -> Vec<Sent> {
        self.sends_unless(messages, |_| true).await
    }

    /// At the last moment only some of them may go. One request after the other; the answers are in the order of the messages.
    pub(crate) async fn sends_unless(
        &self,
        messages: &[Outbound],
        may_go: impl Fn(&MessageId) -> bool + Send + Sync,
    ) -> Vec<Sent> {
        let before_sending = |asked: Vec<Outbound>| {
            self.marked.lock().unwrap().push(asked.iter().map(|message| message.reference).collect());
            let messages = asked.into_iter().filter(|message| may_go(&message.reference)).collect();
            let leave = Leave { messages, at: self.now() };
            async move { leave }.boxed()
        };
        let mut answers = HashMap::new();
        for request in self.channel.requests(messages.to_vec()) {
            let sent = self.channel.send(&request, &before_sending).await;
            answers.extend(request.iter().map(|message| message.reference).zip(sent));
        }
        messages.iter().map(|message| answers.remove(&message.reference).unwrap()).collect()
    }

    /// What was about to be sent, each time.
    pub(crate) fn marked(&self) -> Vec<Vec<MessageId>> {
        self.marked.lock().unwrap().clone()
    }

    pub(crate) fn next_sending_meets(&self, kind: FaultKind) {
        self.sandbox.set_faults([Fault::new(kind).on(Operation::Send)]);
    }

    pub(crate) fn asked(&self, message: &Outbound, provider_id: Option<&str>) -> Asked {
        Asked {
            reference: message.reference,
            provider_id: provider_id.map(str::to_owned),
            kind: match message.content {
                Content::AlimTalk(_) => Kind::AlimTalk,
                Content::Brand(_) => Kind::Brand,
                Content::Text(_) => Kind::Sms,
                Content::Mail(_) => Kind::Email,
            },
            to: message.to.clone(),
            asked_at: self.now(),
        }
    }

    /// How often this message was delivered to anybody, or is on its way.
    pub(crate) fn times(&self, message: &Outbound) -> usize {
        let name = message.reference.to_string();
        let is_it =
            |parcel: &&sandbox::Parcel| parcel.reference.as_ref() == Some(&name) && parcel.replaces.is_none();
        self.sandbox.inbox().iter().filter(is_it).count()
    }
}

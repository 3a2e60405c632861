//! Signals over NATS, for installations with many processes: PostgreSQL hears nothing of them.

use std::{
    sync::{Arc, Once, Weak},
    time::Duration,
};

use async_nats::{Client, ConnectError, ConnectOptions, Event, ServerAddr, Subscriber, connection::State};
use async_trait::async_trait;
use futures::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use tokio::{
    sync::{OnceCell, watch},
    time::timeout,
};

use super::{Bells, Signal, Topic};

/// The longest pause between two attempts to connect again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A signal that takes longer is worth no more than the next look.
const SEND_WITHIN: Duration = Duration::from_millis(250);

#[derive(Clone)]
pub struct NatsSignal {
    server: ServerAddr,
    bells: Bells,
    client: Arc<OnceCell<Client>>,
    /// A process in which nobody listens subscribes to nothing.
    listening: Arc<Once>,
}

#[derive(Debug, thiserror::Error)]
#[error("NATS_URL is not the URL of a NATS server, such as nats://127.0.0.1:4222")]
pub struct InvalidNatsUrl;

impl NatsSignal {
    /// Connects when it is needed first, and does not wait for the server, which may come later, and go and come again.
    pub fn new(url: &SecretString) -> Result<Self, InvalidNatsUrl> {
        let server = url.expose_secret().parse().map_err(|_| InvalidNatsUrl)?;
        Ok(Self { server, bells: Bells::default(), client: Arc::default(), listening: Arc::new(Once::new()) })
    }

    async fn client(&self) -> Result<&Client, ConnectError> {
        let connect = || connect(self.server.clone(), self.bells.clone(), Arc::downgrade(&self.client));
        self.client.get_or_try_init(connect).await
    }

    async fn subscribe(self) {
        let client = match self.client().await {
            Ok(client) => client,
            Err(error) => {
                tracing::error!(%error, "NATS cannot be used; everybody looks by themselves");
                return;
            }
        };
        for topic in Topic::ALL {
            match client.subscribe(topic.name()).await {
                // It outlives a lost connection.
                Ok(signals) => _ = tokio::spawn(forward(signals, topic, self.bells.clone())),
                Err(error) => {
                    tracing::error!(%error, topic = topic.name(), "not subscribed; everybody looks by themselves");
                }
            }
        }
        self.bells.ring_all();
    }
}

async fn connect(
    server: ServerAddr,
    bells: Bells,
    client: Weak<OnceCell<Client>>,
) -> Result<Client, ConnectError> {
    ConnectOptions::new()
        .name("dangol")
        .retry_on_initial_connect()
        .reconnect_delay_callback(|attempt| {
            let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
            LONGEST_PAUSE.min(Duration::from_millis(50).saturating_mul(attempt))
        })
        .event_callback(move |event| {
            let connected = event == Event::Connected;
            match event {
                Event::Connected => {
                    tracing::info!("connected to NATS");
                    // Nobody knows what was said meanwhile.
                    bells.ring_all();
                }
                Event::Disconnected => tracing::warn!("NATS is away; everybody looks by themselves"),
                other => tracing::debug!(event = %other, "NATS"),
            }
            let client = client.upgrade().filter(|_| connected).and_then(|client| client.get().cloned());
            async move {
                // Nor did anybody hear what this process had to say.
                for topic in Topic::ALL {
                    if let Some(client) = &client {
                        publish(client, topic).await;
                    }
                }
            }
        })
        .connect(server)
        .await
}

async fn forward(mut signals: Subscriber, topic: Topic, bells: Bells) {
    while signals.next().await.is_some() {
        bells.ring(topic);
    }
}

async fn publish(client: &Client, topic: Topic) {
    let error = match timeout(SEND_WITHIN, client.publish(topic.name(), Vec::new().into())).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it takes too long".to_owned(),
    };
    tracing::warn!(error, topic = topic.name(), "a signal was not sent; others look again by themselves");
}

#[async_trait]
impl Signal for NatsSignal {
    /// While NATS is away nothing is sent: the client would keep it until it has no room, and then wait.
    async fn send(&self, topic: Topic) {
        match self.client().await {
            Ok(client) if client.connection_state() == State::Connected => publish(client, topic).await,
            Ok(_) => tracing::debug!(topic = topic.name(), "a signal was not sent: NATS is away"),
            Err(error) => tracing::warn!(%error, topic = topic.name(), "a signal was not sent"),
        }
    }

    fn listen(&self, topic: Topic) -> watch::Receiver<()> {
        self.listening.call_once(|| _ = tokio::spawn(self.clone().subscribe()));
        self.bells.of(topic).subscribe()
    }
}

//! The WebSocket.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{
        State,
        ws::{
            CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade, rejection::WebSocketUpgradeRejection,
        },
    },
    http::StatusCode,
    response::Response,
};
use futures::SinkExt;
use metrics::counter;
use platform::Problem;
use serde::Deserialize;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use super::listener::{ConnectProblems, ConnectQuery, Listener};
use crate::{
    NotificationId, Notifications, NotificationsError,
    hub::{self, Feed, Frame, Over, Parting},
};

/// Frames of a client are short.
const LARGEST_FRAME: usize = 4 * 1024;

/// What a connection reads and writes at once. Thousands of them lie idle, each with these; what is written from has grown
/// by a frame.
const READ_BUFFER: usize = 512;
const WRITE_BUFFER: usize = 512;

/// How long it may take to say goodbye, and to hear it: who does not read does not read that we hang up either.
const FAREWELL: Duration = Duration::from_secs(1);

/// Connect over WebSocket
///
/// With the `Authorization` header, or with a `ticket` where none can be sent. Frames are JSON texts. The first is
/// `{"type": "CONNECTED", "message": "알림 서버에 연결되었습니다.", "unreadCount": 5}`, then comes
/// `{"type": "NOTIFICATION", "data": {"id", "notificationType", "title", "message", "link", "createdAt"}}` for each: first
/// those behind `lastId`, in order, then each as it is told, with none missing and none twice.
///
/// The client may send `{"type": "READ", "id": 17}`, answered with the same and the new `unreadCount`, and
/// `{"type": "PING"}`, answered with `{"type": "PONG"}`. What cannot be understood is answered with
/// `{"type": "ERROR", "code", "message"}`.
///
/// The server closes with 1012 `RESTARTING` (come back after the milliseconds that the reason names), 1013 `SLOW_READER`
/// (come back with `lastId`), 4401 `TOKEN_EXPIRED`, 4408 `IDLE` and 4429 `TOO_MANY_CONNECTIONS`; with 1009 `FRAME_TOO_LARGE`
/// (above 4 KiB) and 1007 `NOT_UTF8` it refuses what the client sent.
#[utoipa::path(
    get, path = "/ws/notifications", operation_id = "openNotificationSocket", tag = "notifications",
    security(("bearer" = [])), params(ConnectQuery),
    responses(
        (status = 101, description = "Connected"),
        (status = 426, description = "`UPGRADE_REQUIRED`: this address speaks WebSocket", body = Problem, content_type = "application/problem+json"),
        ConnectProblems,
    ),
)]
pub(crate) async fn open_notification_socket(
    State(notifications): State<Notifications>,
    listener: Listener,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|rejection| {
        tracing::debug!(%rejection, "no WebSocket");
        let detail = "WebSocket으로 연결해 주세요.";
        Problem::new(StatusCode::UPGRADE_REQUIRED, "UPGRADE_REQUIRED", "Upgrade required", detail)
    })?;
    let upgrade = upgrade
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_message_size(LARGEST_FRAME)
        .max_frame_size(LARGEST_FRAME);
    Ok(upgrade.on_upgrade(move |socket| serve(socket, notifications, listener)))
}

/// Why a connection ended.
enum End {
    /// The client hung up, or is gone.
    Gone,
    /// The client sent what nobody may.
    Refused { code: u16, reason: &'static str },
    /// We hang up.
    Over(Over),
}

impl From<axum::Error> for End {
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast_ref() {
            Some(tungstenite::Error::Capacity(_)) => Self::Refused { code: 1009, reason: "FRAME_TOO_LARGE" },
            Some(tungstenite::Error::Utf8(_)) => Self::Refused { code: 1007, reason: "NOT_UTF8" },
            _ => Self::Gone,
        }
    }
}

impl From<Over> for End {
    fn from(over: Over) -> Self {
        Self::Over(over)
    }
}

impl From<sqlx::Error> for End {
    fn from(error: sqlx::Error) -> Self {
        Self::Over(error.into())
    }
}

async fn serve(socket: WebSocket, notifications: Notifications, listener: Listener) {
    let Listener { reader, last_id } = listener;
    let feed = Feed::of(notifications.clone(), reader);
    let mut screen = Screen { socket, notifications };
    // Kept until the very end: a server that stops waits for the places to be free, and then everybody was told so.
    let mut feed = match feed {
        Ok(feed) => feed,
        Err(over) => return Box::pin(screen.close(over.into())).await,
    };
    // Boxed: a future with queries in it is large, and would be kept for as long as the connection lives.
    let end = match Box::pin(screen.begin(&mut feed, last_id)).await {
        Ok(()) => screen.follow(&mut feed).await,
        Err(end) => end,
    };
    Box::pin(screen.close(end)).await;
}

/// Somebody's screen.
struct Screen {
    socket: WebSocket,
    notifications: Notifications,
}

impl Screen {
    /// Tells everything up to now.
    async fn begin(&mut self, feed: &mut Feed, last_id: Option<NotificationId>) -> Result<(), End> {
        let (hub, session_ends) = (self.notifications.hub.clone(), feed.reader.session_ends());
        let telling = async {
            let unread = feed.begin(last_id).await?;
            self.send(Message::Text(hub::connected(unread))).await?;
            while let Some(missed) = feed.catch_up().await? {
                self.send_all(&missed).await?;
            }
            Ok(())
        };
        hub.while_open(session_ends, telling).await
    }

    /// Tells what is new until one of the two hangs up.
    async fn follow(&mut self, feed: &mut Feed) -> End {
        let limits = *self.notifications.hub.limits();
        let session_ends = feed.reader.session_ends();
        let mut heard = Instant::now();
        let mut beat = heard + limits.heartbeat;
        let mut frames = Vec::new();
        loop {
            let step = tokio::select! {
                next = feed.next(&mut frames) => match next {
                    Ok(()) => self.send_all(&frames).await,
                    Err(over) => Err(over.into()),
                },
                message = self.socket.recv() => {
                    heard = Instant::now();
                    match message {
                        Some(Ok(Message::Text(text))) => Box::pin(self.answer(feed, text)).await,
                        Some(Ok(Message::Binary(_))) => Box::pin(self.answer(feed, Utf8Bytes::default())).await,
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(()),
                        Some(Ok(Message::Close(_))) | None => Err(End::Gone),
                        Some(Err(error)) => Err(error.into()),
                    }
                }
                () = sleep_until(beat.min(session_ends)) => {
                    let now = Instant::now();
                    if now >= session_ends {
                        Err(Over::Part(Parting::SessionOver).into())
                    } else if now.duration_since(heard) >= limits.idle {
                        Err(Over::Part(Parting::Idle).into())
                    } else {
                        beat = now + limits.heartbeat;
                        self.send(Message::Ping(Bytes::new())).await
                    }
                }
            };
            frames.clear();
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn answer(&mut self, feed: &Feed, text: Utf8Bytes) -> Result<(), End> {
        /// What a client may say.
        #[derive(Deserialize)]
        #[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
        enum Frame {
            Read {
                #[serde(alias = "notificationId")]
                id: NotificationId,
            },
            Ping,
        }
        let reply = match serde_json::from_str::<Frame>(&text) {
            Ok(Frame::Ping) => hub::pong(),
            Ok(Frame::Read { id }) => match feed.read(id).await {
                Ok(unread) => hub::read(id, unread),
                Err(NotificationsError::Db(error)) => return Err(error.into()),
                Err(_) => hub::refused("NOT_FOUND", "알림을 찾을 수 없습니다."),
            },
            Err(_) => hub::refused("UNKNOWN_FRAME", "READ와 PING만 보낼 수 있습니다."),
        };
        self.send(Message::Text(reply)).await
    }

    async fn send(&mut self, message: Message) -> Result<(), End> {
        let within = self.notifications.hub.limits().send_within;
        match timeout(within, self.socket.send(message)).await {
            Ok(sent) => sent.map_err(End::from),
            Err(_) => Err(Over::Part(Parting::Slow).into()),
        }
    }

    async fn send_all(&mut self, frames: &[Arc<Frame>]) -> Result<(), End> {
        let within = self.notifications.hub.limits().send_within;
        let send = async {
            for frame in frames {
                self.socket.feed(Message::Text(frame.text.clone())).await?;
            }
            self.socket.flush().await
        };
        match timeout(within, send).await {
            Ok(sent) => sent.map_err(End::from),
            Err(_) => Err(Over::Part(Parting::Slow).into()),
        }
    }

    async fn close(mut self, end: End) {
        let (code, reason) = match end {
            End::Gone => return,
            End::Refused { code, reason } => {
                counter!("dangol_notification_partings_total", "reason" => reason).increment(1);
                (code, reason.to_owned())
            }
            End::Over(Over::Failed(error)) => {
                tracing::error!(%error, "a connection to notifications failed");
                (1011, "INTERNAL_ERROR".to_owned())
            }
            End::Over(Over::Part(parting)) => {
                counter!("dangol_notification_partings_total", "reason" => parting.reason()).increment(1);
                (parting.code(), self.notifications.hub.farewell(parting))
            }
        };
        let close = Message::Close(Some(CloseFrame { code, reason: reason.into() }));
        // Until the client has said the same: a connection that is closed while something is on its way is reset, and the
        // reason lost with it.
        let farewell = async {
            self.socket.send(close).await?;
            while self.socket.recv().await.transpose()?.is_some() {}
            Ok::<(), axum::Error>(())
        };
        let _ = timeout(FAREWELL, farewell).await;
    }
}

//! Server-sent events: the same over plain HTTP.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures::stream;
use metrics::counter;
use platform::{AuthFailure, Problem};
use tokio::{
    sync::mpsc,
    time::{Duration, Instant, sleep, sleep_until},
};

use super::listener::{ConnectProblems, ConnectQuery, Listener};
use crate::{
    NotificationId, Notifications,
    audience::Reader,
    hub::{self, Feed, Over, Parting},
};

/// How long a process that stops waits for whoever does not read.
const FAREWELL: Duration = Duration::from_secs(1);

/// The header with which a browser comes back.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only described; read with the rest of who listens")]
pub(crate) struct LastEvent {
    /// As `lastId`. `EventSource` sends it by itself.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: Option<i64>,
}

/// Listen over server-sent events
///
/// The same as over WebSocket, as `text/event-stream`: an event `CONNECTED`, then an event `NOTIFICATION` for each, whose
/// `data` is the WebSocket's frame and whose `id` is the notification's. What was told behind `Last-Event-ID` comes first. An
/// event `CLOSED` names the reason for which the server ends the stream.
///
/// A browser that comes with a ticket needs another one to come back.
#[utoipa::path(
    get, path = "/api/notifications/stream", operation_id = "streamNotifications", tag = "notifications",
    security(("bearer" = [])), params(ConnectQuery, LastEvent),
    responses(
        (status = 200, description = "Events until one of the two hangs up", body = String, content_type = "text/event-stream"),
        (status = 429, description = "`TOO_MANY_CONNECTIONS`", body = Problem, content_type = "application/problem+json"),
        ConnectProblems,
    ),
)]
pub(crate) async fn stream_notifications(
    State(notifications): State<Notifications>,
    listener: Listener,
) -> Result<Response, Problem> {
    let mut events = Events::of(notifications, listener.reader).map_err(refusal)?;
    let beginning = events.begin(listener.last_id).await.map_err(refusal)?;
    let (chunks, body) = mpsc::channel(1);
    tokio::spawn(events.tell(beginning, chunks));
    let body = stream::unfold(body, async |mut body| Some((Ok::<_, Infallible>(body.recv().await?), body)));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        // nginx would keep it until it has a page full.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Whoever cannot be told anything learns it from the status.
fn refusal(over: Over) -> Problem {
    match over {
        Over::Part(Parting::TooMany) => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "TOO_MANY_CONNECTIONS",
            "Too many connections",
            "연결이 너무 많습니다. 다른 화면을 닫고 다시 시도해 주세요.",
        ),
        Over::Part(Parting::SessionOver) => AuthFailure::Expired.into(),
        Over::Part(_) => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "RESTARTING",
            "Service unavailable",
            "서버를 다시 시작하고 있습니다. 잠시 후 다시 연결해 주세요.",
        ),
        Over::Failed(error) => error.into(),
    }
}

/// What one listener hears.
struct Events {
    notifications: Notifications,
    feed: Feed,
    session_ends: Instant,
}

impl Events {
    fn of(notifications: Notifications, reader: Reader) -> Result<Self, Over> {
        let session_ends = reader.session_ends();
        Ok(Self { feed: Feed::of(notifications.clone(), reader)?, notifications, session_ends })
    }

    /// How it begins, with the first of what was missed.
    async fn begin(&mut self, last_id: Option<NotificationId>) -> Result<Bytes, Over> {
        let (hub, session_ends) = (self.notifications.hub.clone(), self.session_ends);
        let beginning = async {
            let unread = hub::connected(self.feed.begin(last_id).await?);
            let seen = self.feed.seen();
            let missed = self.missed().await?;
            let connected = format!("event: CONNECTED\nid: {seen}\ndata: {}\n\n", unread.as_str());
            Ok([connected.as_bytes(), &missed].concat().into())
        };
        hub.while_open(session_ends, beginning).await
    }

    /// The next page of what was missed; empty when all of it was told.
    async fn missed(&mut self) -> Result<Bytes, Over> {
        let missed = self.feed.catch_up().await?.unwrap_or_default();
        Ok(missed.iter().flat_map(|frame| frame.event()).collect())
    }

    /// Tells what is new until one of the two hangs up.
    ///
    /// In a task of its own, since nobody asks for the next part of a body that the network does not take: whoever reads
    /// too slowly, and whoever has gone without a word, would never be noticed, and have their place for ever.
    async fn tell(mut self, beginning: Bytes, chunks: mpsc::Sender<Bytes>) {
        let mut chunk = Ok(beginning);
        loop {
            let (bytes, is_last) = match chunk {
                Ok(bytes) => (bytes, false),
                Err(over) => (self.farewell(over), true),
            };
            if !self.hand_on(&chunks, bytes).await || is_last {
                return;
            }
            chunk = tokio::select! {
                next = self.next() => next,
                () = chunks.closed() => return,
            };
        }
    }

    /// Whether somebody took it in time.
    async fn hand_on(&self, chunks: &mpsc::Sender<Bytes>, bytes: Bytes) -> bool {
        let hub = &self.notifications.hub;
        let stopped = async {
            hub.stopping().await;
            sleep(FAREWELL).await;
        };
        let parting = tokio::select! {
            sent = chunks.send(bytes) => return sent.is_ok(),
            () = sleep(hub.limits().send_within) => Parting::Slow,
            () = stopped => Parting::Restart,
        };
        counter!("dangol_notification_partings_total", "reason" => parting.reason()).increment(1);
        false
    }

    async fn next(&mut self) -> Result<Bytes, Over> {
        let hub = self.notifications.hub.clone();
        let missed = hub.while_open(self.session_ends, self.missed()).await?;
        if !missed.is_empty() {
            return Ok(missed);
        }
        let beat = Instant::now() + hub.limits().heartbeat;
        let mut frames = Vec::new();
        // Of what came meanwhile all may have been told already.
        while frames.is_empty() {
            tokio::select! {
                next = self.feed.next(&mut frames) => next?,
                () = sleep_until(beat.min(self.session_ends)) => {
                    if Instant::now() >= self.session_ends {
                        return Err(Over::Part(Parting::SessionOver));
                    }
                    // A comment: proxies and clients see that somebody is there.
                    return Ok(Bytes::from_static(b":\n\n"));
                }
            }
        }
        Ok(frames.iter().flat_map(|frame| frame.event()).collect())
    }

    fn farewell(&self, over: Over) -> Bytes {
        let (code, reason) = match over {
            Over::Failed(error) => {
                tracing::error!(%error, "a stream of notifications failed");
                (1011, "INTERNAL_ERROR")
            }
            Over::Part(parting) => {
                counter!("dangol_notification_partings_total", "reason" => parting.reason()).increment(1);
                (parting.code(), parting.reason())
            }
        };
        let retry = self.notifications.hub.comes_back_after().as_millis();
        let closed = format!(r#"{{"type":"CLOSED","code":{code},"reason":"{reason}"}}"#);
        format!("retry: {retry}\nevent: CLOSED\ndata: {closed}\n\n").into()
    }
}

//! Screens on which somebody sees notifications: over WebSocket, or as a browser's event source.

use std::{net::SocketAddr, time::Duration};

use futures::{SinkExt, StreamExt};
use reqwest::Response;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        Error, Message,
        client::IntoClientRequest,
        http::StatusCode,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use crate::Actor;

/// What has not come by then does not come.
const PATIENCE: Duration = Duration::from_mins(1);

/// An open WebSocket.
pub struct Screen {
    socket: WebSocketStream<TcpStream>,
}

impl Screen {
    /// Somebody connects with their token; `query` as in `?lastId=17`.
    pub async fn open(address: SocketAddr, who: &Actor, query: &str) -> Self {
        Self::try_open(address, Some(who.token()), query).await.expect("the server takes the connection")
    }

    /// A browser connects, which can send no header.
    pub async fn open_in_browser(address: SocketAddr, query: &str) -> Result<Self, StatusCode> {
        Self::try_open(address, None, query).await
    }

    /// The status with which the server refuses, if it does.
    pub async fn try_open(address: SocketAddr, token: Option<&str>, query: &str) -> Result<Self, StatusCode> {
        let mut request =
            format!("ws://{address}/ws/notifications{query}").into_client_request().expect("an address");
        if let Some(token) = token {
            let value = format!("Bearer {token}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        let stream = TcpStream::connect(address).await.expect("somebody listens");
        match client_async(request, stream).await {
            Ok((socket, _)) => Ok(Self { socket }),
            Err(Error::Http(refusal)) => Err(refusal.status()),
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    /// The next frame; fails the test if none comes.
    pub async fn next(&mut self) -> Value {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).expect("a frame is JSON"),
            other => panic!("expected a frame, got {other:?}"),
        }
    }

    /// The first frame: how much is unread.
    pub async fn connected(&mut self) -> i64 {
        let frame = self.next().await;
        assert_eq!(frame["type"], "CONNECTED", "{frame}");
        assert_eq!(frame["message"], "알림 서버에 연결되었습니다.");
        frame["unreadCount"].as_i64().expect("a count")
    }

    /// The `data` of the next frame, which has to be a notification.
    pub async fn notification(&mut self) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["type"], "NOTIFICATION", "{frame}");
        frame["data"].clone()
    }

    /// A notification of this type comes next.
    pub async fn tells(&mut self, kind: &str) -> Value {
        let notification = self.notification().await;
        assert_eq!(notification["notificationType"], kind, "{notification}");
        notification
    }

    pub async fn says(&mut self, frame: Value) {
        self.sends(Message::text(frame.to_string())).await;
    }

    pub async fn sends(&mut self, message: Message) {
        self.socket.send(message).await.expect("the connection is open");
    }

    /// A text that is none.
    pub async fn says_what_is_no_text(&mut self) {
        self.sends(Message::Frame(Frame::message(vec![0xff; 8], OpCode::Data(Data::Text), true))).await;
    }

    /// Nothing was sent that was not looked at: what comes in answer to a ping comes behind it.
    pub async fn is_silent(&mut self) {
        self.says(json!({"type": "PING"})).await;
        assert_eq!(self.next().await, json!({"type": "PONG"}));
    }

    /// The next frame, or the code and the reason with which the server hangs up.
    pub async fn next_or_farewell(&mut self) -> Result<Value, (u16, String)> {
        match self.message().await {
            Message::Text(text) => Ok(serde_json::from_str(&text).expect("a frame is JSON")),
            Message::Close(Some(close)) => Err((close.code.into(), close.reason.to_string())),
            other => panic!("expected a frame or a farewell, got {other:?}"),
        }
    }

    /// The next frame, or nothing if the server hung up.
    pub async fn next_if_open(&mut self) -> Option<Value> {
        loop {
            match timeout(PATIENCE, self.socket.next()).await.expect("something comes")?.ok()? {
                Message::Text(text) => return Some(serde_json::from_str(&text).expect("a frame is JSON")),
                Message::Close(_) => return None,
                _ => {}
            }
        }
    }

    /// A sign of life comes, and is answered.
    pub async fn pinged(&mut self) {
        let next = timeout(PATIENCE, self.socket.next()).await.expect("something comes");
        let message = next.expect("the connection is open").expect("and works");
        assert!(matches!(message, Message::Ping(_)), "{message:?}");
    }

    /// The server hangs up, in whatever way.
    pub async fn hangs_up(&mut self) {
        let ended = async { while let Some(Ok(_)) = self.socket.next().await {} };
        timeout(PATIENCE, ended).await.expect("the server hangs up");
    }

    /// The code and the reason with which the server hangs up.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.message().await {
                Message::Close(Some(close)) => return (close.code.into(), close.reason.to_string()),
                Message::Text(_) => {}
                other => panic!("expected a farewell, got {other:?}"),
            }
        }
    }

    async fn message(&mut self) -> Message {
        loop {
            let next = timeout(PATIENCE, self.socket.next()).await.expect("something comes");
            match next.expect("the connection is open").expect("and works") {
                // Signs of life, which the library answers.
                Message::Ping(_) | Message::Pong(_) => {}
                message => return message,
            }
        }
    }
}

/// A stream of server-sent events.
pub struct EventSource {
    response: Response,
    received: Vec<u8>,
}

/// One of its events.
#[derive(Debug)]
pub struct ServerSentEvent {
    pub name: String,
    pub id: Option<i64>,
    pub data: Value,
}

impl EventSource {
    pub async fn open(address: SocketAddr, who: &Actor, last_event_id: Option<i64>) -> Self {
        let mut request = reqwest::Client::new()
            .get(format!("http://{address}/api/notifications/stream"))
            .bearer_auth(who.token());
        if let Some(id) = last_event_id {
            request = request.header("last-event-id", id);
        }
        let response = request.send().await.expect("the server answers");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Self { response, received: Vec::new() }
    }

    /// The next event; fails the test if none comes.
    pub async fn next(&mut self) -> ServerSentEvent {
        loop {
            if let Some(end) = self.received.windows(2).position(|bytes| bytes == b"\n\n") {
                let block: Vec<u8> = self.received.drain(..end + 2).collect();
                if let Some(event) = read(std::str::from_utf8(&block).expect("text")) {
                    return event;
                }
                continue;
            }
            let chunk = timeout(PATIENCE, self.response.chunk()).await.expect("something comes");
            let chunk = chunk.expect("the stream works").expect("the stream goes on");
            self.received.extend_from_slice(&chunk);
        }
    }
}

/// A comment is no event.
fn read(block: &str) -> Option<ServerSentEvent> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    Some(ServerSentEvent {
        name: field("event")?.to_owned(),
        id: field("id").map(|id| id.parse().expect("a number")),
        data: serde_json::from_str(field("data")?).expect("JSON"),
    })
}

//! The yardstick: an axum WebSocket hub that keeps everybody in a list and sends each frame to all of them. It knows nobody,
//! stores nothing and replays nothing.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    body::Bytes,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::{get, post},
};
use tokio::{net::TcpListener, sync::mpsc};

use crate::part::{answer, orphaned};

type Everybody = Arc<Mutex<Vec<mpsc::Sender<Utf8Bytes>>>>;

/// As many as may wait for one of ours.
const QUEUE: usize = 512;

/// Answers with its address, and serves until nobody wants it any more.
pub(crate) async fn run() -> anyhow::Result<()> {
    let router = Router::new()
        .route("/ws/notifications", get(connect))
        .route("/broadcast", post(broadcast))
        .with_state(Everybody::default());
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    answer(&listener.local_addr()?)?;
    axum::serve(listener, router).with_graceful_shutdown(orphaned()).await?;
    Ok(())
}

async fn connect(State(everybody): State<Everybody>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| serve(socket, everybody))
}

async fn serve(mut socket: WebSocket, everybody: Everybody) {
    let (sender, mut frames) = mpsc::channel(QUEUE);
    everybody.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
    if socket.send(Message::text(r#"{"type":"CONNECTED"}"#)).await.is_err() {
        return;
    }
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(frame) => if socket.send(Message::Text(frame)).await.is_err() { return },
                None => return,
            },
            message = socket.recv() => if !matches!(message, Some(Ok(_))) { return },
        }
    }
}

/// A frame a line, each to everybody.
async fn broadcast(State(everybody): State<Everybody>, frames: Bytes) {
    let text = String::from_utf8_lossy(&frames);
    for line in text.lines() {
        let frame = Utf8Bytes::from(line);
        let everybody = everybody.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in everybody.iter() {
            let _ = sender.try_send(frame.clone());
        }
    }
}

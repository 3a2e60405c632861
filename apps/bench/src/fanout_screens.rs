//! Thousands of screens, on bare sockets: what a WebSocket library needs for itself would be missing to the server.
//!
//! A frame says in its title when it was sent, so that whoever receives it knows how long it took.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::{Context, ensure};
use chrono::TimeDelta;
use identity::Tokens;
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Membership, Principal, Role};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    task::JoinSet,
};

use crate::{part::answer, world::configuration};

/// How many connect at once.
const AT_ONCE: i64 = 64;

#[derive(Serialize, Deserialize)]
pub(crate) struct Screens {
    pub address: SocketAddr,
    /// The owners of the businesses 1, 2, 3 and so on, one screen each.
    pub connections: i64,
    /// How many frames all of them together get in each round.
    pub rounds: Vec<u64>,
}

/// What became of a round.
#[derive(Serialize, Deserialize)]
pub(crate) struct Round {
    /// From sending to receiving, milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// From the first sending to the last receiving, seconds.
    pub took: f64,
}

#[derive(Default)]
struct Seen {
    count: AtomicU64,
    complete: AtomicU64,
    /// When each was sent and how long it took, microseconds.
    frames: Mutex<Vec<(i64, i64)>>,
    is_complete: Notify,
}

/// Answers with `true` when all are connected, and then with each round as it is complete.
pub(crate) async fn run(task: Screens) -> anyhow::Result<()> {
    let (_, secrets) = configuration(&[])?;
    let tokens = Tokens::new(&secrets.jwt);
    let seen = Arc::new(Seen::default());
    seen.complete.store(u64::MAX, Ordering::SeqCst);
    let mut connected = 0;
    while connected < task.connections {
        let mut connecting = JoinSet::new();
        for business in connected + 1..=task.connections.min(connected + AT_ONCE) {
            let owner = Principal {
                subject: format!("owner_{business}"),
                memberships: vec![Membership { business_id: BusinessId(business), role: Role::Owner }],
                is_platform_admin: false,
            };
            let token = tokens.issue(&owner, SystemClock.now(), TimeDelta::hours(1));
            connecting.spawn(connect(task.address, token));
        }
        while let Some(stream) = connecting.join_next().await {
            tokio::spawn(watch(stream??, Arc::clone(&seen)));
            connected += 1;
        }
    }
    for frames in task.rounds {
        seen.frames.lock().unwrap_or_else(PoisonError::into_inner).clear();
        seen.count.store(0, Ordering::SeqCst);
        seen.complete.store(frames, Ordering::SeqCst);
        // Ready for the round.
        answer(&true)?;
        seen.is_complete.notified().await;
        answer(&seen.round()?)?;
    }
    Ok(())
}

/// Up to and with the first frame, behind which everything is told.
async fn connect(address: SocketAddr, token: String) -> anyhow::Result<(TcpStream, Vec<u8>)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let hello = format!(
        "GET /ws/notifications HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: upgrade\r\n\
         upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(hello.as_bytes()).await?;
    let mut received = Vec::with_capacity(2_048);
    loop {
        let read = stream.read_buf(&mut received).await?;
        ensure!(read > 0, "the server hung up");
        let Some(head) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        ensure!(received.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&received));
        let Some(end) = frame_end(&received[head + 4..]) else { continue };
        return Ok((stream, received.split_off(head + 4 + end)));
    }
}

/// Counts what comes until the server hangs up.
async fn watch((mut stream, mut received): (TcpStream, Vec<u8>), seen: Arc<Seen>) -> anyhow::Result<()> {
    loop {
        let mut from = 0;
        while let Some(length) = frame_end(&received[from..]) {
            let frame = &received[from..from + length];
            match frame[0] & 0x0f {
                1 => seen.frame(frame).context("a frame that says when it was sent")?,
                // A pong, masked with nothing.
                9 => stream.write_all(&[0x8a, 0x80, 0, 0, 0, 0]).await?,
                _ => {}
            }
            from += length;
        }
        received.drain(..from);
        ensure!(stream.read_buf(&mut received).await? > 0, "the server hung up");
    }
}

/// How long the first frame is, if it is all there.
fn frame_end(bytes: &[u8]) -> Option<usize> {
    let short = usize::from(*bytes.get(1)? & 0x7f);
    let end = match short {
        126 => 4 + usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])),
        _ => 2 + short,
    };
    (bytes.len() >= end).then_some(end)
}

impl Seen {
    fn frame(&self, frame: &[u8]) -> Option<()> {
        let now = SystemClock.now().timestamp_micros();
        let text = std::str::from_utf8(&frame[if frame[1] & 0x7f == 126 { 4 } else { 2 }..]).ok()?;
        let (_, title) = text.split_once(r#""title":""#)?;
        let sent: i64 = title.split_once('"')?.0.parse().ok()?;
        self.frames.lock().unwrap_or_else(PoisonError::into_inner).push((sent, now - sent));
        let count = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        if count == self.complete.load(Ordering::SeqCst) {
            self.is_complete.notify_one();
        }
        Some(())
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds of one run")]
    fn round(&self) -> anyhow::Result<Round> {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let began = frames.iter().map(|(sent, _)| *sent).min().context("no frames")?;
        let ended = frames.iter().map(|(sent, took)| sent + took).max().context("no frames")?;
        let mut took: Vec<i64> = frames.iter().map(|(_, took)| *took).collect();
        took.sort_unstable();
        let at = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)] as f64 / 1e3;
        Ok(Round { p50: at(50), p99: at(99), took: (ended - began) as f64 / 1e6 })
    }
}

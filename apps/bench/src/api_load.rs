//! The load on the server: owners asking for their subscription, on connections that stay open.
//!
//! Written on bare sockets, because pgbench is: a full HTTP client would take CPU from the server that
//! pgbench leaves to PostgreSQL.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use identity::Tokens;
use kernel::{BusinessId, Clock, SystemClock};
use platform::{Membership, Principal, Role};
use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};
use uuid::Uuid;

use crate::world::configuration;

#[derive(Serialize, Deserialize)]
pub(crate) struct ApiLoad {
    pub address: SocketAddr,
    pub connections: u32,
    pub seconds: u64,
    /// Numbered from 1; each request is for a random one.
    pub businesses: u32,
}

/// Answers with requests a second.
pub(crate) async fn run(task: &ApiLoad) -> anyhow::Result<f64> {
    let requests: Vec<Vec<u8>> = requests(task)?;
    let requests: &'static [Vec<u8>] = requests.leak();
    let began = Instant::now();
    let until = began + Duration::from_secs(task.seconds);
    let mut clients = JoinSet::new();
    for _ in 0..task.connections {
        clients.spawn(ask_until(until, task.address, requests));
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += client??;
    }
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}

/// A request of each business's owner, ready to be sent.
fn requests(task: &ApiLoad) -> anyhow::Result<Vec<Vec<u8>>> {
    let (_, secrets) = configuration(&[])?;
    let tokens = Tokens::new(&secrets.jwt);
    let now = SystemClock.now();
    let request = |business| {
        let token = owner_token(&tokens, business, now);
        let (path, host) = ("/api/subscriptions/current", task.address);
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
    };
    Ok((1..=i64::from(task.businesses)).map(request).collect())
}

/// With which the owner of a business comes.
pub(crate) fn owner_token(tokens: &Tokens, business: i64, now: DateTime<Utc>) -> String {
    let owner = Principal {
        subject: format!("owner_{business}"),
        memberships: vec![Membership { business_id: BusinessId(business), role: Role::Owner }],
        is_platform_admin: false,
    };
    tokens.issue(&owner, now, TimeDelta::hours(1))
}

/// How many answers one client got.
async fn ask_until(until: Instant, address: SocketAddr, requests: &[Vec<u8>]) -> anyhow::Result<u32> {
    let mut server = TcpStream::connect(address).await?;
    server.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut answered = 0;
    while Instant::now() < until {
        server.write_all(&requests[random_below(requests.len())]).await?;
        read_answer(&mut server, &mut buffer).await?;
        answered += 1;
    }
    Ok(answered)
}

pub(crate) async fn read_answer(server: &mut TcpStream, buffer: &mut [u8]) -> anyhow::Result<()> {
    let answered = read_any_answer(server, buffer).await?;
    let body = || String::from_utf8_lossy(answered.body);
    ensure!(answered.status() == "200", "{}\r\n\r\n{}", answered.head, body());
    Ok(())
}

/// What the server said.
pub(crate) struct Answered<'a> {
    pub head: &'a str,
    pub body: &'a [u8],
}

impl Answered<'_> {
    pub(crate) fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

pub(crate) async fn read_any_answer<'a>(
    server: &mut TcpStream,
    buffer: &'a mut [u8],
) -> anyhow::Result<Answered<'a>> {
    let mut filled = 0;
    let (head, end) = loop {
        let read = server.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the server hung up");
        filled += read;
        let Some(head) = buffer[..filled].windows(4).position(|bytes| bytes == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?;
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let has_no_body = text.starts_with("HTTP/1.1 304");
        let length = length.or(has_no_body.then_some("0")).context("an answer without its length")?;
        let end = head + 4 + length.parse::<usize>()?;
        if filled >= end {
            break (head, end);
        }
    };
    Ok(Answered { head: std::str::from_utf8(&buffer[..head])?, body: &buffer[head + 4..end] })
}

fn random_below(limit: usize) -> usize {
    let (bits, _) = Uuid::new_v4().as_u64_pair();
    usize::try_from(bits % limit as u64).unwrap_or_default()
}

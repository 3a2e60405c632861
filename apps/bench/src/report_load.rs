//! Owners reading reports over HTTP, one after the other, on one connection that stays open.

use std::{net::SocketAddr, time::Instant};

use anyhow::{Context, ensure};
use identity::Tokens;
use kernel::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    api_load::{Answered, owner_token, read_any_answer},
    latency::Latencies,
    world::configuration,
};

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct ReportLoad {
    pub address: SocketAddr,
    /// Whose reports, in turn.
    pub businesses: Vec<i64>,
    /// What stands after `reports/`.
    pub report: String,
    pub times: usize,
    /// With the `ETag` that the report had, so that the answer is a 304.
    pub again: bool,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ReportsRead {
    pub latencies: Latencies,
    /// Of one report of each business, added up, so that somebody can check them.
    pub total_revenue: i64,
}

/// A request, ready to be sent.
struct Request {
    bytes: Vec<u8>,
    expected: &'static str,
}

pub(crate) async fn run(task: &ReportLoad) -> anyhow::Result<ReportsRead> {
    let mut server = TcpStream::connect(task.address).await?;
    server.set_nodelay(true)?;
    let mut buffer = vec![0; 1024 * 1024];
    let (_, secrets) = configuration(&[])?;
    let tokens = Tokens::new(&secrets.jwt);
    let mut requests = Vec::with_capacity(task.businesses.len());
    let mut total_revenue = 0;
    for business in &task.businesses {
        let head = head(task, *business, &owner_token(&tokens, *business, SystemClock.now()));
        let first = Request { bytes: format!("{head}\r\n").into_bytes(), expected: "200" };
        let answered = ask(&mut server, &first, &mut buffer).await?;
        let report: Value = serde_json::from_slice(answered.body)?;
        total_revenue += report["data"]["summary"]["totalRevenue"].as_i64().context("no revenue")?;
        let tag = answered.head.lines().find_map(|line| line.strip_prefix("etag: "));
        let tag = tag.context("a report without its version")?;
        requests.push(if task.again {
            let bytes = format!("{head}if-none-match: {tag}\r\n\r\n").into_bytes();
            Request { bytes, expected: "304" }
        } else {
            first
        });
    }
    let mut milliseconds = Vec::with_capacity(task.times);
    for request in requests.iter().cycle().take(task.times) {
        let began = Instant::now();
        ask(&mut server, request, &mut buffer).await?;
        milliseconds.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(ReportsRead { latencies: milliseconds.into_iter().collect(), total_revenue })
}

fn head(task: &ReportLoad, business: i64, token: &str) -> String {
    let (report, host) = (&task.report, task.address);
    format!(
        "GET /api/businesses/{business}/reports/{report} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n"
    )
}

async fn ask<'a>(
    server: &mut TcpStream,
    request: &Request,
    buffer: &'a mut [u8],
) -> anyhow::Result<Answered<'a>> {
    server.write_all(&request.bytes).await?;
    let answered = read_any_answer(server, buffer).await?;
    ensure!(answered.status() == request.expected, "{}", answered.head);
    Ok(answered)
}

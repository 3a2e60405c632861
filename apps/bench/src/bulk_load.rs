//! A reservation system that feeds reservations over HTTP, ten thousand a call.

use std::{net::SocketAddr, ops::Range, time::Instant};

use anyhow::ensure;
use identity::Tokens;
use kernel::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    api_load::{owner_token, read_any_answer},
    world::configuration,
};

/// As many as a call may bring.
pub(crate) const ROWS_A_CALL: u64 = 10_000;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct BulkLoad {
    pub address: SocketAddr,
    /// A shop as the generator invents them.
    pub business: i64,
    /// Reservations are numbered, and these are fed.
    pub numbers: Range<u64>,
    /// They are known, and came to stand otherwise.
    pub changed: bool,
}

/// Answers with how many seconds it took.
pub(crate) async fn run(task: &BulkLoad) -> anyhow::Result<f64> {
    let mut server = TcpStream::connect(task.address).await?;
    server.set_nodelay(true)?;
    let (_, secrets) = configuration(&[])?;
    let token = owner_token(&Tokens::new(&secrets.jwt), task.business, SystemClock.now());
    let mut calls = Vec::new();
    for first in task.numbers.clone().step_by(usize::try_from(ROWS_A_CALL)?) {
        let numbers = first..task.numbers.end.min(first + ROWS_A_CALL);
        calls.push((numbers.end - numbers.start, request(task, &token, numbers)));
    }
    let mut buffer = vec![0; 4 * 1024 * 1024];
    let began = Instant::now();
    for (rows, request) in calls {
        server.write_all(&request).await?;
        let answered = read_any_answer(&mut server, &mut buffer).await?;
        let body = String::from_utf8_lossy(answered.body);
        ensure!(answered.status() == "200", "{}\r\n\r\n{body}", answered.head);
        let report: Value = serde_json::from_slice(answered.body)?;
        let done = if task.changed { "updated" } else { "created" };
        ensure!(report["data"][done] == rows, "not all were {done}: {body}");
    }
    Ok(began.elapsed().as_secs_f64())
}

fn request(task: &BulkLoad, token: &str, numbers: Range<u64>) -> Vec<u8> {
    let lines: Vec<String> = numbers.map(|number| reservation(number, task.changed).to_string()).collect();
    let body = lines.join("\n");
    let (business, host, length) = (task.business, task.address, body.len());
    format!(
        "PUT /api/businesses/{business}/reservations/bulk?announce=false HTTP/1.1\r\nhost: {host}\r\n\
         authorization: Bearer {token}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One of a year; every fourth is for two services.
fn reservation(number: u64, changed: bool) -> Value {
    let service =
        |code: u64, price: u64| json!({"serviceExternalId": format!("V-{}", code % 8 + 1), "price": price});
    let mut services = vec![service(number, 30_000)];
    if number.is_multiple_of(4) {
        services.push(service(number + 1, 15_000));
    }
    let (month, day, hour) = (number % 12 + 1, number / 12 % 28 + 1, number / 336 % 10 + 10);
    json!({
        "externalId": format!("BULK-{number}"), "customerExternalId": format!("C-{}", number % 100 + 1),
        "staffExternalId": format!("S-{}", number % 2 + 1), "services": services,
        "startAt": format!("2026-{month:02}-{day:02}T{hour}:00:00+09:00"),
        "status": if changed { "COMPLETED" } else { "CONFIRMED" },
    })
}

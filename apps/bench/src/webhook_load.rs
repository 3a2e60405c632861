//! The provider's courier: webhooks on connections that stay open, as fast as they are taken.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{io::AsyncWriteExt, net::TcpStream, task::JoinSet};

use crate::{
    api_load::read_answer,
    webhook_provider::{order_id, payment},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct WebhookLoad {
    pub address: SocketAddr,
    pub connections: u32,
    /// The businesses whose payments are told of, one webhook each.
    pub first: i64,
    pub last: i64,
}

/// One webhook in ten arrives twice.
pub(crate) const ONE_REPEATED_OF: i64 = 10;

/// Answers with how many deliveries there were.
pub(crate) async fn run(task: &WebhookLoad) -> anyhow::Result<i64> {
    let next = Arc::new(AtomicI64::new(task.first));
    let mut couriers = JoinSet::new();
    for _ in 0..task.connections {
        couriers.spawn(deliver(task.address, Arc::clone(&next), task.last));
    }
    let mut delivered = 0;
    while let Some(courier) = couriers.join_next().await {
        delivered += courier??;
    }
    Ok(delivered)
}

async fn deliver(address: SocketAddr, next: Arc<AtomicI64>, last: i64) -> anyhow::Result<i64> {
    let mut server = TcpStream::connect(address).await?;
    server.set_nodelay(true)?;
    let mut buffer = vec![0; 64 * 1024];
    let mut delivered = 0;
    loop {
        let business = next.fetch_add(1, Ordering::Relaxed);
        if business > last {
            return Ok(delivered);
        }
        let request = request(address, business);
        let times = if business % ONE_REPEATED_OF == 0 { 2 } else { 1 };
        for _ in 0..times {
            server.write_all(&request).await?;
            read_answer(&mut server, &mut buffer).await?;
            delivered += 1;
        }
    }
}

fn request(host: SocketAddr, business: i64) -> Vec<u8> {
    let data = payment(&order_id(business));
    let body = json!({"eventType": "PAYMENT_STATUS_CHANGED", "createdAt": "2026-11-20T10:00:01.000000", "data": data});
    let body = body.to_string();
    format!(
        "POST /api/webhooks/toss HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         tosspayments-webhook-transmission-id: whtrans_{business}\r\n\
         tosspayments-webhook-transmission-retried-count: 0\r\ncontent-length: {}\r\n\r\n{body}",
        body.len(),
    )
    .into_bytes()
}

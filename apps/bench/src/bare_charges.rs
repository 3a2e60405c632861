//! The yardstick of the billing run: the same calls to the provider, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use reqwest::{
    Client,
    header::{AUTHORIZATION, HeaderMap},
    redirect, retry,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{
    seed::{CUSTOMER, PRICE, toss_authorization},
    world::configuration,
};

#[derive(Serialize, Deserialize)]
pub(crate) struct BareCharges {
    pub sandbox_url: String,
    pub billing_key: String,
    pub charges: u64,
    pub warm_up: u64,
    pub concurrency: usize,
}

/// Answers with charges a second.
pub(crate) async fn run(task: BareCharges) -> anyhow::Result<f64> {
    let (_, secrets) = configuration(&[])?;
    let headers = HeaderMap::from_iter([(AUTHORIZATION, toss_authorization(&secrets).parse()?)]);
    // As the adapter's client is built, with the same time limits.
    let client = Client::builder()
        .default_headers(headers)
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(68))
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .build()?;
    let url = format!("{}/toss/v1/billing/{}", task.sandbox_url, task.billing_key);
    charge(&client, &url, task.warm_up, task.concurrency).await?;
    let began = Instant::now();
    charge(&client, &url, task.charges, task.concurrency).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    Ok(task.charges as f64 / began.elapsed().as_secs_f64())
}

async fn charge(client: &Client, url: &str, charges: u64, concurrency: usize) -> anyhow::Result<()> {
    let begun = Arc::new(AtomicU64::new(0));
    let mut loops = JoinSet::new();
    for _ in 0..concurrency {
        let (client, url, begun) = (client.clone(), url.to_owned(), Arc::clone(&begun));
        loops.spawn(async move {
            while begun.fetch_add(1, Ordering::Relaxed) < charges {
                charge_one(&client, &url).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(done) = loops.join_next().await {
        done??;
    }
    Ok(())
}

async fn charge_one(client: &Client, url: &str) -> anyhow::Result<()> {
    let order = format!("bench_{}", Uuid::new_v4().simple());
    let body = json!({"customerKey": CUSTOMER, "amount": PRICE, "orderId": order, "orderName": "단골 베이직 (월간)"});
    let response = client.post(url).header("Idempotency-Key", &order).json(&body).send().await?;
    if !response.status().is_success() {
        bail!("the sandbox answered {}: {}", response.status(), response.text().await?);
    }
    let payment: Value = response.json().await?;
    ensure!(payment["status"] == "DONE", "not charged: {payment}");
    Ok(())
}

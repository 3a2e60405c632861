//! The yardstick of a campaign: the same calls to the carrier, and nothing else.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use aws_lc_rs::{hmac, rand};
use chrono::SubsecRound;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kernel::{Clock, KoreanTime};
use reqwest::{Client, header::AUTHORIZATION, redirect, retry};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::world::ClockAhead;

/// The sandbox's account that needs no registration.
const API_KEY: &str = "NCSDANGOLDEVELOP";
const API_SECRET: &str = "dangol-development-solapi-secret";

/// As many as a request of the adapter carries.
const MESSAGES_A_REQUEST: usize = 1_000;

#[derive(Serialize, Deserialize)]
pub(crate) struct BareMessages {
    pub sandbox_url: String,
    pub messages: usize,
    /// Requests under way at once.
    pub concurrency: usize,
    pub requests_per_second: u32,
    pub clock: ClockAhead,
    /// What one of the campaign looks like: `type`, `from` and `text`.
    pub sample: Value,
}

struct Loop {
    task: BareMessages,
    client: Client,
    clock: Arc<dyn Clock>,
    limit: DefaultDirectRateLimiter,
    begun: AtomicUsize,
}

/// Answers with messages a second.
pub(crate) async fn run(task: BareMessages) -> anyhow::Result<f64> {
    // As the adapter's client is built, with the same time limits.
    let client = Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(30))
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .build()?;
    let a_second = NonZeroU32::new(task.requests_per_second).context("some requests a second")?;
    let work = Arc::new(Loop {
        client,
        clock: task.clock.started(),
        limit: RateLimiter::direct(Quota::per_second(a_second)),
        begun: AtomicUsize::new(0),
        task,
    });
    let began = Instant::now();
    let mut loops = JoinSet::new();
    for _ in 0..work.task.concurrency {
        let work = Arc::clone(&work);
        loops.spawn(async move {
            loop {
                let first = work.begun.fetch_add(MESSAGES_A_REQUEST, Ordering::Relaxed);
                if first >= work.task.messages {
                    return anyhow::Ok(());
                }
                work.send(first, MESSAGES_A_REQUEST.min(work.task.messages - first)).await?;
            }
        });
    }
    while let Some(done) = loops.join_next().await {
        done??;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    Ok(work.task.messages as f64 / began.elapsed().as_secs_f64())
}

impl Loop {
    async fn send(&self, first: usize, count: usize) -> anyhow::Result<()> {
        self.limit.until_ready().await;
        let message = |number: usize| {
            let mut message = self.task.sample.clone();
            message["to"] = json!(format!("0103{number:07}"));
            message["customFields"] = json!({"dangolId": format!("msg_{}", Uuid::now_v7().simple())});
            message
        };
        let messages: Vec<Value> = (first..first + count).map(message).collect();
        let response = self
            .client
            .post(format!("{}/solapi/messages/v4/send-many/detail", self.task.sandbox_url))
            .header(AUTHORIZATION, self.signature())
            .json(&json!({"messages": messages, "allowDuplicates": true, "showMessageList": true}))
            .send()
            .await?;
        if !response.status().is_success() {
            bail!("the sandbox answered {}: {}", response.status(), response.text().await?);
        }
        let taken: Value = response.json().await?;
        let taken = taken["messageList"].as_array().map_or(0, Vec::len);
        ensure!(taken == count, "{taken} of {count} messages were taken");
        Ok(())
    }

    fn signature(&self) -> String {
        let date = KoreanTime(self.clock.now().trunc_subsecs(0)).to_string();
        let mut salt = [0; 16];
        rand::fill(&mut salt).expect("the system has randomness");
        let salt = hex::encode(salt);
        let key = hmac::Key::new(hmac::HMAC_SHA256, API_SECRET.as_bytes());
        let signature = hex::encode(hmac::sign(&key, format!("{date}{salt}").as_bytes()));
        format!("HMAC-SHA256 apiKey={API_KEY}, date={date}, salt={salt}, signature={signature}")
    }
}

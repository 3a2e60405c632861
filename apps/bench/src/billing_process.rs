//! The process that bills: the gateway's own application, running billing once.

use std::{sync::Arc, time::Instant};

use anyhow::ensure;
use chrono::TimeDelta;
use gateway::{app::App, database};
use kernel::MovableClock;
use serde::{Deserialize, Serialize};

use crate::{memory, world::configuration};

#[derive(Serialize, Deserialize)]
pub(crate) struct BillingProcess {
    pub database_url: String,
    pub sandbox_url: String,
    pub concurrency: usize,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Billed {
    pub charges: u64,
    pub seconds: f64,
    pub peak_megabytes: Option<f64>,
}

pub(crate) async fn run(task: BillingProcess) -> anyhow::Result<Billed> {
    let (config, secrets) = configuration(&[
        "--toss-api-base-url",
        &format!("{}/toss", task.sandbox_url),
        "--billing-concurrency",
        &task.concurrency.to_string(),
    ])?;
    let db = database::connect(&task.database_url.into(), config.database_connections).await?;
    let clock = Arc::new(MovableClock::default());
    let app = App::new(&config, &secrets, db, clock.clone())?;
    // What is due now opens connections, to the database and to the provider, and prepares statements.
    app.billing.run().await?;
    clock.advance(TimeDelta::hours(2));
    let began = Instant::now();
    let report = app.billing.run().await?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(report.failed == 0 && report.unknown == 0, "not all were charged: {report:?}");
    Ok(Billed { charges: report.succeeded, seconds, peak_megabytes: memory::peak_megabytes() })
}

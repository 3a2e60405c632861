//! The worker that sends a campaign: the gateway's own, as `dangol worker` runs it.

use gateway::{app::App, database, worker};
use serde::{Deserialize, Serialize};

use crate::{
    part::{answer, orphaned},
    world::{ClockAhead, configuration},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct CampaignWorker {
    pub database_url: String,
    pub sandbox_url: String,
    pub requests_per_second: u32,
    pub clock: ClockAhead,
}

/// Answers with how many requests it has under way at once, and works until nobody wants it any more.
pub(crate) async fn run(task: CampaignWorker) -> anyhow::Result<()> {
    let (config, secrets) = configuration(&[
        "--solapi-api-base-url",
        &format!("{}/solapi", task.sandbox_url),
        "--message-requests-per-second",
        &task.requests_per_second.to_string(),
    ])?;
    let db = database::connect(&task.database_url.into(), config.database_connections).await?;
    let app = App::new(&config, &secrets, db, task.clock.started())?;
    answer(&app.messaging.settings.concurrency)?;
    Box::pin(worker::run(app, orphaned())).await
}

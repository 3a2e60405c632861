//! The worker that acts on webhooks: the gateway's own, as `dangol worker` runs it.

use std::sync::Arc;

use gateway::{app::App, database, worker};
use kernel::SystemClock;
use serde::{Deserialize, Serialize};

use crate::{
    part::{answer, orphaned},
    world::configuration,
};

#[derive(Serialize, Deserialize)]
pub(crate) struct WebhookWorker {
    pub database_url: String,
    pub provider_url: String,
}

/// Answers when it begins, and works until nobody wants it any more.
pub(crate) async fn run(task: WebhookWorker) -> anyhow::Result<()> {
    let (config, secrets) = configuration(&["--toss-api-base-url", &task.provider_url])?;
    let db = database::connect(&task.database_url.into(), config.database_connections).await?;
    let app = App::new(&config, &secrets, db, Arc::new(SystemClock))?;
    answer(&"working")?;
    Box::pin(worker::run(app, orphaned())).await
}

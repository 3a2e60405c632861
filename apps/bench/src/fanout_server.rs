//! The server under load: the gateway's own application, as `dangol serve` and `dangol worker` run it together.

use std::{future, sync::Arc};

use gateway::{app::App, database, events};
use kernel::SystemClock;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    part::{answer, orphaned},
    world::configuration,
};

#[derive(Serialize, Deserialize)]
pub(crate) struct FanoutServer {
    pub database_url: String,
}

/// Answers with its address, and serves until nobody wants it any more.
pub(crate) async fn run(task: FanoutServer) -> anyhow::Result<()> {
    let (config, secrets) = configuration(&[])?;
    let db = database::connect(&task.database_url.into(), 10).await?;
    let app = App::new(&config, &secrets, db, Arc::new(SystemClock))?;
    tokio::spawn(events::react(app.clone(), future::pending()));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    answer(&listener.local_addr()?)?;
    axum::serve(listener, app.router(None)).with_graceful_shutdown(orphaned()).await?;
    Ok(())
}

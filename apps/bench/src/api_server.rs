//! The server under load: the gateway's own application, as `dangol serve` runs it.

use gateway::{app::App, database};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::{
    part::{answer, orphaned},
    world::{ClockAhead, configuration},
};

#[derive(Serialize, Deserialize)]
pub(crate) struct ApiServer {
    pub database_url: String,
    pub connections: u32,
    pub clock: ClockAhead,
}

/// Answers with its address, and serves until nobody wants it any more.
pub(crate) async fn run(task: ApiServer) -> anyhow::Result<()> {
    let (config, secrets) = configuration(&[])?;
    let db = database::connect(&task.database_url.into(), task.connections).await?;
    let app = App::new(&config, &secrets, db, task.clock.started())?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    answer(&listener.local_addr()?)?;
    axum::serve(listener, app.router(None)).with_graceful_shutdown(orphaned()).await?;
    Ok(())
}

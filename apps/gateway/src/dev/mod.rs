//! `cargo run` with nothing configured: PostgreSQL, the sandbox, the API and the worker in one
//! process, with demo data, until Ctrl-C.

mod banner;
mod clock;
mod demo;
mod postgres;
mod running;

use std::sync::Arc;

use anyhow::Context;
use kernel::MovableClock;
use sandbox::{PopbillSwitches, Sandbox, SandboxConfig, WebhookUrls};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

pub use clock::{DevClock, Moved, documented_clock_router, router as clock_router};
pub use demo::load as load_demo;
pub use running::Running;

use crate::{app::App, config::Config, database, serve, worker};

/// A page on which notifications can be seen as they come.
pub const NOTIFICATIONS_PAGE: &str = include_str!("notifications.html");

/// Starts everything, prints where it is, and stops what it started when asked to.
pub async fn run(mut config: Config) -> anyhow::Result<()> {
    // Both ports first: a taken one is the likeliest trouble, and nothing has to be undone yet.
    let listener = serve::listen(config.http_addr).await?;
    std::fs::create_dir_all(&config.data_dir).with_context(|| {
        format!("cannot make the data folder {} (DANGOL_DATA_DIR)", config.data_dir.display())
    })?;

    let (cluster, url) = if let Some(url) = &config.database_url {
        (None, url.clone())
    } else {
        let cluster = postgres::start(&config.data_dir).await?;
        let url = cluster.url.clone();
        (Some(cluster), url)
    };
    let started = start(&mut config, &url).await;
    let result = match started {
        Ok((app, sandbox, clock)) => {
            let served =
                serve_until_stopped(&config, &url, &sandbox.base_url(), listener, app.clone(), clock).await;
            sandbox.shutdown().await;
            app.db.close().await;
            served
        }
        Err(error) => Err(error),
    };
    if let Some(cluster) = cluster {
        cluster.stop().await;
    }
    result
}

/// A development system that does not run: its database, for a command that needs nothing else of it.
pub struct Stopped {
    pub app: App,
    cluster: postgres::Cluster,
}

impl Stopped {
    pub async fn start(mut config: Config) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&config.data_dir).with_context(|| {
            format!("cannot make the data folder {} (DANGOL_DATA_DIR)", config.data_dir.display())
        })?;
        let cluster = postgres::start(&config.data_dir).await?;
        match Self::app(&mut config, &cluster.url).await {
            Ok(app) => Ok(Self { app, cluster }),
            Err(error) => {
                cluster.stop().await;
                Err(error)
            }
        }
    }

    async fn app(config: &mut Config, url: &SecretString) -> anyhow::Result<App> {
        let db = database::connect(url, config.database_connections).await?;
        database::migrate(&db).await?;
        let clock = Arc::new(MovableClock::default());
        platform::clock::load_offset(&db, &clock).await.context("reading the development clock")?;
        let sandbox = format!("http://{}", config.sandbox_addr);
        config.providers.speak_with(&sandbox);
        config.papers.speak_with(&sandbox);
        let app = App::new(config, &config.development_secrets()?, db, clock)?;
        demo::load(&app).await.context("loading the demo data")?;
        Ok(app)
    }

    pub async fn stop(self) {
        self.app.db.close().await;
        self.cluster.stop().await;
    }
}

/// Everything but the listening.
async fn start(
    config: &mut Config,
    database_url: &SecretString,
) -> anyhow::Result<(App, Sandbox, Arc<MovableClock>)> {
    let db = database::connect(database_url, config.database_connections).await?;
    database::migrate(&db).await?;
    let clock = Arc::new(MovableClock::default());
    platform::clock::load_offset(&db, &clock).await.context("reading the development clock")?;

    let sandbox = Sandbox::start(SandboxConfig {
        addr: config.sandbox_addr,
        data_dir: Some(config.data_dir.join("sandbox")),
        clock: clock.clone(),
        webhook_urls: WebhookUrls::under(&format!("http://{}/api/webhooks", config.http_addr)),
        latency: std::time::Duration::ZERO,
    })
    .await?;
    config.providers.speak_with(&sandbox.base_url());
    config.papers.speak_with(&sandbox.base_url());
    // The examples' business numbers name nobody, so they fail the tax office's check.
    sandbox.set_popbill_switches(PopbillSwitches { any_buyer_number: true, ..PopbillSwitches::default() });

    let secrets = config.development_secrets()?;
    let app = App::new(config, &secrets, db, clock.clone())?;
    demo::load(&app).await.context("loading the demo data")?;
    Ok((app, sandbox, clock))
}

async fn serve_until_stopped(
    config: &Config,
    database_url: &SecretString,
    sandbox_url: &str,
    listener: tokio::net::TcpListener,
    app: App,
    clock: Arc<MovableClock>,
) -> anyhow::Result<()> {
    let running = Running::announce(config, database_url, sandbox_url)?;
    let stop = CancellationToken::new();
    let dev_clock = DevClock::new(clock, &app);
    let mut serving =
        tokio::spawn(serve::run(listener, app.clone(), Some(dev_clock), stop.clone().cancelled_owned()));
    let mut working = tokio::spawn(worker::run(app.clone(), stop.clone().cancelled_owned()));
    banner::print(config, &app);

    let mut ended_early = None;
    tokio::select! {
        () = serve::stop_signal() => {}
        ended = &mut serving => ended_early = Some(ended),
        ended = &mut working => ended_early = Some(ended),
    }
    stop.cancel();
    running.withdraw();
    if let Some(ended) = ended_early {
        return ended.context("a part of the process panicked")?;
    }
    serving.await.context("the API panicked")??;
    working.await.context("the worker panicked")?
}

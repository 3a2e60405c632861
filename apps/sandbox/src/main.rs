//! The sandbox as a program of its own.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use kernel::SystemClock;
use sandbox::{Sandbox, SandboxConfig, WebhookUrls};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// The outside world on localhost: wire-exact fakes of payment providers and of Popbill.
#[derive(Parser)]
struct Arguments {
    #[arg(long, env = "DANGOL_SANDBOX_ADDR", default_value = "127.0.0.1:8090")]
    addr: SocketAddr,
    /// Where charges, keys and webhooks survive a restart
    #[arg(long, env = "DANGOL_SANDBOX_DATA_DIR", default_value = ".dangol/sandbox")]
    data_dir: PathBuf,
    /// Where webhooks are delivered; the provider's name is appended: `/toss`, `/portone`, `/kcp`, `/bootpay`
    #[arg(long, default_value = "http://127.0.0.1:8080/api/webhooks")]
    webhook_base_url: String,
    /// Every call of a provider answers after so many milliseconds
    #[arg(long, default_value_t = 0)]
    latency_ms: u64,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        // One sentence, whatever RUST_BACKTRACE says: a taken port is no defect.
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let sandbox = Sandbox::start(SandboxConfig {
        addr: arguments.addr,
        data_dir: Some(arguments.data_dir),
        clock: Arc::new(SystemClock),
        webhook_urls: WebhookUrls::under(&arguments.webhook_base_url),
        latency: Duration::from_millis(arguments.latency_ms),
    })
    .await?;
    tracing::info!(smtp = %sandbox.smtp_url(), url = %sandbox.base_url(), "the sandbox is open");
    stop_signal().await?;
    sandbox.shutdown().await;
    Ok(())
}

async fn stop_signal() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

//! The command line.

use std::{fs, io::IsTerminal, process::ExitCode, sync::Arc};

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};
use kernel::{Clock, SystemClock};
use platform::idempotency::Idempotency;
use secrecy::SecretString;
use sqlx::PgPool;
use tracing_subscriber::EnvFilter;

use crate::{
    app::{self, App},
    config::Config,
    database, dev,
    generate::Generate,
    import::Import,
    serve, worker,
};

/// Subscription billing for Korean booking businesses.
#[derive(Parser)]
#[command(name = "dangol", version, about)]
struct CommandLine {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    config: Config,
}

#[derive(Subcommand)]
enum Command {
    /// Run everything on this machine with nothing configured: PostgreSQL, sandbox, API, worker (the default)
    Dev,
    /// Answer the API
    Serve {
        /// Only check that this process could serve, and print its configuration without secrets
        #[arg(long)]
        check: bool,
    },
    /// Do the work that is due: charges, retries, reconciliation
    Worker,
    /// Bring the database up to date
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Import a shop's history from files; cut off, it goes on where it was
    Import(Import),
    /// Invent shops with a history, for benchmarks and for looking around
    Generate(Generate),
    /// Run billing once, as a scheduler would, and print what was done
    Bill,
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let command = line.command.unwrap_or(Command::Dev);
    let is_service = matches!(command, Command::Serve { check: false } | Command::Worker);
    log_to_stderr(!is_service);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "cannot start the runtime");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(command, line.config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Logs for people, or as JSON lines where the process is a service. `RUST_LOG` chooses what.
fn log_to_stderr(for_people: bool) {
    let quiet_libraries = "info,sqlx=warn,graphile_worker=warn,hyper=warn,sandbox=warn,local_postgres=warn";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(quiet_libraries));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if for_people {
        builder.compact().with_ansi(std::io::stderr().is_terminal()).init();
    } else {
        builder.json().init();
    }
}

async fn run(command: Command, config: Config) -> anyhow::Result<()> {
    match command {
        Command::Dev => dev::run(config).await,
        Command::Serve { check: true } => check(&config).await,
        Command::Serve { check: false } => {
            let app = production_app(&config).await?;
            let listener = serve::listen(config.http_addr).await?;
            tracing::info!(addr = %config.http_addr, "serving");
            serve::run(listener, app, None, serve::stop_signal()).await
        }
        Command::Worker => Box::pin(worker::run(production_app(&config).await?, serve::stop_signal())).await,
        Command::Migrate => {
            let db = database::connect(&database_url(&config)?, 2).await?;
            database::migrate(&db).await?;
            tracing::info!("the database is up to date");
            Ok(())
        }
        Command::Openapi => print_openapi(),
        Command::Import(import) => beside(config, async |app| import.run(&app.booking).await).await,
        Command::Generate(generate) => beside(config, async |app| generate.run(app).await).await,
        Command::Bill => bill(&config).await,
    }
}

/// An application with the machine's clock and no development secret.
async fn production_app(config: &Config) -> anyhow::Result<App> {
    let secrets = config.production_secrets()?;
    let db = database::connect(&database_url(config)?, config.database_connections).await?;
    database::check(&db).await?;
    App::new(config, &secrets, db, Arc::new(SystemClock))
}

#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
async fn check(config: &Config) -> anyhow::Result<()> {
    println!("{config}");
    production_app(config).await?;
    println!("\nready to serve");
    Ok(())
}

/// One billing run. Beside a running development system it uses that one's database, clock and sandbox.
#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
async fn bill(config: &Config) -> anyhow::Result<()> {
    let app = match dev::Running::of(config)? {
        Some(running) => running.app(config).await?,
        None => production_app(config).await?,
    };
    let report = app.billing.sweep().await.context("the billing run")?;
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// Works on the configured database, or on that of the development system on this data folder, whether it runs or not.
async fn beside(config: Config, work: impl AsyncFnOnce(&App) -> anyhow::Result<()>) -> anyhow::Result<()> {
    if let Some(running) = dev::Running::of(&config)? {
        return work(&running.app(&config).await?).await;
    }
    if config.database_url.is_some() {
        return work(&production_app(&config).await?).await;
    }
    let stopped = dev::Stopped::start(config).await?;
    let done = work(&stopped.app).await;
    stopped.stop().await;
    done
}

/// The configured database, or that of a development system that runs on the same data folder.
fn database_url(config: &Config) -> anyhow::Result<SecretString> {
    if let Some(url) = &config.database_url {
        return Ok(url.clone());
    }
    match dev::Running::of(config)? {
        Some(running) => Ok(running.database_url),
        None => {
            bail!("DATABASE_URL is not set, and no development system runs on {}", config.data_dir.display())
        }
    }
}

#[expect(clippy::print_stdout, reason = "printing is what the command is for")]
fn print_openapi() -> anyhow::Result<()> {
    println!("{}", openapi_json()?);
    Ok(())
}

/// The OpenAPI document as it is checked in.
pub fn openapi_json() -> anyhow::Result<String> {
    // Never connected: the document does not depend on a database.
    let runtime_free_pool = PgPool::connect_lazy("postgres://localhost/none").context("a pool")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let document = app::document(&Idempotency { db: runtime_free_pool, clock });
    document.to_pretty_json().context("writing the document as JSON")
}

/// Removes a file that may not be there.
pub(crate) fn remove_if_present(path: &std::path::Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#![doc = include_str!("../README.md")]
#![expect(clippy::print_stdout, reason = "printing is what a benchmark is for")]

mod api;
mod api_load;
mod api_server;
mod bare_charges;
mod bare_excel;
mod bare_messages;
mod billing_process;
mod billing_run;
mod bulk_load;
mod campaign;
mod campaign_shop;
mod campaign_worker;
mod export;
mod fanout;
mod fanout_hub;
mod fanout_screens;
mod fanout_server;
mod import;
mod import_process;
mod latency;
mod ledger;
mod list_server;
mod memory;
mod part;
mod pgbench;
mod psql;
mod reconcile;
mod report_load;
mod reports;
mod seed;
mod segments;
mod shops;
mod verdict;
mod webhook_load;
mod webhook_provider;
mod webhook_worker;
mod webhooks;
mod world;

use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Parser, Subcommand};

/// Benchmarks with their yardsticks.
#[derive(Parser)]
#[command(name = "bench", about)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Charges a second of a billing run, against a bare loop of the same HTTP calls
    BillingRun(billing_run::Arguments),
    /// `GET /api/subscriptions/current` a second, against pgbench with the same SQL
    Api(api::Arguments),
    /// Rows a second of the daily reconciliation, against only reading the provider's list
    Reconcile(reconcile::Arguments),
    /// Webhooks stored and acted on a second, against pgbench writing the same rows
    Webhooks(webhooks::Arguments),
    /// Rows a second of CSV and Excel exports, against COPY and a bare loop over rows in memory
    Export(export::Arguments),
    /// Revenue reports over HTTP, against the one statement by psql
    Reports(reports::Arguments),
    /// Reservations a second of `dangol import` and of the bulk route, against COPY
    Import(import::Arguments),
    /// Ten typical segments of a million customers counted, against the best SQL by hand
    Segments(segments::Arguments),
    /// Messages a second of a campaign to 100,000 customers, against a bare loop of the same HTTP calls
    Campaign(campaign::Arguments),
    /// Notifications to 5,000 screens, against a bare axum hub that broadcasts the same frames
    Fanout(fanout::Arguments),
    /// One process of a benchmark; its task comes on standard input
    #[command(hide = true)]
    Part,
}

fn main() -> ExitCode {
    match run(CommandLine::parse().command) {
        Ok(code) => code,
        // One sentence, whatever RUST_BACKTRACE says.
        Err(error) => {
            println!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    if matches!(command, Command::Part) {
        return part::perform().map(|()| ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Runtime::new().context("starting the runtime")?;
    runtime.block_on(async {
        tokio::select! {
            reached = benchmark(command) => reached.map(verdict::exit_code),
            // Dropping the benchmark stops its processes and removes its files.
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
        }
    })
}

/// Whether all targets were reached.
async fn benchmark(command: Command) -> anyhow::Result<bool> {
    match command {
        Command::BillingRun(arguments) => billing_run::run(&arguments).await,
        Command::Api(arguments) => api::run(&arguments).await,
        Command::Reconcile(arguments) => reconcile::run(&arguments).await,
        Command::Webhooks(arguments) => webhooks::run(&arguments).await,
        Command::Export(arguments) => export::run(&arguments).await,
        Command::Reports(arguments) => reports::run(&arguments).await,
        Command::Import(arguments) => import::run(&arguments).await,
        Command::Segments(arguments) => segments::run(&arguments).await,
        Command::Campaign(arguments) => campaign::run(&arguments).await,
        Command::Fanout(arguments) => fanout::run(&arguments).await,
        Command::Part => bail!("a part is not a benchmark"),
    }
}

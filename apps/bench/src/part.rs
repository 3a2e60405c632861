//! The processes of a benchmark.
//!
//! Each is this same program, started with a [`Task`] as the first line of its standard input, and
//! answers with lines of JSON. What it logs goes to a file, as in production, and costs what it costs there.

use std::{
    env,
    fs::{self, File},
    io::{self, BufRead},
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail};
use sandbox::{Sandbox, SandboxConfig, WebhookUrls};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    runtime,
};
use tracing_subscriber::EnvFilter;

use crate::{
    api_load::{self, ApiLoad},
    api_server::{self, ApiServer},
    bare_charges::{self, BareCharges},
    bare_excel::{self, BareExcel},
    bare_messages::{self, BareMessages},
    billing_process::{self, BillingProcess},
    bulk_load::{self, BulkLoad},
    campaign_worker::{self, CampaignWorker},
    export::{self, ExportWorker, Inventing},
    fanout_hub,
    fanout_screens::{self, Screens},
    fanout_server::{self, FanoutServer},
    import_process::{self, ImportProcess},
    list_server::{self, ListServer},
    reconcile::{self, Comparison},
    report_load::{self, ReportLoad},
    seed::{self, Seed},
    shops::{self, Shops},
    webhook_load::{self, WebhookLoad},
    webhook_provider,
    webhook_worker::{self, WebhookWorker},
    world::ClockAhead,
};

/// Nothing here takes longer, so whatever does is stuck.
const PATIENCE: Duration = Duration::from_mins(15);

/// What a process is to do.
#[derive(Serialize, Deserialize)]
pub(crate) enum Task {
    /// Plays the provider until its standard input closes; answers with its base URL.
    Sandbox {
        latency_ms: u64,
        clock: ClockAhead,
    },
    Seed(Seed),
    BareCharges(BareCharges),
    BillingProcess(BillingProcess),
    ApiServer(ApiServer),
    ApiLoad(ApiLoad),
    ListServer(ListServer),
    Comparison(Comparison),
    WebhookProvider,
    WebhookWorker(WebhookWorker),
    WebhookLoad(WebhookLoad),
    Inventing(Inventing),
    ExportWorker(ExportWorker),
    BareExcel(BareExcel),
    Shops(Shops),
    ReportLoad(ReportLoad),
    BulkLoad(BulkLoad),
    ImportProcess(ImportProcess),
    FanoutHub,
    FanoutServer(FanoutServer),
    Screens(Screens),
    BareMessages(BareMessages),
    CampaignWorker(CampaignWorker),
}

impl Task {
    fn name(&self) -> &'static str {
        match self {
            Self::Sandbox { .. } => "sandbox",
            Self::Seed(_) => "seed",
            Self::BareCharges(_) => "bare-charges",
            Self::BillingProcess(_) => "billing-process",
            Self::ApiServer(_) => "api-server",
            Self::ApiLoad(_) => "api-load",
            Self::ListServer(_) => "list-server",
            Self::Comparison(_) => "comparison",
            Self::WebhookProvider => "webhook-provider",
            Self::WebhookWorker(_) => "webhook-worker",
            Self::WebhookLoad(_) => "webhook-load",
            Self::Inventing(_) => "inventing",
            Self::ExportWorker(_) => "export-worker",
            Self::BareExcel(_) => "bare-excel",
            Self::Shops(_) => "shops",
            Self::ReportLoad(_) => "report-load",
            Self::BulkLoad(_) => "bulk-load",
            Self::ImportProcess(_) => "import-process",
            Self::FanoutHub => "fanout-hub",
            Self::FanoutServer(_) => "fanout-server",
            Self::Screens(_) => "screens",
            Self::BareMessages(_) => "bare-messages",
            Self::CampaignWorker(_) => "campaign-worker",
        }
    }
}

/// A running process. It is killed when this is dropped.
pub(crate) struct Part {
    child: Child,
    // A server runs until this closes, so that it dies with whoever started it.
    _input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
}

impl Part {
    pub(crate) async fn start(task: &Task, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{}.log", task.name()));
        let mut child = Command::new(env::current_exe()?)
            .arg("part")
            // Nothing that is configured on this machine may show in a result.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("a process without its pipes");
        };
        input.write_all(format!("{}\n", serde_json::to_string(task)?).as_bytes()).await?;
        Ok(Self { child, _input: input, output: BufReader::new(output).lines(), log })
    }

    /// The next thing that it answers.
    pub(crate) async fn answer<T: DeserializeOwned>(&mut self) -> anyhow::Result<T> {
        let line =
            tokio::time::timeout(PATIENCE, self.output.next_line()).await.context("it takes too long")?;
        let Some(line) = line? else { bail!("a process of the benchmark failed:\n{}", self.last_words()) };
        serde_json::from_str(&line).with_context(|| format!("unexpected: {line}"))
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }

    /// Its process id, to look at what it needs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    pub(crate) async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }
}

/// Runs a process to its end for its one answer.
pub(crate) async fn outcome<T: DeserializeOwned>(task: &Task, folder: &Path) -> anyhow::Result<T> {
    let mut part = Part::start(task, folder).await?;
    let answer = part.answer().await?;
    part.child.wait().await?;
    Ok(answer)
}

/// Runs a process to its end that answers nothing.
pub(crate) async fn finish(task: &Task, folder: &Path) -> anyhow::Result<()> {
    let mut part = Part::start(task, folder).await?;
    let ended = part.child.wait().await?;
    if !ended.success() {
        bail!("a process of the benchmark failed:\n{}", part.last_words());
    }
    Ok(())
}

/// The other side: does the task that comes on standard input.
pub(crate) fn perform() -> anyhow::Result<()> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let task: Task = serde_json::from_str(&line).context("the task")?;
    // As `dangol serve` and `dangol worker` log.
    let filter = EnvFilter::new("info,sqlx=warn,graphile_worker=warn,hyper=warn,sandbox=warn");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).json().init();
    let mut runtime = match task {
        // One thread, like pgbench.
        Task::ApiLoad(_) | Task::WebhookLoad(_) | Task::ReportLoad(_) | Task::BulkLoad(_) => {
            runtime::Builder::new_current_thread()
        }
        _ => runtime::Builder::new_multi_thread(),
    };
    let done = runtime.enable_all().build()?.block_on(work(task));
    if let Err(error) = &done {
        eprintln_to_log(error);
    }
    done
}

#[expect(clippy::print_stderr, reason = "standard error is the log that the other side reads")]
fn eprintln_to_log(error: &anyhow::Error) {
    eprintln!("{error:#}");
}

async fn work(task: Task) -> anyhow::Result<()> {
    match task {
        Task::Sandbox { latency_ms, clock } => sandbox(Duration::from_millis(latency_ms), clock).await,
        Task::Seed(seed) => answer(&seed::run(&seed).await?),
        Task::BareCharges(charges) => answer(&bare_charges::run(charges).await?),
        Task::BillingProcess(process) => answer(&billing_process::run(process).await?),
        Task::ApiServer(server) => api_server::run(server).await,
        Task::ApiLoad(load) => answer(&api_load::run(&load).await?),
        Task::ListServer(server) => list_server::run(server).await,
        Task::Comparison(comparison) => answer(&reconcile::compare(comparison).await?),
        Task::WebhookProvider => webhook_provider::run().await,
        Task::WebhookWorker(worker) => Box::pin(webhook_worker::run(worker)).await,
        Task::WebhookLoad(load) => answer(&webhook_load::run(&load).await?),
        Task::Inventing(task) => answer(&export::invent(task).await?),
        Task::ExportWorker(task) => answer(&export::work(task).await?),
        Task::BareExcel(task) => answer(&bare_excel::run(&task)?),
        Task::Shops(shops) => answer(&shops::run(shops).await?),
        Task::ReportLoad(load) => answer(&report_load::run(&load).await?),
        Task::BulkLoad(load) => answer(&bulk_load::run(&load).await?),
        Task::ImportProcess(process) => answer(&import_process::run(process).await?),
        Task::FanoutHub => fanout_hub::run().await,
        Task::FanoutServer(server) => fanout_server::run(server).await,
        Task::BareMessages(messages) => answer(&bare_messages::run(messages).await?),
        Task::CampaignWorker(worker) => Box::pin(campaign_worker::run(worker)).await,
        Task::Screens(screens) => fanout_screens::run(screens).await,
    }
}

pub(crate) fn answer(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// Completes when the other side is gone.
pub(crate) async fn orphaned() {
    let _ = tokio::task::spawn_blocking(|| io::copy(&mut io::stdin().lock(), &mut io::sink())).await;
}

async fn sandbox(latency: Duration, clock: ClockAhead) -> anyhow::Result<()> {
    let sandbox = Sandbox::start(SandboxConfig {
        addr: ([127, 0, 0, 1], 0).into(),
        data_dir: None,
        clock: clock.started(),
        webhook_urls: WebhookUrls::default(),
        latency,
    })
    .await?;
    answer(&sandbox.base_url())?;
    orphaned().await;
    Ok(())
}

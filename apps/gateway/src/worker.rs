//! The worker: does what is due, every minute and whenever somebody enqueues a job.
//!
//! The queue is only an alarm clock. What is due is rows with a due time in the contexts' own
//! tables, so a job that gets lost, runs twice or runs late changes nothing but the delay.

use std::{fmt, future::Future, panic::resume_unwind, time::Duration};

use anyhow::Context;
use billing::{ActOnWebhooks, Billing};
use exports::{Exports, MakeExports};
use graphile_worker::{IntoTaskHandlerResult, TaskHandler, WorkerContext, WorkerOptions};
use notifications::Notifications;
use platform::jobs::Job;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio_util::{sync::CancellationToken, task::AbortOnDropHandle};

use crate::{app::App, database::QUEUE_SCHEMA, events};

const CONCURRENCY: usize = 4;

/// Runs jobs until `stop` completes, then lets those under way finish.
pub async fn run(app: App, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
    let stopped = CancellationToken::new();
    let stopping = stopped.clone();
    let worker = WorkerOptions::default()
        .pg_pool(app.db.clone())
        .schema(QUEUE_SCHEMA)
        .concurrency(CONCURRENCY)
        // A worker that was killed holds its jobs; without this they would wait for hours.
        .heartbeat_interval(Duration::from_secs(10))
        .sweep_interval(Duration::from_secs(20))
        .sweep_threshold(Duration::from_mins(1))
        .define_job::<Sweep>()
        .define_job::<WebhookJob>()
        .define_job::<CheckInvariants>()
        .define_job::<ExportsJob>()
        // One waiting sweep is enough, however long the present one takes.
        .with_cron("* * * * * sweep ?jobKey=sweep&jobKeyMode=preserve_run_at")
        .context("the crontab")?
        .with_cron("*/5 * * * * check_invariants ?jobKey=check_invariants&jobKeyMode=preserve_run_at")
        .context("the crontab")?
        .add_extension(Contexts {
            billing: app.billing.clone(),
            exports: app.exports.clone(),
            notifications: app.notifications.clone(),
        })
        .listen_os_shutdown_signals(false)
        .shutdown_signal(async move {
            stop.await;
            stopping.cancel();
        })
        .init()
        .await
        .context("starting the worker")?;
    // What was left by a killed worker is settled now and not in a minute.
    let first_sweep = Box::pin(app.billing.sweep());
    // Exports take as long as they take, and must not keep jobs that are about money waiting.
    let attending = Box::pin(app.exports.attend(stopped.cancelled()));
    // Jobs that finish publish as well, and are reacted to.
    let drained = CancellationToken::new();
    let working = async {
        let ran = worker.run().await;
        stopped.cancel();
        drained.cancel();
        ran
    };
    let reacting = events::react(app.clone(), drained.clone().cancelled_owned());
    let announcing = events::announce(app.clone(), drained.clone().cancelled_owned());
    let (messaging, crm) = (app.messaging.clone(), app.crm.clone());
    let (stop_sending, stop_writing) = (stopped.clone(), stopped.clone());
    // A campaign is sent while it is still written down: each has a core of its own.
    let messaging = apart(async move { messaging.run(stop_sending).await });
    let campaigning = apart(async move { crm.run(stop_writing).await });
    let (swept, ran, (), (), (), (), ()) =
        tokio::join!(first_sweep, working, attending, reacting, announcing, messaging, campaigning);
    if let Err(error) = swept {
        tracing::error!(%error, "the first sweep failed; the next one follows in a minute");
    }
    ran.context("the worker stopped")
}

/// On another core, where there is one. If it panics, so does whoever waits for it.
async fn apart(work: impl Future<Output = ()> + Send + 'static) {
    if let Err(error) = AbortOnDropHandle::new(tokio::spawn(work)).await
        && error.is_panic()
    {
        resume_unwind(error.into_panic());
    }
}

/// What jobs work on.
#[derive(Clone)]
struct Contexts {
    billing: Billing,
    exports: Exports,
    notifications: Notifications,
}

impl fmt::Debug for Contexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Contexts")
    }
}

fn contexts(context: &WorkerContext) -> Result<&Contexts, String> {
    context.get_ext::<Contexts>().ok_or_else(|| "no contexts".to_owned())
}

/// Everything that is due now. The crontab gives it null for a payload, and other versions of the
/// queue an object; neither matters.
#[derive(Serialize, Deserialize)]
struct Sweep(Option<Value>);

impl TaskHandler for Sweep {
    const IDENTIFIER: &'static str = "sweep";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        let Contexts { billing, notifications, .. } = contexts(&context)?;
        // One that fails must not hold up the other.
        let (swept, reminded) = (billing.sweep().await, notifications.sweep().await);
        let report = swept.map_err(|error| error.to_string())?;
        if report.due > 0 {
            tracing::info!(?report, "billing run");
        }
        reminded.map_err(|error| error.to_string())?;
        Ok::<(), String>(())
    }
}

/// Whether the books are as they must be.
#[derive(Serialize, Deserialize)]
struct CheckInvariants(Option<Value>);

impl TaskHandler for CheckInvariants {
    const IDENTIFIER: &'static str = "check_invariants";

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        contexts(&context)?.billing.check_invariants().await.map_err(|error| error.to_string())
    }
}

/// [`ActOnWebhooks`], as the queue wants it.
#[derive(Serialize, Deserialize)]
struct WebhookJob(ActOnWebhooks);

impl TaskHandler for WebhookJob {
    const IDENTIFIER: &'static str = ActOnWebhooks::NAME;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        contexts(&context)?.billing.act_on_webhooks().await.map_err(|error| error.to_string())
    }
}

/// [`MakeExports`], as the queue wants it: whoever makes exports looks what there is to make.
#[derive(Serialize, Deserialize)]
struct ExportsJob(MakeExports);

impl TaskHandler for ExportsJob {
    const IDENTIFIER: &'static str = MakeExports::NAME;

    async fn run(self, context: WorkerContext) -> impl IntoTaskHandlerResult {
        contexts(&context)?.exports.bell.notify_one();
        Ok::<(), String>(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    #[test]
    fn jobs_read_whatever_payload_the_queue_gives_them() {
        for payload in [json!(null), json!({}), json!({"_cron": {"ts": "2026-03-14T10:00:00+09:00"}})] {
            assert!(from_value::<Sweep>(payload.clone()).is_ok());
            assert!(from_value::<CheckInvariants>(payload).is_ok());
        }
        assert!(from_value::<WebhookJob>(json!(ActOnWebhooks {})).is_ok());
        assert!(from_value::<ExportsJob>(json!(MakeExports {})).is_ok());
    }
}

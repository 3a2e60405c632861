//! For whoever keeps the system running: is it alive, is it ready, what are its figures.

use std::{sync::OnceLock, time::Duration};

use anyhow::Context;
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use billing::Gauges;
use metrics::gauge;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use platform::{Data, Json, Problem};
use serde::Serialize;
use sqlx::PgPool;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::app::App;

/// A job that waits longer than this means that no worker is keeping up.
const QUEUE_TOO_OLD: f64 = 300.0;

pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(live)).routes(routes!(ready)).routes(routes!(prometheus))
}

/// The recorder of this process. There can be only one, however many applications a test builds.
pub(crate) fn metrics_recorder() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(
            Matcher::Suffix("_seconds".to_owned()),
            &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0],
        )
        .context("histogram buckets")?
        .build_recorder();
    let handle = HANDLE.get_or_init(|| recorder.handle()).clone();
    // Another application of this process was faster: its recorder is as good.
    let _ = metrics::set_global_recorder(recorder);
    Ok(handle)
}

/// The health of one process.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Health {
    #[schema(example = "UP")]
    status: &'static str,
}

/// How the things that a process depends on are.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Readiness {
    #[schema(example = "UP")]
    status: &'static str,
    #[schema(example = "UP")]
    database: &'static str,
    /// How long the oldest job has been waiting, seconds; 0 if none is.
    #[schema(example = 0.0)]
    queue_age_seconds: f64,
}

/// Is the process alive
#[utoipa::path(
    get, path = "/health/live", operation_id = "healthLive", tag = "operations",
    responses((status = 200, description = "It answers", body = Data<Health>)),
)]
async fn live() -> Json<Data<Health>> {
    Data::json(Health { status: "UP" })
}

/// Can the process do its work
///
/// Ready if the database answers within two seconds and no job has waited for more than five minutes.
#[utoipa::path(
    get, path = "/health/ready", operation_id = "healthReady", tag = "operations",
    responses(
        (status = 200, description = "Ready", body = Data<Readiness>),
        (status = 503, description = "`NOT_READY`: see `database` and `queueAgeSeconds`", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn ready(State(db): State<PgPool>) -> Result<Json<Data<Readiness>>, Problem> {
    let not_ready = |detail: &str, database: &str, age: f64| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "NOT_READY", "Not ready", detail)
            .with("database", database)
            .with("queueAgeSeconds", age)
    };
    let queue = tokio::time::timeout(Duration::from_secs(2), Queue::read(&db)).await;
    match queue {
        Ok(Ok(queue)) if queue.age > QUEUE_TOO_OLD => {
            Err(not_ready("대기 중인 작업이 밀려 있습니다.", "UP", queue.age))
        }
        Ok(Ok(queue)) => {
            Ok(Data::json(Readiness { status: "UP", database: "UP", queue_age_seconds: queue.age }))
        }
        Ok(Err(_)) | Err(_) => Err(not_ready("데이터베이스에 연결할 수 없습니다.", "DOWN", 0.0)),
    }
}

/// The figures of the process and of billing, for Prometheus
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "operations",
    responses((status = 200, description = "Prometheus text format", body = String, content_type = "text/plain")),
)]
async fn prometheus(State(app): State<App>) -> Result<Response, Problem> {
    let billing = Gauges::read(&app.db, app.clock.now()).await?;
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    {
        gauge!("dangol_open_attempts").set(billing.counts.open_attempts as f64);
        gauge!("dangol_open_refunds").set(billing.counts.open_refunds as f64);
        gauge!("dangol_open_tax_invoices").set(billing.counts.open_tax_invoices as f64);
        gauge!("dangol_open_cash_receipts").set(billing.counts.open_cash_receipts as f64);
        gauge!("dangol_due_subscriptions").set(billing.counts.due_subscriptions as f64);
        for check in billing.invariants {
            let violations = check.violations as f64;
            gauge!("dangol_invariant_violations", "invariant" => check.invariant).set(violations);
        }
    }
    let lag = notifications::CONSUMER.lag(&app.db, app.clock.now()).await?;
    gauge!("dangol_event_lag_seconds", "consumer" => lag.consumer).set(lag.seconds);
    gauge!("dangol_oldest_open_attempt_seconds").set(billing.counts.oldest_open_attempt);
    let queue = Queue::read(&app.db).await?;
    gauge!("dangol_queue_depth").set(queue.depth);
    gauge!("dangol_queue_age_seconds").set(queue.age);
    app.metrics.run_upkeep();
    let content_type = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((content_type, app.metrics.render()).into_response())
}

/// How the job queue stands.
struct Queue {
    /// Jobs that are due and that no worker has taken yet.
    depth: f64,
    /// How long the oldest of them has been waiting, seconds.
    age: f64,
}

impl Queue {
    async fn read(db: &PgPool) -> sqlx::Result<Self> {
        // Unchecked at build time: the queue's schema is not one of our migrations.
        let (depth, age) = sqlx::query_as::<_, (f64, f64)>(
            "select count(*)::float8, coalesce(extract(epoch from now() - min(run_at)), 0)::float8
             from graphile_worker.jobs where run_at <= now() and locked_at is null and attempts < max_attempts",
        )
        .fetch_one(db)
        .await?;
        Ok(Self { depth, age })
    }
}

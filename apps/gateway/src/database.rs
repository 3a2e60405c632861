//! The database: connecting, and bringing its schema up to date.

use std::{str::FromStr, time::Duration};

use anyhow::{Context, bail};
use graphile_worker::WorkerUtils;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, Executor, PgConnection, PgPool,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};

/// The schema of the job queue.
pub const QUEUE_SCHEMA: &str = "graphile_worker";

/// How long an idle connection is taken to be alive without being asked.
const TRUSTED_FOR: Duration = Duration::from_secs(5);

/// Each context's migrations, in the order in which they build on each other.
fn migrations() -> [(&'static str, &'static Migrator); 8] {
    [
        ("platform", &platform::MIGRATIONS),
        ("identity", &identity::MIGRATIONS),
        ("billing", &billing::MIGRATIONS),
        ("booking", &booking::MIGRATIONS),
        ("messaging", &messaging::MIGRATIONS),
        ("crm", &crm::MIGRATIONS),
        ("exports", &exports::MIGRATIONS),
        ("notifications", &notifications::MIGRATIONS),
    ]
}

pub async fn connect(url: &SecretString, connections: u32) -> anyhow::Result<PgPool> {
    let options = PgConnectOptions::from_str(url.expose_secret())
        .map_err(|_| {
            anyhow::anyhow!(
                "DATABASE_URL is not a PostgreSQL URL such as postgres://user:password@host/database"
            )
        })?
        .application_name("dangol");
    PgPoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(Duration::from_secs(5))
        // Asking a connection before each use whether it is alive would cost every request a round
        // trip. One that was used a moment ago is; one that lay idle may have been cut off meanwhile.
        .test_before_acquire(false)
        .before_acquire(|conn, lately| {
            Box::pin(async move {
                if lately.idle_for > TRUSTED_FOR {
                    conn.ping().await?;
                }
                Ok(true)
            })
        })
        // To compile a statement takes longer than it runs: of a campaign, a fifth of what the database did.
        .after_connect(|conn, _| Box::pin(async move { conn.execute("set jit = off").await.map(drop) }))
        .connect_with(options)
        .await
        .context("cannot connect to the database that DATABASE_URL names")
}

/// Brings every context's schema and the job queue's up to date. Safe to run from several processes at once.
pub async fn migrate(db: &PgPool) -> anyhow::Result<()> {
    // One of its own, since it sees everything: what moves or corrects rows is about everybody's, and would find none otherwise.
    let mut conn =
        PgConnection::connect_with(&db.connect_options()).await.context("connecting to migrate")?;
    conn.execute("set app.scope = 'system'").await?;
    for (context, migrator) in migrations() {
        migrator.run(&mut conn).await.with_context(|| format!("migrating {context}"))?;
    }
    conn.close().await?;
    WorkerUtils::new(db.clone(), QUEUE_SCHEMA).migrate().await.context("migrating the job queue")?;
    Ok(())
}

/// Refuses a database on which row-level security would be no lock, or that is not up to date.
pub async fn check(db: &PgPool) -> anyhow::Result<()> {
    let bypasses: bool = sqlx::query_scalar(
        "select rolsuper or rolbypassrls from pg_catalog.pg_roles where rolname = current_user",
    )
    .fetch_one(db)
    .await
    .context("reading the rights of the database role")?;
    if bypasses {
        bail!(
            "the role of DATABASE_URL is a superuser or has BYPASSRLS, so tenants would not be kept apart; use an ordinary role that owns the database"
        );
    }
    for (context, migrator) in migrations() {
        let table = format!("{context}._sqlx_migrations");
        let applied: Option<i64> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")))
                .fetch_optional(db)
                .await
                .unwrap_or_default();
        if usize::try_from(applied.unwrap_or(0)).unwrap_or(0) < migrator.iter().count() {
            bail!("the database is not up to date ({context}); run `dangol migrate` first");
        }
    }
    Ok(())
}

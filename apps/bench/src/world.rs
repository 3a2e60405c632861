//! A PostgreSQL of its own for a benchmark, set up as in production.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use anyhow::Context;
use chrono::TimeDelta;
use clap::Parser;
use gateway::config::{Config, Secrets};
use kernel::{Clock, MovableClock};
use local_postgres::{LocalPostgres, Options};
use serde::{Deserialize, Serialize};
use sqlx::{Connection, PgConnection, PgPool};
use tempfile::TempDir;

/// An ordinary role, as in production, so that row-level security holds.
pub(crate) const ROLE: &str = "dangol";
pub(crate) const DATABASE: &str = "dangol";

pub(crate) struct World {
    // Dropped in this order: the server stops before its files go.
    postgres: LocalPostgres,
    folder: TempDir,
}

impl World {
    /// A migrated database that is safe against power cuts: its commits wait for the disk.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::start_with(&[]).await
    }

    /// The same with more settings for PostgreSQL.
    pub(crate) async fn start_with(settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("dangol-bench-")
            // Where we are root, the server runs as somebody else, who has to get in.
            .permissions(Permissions::from_mode(0o755))
            .tempdir()?;
        let mut options = Options::new(folder.path().join("postgres"));
        // Long enough to read whole statements in pg_stat_activity.
        options.settings.push(("track_activity_query_size".to_owned(), "16384".to_owned()));
        let more = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        options.settings.extend(more);
        let postgres = LocalPostgres::start(options).await?;
        let world = Self { postgres, folder };
        let mut admin = PgConnection::connect(&world.postgres.url("postgres")).await?;
        sqlx::raw_sql("create role dangol login password 'dangol'").execute(&mut admin).await?;
        sqlx::raw_sql("create database dangol owner dangol").execute(&mut admin).await?;
        let db = PgPool::connect(&world.url()).await?;
        gateway::database::migrate(&db).await?;
        gateway::database::check(&db).await?;
        db.close().await;
        Ok(world)
    }

    /// For logs and whatever else a benchmark writes.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn port(&self) -> u16 {
        self.postgres.port()
    }

    pub(crate) fn url(&self) -> String {
        format!("postgres://{ROLE}:{ROLE}@127.0.0.1:{}/{DATABASE}", self.postgres.port())
    }

    /// As a superuser, whom no row-level security binds.
    pub(crate) fn superuser_url(&self) -> String {
        self.postgres.url(DATABASE)
    }

    pub(crate) async fn superuser(&self) -> anyhow::Result<PgConnection> {
        Ok(PgConnection::connect(&self.superuser_url()).await?)
    }

    /// What autovacuum and the checkpointer would soon do about rows that were just loaded, so that
    /// they do not do it in the middle of a measurement.
    pub(crate) async fn settle_down(&self) -> anyhow::Result<()> {
        let mut admin = self.superuser().await?;
        sqlx::raw_sql("vacuum analyze").execute(&mut admin).await?;
        sqlx::raw_sql("checkpoint").execute(&mut admin).await?;
        Ok(())
    }

    pub(crate) async fn stop(self) {
        self.postgres.stop().await;
    }
}

/// How many seconds the clock of a process is ahead of the machine's.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct ClockAhead(pub i64);

impl ClockAhead {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) fn started(self) -> Arc<dyn Clock> {
        Arc::new(MovableClock::with_offset(TimeDelta::seconds(self.0)))
    }
}

#[derive(Parser)]
struct Flags {
    #[command(flatten)]
    config: Config,
}

/// The configuration of `dangol` with its defaults, and the secrets of a development system.
pub(crate) fn configuration(flags: &[&str]) -> anyhow::Result<(Config, Secrets)> {
    let flags = Flags::try_parse_from(["bench"].iter().chain(flags)).context("flags of dangol")?;
    let secrets = flags.config.development_secrets()?;
    Ok((flags.config, secrets))
}

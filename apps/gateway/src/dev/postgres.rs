//! The private PostgreSQL of a development system.

use std::path::Path;

use anyhow::Context;
use local_postgres::{LocalPostgres, Options};
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

/// The role and the database, as in production: an ordinary role that owns the database, so that
/// row-level security holds here too.
const NAME: &str = "dangol";

pub(super) struct Cluster {
    postgres: LocalPostgres,
    pub(super) url: SecretString,
}

/// Starts the cluster below `data_dir`, made first if it is not there.
pub(super) async fn start(data_dir: &Path) -> anyhow::Result<Cluster> {
    let mut options = Options::new(data_dir.join("postgres"));
    options.max_connections = 200;
    let postgres = LocalPostgres::start(options).await?;
    let url = prepare(&postgres).await.context("preparing the database")?;
    Ok(Cluster { postgres, url })
}

impl Cluster {
    pub(super) async fn stop(self) {
        self.postgres.stop().await;
    }
}

/// Makes the role and the database where they are missing. The role's password is new at every
/// start, so that none has to be kept.
async fn prepare(postgres: &LocalPostgres) -> anyhow::Result<SecretString> {
    let mut admin = PgConnection::connect(&postgres.url("postgres")).await?;
    let password = Uuid::new_v4().simple().to_string();
    let has_role: bool = sqlx::query_scalar("select exists (select from pg_roles where rolname = $1)")
        .bind(NAME)
        .fetch_one(&mut admin)
        .await?;
    let verb = if has_role { "alter" } else { "create" };
    let role = format!("{verb} role {NAME} login nosuperuser nobypassrls password '{password}'");
    sqlx::query(AssertSqlSafe(role)).execute(&mut admin).await?;
    let has_database: bool = sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(NAME)
        .fetch_one(&mut admin)
        .await?;
    if !has_database {
        sqlx::query(AssertSqlSafe(format!("create database {NAME} owner {NAME}")))
            .execute(&mut admin)
            .await?;
    }
    admin.close().await?;
    Ok(format!("postgres://{NAME}:{password}@127.0.0.1:{}/{NAME}", postgres.port()).into())
}

//! A database per test, cloned from a migrated template: about 80 ms each.
//!
//! Every test binary starts one throw-away PostgreSQL, which dies with it.

use std::str::FromStr;

use local_postgres::LocalPostgres;
use secrecy::SecretString;
use sqlx::{AssertSqlSafe, Connection, PgConnection, PgPool, postgres::PgConnectOptions};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The role that owns the databases: ordinary, as in production, so that row-level security holds.
const ROLE: &str = "dangol";
const TEMPLATE: &str = "template_dangol";

static SERVER: OnceCell<LocalPostgres> = OnceCell::const_new();

/// A migrated database that nobody else uses.
pub struct TestDatabase {
    pub url: SecretString,
    /// The same as a superuser, whom no row-level security binds.
    pub superuser_url: SecretString,
}

impl TestDatabase {
    pub async fn create() -> Self {
        let server = SERVER.get_or_init(start_server).await;
        let name = format!("test_{}", Uuid::new_v4().simple());
        let mut admin =
            PgConnection::connect(&server.url("postgres")).await.expect("the server accepts connections");
        execute(&mut admin, format!("create database {name} template {TEMPLATE} owner {ROLE}")).await;
        Self { url: url(server, &name).into(), superuser_url: server.url(&name).into() }
    }
}

async fn start_server() -> LocalPostgres {
    let server = LocalPostgres::scratch().await.expect("a scratch PostgreSQL starts");
    let mut admin =
        PgConnection::connect(&server.url("postgres")).await.expect("the server accepts connections");
    execute(&mut admin, format!("create role {ROLE} login password '{ROLE}'")).await;
    execute(&mut admin, format!("create database {TEMPLATE} owner {ROLE}")).await;
    let options = PgConnectOptions::from_str(&url(&server, TEMPLATE)).expect("a valid URL");
    let db = PgPool::connect_with(options).await.expect("the template accepts connections");
    gateway::database::migrate(&db).await.expect("the migrations run");
    db.close().await;
    server
}

fn url(server: &LocalPostgres, database: &str) -> String {
    format!("postgres://{ROLE}:{ROLE}@127.0.0.1:{}/{database}", server.port())
}

async fn execute(conn: &mut PgConnection, statement: String) {
    sqlx::query(AssertSqlSafe(statement)).execute(conn).await.expect("the statement runs");
}

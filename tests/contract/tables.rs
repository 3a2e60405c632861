//! All of a database, table by table.

use sqlx::{AssertSqlSafe, PgPool};
use testkit::TestApp;

/// Tables that only the system may look into, for all businesses at once. The list can only shrink.
///
/// A case may be about a business, but what operators decide is not the business's to read; what the
/// provider lists is not known to be anybody's.
pub(crate) const OF_THE_SYSTEM: [&str; 8] = [
    "billing.invariant_check",
    "billing.operator_case",
    "billing.provider_breaker",
    "billing.reconciliation",
    "billing.reconciliation_line",
    "billing.route",
    "billing.webhook",
    "notifications.ticket",
];

/// Tables of what a person keeps, whatever business they belong to.
pub(crate) const OF_PEOPLE: [&str; 3] =
    ["notifications.preference", "notifications.read_mark", "notifications.read_one"];

/// The tables that belong to businesses, in the contexts' schemas.
pub(crate) async fn of_tenants(db: &PgPool) -> Vec<String> {
    list(db, "exists").await
}

/// The tables of the contexts that belong neither to a business nor to the system.
pub(crate) async fn of_nobody(db: &PgPool) -> Vec<String> {
    list(db, "not exists").await
}

/// Also in schemas that do not exist yet: whoever adds a context is asked the same.
async fn list(db: &PgPool, has_business: &str) -> Vec<String> {
    let query = format!(
        "select n.nspname || '.' || c.relname
         from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'p') and n.nspname not like 'pg\\_%'
           and n.nspname not in ('information_schema', 'public', 'graphile_worker')
           and {has_business} (
               select from pg_catalog.pg_attribute a
               where a.attrelid = c.oid and a.attname = 'business_id' and not a.attisdropped)
         order by 1"
    );
    let mut tables: Vec<String> =
        sqlx::query_scalar(AssertSqlSafe(query)).fetch_all(db).await.expect("the catalogue answers");
    tables.retain(|table| !OF_THE_SYSTEM.contains(&table.as_str()) && !OF_PEOPLE.contains(&table.as_str()));
    assert!(tables.len() >= 4, "{tables:?}");
    tables
}

/// Everything that is known about some businesses, as text.
pub(crate) async fn all_about(app: &TestApp, businesses: &[i64]) -> String {
    let superuser = app.superuser().await;
    let mut all = String::new();
    for table in of_tenants(&superuser).await {
        let query = format!("select t::text from {table} t where business_id = any($1) order by 1");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query))
            .bind(businesses)
            .fetch_all(&superuser)
            .await
            .expect("the table can be read");
        all.extend([table.as_str(), "\n", &rows.join("\n"), "\n"]);
    }
    superuser.close().await;
    all
}

/// Every row of every table as text, those of the job queue included; bytes are in hexadecimal.
pub(crate) async fn everything(app: &TestApp) -> String {
    let superuser = app.superuser().await;
    let tables: Vec<String> = sqlx::query_scalar(
        "select format('%I.%I', schemaname, tablename) from pg_catalog.pg_tables
         where schemaname not in ('pg_catalog', 'information_schema') order by 1",
    )
    .fetch_all(&superuser)
    .await
    .expect("the catalogue answers");
    let mut all = String::new();
    for table in tables {
        let query = format!("select t::text from {table} t");
        let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(query))
            .fetch_all(&superuser)
            .await
            .expect("the table can be read");
        all.extend([table.as_str(), "\n", &rows.join("\n"), "\n"]);
    }
    superuser.close().await;
    all
}

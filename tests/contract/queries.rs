//! What the SQL was checked against when the code was built is what the migrations make.
//!
//! The build reads `.sqlx/` and asks no database. A migration that changes a column without a new
//! `just prepare` would leave it believing in the old one; this is where that shows.

use std::{collections::BTreeSet, fs, path::PathBuf};

use secrecy::ExposeSecret;
use serde_json::Value;
use sqlx::{Connection, Executor, PgConnection, SqlSafeStr};
use testkit::TestApp;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn remembered() -> Vec<Value> {
    let entries = fs::read_dir(root().join(".sqlx")).expect("the folder .sqlx");
    let files = entries.map(|entry| entry.expect("an entry").path());
    files.map(|file| serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON")).collect()
}

#[tokio::test]
async fn every_checked_query_fits_the_database_that_the_migrations_make() {
    let app = TestApp::start().await;
    let queries = remembered();
    assert!(!queries.is_empty());
    let mut stale = Vec::new();
    // A connection that has run none of them: what it remembers of a statement says less.
    let url = app.database.url.expose_secret();
    let mut conn = PgConnection::connect(url).await.expect("the database answers");
    for query in queries {
        let sql = query["query"].as_str().expect("a query").to_owned();
        let described = conn.describe(sqlx::AssertSqlSafe(sql.clone()).into_sql_str()).await;
        match described.map(|described| serde_json::to_value(described).expect("JSON")) {
            // What may be null is partly guessed from the plan, which depends on statistics.
            Ok(described)
                if ["columns", "parameters"]
                    .iter()
                    .all(|part| described[part] == query["describe"][part]) => {}
            Ok(_) => stale.push(format!("answers otherwise: {sql}")),
            Err(error) => stale.push(format!("{error}: {sql}")),
        }
    }
    conn.ping().await.expect("the connection is still good");
    assert!(stale.is_empty(), "run `just prepare`:\n{}", stale.join("\n"));
}

#[test]
fn nothing_is_remembered_that_no_code_asks() {
    let mut sources = String::new();
    let mut folders = vec![root().join("crates"), root().join("apps")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push_str(&fs::read_to_string(path).expect("a source file"));
            }
        }
    }
    // Layout and the escapes of ordinary string literals differ between the source and what is remembered.
    let plain = |text: &str| text.replace('\\', "").split_whitespace().collect::<String>();
    let sources = plain(&sources);
    let forgotten: BTreeSet<String> = remembered()
        .iter()
        .map(|query| query["query"].as_str().expect("a query").to_owned())
        .filter(|query| !sources.contains(&plain(query)))
        .collect();
    assert!(forgotten.is_empty(), "run `just prepare`: {forgotten:#?}");
}

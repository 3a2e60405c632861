//! pgbench, the yardstick of whatever mostly waits for PostgreSQL.

use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use tokio::process::Command;

use crate::world::{DATABASE, ROLE, World};

/// Runs scripts as the application's ordinary role, with prepared statements.
pub(crate) struct Pgbench<'a> {
    world: &'a World,
    program: PathBuf,
}

impl<'a> Pgbench<'a> {
    pub(crate) async fn find(world: &'a World) -> anyhow::Result<Self> {
        let program = local_postgres::find_binaries().await?.folder().join("pgbench");
        ensure!(program.exists(), "no pgbench beside PostgreSQL; install the package that has it");
        Ok(Self { world, program })
    }

    /// Answers with transactions a second.
    pub(crate) async fn run(&self, script: &Path, arguments: &[String]) -> anyhow::Result<f64> {
        let output = Command::new(&self.program)
            .args(["--no-vacuum", "--protocol=prepared", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.world.port()))
            .arg(format!("--username={ROLE}"))
            .args(arguments)
            .arg("--file")
            .arg(script)
            .arg(DATABASE)
            .env("PGPASSWORD", ROLE)
            .kill_on_drop(true)
            .output()
            .await?;
        let text = String::from_utf8_lossy(&output.stdout);
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = rate.and_then(|rate| rate.split_whitespace().next());
        let rate = rate.with_context(|| format!("{text}{}", String::from_utf8_lossy(&output.stderr)))?;
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr));
        Ok(rate.parse()?)
    }
}

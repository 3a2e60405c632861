//! psql, the yardstick of whatever is one statement: it sends the text, and says how long the rows took to come.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use tokio::{fs, process::Command};

use crate::{
    latency::Latencies,
    world::{DATABASE, ROLE, World},
};

/// Runs scripts as the application's ordinary role, so that row-level security holds.
pub(crate) struct Psql<'a> {
    world: &'a World,
    program: PathBuf,
}

impl<'a> Psql<'a> {
    pub(crate) async fn find(world: &'a World) -> anyhow::Result<Self> {
        let program = local_postgres::find_binaries().await?.folder().join("psql");
        ensure!(program.exists(), "no psql beside PostgreSQL; install the package that has it");
        Ok(Self { world, program })
    }

    /// How long each statement took for which the script says `\timing on`. The rows go nowhere.
    pub(crate) async fn time(&self, script: &str) -> anyhow::Result<Latencies> {
        let file = self.world.folder().join("timed.sql");
        fs::write(&file, format!("\\set ON_ERROR_STOP on\n\\o /dev/null\n{script}")).await?;
        let output = Command::new(&self.program)
            .args(["--no-psqlrc", "--quiet", "--host=127.0.0.1"])
            .arg(format!("--port={}", self.world.port()))
            .arg(format!("--username={ROLE}"))
            .arg("--file")
            .arg(&file)
            .arg(DATABASE)
            .env("PGPASSWORD", ROLE)
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout)?;
        let times = text.lines().filter_map(|line| line.strip_prefix("Time: "));
        let milliseconds = times.map(|time| {
            let number = time.split_whitespace().next().context("a time")?;
            Ok(number.parse::<f64>()?)
        });
        milliseconds.collect()
    }
}

//! Processes that end with us, even when we are killed with SIGKILL.

use std::{
    ffi::OsStr,
    fs::File,
    path::Path,
    process::{Child, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{Error, account::Account};

const SHELL: &str = "/bin/sh";
const SCRIPT: &str = include_str!("supervisor.sh");
const POLL: Duration = Duration::from_millis(5);
/// A little more than the script needs until it resorts to SIGKILL.
const PATIENCE: Duration = Duration::from_secs(35);
/// Dropping blocks a thread; what takes longer goes on in the script without us.
const PATIENCE_IN_DROP: Duration = Duration::from_secs(5);

pub(crate) struct Plan<'a> {
    pub(crate) account: Account,
    /// The name of the signal, as `kill -s` wants it.
    pub(crate) stop_signal: &'a str,
    /// What the script removes after it has stopped the process for us.
    pub(crate) remove: Option<&'a Path>,
    /// Where stdout and stderr go.
    pub(crate) log: File,
}

#[derive(Debug)]
pub(crate) struct Supervised {
    shell: Child,
}

impl Supervised {
    pub(crate) fn spawn<S: AsRef<OsStr>>(
        plan: Plan<'_>,
        program: &Path,
        args: impl IntoIterator<Item = S>,
    ) -> Result<Self, Error> {
        let also_stderr = plan.log.try_clone().map_err(Error::run(SHELL))?;
        let shell = plan
            .account
            .command(Path::new(SHELL))
            .args(["-c", SCRIPT, "dangol-postgres", plan.stop_signal])
            .arg(plan.remove.unwrap_or(Path::new("")))
            .arg(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(plan.log)
            .stderr(also_stderr)
            .spawn()
            .map_err(Error::run(SHELL))?;
        Ok(Self { shell })
    }

    /// The supervisor ends when its process has ended, with the same status.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        // An error means that somebody else has already collected the process.
        self.shell.try_wait().unwrap_or_else(|_| Some(ExitStatus::default()))
    }

    // Polling, because a tokio child belongs to the runtime that started it, and a server shared by
    // `#[tokio::test]`s outlives many runtimes.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        loop {
            if let Some(status) = self.ended() {
                return status;
            }
            tokio::time::sleep(POLL).await;
        }
    }

    pub(crate) async fn stop(&mut self) {
        self.close_pipe();
        let asked = Instant::now();
        while self.ended().is_none() && asked.elapsed() < PATIENCE {
            tokio::time::sleep(POLL).await;
        }
    }

    fn close_pipe(&mut self) {
        drop(self.shell.stdin.take());
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        self.close_pipe();
        let asked = Instant::now();
        while self.ended().is_none() && asked.elapsed() < PATIENCE_IN_DROP {
            std::thread::sleep(POLL);
        }
    }
}

//! How other commands find a development system that runs on the same data folder.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf, sync::Arc};

use anyhow::Context;
use kernel::MovableClock;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{app::App, config::Config, database};

/// A development system that runs on the same data folder, as it announced itself there.
pub struct Running {
    pub database_url: SecretString,
    sandbox_url: String,
    path: PathBuf,
}

/// The announcement: a file for its owner's eyes only, since the URL holds a password.
#[derive(Serialize, Deserialize)]
struct Announcement {
    pid: u32,
    database_url: String,
    sandbox_url: String,
}

fn path(config: &Config) -> PathBuf {
    config.data_dir.join("running.json")
}

impl Running {
    pub(super) fn announce(
        config: &Config,
        database_url: &SecretString,
        sandbox_url: &str,
    ) -> anyhow::Result<Self> {
        let path = path(config);
        crate::cli::remove_if_present(&path)?;
        let announcement = Announcement {
            pid: std::process::id(),
            database_url: database_url.expose_secret().to_owned(),
            sandbox_url: sandbox_url.to_owned(),
        };
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        file.write_all(&serde_json::to_vec(&announcement)?)?;
        Ok(Self { database_url: database_url.clone(), sandbox_url: announcement.sandbox_url, path })
    }

    pub(super) fn withdraw(self) {
        if let Err(error) = crate::cli::remove_if_present(&self.path) {
            tracing::warn!(%error, "cannot remove {}", self.path.display());
        }
    }

    /// The system that runs on this data folder; none if it stopped, or was killed and left its announcement behind.
    pub fn of(config: &Config) -> anyhow::Result<Option<Self>> {
        if config.database_url.is_some() {
            return Ok(None);
        }
        let path = path(config);
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let Ok(announcement) = serde_json::from_slice::<Announcement>(&text) else { return Ok(None) };
        let pid = i32::try_from(announcement.pid).context("a process id")?;
        let is_alive = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok();
        Ok(is_alive.then(|| Self {
            database_url: announcement.database_url.into(),
            sandbox_url: announcement.sandbox_url,
            path,
        }))
    }

    /// An application beside the running one: same database, same clock, same sandbox.
    pub async fn app(&self, config: &Config) -> anyhow::Result<App> {
        let mut config = config.clone();
        config.providers.speak_with(&self.sandbox_url);
        config.papers.speak_with(&self.sandbox_url);
        config.messages.speak_with(&self.sandbox_url);
        let secrets = config.development_secrets()?;
        let db = database::connect(&self.database_url, config.database_connections).await?;
        let clock = Arc::new(MovableClock::default());
        platform::clock::load_offset(&db, &clock).await?;
        App::new(&config, &secrets, db, clock)
    }
}

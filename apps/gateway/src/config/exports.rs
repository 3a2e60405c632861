//! Where the files of exports lie, and how many are made at once.

use std::{fmt, path::Path, sync::Arc};

use anyhow::Context;
use clap::Args;
use exports::{S3Settings, Settings, Storage};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use super::{at_least_one, secret};

#[derive(Args, Clone, Debug)]
pub struct ExportsConfig {
    /// The S3 bucket for the files of exports. Without one they lie in the folder `exports` of
    /// `DANGOL_DATA_DIR`, which then all processes must share.
    #[arg(long, env = "S3_BUCKET", global = true)]
    pub s3_bucket: Option<String>,

    /// The bucket's region.
    #[arg(long, env = "AWS_REGION", global = true)]
    pub aws_region: Option<String>,

    /// Where an S3 that is not Amazon's answers.
    #[arg(long, env = "AWS_ENDPOINT_URL", global = true)]
    pub aws_endpoint_url: Option<String>,

    /// The bucket's credentials; without them, those of the machine's role.
    #[arg(long, env = "AWS_ACCESS_KEY_ID", global = true)]
    pub aws_access_key_id: Option<String>,

    #[arg(long, env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true, value_parser = secret, global = true)]
    pub aws_secret_access_key: Option<SecretString>,

    #[arg(long, env = "AWS_SESSION_TOKEN", hide_env_values = true, value_parser = secret, global = true)]
    pub aws_session_token: Option<SecretString>,

    /// How many exports a worker makes at once.
    #[arg(long, env = "DANGOL_EXPORT_CONCURRENCY", default_value_t = 2, value_parser = at_least_one, global = true)]
    pub export_concurrency: usize,

    /// How many exports of one business are made at once, by all workers together.
    #[arg(long, env = "DANGOL_EXPORTS_PER_BUSINESS", default_value_t = 2, value_parser = at_least_one, global = true)]
    pub exports_per_business: usize,
}

impl ExportsConfig {
    pub(super) fn complaints(&self) -> Option<String> {
        let half = self.aws_access_key_id.is_some() != self.aws_secret_access_key.is_some();
        (self.s3_bucket.is_some() && half)
            .then(|| "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: set both of them, or none".to_owned())
    }

    /// Where files lie.
    pub(crate) fn storage(&self, data_dir: &Path) -> anyhow::Result<Storage> {
        let Some(bucket) = &self.s3_bucket else {
            let folder = data_dir.join("exports");
            return Storage::folder(&folder).with_context(|| {
                format!(
                    "cannot use the folder {} for files (DANGOL_DATA_DIR, or set S3_BUCKET)",
                    folder.display()
                )
            });
        };
        let settings = S3Settings {
            bucket: bucket.clone(),
            region: self.aws_region.clone(),
            endpoint: self.aws_endpoint_url.clone(),
            access_key_id: self.aws_access_key_id.clone(),
            secret_access_key: self.aws_secret_access_key.clone(),
            session_token: self.aws_session_token.clone(),
        };
        Storage::s3(&settings).context("the S3 bucket for files (S3_BUCKET and the AWS_* variables)")
    }

    pub(crate) fn settings(&self) -> Settings {
        let per_business = i64::try_from(self.exports_per_business).unwrap_or(i64::MAX);
        Settings { per_business, ..Settings::default() }
    }

    pub(crate) fn workers(&self) -> Arc<Semaphore> {
        Arc::new(Semaphore::new(self.export_concurrency.min(Semaphore::MAX_PERMITS)))
    }
}

impl fmt::Display for ExportsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |value: &Option<String>| value.clone().unwrap_or_else(|| "(not set)".to_owned());
        let set = if self.aws_secret_access_key.is_some() { "(set)" } else { "(not set)" };
        let files = self.s3_bucket.as_deref().unwrap_or("(not set: files lie in DANGOL_DATA_DIR)");
        writeln!(f, "S3_BUCKET                    {files}")?;
        writeln!(f, "AWS_REGION                   {}", or(&self.aws_region))?;
        writeln!(f, "AWS_ENDPOINT_URL             {}", or(&self.aws_endpoint_url))?;
        writeln!(f, "AWS_SECRET_ACCESS_KEY        {set}")?;
        writeln!(f, "DANGOL_EXPORT_CONCURRENCY    {}", self.export_concurrency)?;
        write!(f, "DANGOL_EXPORTS_PER_BUSINESS  {}", self.exports_per_business)
    }
}

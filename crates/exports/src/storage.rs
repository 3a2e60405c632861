//! Where files lie: a folder of this machine, or S3 and whatever speaks like it.

use std::{
    path::{Path as FilePath, PathBuf},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use object_store::{
    GetOptions, ObjectStore, ObjectStoreExt, RetryConfig, WriteMultipart, aws::AmazonS3Builder,
    local::LocalFileSystem, path::Path, prefix::PrefixStore,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::export::FileKey;

/// The smallest part that S3 takes, except for the last one. There may be 10,000 of them: 50 GB.
const PART: usize = 5 * 1024 * 1024;

/// The name of the one file in an attempt's folder.
const FILE: &str = "file";

#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    #[error("the storage failed")]
    Store(#[from] object_store::Error),
    #[error("the folder for files cannot be used")]
    Folder(#[from] std::io::Error),
}

/// An S3 bucket. What is not given is what the machine's role says, as AWS's own tools do it.
#[derive(Clone, Debug)]
pub struct S3Settings {
    pub bucket: String,
    pub region: Option<String>,
    /// Of an S3 that is not Amazon's.
    pub endpoint: Option<String>,
    pub access_key_id: Option<String>,
    pub secret_access_key: Option<SecretString>,
    pub session_token: Option<SecretString>,
}

/// Where files lie.
#[derive(Clone, Debug)]
pub struct Storage {
    store: Arc<dyn ObjectStore>,
    /// Of this machine. What a killed process was writing is in it, and no listing of objects shows it.
    folder: Option<PathBuf>,
}

impl Storage {
    /// A folder of this machine, made when the first file is: most processes never make one.
    pub fn folder(folder: &FilePath) -> Result<Self, StorageError> {
        let folder = std::path::absolute(folder)?;
        let prefix = Path::from_absolute_path(&folder).map_err(object_store::Error::from)?;
        let store = PrefixStore::new(LocalFileSystem::new(), prefix);
        Ok(Self { store: Arc::new(store), folder: Some(folder) })
    }

    pub fn s3(settings: &S3Settings) -> Result<Self, StorageError> {
        // Longer, and the export itself is tried again, with the client told that it takes a while.
        let retry =
            RetryConfig { max_retries: 3, retry_timeout: Duration::from_secs(30), ..RetryConfig::default() };
        let mut builder = AmazonS3Builder::from_env().with_bucket_name(&settings.bucket).with_retry(retry);
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        if let Some(endpoint) = &settings.endpoint {
            builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
        }
        if let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret.expose_secret());
        }
        if let Some(token) = &settings.session_token {
            builder = builder.with_token(token.expose_secret());
        }
        Ok(Self::of(Arc::new(builder.build()?)))
    }

    /// Any other, such as one of a test.
    pub fn of(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, folder: None }
    }

    /// Begins to write a file. It is there for readers when it is finished, and not before.
    pub(crate) async fn create(&self, key: &FileKey) -> Result<Upload, StorageError> {
        let upload = self.store.put_multipart(&path(key)).await?;
        Ok(Upload { parts: WriteMultipart::new_with_chunk_size(upload, PART), size: 0 })
    }

    /// Some of a file's bytes.
    pub(crate) async fn read(
        &self,
        key: &FileKey,
        range: std::ops::Range<u64>,
    ) -> Result<impl Stream<Item = Result<Bytes, StorageError>> + Send + 'static, StorageError> {
        let options = GetOptions::new().with_range(Some(range));
        Ok(self.store.get_opts(&path(key), options).await?.into_stream().map_err(StorageError::Store))
    }

    /// Removes a file and whatever else its attempt has left. That there is nothing is fine.
    pub(crate) async fn remove(&self, key: &FileKey) -> Result<(), StorageError> {
        if let Some(folder) = &self.folder {
            let gone = folder.join(key.folder());
            match tokio::fs::remove_dir_all(&gone).await {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
            // The folders of its export and its business as well, if nothing else is in them.
            for around in gone.ancestors().skip(1).take_while(|around| around != folder) {
                if tokio::fs::remove_dir(around).await.is_err() {
                    break;
                }
            }
            return Ok(());
        }
        match self.store.delete(&path(key)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn path(key: &FileKey) -> Path {
    Path::from(format!("{}/{FILE}", key.folder()))
}

/// A file that is being written.
pub(crate) struct Upload {
    parts: WriteMultipart,
    size: u64,
}

impl Upload {
    /// Waits while the part before is on its way, so that a slow storage costs no memory.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), StorageError> {
        self.parts.wait_for_capacity(1).await?;
        self.size += bytes.len() as u64;
        self.parts.put(bytes);
        Ok(())
    }

    pub(crate) async fn write_all_of(
        &mut self,
        mut source: impl AsyncRead + Unpin,
    ) -> Result<(), StorageError> {
        loop {
            let mut piece = bytes::BytesMut::with_capacity(1024 * 1024);
            if source.read_buf(&mut piece).await? == 0 {
                return Ok(());
            }
            self.write(piece.freeze()).await?;
        }
    }

    /// The file is there, and this large.
    pub(crate) async fn finish(self) -> Result<i64, StorageError> {
        self.parts.finish().await?;
        Ok(i64::try_from(self.size).unwrap_or(i64::MAX))
    }

    /// Nothing of it remains.
    pub(crate) async fn abort(self) {
        if let Err(error) = self.parts.abort().await {
            tracing::warn!(%error, "parts of a file could not be taken back");
        }
    }
}

//! Storages for tests: an S3 that is not Amazon's, one that breaks, and one that keeps people waiting.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};

use async_trait::async_trait;
use exports::{S3Settings, Storage};
use futures::stream::BoxStream;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart, memory::InMemory, path::Path,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::{net::TcpListener, sync::Semaphore};

/// An S3 with one bucket, in this very process.
pub(super) struct S3 {
    addr: SocketAddr,
    folder: TempDir,
}

impl S3 {
    pub(super) async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("files")).expect("a bucket");
        let mut service = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a file system"));
        service.set_auth(SimpleAuth::from_single("key", "secret"));
        let service = service.build();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let addr = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    let http = Builder::new(TokioExecutor::new());
                    let _ = http.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { addr, folder }
    }

    pub(super) fn storage(&self) -> Storage {
        Storage::s3(&S3Settings {
            bucket: "files".to_owned(),
            region: Some("ap-northeast-2".to_owned()),
            endpoint: Some(format!("http://{}", self.addr)),
            access_key_id: Some("key".to_owned()),
            secret_access_key: Some("secret".into()),
            session_token: None,
        })
        .expect("settings of an S3")
    }

    /// How many objects the bucket has.
    pub(super) fn objects(&self) -> usize {
        fn count(folder: &std::path::Path) -> usize {
            let entries = std::fs::read_dir(folder).into_iter().flatten().filter_map(std::result::Result::ok);
            entries.map(|entry| if entry.path().is_dir() { count(&entry.path()) } else { 1 }).sum()
        }
        count(&self.folder.path().join("files"))
    }
}

/// A storage in memory that a test can disturb.
#[derive(Debug)]
pub(super) struct Disturbed {
    inner: InMemory,
    /// How many uploads fail from now on.
    failing: AtomicU32,
    /// Parts that may pass.
    gate: Arc<Semaphore>,
}

impl Disturbed {
    /// The first uploads fail.
    pub(super) fn failing(uploads: u32) -> Arc<Self> {
        Arc::new(Self {
            inner: InMemory::new(),
            failing: AtomicU32::new(uploads),
            gate: Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)),
        })
    }

    /// Nothing is stored before the gate is opened.
    pub(super) fn gated() -> Arc<Self> {
        let gate = Arc::new(Semaphore::new(0));
        Arc::new(Self { inner: InMemory::new(), failing: AtomicU32::new(0), gate })
    }

    pub(super) fn open_the_gate(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub(super) async fn objects(&self) -> usize {
        use futures::StreamExt;
        self.inner.list(None).count().await
    }
}

impl fmt::Display for Disturbed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("disturbed")
    }
}

/// An upload that waits, or fails.
#[derive(Debug)]
struct DisturbedUpload {
    inner: Box<dyn MultipartUpload>,
    fails: bool,
    gate: Arc<Semaphore>,
}

#[async_trait]
impl MultipartUpload for DisturbedUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, gate, fails) = (self.inner.put_part(data), Arc::clone(&self.gate), self.fails);
        Box::pin(async move {
            let _ = gate.acquire().await.expect("the gate stands");
            if fails {
                let source = "there is no room".into();
                return Err(object_store::Error::Generic { store: "disturbed", source });
            }
            part.await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.inner.complete().await
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[async_trait]
impl ObjectStore for Disturbed {
    async fn put_opts(&self, at: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(at, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        at: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let take_one = |left: u32| left.checked_sub(1);
        let fails = self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take_one).is_ok();
        let inner = self.inner.put_multipart_opts(at, options).await?;
        Ok(Box::new(DisturbedUpload { inner, fails, gate: Arc::clone(&self.gate) }))
    }

    async fn get_opts(&self, at: &Path, options: GetOptions) -> Result<GetResult> {
        self.inner.get_opts(at, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

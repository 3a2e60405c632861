//! The gateway as a process that can be killed.

use std::{
    fs::File,
    net::{SocketAddr, TcpListener},
    os::unix::process::ExitStatusExt,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};

use secrecy::ExposeSecret;
use tokio::{
    process::{Child, Command},
    time::{Instant, timeout},
};

use crate::world::{World, patiently};

const SIGABRT: i32 = 6;
/// How long a process may take for anything at all.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const JWT_SECRET: &str = "the-jwt-secret-of-the-crash-tests";

/// The partner that the processes are at Popbill: the sandbox's own is refused in production.
pub(crate) const LINK_ID: &str = "CRASH";
pub(crate) const POPBILL_SECRET_KEY: &str = "Y3Jhc2gtdGVzdHMtcG9wYmlsbC1zZWNyZXQta2V5LTE=";

/// What the processes seal with.
pub(crate) const ENCRYPTION_KEY: &str = "k1:Y3Jhc2gtdGVzdHMtZW5jcnlwdGlvbi1rZXktMzItYiE=";

/// The account that the processes have at Solapi.
pub(crate) const SOLAPI_KEY: &str = "NCSCRASHTESTS";
pub(crate) const SOLAPI_SECRET: &str = "the-solapi-secret-of-the-crash-tests";

/// A running process; dropping it kills it.
pub(crate) struct Process {
    child: Child,
    what: String,
}

/// A running API.
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) addr: SocketAddr,
}

impl World {
    fn command(&self, arguments: &[&str]) -> Command {
        let log = File::options().create(true).append(true).open(&self.log).expect("the log can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_dangol-crashable"));
        command
            .args(arguments)
            // Nothing of the developer's own configuration may leak in.
            .env_clear()
            .env("DATABASE_URL", self.database.url.expose_secret())
            .env("DANGOL_DATABASE_CONNECTIONS", "12")
            .env("DANGOL_DATA_DIR", self.files.path())
            .env("DANGOL_JWT_SECRET", JWT_SECRET)
            .env("DANGOL_ENCRYPTION_KEY", ENCRYPTION_KEY)
            .env("CRON_SECRET", "the-cron-secret-of-the-crash-tests")
            .env("TOSS_SECRET_KEY", "test_sk_of_the_crash_tests")
            .env("TOSS_API_BASE_URL", self.sandbox.toss_base_url())
            .env("POPBILL_LINK_ID", LINK_ID)
            .env("POPBILL_SECRET_KEY", POPBILL_SECRET_KEY)
            .env("POPBILL_API_BASE_URL", self.sandbox.popbill_base_url())
            .env("POPBILL_AUTH_BASE_URL", self.sandbox.linkhub_base_url())
            .env("DANGOL_SELLER_BUSINESS_NUMBER", "111-11-11119")
            .env("DANGOL_SELLER_COMPANY", "주식회사 단골")
            .env("DANGOL_SELLER_OWNER", "이단골")
            .envs(self.other_providers())
            .env("SMTP_URL", self.sandbox.smtp_url())
            .env("DANGOL_MAIL_FROM", "billing@dangol.example")
            .env("DANGOL_PUBLIC_URL", "https://api.dangol.example")
            .env("DANGOL_SHOP_URL", "https://dangol.example")
            .env("SOLAPI_API_KEY", SOLAPI_KEY)
            .env("SOLAPI_API_SECRET", SOLAPI_SECRET)
            .env("SOLAPI_API_BASE_URL", self.sandbox.solapi_base_url())
            .env("DANGOL_SENDER_PHONE", "0200000000")
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true);
        command
    }

    /// Credentials for `PortOne`, KCP and Bootpay, and which of all is meant where none is named.
    fn other_providers(&self) -> Vec<(&'static str, String)> {
        let kcp = sandbox::kcp_dev_credentials();
        vec![
            ("DANGOL_DEFAULT_PROVIDER", testkit::name(self.provider).to_owned()),
            ("PORTONE_API_SECRET", "the-portone-secret-of-the-crash-tests".to_owned()),
            ("PORTONE_STORE_ID", sandbox::PORTONE_STORE_ID.to_owned()),
            ("PORTONE_CHANNEL_KEY", sandbox::PORTONE_CHANNEL_KEY.to_owned()),
            ("PORTONE_WEBHOOK_SECRET", sandbox::PORTONE_WEBHOOK_SECRET.to_owned()),
            ("PORTONE_API_BASE_URL", self.sandbox.portone_base_url()),
            ("KCP_SITE_CD", kcp.site_cd),
            ("KCP_GROUP_ID", kcp.group_id),
            ("KCP_CERT", kcp.certificate_pem),
            ("KCP_PRIVATE_KEY", kcp.private_key_pem),
            ("KCP_PRIVATE_KEY_PASSWORD", kcp.passphrase),
            ("KCP_API_BASE_URL", self.sandbox.kcp_base_url()),
            ("KCP_RECEIPT_BASE_URL", self.sandbox.kcp_base_url()),
            ("BOOTPAY_APPLICATION_ID", "the-bootpay-application-of-the-crash-tests".to_owned()),
            ("BOOTPAY_PRIVATE_KEY", "the-bootpay-key-of-the-crash-tests".to_owned()),
            ("BOOTPAY_API_BASE_URL", self.sandbox.bootpay_base_url()),
        ]
    }

    /// A worker that has only few charges under way at once, so that there is time to kill it.
    pub(crate) fn worker(&self) -> Process {
        let mut command = self.command(&["worker"]);
        command.env("DANGOL_BILLING_CONCURRENCY", "5");
        Process::starts(command, "worker".to_owned())
    }

    /// A worker with these variables besides.
    pub(crate) fn worker_with(&self, variables: &[(&str, &str)]) -> Process {
        let mut command = self.command(&["worker"]);
        command.envs(variables.iter().copied());
        Process::starts(command, "worker".to_owned())
    }

    /// A worker that dies as soon as it reaches `step`.
    pub(crate) fn worker_that_dies_at(&self, step: &str, variables: &[(&str, &str)]) -> Process {
        let mut command = self.command(&["worker"]);
        command.envs(variables.iter().copied()).env("FAILPOINTS", once(step));
        Process::starts(command, format!("worker that dies at {step}"))
    }

    /// An API that can be asked.
    pub(crate) async fn server(&self) -> Server {
        let server = self.server_at(free_address(), None);
        server.answers(self).await;
        server
    }

    /// An API with these variables besides.
    pub(crate) async fn server_with(&self, variables: &[(&str, &str)]) -> Server {
        let addr = free_address();
        let mut command = self.command(&["serve"]);
        command.env("DANGOL_HTTP_ADDR", addr.to_string()).envs(variables.iter().copied());
        let server = Server { process: Process::starts(command, "serve".to_owned()), addr };
        server.answers(self).await;
        server
    }

    /// An API that dies as soon as it reaches `step`.
    pub(crate) async fn server_that_dies_at(&self, step: &str) -> Server {
        let server = self.server_at(free_address(), Some(step));
        server.answers(self).await;
        server
    }

    /// An API on this address; it may not listen yet.
    pub(crate) fn server_at(&self, addr: SocketAddr, dies_at: Option<&str>) -> Server {
        let mut command = self.command(&["serve"]);
        command.env("DANGOL_HTTP_ADDR", addr.to_string());
        if let Some(step) = dies_at {
            command.env("FAILPOINTS", once(step));
        }
        let what = dies_at.map_or("serve".to_owned(), |step| format!("serve that dies at {step}"));
        Server { process: Process::starts(command, what), addr }
    }

    /// One billing run, from its start to its end.
    pub(crate) async fn bill(&self) {
        let status = Process::starts(self.command(&["bill"]), "bill".to_owned()).ends().await;
        assert!(status.success(), "bill: {status}; see {}", self.log.display());
    }

    /// A billing run that dies as soon as it reaches `step`.
    pub(crate) async fn bill_dies_at(&self, step: &str) {
        let mut command = self.command(&["bill"]);
        command.env("FAILPOINTS", once(step));
        Process::starts(command, format!("bill that dies at {step}")).aborts().await;
    }
}

fn once(step: &str) -> String {
    format!("{step}=1*return->off")
}

impl Server {
    async fn answers(&self, world: &World) {
        let url = format!("http://{}/health/live", self.addr);
        patiently("the API answers", async || world.http.get(&url).send().await.is_ok()).await;
    }
}

impl Process {
    fn starts(mut command: Command, what: String) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        Self { child, what }
    }

    /// Waits until it dies, and insists that it was the failpoint that killed it.
    pub(crate) async fn aborts(self) {
        let what = self.what.clone();
        let status = self.ends().await;
        assert_eq!(status.signal(), Some(SIGABRT), "{what} never got there: {status}");
    }

    /// SIGTERM, and its end.
    pub(crate) async fn stops(self) -> ExitStatus {
        let id = self.child.id().expect("it runs").to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().await;
        assert!(told.expect("kill is there").success(), "{} cannot be told to stop", self.what);
        self.ends().await
    }

    async fn ends(mut self) -> ExitStatus {
        let ended = timeout(PATIENCE, self.child.wait()).await;
        ended.unwrap_or_else(|_| panic!("{} goes on for ever", self.what)).expect("a child has a status")
    }

    /// SIGKILL: no handler runs, nothing is flushed, no connection is closed in good order.
    pub(crate) async fn is_killed(&mut self) {
        self.child.kill().await.expect("the process can be killed");
    }
}

/// An address that nobody listens on. Below the range from which the system takes the ports of
/// outgoing connections, so that a server can come back to it after it was killed.
pub(crate) fn free_address() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 12_000 + u16::try_from(std::process::id() % 15_000).expect("below 15,000");
    let started = Instant::now();
    loop {
        let port = first + NEXT.fetch_add(1, Ordering::Relaxed) % 5_000;
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        if TcpListener::bind(addr).is_ok() {
            return addr;
        }
        assert!(started.elapsed() < PATIENCE, "no port is free");
    }
}

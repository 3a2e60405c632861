//! A running sandbox.

use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, anyhow};
use axum::Router;
use kernel::Clock;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    book::BookEntry,
    bootpay::{self, BootpayNotice},
    control, courier,
    faults::Fault,
    journal::JournalFolder,
    kcp::{self, KcpNotice},
    line::{Line, Lines},
    nhn::{self, NhnNotice},
    popbill,
    portone::{self, PortOneDelivery},
    smtp,
    solapi::{self, SolapiNotice},
    store::Store,
    toss::{self, WebhookDelivery},
    world::World,
};

mod providers;

/// So long may requests under way take when the sandbox is asked to stop.
const FAREWELL: Duration = Duration::from_secs(5);

pub struct SandboxConfig {
    /// Port 0: any free port.
    pub addr: SocketAddr,
    /// Where the journal is kept; `None` remembers nothing beyond this process.
    pub data_dir: Option<PathBuf>,
    /// All times of the sandbox: approvals, the 15 days of idempotency keys, webhook retries.
    pub clock: Arc<dyn Clock>,
    /// Where webhooks go. It can be changed while running.
    pub webhook_urls: WebhookUrls,
    /// Every call of a provider answers after this time.
    pub latency: Duration,
}

/// Where each provider's webhooks go; `None` is nowhere. Popbill's name their address one by one.
#[derive(Clone, Debug, Default)]
pub struct WebhookUrls {
    pub toss: Option<String>,
    pub portone: Option<String>,
    pub kcp: Option<String>,
    pub bootpay: Option<String>,
    pub solapi: Option<String>,
    pub nhn: Option<String>,
}

impl WebhookUrls {
    /// One product that has an address for each: `http://127.0.0.1:8080/api/webhooks` and then `/toss`.
    pub fn under(base_url: &str) -> Self {
        let of = |provider: &str| Some(format!("{}/{provider}", base_url.trim_end_matches('/')));
        Self {
            toss: of("toss"),
            portone: of("portone"),
            kcp: of("kcp"),
            bootpay: of("bootpay"),
            solapi: of("solapi"),
            nhn: of("nhn"),
        }
    }
}

/// A running sandbox. Dropping it stops it; [`Sandbox::shutdown`] lets requests under way finish.
pub struct Sandbox {
    addr: SocketAddr,
    smtp_addr: SocketAddr,
    world: Arc<World>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    pub async fn start(config: SandboxConfig) -> anyhow::Result<Self> {
        let listener = listen(config.addr).await?;
        let addr = listener.local_addr()?;
        let mail_listener = smtp::listen(addr, config.addr).await?;
        let smtp_addr = mail_listener.local_addr()?;
        let store = match config.data_dir {
            None => Store::in_memory(),
            Some(folder) => {
                let now = config.clock.now();
                // Reading a long journal would hold up every other task of the gateway.
                tokio::task::spawn_blocking(move || Store::open(JournalFolder::claim(&folder)?, now))
                    .await??
            }
        };
        let world = Arc::new(World::new(config.clock, config.latency, store, config.webhook_urls)?);
        let stop = CancellationToken::new();
        let tasks = vec![
            tokio::spawn(serve(listener, router(&world), stop.clone())),
            tokio::spawn(toss::expiry::run(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<WebhookDelivery>(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<PortOneDelivery>(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<KcpNotice>(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<BootpayNotice>(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<SolapiNotice>(world.clone(), stop.clone())),
            tokio::spawn(courier::run::<NhnNotice>(world.clone(), stop.clone())),
            tokio::spawn(smtp::run(world.clone(), mail_listener, stop.clone())),
        ];
        Ok(Self { addr, smtp_addr, world, stop, tasks })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:8090`
    pub fn base_url(&self) -> String {
        format!("http://{}", reachable(self.addr))
    }

    /// Every charge and cancel that the providers hold, oldest first.
    pub fn book(&self) -> Vec<BookEntry> {
        let entries = self.world.store().book.entries().to_vec();
        entries.into_iter().map(Arc::unwrap_or_clone).collect()
    }

    /// Puts these faults in place of all others.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.world.faults.replace(faults.into_iter().collect());
    }

    pub fn add_fault(&self, fault: Fault) {
        self.world.faults.add(fault);
    }

    pub fn clear_faults(&self) {
        self.world.faults.replace(Vec::new());
    }

    /// The faults that have not struck out yet.
    pub fn faults(&self) -> Vec<Fault> {
        self.world.faults.list()
    }

    /// Stops listening, lets requests under way finish, and lets go of the journal.
    pub async fn shutdown(mut self) {
        self.stop.cancel();
        for task in std::mem::take(&mut self.tasks) {
            let _ = tokio::time::timeout(FAREWELL, task).await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
        self.world.store().stop();
    }
}

/// An address that means "all of them" is none that a client could connect to.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

async fn listen(addr: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(addr).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Err(anyhow!(
            "the sandbox cannot listen on {addr}: another program does already; stop it or set DANGOL_SANDBOX_ADDR"
        )),
        Err(error) => Err(error).with_context(|| format!("the sandbox cannot listen on {addr}")),
    }
}

fn router(world: &Arc<World>) -> Router {
    Router::new()
        .nest("/toss", toss::router())
        .nest("/portone", portone::router())
        .nest("/kcp", kcp::router())
        .nest("/bootpay/v2", bootpay::router())
        .nest("/popbill", popbill::router())
        .nest("/linkhub", popbill::linkhub_router())
        .nest("/solapi", solapi::router())
        .nest("/nhn/sms", nhn::sms_router())
        .nest("/nhn/kakao", nhn::kakao_router())
        .merge(control::router())
        .with_state(world.clone())
}

async fn serve(listener: TcpListener, router: Router, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Line>();
    let serving = axum::serve(Lines(listener), service).with_graceful_shutdown(stop.cancelled_owned());
    if let Err(error) = serving.await {
        tracing::error!(%error, "the sandbox stopped serving");
    }
}

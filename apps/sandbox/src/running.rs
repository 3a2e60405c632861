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
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    book::BookEntry,
    control, courier,
    faults::Fault,
    journal::JournalFolder,
    kcp::{self, KcpNotice, KcpPaymentAuth, KcpSwitches},
    line::{Line, Lines},
    popbill::{self, IssuedInvoice, PopbillSwitches},
    portone::{self, PortOneBillingAuth, PortOneDelivery, PortOnePaymentAuth, PortOneSwitches},
    store::Store,
    toss::{
        self, PaymentAuth, TossSwitches, WebhookDelivery,
        desk::{self, BillingAuth, CardChange},
    },
    world::World,
};

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
}

impl WebhookUrls {
    /// One product that has an address for each: `http://127.0.0.1:8080/api/webhooks` and then `/toss`.
    pub fn under(base_url: &str) -> Self {
        let of = |provider: &str| Some(format!("{}/{provider}", base_url.trim_end_matches('/')));
        Self { toss: of("toss"), portone: of("portone"), kcp: of("kcp") }
    }
}

/// A running sandbox. Dropping it stops it; [`Sandbox::shutdown`] lets requests under way finish.
pub struct Sandbox {
    addr: SocketAddr,
    world: Arc<World>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Sandbox {
    pub async fn start(config: SandboxConfig) -> anyhow::Result<Self> {
        let listener = listen(config.addr).await?;
        let addr = listener.local_addr()?;
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
        ];
        Ok(Self { addr, world, stop, tasks })
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:8090`
    pub fn base_url(&self) -> String {
        // An address that means "all of them" is none that a client could connect to.
        let ip = match self.addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        format!("http://{}", SocketAddr::new(ip, self.addr.port()))
    }

    /// What takes the place of `https://api.tosspayments.com`.
    pub fn toss_base_url(&self) -> String {
        format!("{}/toss", self.base_url())
    }

    /// What takes the place of `https://api.portone.io`.
    pub fn portone_base_url(&self) -> String {
        format!("{}/portone", self.base_url())
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

    /// A payer registers a card in the browser. Returns the `authKey`.
    pub fn billing_auth(&self, customer_key: &str, card_number: &str) -> anyhow::Result<String> {
        let request =
            BillingAuth { customer_key: customer_key.to_owned(), card_number: card_number.to_owned() };
        Ok(desk::billing_auth(&self.world, request)?)
    }

    /// A payer authenticates a one-off payment in the browser. Returns the `paymentKey`, to be
    /// confirmed within ten minutes.
    pub fn payment_auth(&self, payment: PaymentAuth) -> anyhow::Result<String> {
        Ok(desk::payment_auth(&self.world, payment)?)
    }

    /// Puts another card behind a billing key, such as one that is suspended.
    pub fn change_card_of_billing_key(&self, billing_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = CardChange {
            billing_key: Some(billing_key.to_owned()),
            customer_key: None,
            card_number: card_number.to_owned(),
        };
        desk::change_card(&self.world, &change)?;
        Ok(())
    }

    /// Puts another card behind all billing keys of a customer.
    pub fn change_card_of_customer(&self, customer_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = CardChange {
            billing_key: None,
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
        };
        desk::change_card(&self.world, &change)?;
        Ok(())
    }

    pub fn toss_switches(&self) -> TossSwitches {
        self.world.toss.switches()
    }

    pub fn set_toss_switches(&self, switches: TossSwitches) {
        self.world.toss.set_switches(switches);
    }

    /// Where Toss's webhooks go. While there is no address, they are given up.
    pub fn set_toss_webhook_url(&self, url: Option<String>) {
        courier::set_url::<WebhookDelivery>(&self.world, url);
    }

    /// Every webhook and the attempts to deliver it, oldest first.
    pub fn webhooks(&self) -> Vec<WebhookDelivery> {
        self.world.store().toss.deliveries().cloned().collect()
    }

    /// Delivers a webhook once more, now.
    pub async fn redeliver_webhook(&self, transmission_id: &str) -> anyhow::Result<WebhookDelivery> {
        Ok(desk::redeliver(&self.world, transmission_id).await?)
    }

    /// A payer registers a card in PortOne's window. Returns what `requestIssueBillingKey` does.
    pub fn portone_billing_auth(&self, request: PortOneBillingAuth) -> anyhow::Result<Value> {
        Ok(portone::desk::billing_auth(&self.world, request)?)
    }

    /// A payer pays in PortOne's window. Returns what `requestPayment` does.
    pub fn portone_payment_auth(&self, request: PortOnePaymentAuth) -> anyhow::Result<Value> {
        Ok(portone::desk::payment_auth(&self.world, request)?)
    }

    pub fn portone_switches(&self) -> PortOneSwitches {
        self.world.portone.switches()
    }

    pub fn set_portone_switches(&self, switches: PortOneSwitches) {
        self.world.portone.set_switches(switches);
    }

    /// Where PortOne's webhooks go. Until there is an address they wait.
    pub fn set_portone_webhook_url(&self, url: Option<String>) {
        courier::set_url::<PortOneDelivery>(&self.world, url);
    }

    /// Every webhook of PortOne and the attempts to deliver it, oldest first.
    pub fn portone_webhooks(&self) -> Vec<PortOneDelivery> {
        self.world.store().portone.deliveries().cloned().collect()
    }

    /// What takes the place of `https://popbill.linkhub.co.kr`.
    pub fn popbill_base_url(&self) -> String {
        format!("{}/popbill", self.base_url())
    }

    /// What takes the place of `https://auth.linkhub.co.kr`.
    pub fn linkhub_base_url(&self) -> String {
        format!("{}/linkhub", self.base_url())
    }

    /// Every tax invoice that Popbill holds, oldest first.
    pub fn tax_invoices(&self) -> Vec<IssuedInvoice> {
        popbill::desk::invoices(&self.world, &popbill::desk::InvoiceFilter::default())
    }

    pub fn set_popbill_switches(&self, switches: PopbillSwitches) {
        self.world.popbill.set_switches(switches);
    }

    /// What takes the place of KCP's hosts.
    pub fn kcp_base_url(&self) -> String {
        format!("{}/kcp", self.base_url())
    }

    /// A payer registers a card in KCP's window. Returns what the window handed over, as one form.
    pub fn kcp_billing_auth(&self, customer_key: &str, card_number: &str) -> anyhow::Result<String> {
        let request = kcp::desk::BillingAuth {
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
            site_cd: None,
            group_id: None,
        };
        Ok(kcp::desk::billing_auth(&self.world, request)?.form)
    }

    /// Puts another card behind all batch keys of a customer.
    pub fn change_card_of_kcp_customer(&self, customer_key: &str, card_number: &str) -> anyhow::Result<()> {
        let change = kcp::desk::CardChange {
            batch_key: None,
            customer_key: Some(customer_key.to_owned()),
            card_number: card_number.to_owned(),
        };
        kcp::desk::change_card(&self.world, &change)?;
        Ok(())
    }

    /// A payer authenticates a one-off payment in KCP's window. Returns what the window handed over,
    /// as one form; nothing is paid by that.
    pub fn kcp_payment_auth(&self, payment: KcpPaymentAuth) -> anyhow::Result<String> {
        Ok(kcp::desk::payment_auth(&self.world, payment)?.form)
    }

    pub fn kcp_switches(&self) -> KcpSwitches {
        self.world.kcp.switches()
    }

    pub fn set_kcp_switches(&self, switches: KcpSwitches) {
        self.world.kcp.set_switches(switches);
    }

    /// Where KCP's notifications go. Until it is set they wait.
    pub fn set_kcp_webhook_url(&self, url: Option<String>) {
        courier::set_url::<KcpNotice>(&self.world, url);
    }

    /// Every notification of KCP and the attempts to deliver it, oldest first.
    pub fn kcp_notices(&self) -> Vec<KcpNotice> {
        self.world.store().kcp.notices().cloned().collect()
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
        .nest("/popbill", popbill::router())
        .nest("/linkhub", popbill::linkhub_router())
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

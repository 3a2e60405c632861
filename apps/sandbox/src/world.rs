//! The world that all providers of the sandbox share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kernel::Clock;

use crate::{
    bootpay::{self, BootpaySwitches},
    faults::Faults,
    house::House,
    kcp::{self, KcpSwitches},
    nhn::{self, NhnSwitches},
    popbill::PopbillSwitches,
    portone::{self, PortOneSwitches},
    running::WebhookUrls,
    solapi::{self, SolapiSwitches},
    store::Store,
    toss::{self, TossSwitches},
};

pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    /// Every call of a provider answers after this time.
    pub(crate) latency: Duration,
    pub(crate) faults: Faults,
    pub(crate) toss: House<TossSwitches>,
    pub(crate) portone: House<PortOneSwitches>,
    pub(crate) kcp: House<KcpSwitches>,
    pub(crate) bootpay: House<BootpaySwitches>,
    /// Its webhooks are sent one by one, each to its own address.
    pub(crate) popbill: House<PopbillSwitches>,
    pub(crate) solapi: House<SolapiSwitches>,
    pub(crate) nhn: House<NhnSwitches>,
    store: Mutex<Store>,
}

impl World {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        latency: Duration,
        store: Store,
        webhook_urls: WebhookUrls,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            clock,
            latency,
            faults: Faults::default(),
            toss: House::new(webhook_urls.toss, toss::courier::PATIENCE)?,
            portone: House::new(webhook_urls.portone, portone::courier::PATIENCE)?,
            kcp: House::new(webhook_urls.kcp, kcp::courier::PATIENCE)?,
            bootpay: House::new(webhook_urls.bootpay, bootpay::courier::PATIENCE)?,
            popbill: House::new(None, Duration::from_secs(10))?,
            solapi: House::new(webhook_urls.solapi, solapi::courier::PATIENCE)?,
            nhn: House::new(webhook_urls.nhn, nhn::courier::PATIENCE)?,
            store: Mutex::new(store),
        })
    }

    /// Held for microseconds and never across an await: one lock is what makes "one approval per
    /// order" and "one answer per idempotency key" true without further thought.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

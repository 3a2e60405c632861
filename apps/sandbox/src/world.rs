//! The world that all providers of the sandbox share.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock},
    time::Duration,
};

use kernel::Clock;

use crate::{courier::Courier, faults::Faults, kcp, popbill, portone, store::Store, toss::TossSwitches};

pub(crate) struct World {
    pub(crate) clock: Arc<dyn Clock>,
    /// Every call of a provider answers after this time.
    pub(crate) latency: Duration,
    pub(crate) faults: Faults,
    /// That of Toss.
    pub(crate) courier: Courier,
    pub(crate) portone: portone::House,
    pub(crate) kcp: kcp::Office,
    pub(crate) popbill: popbill::Switchboard,
    switches: RwLock<TossSwitches>,
    store: Mutex<Store>,
}

impl World {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        latency: Duration,
        store: Store,
        courier: Courier,
        portone: portone::House,
        kcp: kcp::Office,
    ) -> Self {
        Self {
            clock,
            latency,
            faults: Faults::default(),
            courier,
            portone,
            kcp,
            popbill: popbill::Switchboard::default(),
            switches: RwLock::default(),
            store: Mutex::new(store),
        }
    }

    /// Held for microseconds and never across an await: one lock is what makes "one approval per
    /// order" and "one answer per idempotency key" true without further thought.
    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn switches(&self) -> TossSwitches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_switches(&self, switches: TossSwitches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }
}

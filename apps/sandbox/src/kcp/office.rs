//! What belongs to KCP and is not remembered: its switches and its courier.

use std::sync::{PoisonError, RwLock};

use super::{courier::Courier, switches::KcpSwitches};

pub(crate) struct Office {
    pub(crate) courier: Courier,
    switches: RwLock<KcpSwitches>,
}

impl Office {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { courier: Courier::new()?, switches: RwLock::default() })
    }

    pub(crate) fn switches(&self) -> KcpSwitches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_switches(&self, switches: KcpSwitches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }
}

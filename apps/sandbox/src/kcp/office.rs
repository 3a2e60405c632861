//! What belongs to KCP and is not remembered: its switches and its courier.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use super::{notices::KcpNotice, switches::KcpSwitches};
use crate::courier::Courier;

/// A receiver of notifications has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Office {
    pub(crate) courier: Courier,
    switches: RwLock<KcpSwitches>,
}

impl Office {
    pub(crate) fn new() -> anyhow::Result<Self> {
        Ok(Self { courier: Courier::new(None, PATIENCE)?, switches: RwLock::default() })
    }

    pub(crate) fn switches(&self) -> KcpSwitches {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_switches(&self, switches: KcpSwitches) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }

    /// Puts a notice on the list if it is still to be delivered.
    pub(crate) fn schedule(&self, notice: &KcpNotice) {
        self.courier.schedule(notice.next_attempt_at, &notice.id);
    }
}

//! What a provider has beside its memory: the switches on its wall, and a courier at its door.

use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};

use serde::{Serialize, de::DeserializeOwned};

use crate::{courier::Courier, world::World};

pub(crate) struct House<S> {
    pub(crate) courier: Courier,
    switches: RwLock<S>,
}

/// A provider's switches. They do not survive a restart.
pub(crate) trait Switches:
    Copy + Default + Serialize + DeserializeOwned + Send + Sync + 'static
{
    fn house(world: &World) -> &House<Self>;
}

impl<S: Switches> House<S> {
    /// Whoever receives webhooks has `patience` to answer.
    pub(crate) fn new(webhook_url: Option<String>, patience: Duration) -> anyhow::Result<Self> {
        Ok(Self { courier: Courier::new(webhook_url, patience)?, switches: RwLock::default() })
    }

    pub(crate) fn switches(&self) -> S {
        *self.switches.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_switches(&self, switches: S) {
        *self.switches.write().unwrap_or_else(PoisonError::into_inner) = switches;
    }
}

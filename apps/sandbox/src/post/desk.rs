//! Looking at the post, and deciding what becomes of it.

use std::sync::Arc;

use serde::Deserialize;

use super::{FateOf, Parcel, Record, parcel::ParcelView};
use crate::{book::Provider, complaint::Complaint, world::World};

/// Which messages are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub(crate) struct PostFilter {
    pub(crate) to: Option<String>,
    pub(crate) provider: Option<Provider>,
    pub(crate) reference: Option<String>,
    /// Messages behind this position: cheap polling.
    pub(crate) after_seq: Option<u64>,
    pub(crate) limit: Option<usize>,
}

/// The newest first.
pub(crate) fn newest(world: &World, filter: &PostFilter) -> Vec<Arc<Parcel>> {
    let digits: Option<String> =
        filter.to.as_ref().filter(|to| !to.is_empty()).map(|to| to.replace(['-', ' '], "").to_lowercase());
    let now = world.clock.now();
    let wanted = |parcel: &&Arc<Parcel>| {
        // What follows if something else fails is not there before.
        parcel.accepted_at <= now
            && digits.as_ref().is_none_or(|to| parcel.to.to_lowercase() == *to)
            && filter.provider.is_none_or(|provider| parcel.provider == provider)
            && filter.reference.as_ref().is_none_or(|name| parcel.reference.as_ref() == Some(name))
            && filter.after_seq.is_none_or(|seq| parcel.seq > seq)
    };
    let store = world.store();
    let limit = filter.limit.unwrap_or(1_000);
    store.post.parcels().iter().rev().filter(wanted).take(limit).cloned().collect()
}

pub(crate) fn views(world: &World, filter: &PostFilter) -> Vec<ParcelView> {
    let now = world.clock.now();
    newest(world, filter).iter().map(|parcel| ParcelView::of(parcel, now)).collect()
}

pub(crate) fn set_fate(world: &World, fate: &FateOf) -> Result<(), Complaint> {
    let fate = FateOf { to: fate.to.replace(['-', ' '], "").to_lowercase(), fate: fate.fate };
    let kept = world.store().commit(vec![Record::Fate(fate).into()]);
    kept.map_err(|error| Complaint::unwritten(&error))
}

pub(crate) fn empty(world: &World) -> Result<(), Complaint> {
    let kept = world.store().commit(vec![Record::Emptied.into()]);
    kept.map_err(|error| Complaint::unwritten(&error))
}

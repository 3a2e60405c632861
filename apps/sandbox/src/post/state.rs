//! Everything that was posted. Changes come only as [`Record`]s, so that a replayed journal and a living sandbox go the
//! same way.

use std::{collections::HashMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{Fate, Parcel};

/// One thing as it is after a change.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Record {
    Parcel(Box<Parcel>),
    Fate(FateOf),
    /// All that was posted is thrown away.
    Emptied,
}

/// What becomes from now on of what is sent there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FateOf {
    /// Digits alone, or an address.
    pub(crate) to: String,
    pub(crate) fate: Fate,
}

impl From<Record> for crate::store::Record {
    fn from(record: Record) -> Self {
        Self::Post(record)
    }
}

impl From<Parcel> for crate::store::Record {
    fn from(parcel: Parcel) -> Self {
        Record::Parcel(Box::new(parcel)).into()
    }
}

#[derive(Default)]
pub(crate) struct State {
    parcels: Vec<Arc<Parcel>>,
    by_id: HashMap<String, usize>,
    by_group: HashMap<String, Vec<usize>>,
    fates: HashMap<String, Fate>,
    /// Those that were thrown away had numbers as well.
    last_seq: u64,
}

impl State {
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Parcel(mut parcel) => {
                self.last_seq = parcel.seq.max(self.last_seq + 1);
                parcel.seq = self.last_seq;
                let index = self.parcels.len();
                self.by_id.insert(parcel.id.clone(), index);
                self.by_group.entry(parcel.group.clone()).or_default().push(index);
                self.parcels.push(Arc::new(*parcel));
            }
            Record::Fate(FateOf { to, fate }) => {
                self.fates.insert(to, fate);
            }
            Record::Emptied => {
                self.parcels.clear();
                self.by_id.clear();
                self.by_group.clear();
            }
        }
    }

    pub(crate) fn fate(&self, to: &str) -> Fate {
        self.fates.get(to).copied().unwrap_or_else(|| Fate::by_address(to))
    }

    pub(crate) fn parcels(&self) -> &[Arc<Parcel>] {
        &self.parcels
    }

    pub(crate) fn parcel(&self, id: &str) -> Option<&Arc<Parcel>> {
        self.by_id.get(id).map(|index| &self.parcels[*index])
    }

    pub(crate) fn of_group(&self, group: &str) -> impl Iterator<Item = &Arc<Parcel>> {
        self.by_group.get(group).into_iter().flatten().map(|index| &self.parcels[*index])
    }

    /// The records that make this state again.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Record> + '_ {
        let fates = self.fates.iter().map(|(to, fate)| Record::Fate(FateOf { to: to.clone(), fate: *fate }));
        let parcels = self.parcels.iter().map(|parcel| Record::Parcel(Box::new(Parcel::clone(parcel))));
        fates.chain(parcels)
    }
}

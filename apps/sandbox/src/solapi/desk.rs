//! What can be done to Solapi beside its API.

use serde::Deserialize;

use super::state::{Account, Record, Refusal, Template};
use crate::{complaint::Complaint, world::World};

/// Somebody calls the 080 line that stands in an advertisement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CallToRefuse {
    pub(crate) from: String,
    pub(crate) refusal_number: String,
}

pub(crate) fn refuse(world: &World, call: &CallToRefuse) -> Result<(), Complaint> {
    let refusal = Refusal {
        recipient_number: call.from.replace('-', ""),
        refusal_number: call.refusal_number.replace('-', ""),
        at: world.clock.now(),
    };
    keep(world, Record::Refusal(refusal))
}

pub(crate) fn set_account(world: &World, account: Account) -> Result<(), Complaint> {
    keep(world, Record::Account(account))
}

pub(crate) fn set_template(world: &World, template: Template) -> Result<(), Complaint> {
    keep(world, Record::Template(template))
}

fn keep(world: &World, record: Record) -> Result<(), Complaint> {
    world.store().commit(vec![record.into()]).map_err(|error| Complaint::unwritten(&error))
}

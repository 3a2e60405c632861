//! What can be done to NHN Cloud beside its APIs.

use serde::Deserialize;
use serde_json::json;

use super::{
    notices::NhnNotice,
    state::{Account, Record, Refusal},
};
use crate::{complaint::Complaint, courier, random, world::World};

/// Somebody calls the 080 line that stands in an advertisement.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CallToRefuse {
    pub(crate) from: String,
    pub(crate) refusal_number: String,
}

/// It is remembered, and told by webhook.
pub(crate) fn refuse(world: &World, call: &CallToRefuse) -> Result<(), Complaint> {
    let now = world.clock.now();
    let refusal = Refusal {
        recipient_no: call.from.replace('-', ""),
        unsubscribe_no: call.refusal_number.replace('-', ""),
        at: now,
    };
    let hook = json!({
        "hookId": random::letters(20), "recipientNo": refusal.recipient_no, "unsubscribeNo": refusal.unsubscribe_no,
        "enterpriseName": "단골", "createdDateTime": now,
    });
    let body = json!({
        "hooksId": random::letters(20), "webhookConfigId": "sandbox", "productName": "SMS",
        "appKey": "dangol-development", "event": "UNSUBSCRIBE", "hooks": [hook],
    });
    let notice = NhnNotice::new(&body, now);
    let records = vec![Record::Refusal(refusal).into(), Record::Notice(Box::new(notice.clone())).into()];
    world.store().commit(records).map_err(|error| Complaint::unwritten(&error))?;
    courier::schedule(world, [&notice]);
    Ok(())
}

pub(crate) fn set_account(world: &World, account: Account) -> Result<(), Complaint> {
    let kept = world.store().commit(vec![Record::Account(account).into()]);
    kept.map_err(|error| Complaint::unwritten(&error))
}

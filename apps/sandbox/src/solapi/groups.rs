//! Groups: what one request sent off together.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::{
    call::{Call, Change, Decision, Refusal},
    list::{MessageBody, limit},
    send::group_info,
};
use crate::{
    post::{Parcel, ParcelState},
    store::Store,
};

pub(super) fn one(store: &Store, call: &Call<'_>, id: &str) -> Decision {
    let parcels: Vec<&Arc<Parcel>> =
        store.post.of_group(id).filter(|parcel| parcel.replaces.is_none()).collect();
    let first = parcels.first().ok_or_else(Refusal::not_found)?;
    let mut info = group_info(id, parcels.len(), 0, first.accepted_at);
    let count = |state: ParcelState| parcels.iter().filter(|parcel| parcel.state(call.now) == state).count();
    let (sent, failed) = (count(ParcelState::Delivered), count(ParcelState::Failed));
    info["count"]["sentTotal"] = json!(parcels.len());
    info["count"]["sentSuccess"] = json!(sent);
    info["count"]["sentFailed"] = json!(failed);
    info["count"]["sentPending"] = json!(parcels.len() - sent - failed);
    info["count"]["sentReplacement"] =
        json!(store.post.of_group(id).filter(|parcel| parcel.replaces.is_some()).count());
    if sent + failed == parcels.len() {
        info["status"] = json!("COMPLETE");
    }
    Ok(Change::answer(info))
}

pub(super) fn messages(store: &Store, call: &Call<'_>, id: &str) -> Change {
    let visible = store.post.of_group(id).filter(|parcel| parcel.accepted_at <= call.now);
    let limit = limit(call);
    let behind = call.parameter("startKey");
    let mut found: Vec<&Arc<Parcel>> = match behind {
        Some(key) => visible.skip_while(|parcel| parcel.id != key).take(limit + 1).collect(),
        None => visible.take(limit + 1).collect(),
    };
    let next = (found.len() > limit).then(|| found.remove(limit).id.clone());
    let list: BTreeMap<&str, MessageBody<'_>> = found
        .into_iter()
        .map(|parcel| (parcel.id.as_str(), MessageBody::of(parcel, call.now, call.switches)))
        .collect();
    Change::answer(json!({
        "limit": limit, "startKey": call.parameter("startKey"), "nextKey": next, "messageList": list,
    }))
}

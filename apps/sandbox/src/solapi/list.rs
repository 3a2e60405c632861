//! Reading what was sent, and who refused.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Map, Value, json};

use super::{
    call::{Call, Change, Decision},
    switches::SolapiSwitches,
};
use crate::{
    book::Provider,
    post::{Parcel, ParcelState},
    store::Store,
};

const DEFAULT_LIMIT: usize = 20;
const MAX_LIMIT: usize = 500;

/// GET `/messages/v4/list`: the list is a map from ids, the newest first.
pub(super) fn messages(store: &Store, call: &Call<'_>) -> Decision {
    let mut ids = call.parameters("messageIds");
    ids.extend(call.parameters("messageId"));
    let group = call.parameter("groupId");
    let (from, until) = (call.time("startDate")?, call.time("endDate")?);
    let to = call.parameter("to");
    let status_code = call.parameter("statusCode");
    let by_update = call.parameter("dateType").as_deref() == Some("UPDATED");
    let lag = TimeDelta::seconds(call.switches.list_lag_seconds.into());
    let is_wanted = |parcel: &&Arc<Parcel>| {
        let at = if by_update { parcel.reports_at.unwrap_or(parcel.accepted_at) } else { parcel.accepted_at };
        parcel.provider == Provider::Solapi
            && parcel.accepted_at + lag <= call.now
            && group.as_ref().is_none_or(|group| parcel.group == *group)
            && to.as_ref().is_none_or(|to| parcel.to == *to)
            && from.is_none_or(|from| at >= from)
            && until.is_none_or(|until| at <= until)
            && status_code.as_ref().is_none_or(|code| code_of(parcel, call.now) == code)
    };
    let limit = limit(call);
    let mut found: Vec<&Arc<Parcel>> = if ids.is_empty() {
        let all = store.post.parcels().iter().rev().filter(is_wanted);
        let behind = call.parameter("startKey");
        match behind {
            // The page begins with this one.
            Some(key) => all.skip_while(|parcel| parcel.id != key).take(limit + 1).collect(),
            None => all.take(limit + 1).collect(),
        }
    } else {
        ids.iter().filter_map(|id| store.post.parcel(id)).filter(is_wanted).take(limit + 1).collect()
    };
    let next = (found.len() > limit).then(|| found.remove(limit).id.clone());
    let list: Map<String, Value> = found
        .into_iter()
        .map(|parcel| (parcel.id.clone(), message_body(parcel, call.now, call.switches)))
        .collect();
    Ok(Change::answer(json!({
        "limit": limit, "startKey": call.parameter("startKey"), "nextKey": next, "messageList": list,
    })))
}

pub(super) fn limit(call: &Call<'_>) -> usize {
    let asked = call.parameter("limit").and_then(|limit| limit.parse().ok());
    asked.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT)
}

/// Somebody called the 080 line since then. The shape is the SDK's, as far as it is known.
pub(super) fn refusals(store: &Store, call: &Call<'_>) -> Decision {
    let from = call.time("startDate")?;
    let all = store.solapi.refusals().iter().filter(|refusal| from.is_none_or(|from| refusal.at >= from));
    let lines: Vec<Value> = all
        .map(|refusal| {
            json!({
                "type": "DENIAL", "recipientNumber": refusal.recipient_number,
                "senderNumber": refusal.refusal_number, "dateCreated": refusal.at,
            })
        })
        .collect();
    Ok(Change::answer(json!({"startKey": null, "nextKey": null, "limit": limit(call), "blackList": lines})))
}

fn code_of(parcel: &Parcel, now: DateTime<Utc>) -> &str {
    if parcel.reported_at(now).is_some() { &parcel.outcome.code } else { "3000" }
}

/// A message as it stands.
pub(super) fn message_body(parcel: &Parcel, now: DateTime<Utc>, switches: SolapiSwitches) -> Value {
    let status = match parcel.state(now) {
        ParcelState::InFlight => "SENDING",
        ParcelState::Delivered => "COMPLETE",
        ParcelState::Failed => "FAILED",
    };
    let reported = parcel.reported_at(now);
    let received = reported.filter(|_| parcel.outcome.delivered);
    let is_replacement = parcel.replaces.is_some();
    let flag = |flag: bool| if switches.odd_types { json!(i32::from(flag)) } else { json!(flag) };
    let mut body = json!({
        "messageId": parcel.id, "groupId": parcel.group, "accountId": "26000000000001",
        "type": parcel.extra["type"], "from": parcel.from, "text": parcel.text, "subject": parcel.subject,
        "to": if switches.odd_types { json!([parcel.to]) } else { json!(parcel.to) },
        "imageId": null, "country": "82", "status": status, "statusCode": code_of(parcel, now), "reason": "",
        "networkName": null, "networkCode": null, "customFields": parcel.extra["customFields"],
        "replacement": flag(is_replacement), "autoTypeDetect": flag(true), "resendCount": 0,
        "dateCreated": parcel.accepted_at, "dateUpdated": reported.unwrap_or(parcel.accepted_at),
        "dateProcessed": parcel.accepted_at, "dateReceived": received, "dateReported": reported,
        "kakaoOptions": parcel.extra["kakaoOptions"], "rcsOptions": null,
    });
    if switches.unknown_fields {
        body["sandboxNewField"] = json!({"of": ["no", "document"]});
    }
    body
}

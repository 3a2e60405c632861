//! Reading what was sent, and who refused.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::{Value, json};

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
    let list: BTreeMap<&str, MessageBody<'_>> = found
        .into_iter()
        .map(|parcel| (parcel.id.as_str(), MessageBody::of(parcel, call.now, call.switches)))
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

/// A message as it stands. Written out as it is: a webhook is about a thousand of them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct MessageBody<'a> {
    message_id: &'a str,
    group_id: &'a str,
    account_id: &'static str,
    r#type: &'a Value,
    from: &'a str,
    to: To<'a>,
    text: &'a str,
    subject: Option<&'a str>,
    image_id: Option<&'a str>,
    country: &'static str,
    status: &'static str,
    status_code: &'a str,
    reason: &'static str,
    network_name: Option<&'a str>,
    network_code: Option<&'a str>,
    custom_fields: &'a Value,
    replacement: Flag,
    auto_type_detect: Flag,
    resend_count: u32,
    date_created: DateTime<Utc>,
    date_updated: DateTime<Utc>,
    date_processed: DateTime<Utc>,
    date_received: Option<DateTime<Utc>>,
    date_reported: Option<DateTime<Utc>>,
    kakao_options: &'a Value,
    rcs_options: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sandbox_new_field: Option<Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum To<'a> {
    One(&'a str),
    Several([&'a str; 1]),
}

#[derive(Serialize)]
#[serde(untagged)]
enum Flag {
    Is(bool),
    Number(u8),
}

impl<'a> MessageBody<'a> {
    pub(super) fn of(parcel: &'a Parcel, now: DateTime<Utc>, switches: SolapiSwitches) -> Self {
        let reported = parcel.reported_at(now);
        let flag = |is: bool| if switches.odd_types { Flag::Number(is.into()) } else { Flag::Is(is) };
        Self {
            message_id: &parcel.id,
            group_id: &parcel.group,
            account_id: "26000000000001",
            r#type: &parcel.extra["type"],
            from: &parcel.from,
            to: if switches.odd_types { To::Several([&parcel.to]) } else { To::One(&parcel.to) },
            text: &parcel.text,
            subject: parcel.subject.as_deref(),
            image_id: None,
            country: "82",
            status: match parcel.state(now) {
                ParcelState::InFlight => "SENDING",
                ParcelState::Delivered => "COMPLETE",
                ParcelState::Failed => "FAILED",
            },
            status_code: code_of(parcel, now),
            reason: "",
            network_name: None,
            network_code: None,
            custom_fields: &parcel.extra["customFields"],
            replacement: flag(parcel.replaces.is_some()),
            auto_type_detect: flag(true),
            resend_count: 0,
            date_created: parcel.accepted_at,
            date_updated: reported.unwrap_or(parcel.accepted_at),
            date_processed: parcel.accepted_at,
            date_received: reported.filter(|_| parcel.outcome.delivered),
            date_reported: reported,
            kakao_options: &parcel.extra["kakaoOptions"],
            rcs_options: None,
            sandbox_new_field: switches.unknown_fields.then(|| json!({"of": ["no", "document"]})),
        }
    }
}

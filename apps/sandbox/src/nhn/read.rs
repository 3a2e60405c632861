//! Reading what was sent: one by one, and in lists.

use std::sync::Arc;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    call::{Call, Change, Refusal, header, korean},
    sms::key_name,
};
use crate::{
    book::Provider,
    post::{Parcel, ParcelKind, ParcelState},
    store::Store,
};

/// One message, or all of a request.
pub(super) fn one(
    store: &Store,
    call: &Call<'_>,
    folder: &str,
    request_id: &str,
    seq: Option<&str>,
) -> Change {
    let seq = seq.map(str::to_owned).or_else(|| call.parameter("recipientSeq"));
    let seq: Option<i64> = seq.map(|text| text.parse().unwrap_or(-1));
    let found: Vec<Value> = store
        .post
        .of_group(request_id)
        .filter(|parcel| lies_in(parcel, folder, call))
        .filter(|parcel| seq.is_none_or(|seq| parcel.extra["recipientSeq"].as_i64() == Some(seq)))
        .map(|parcel| record(parcel, call))
        .collect();
    Change::answer(answered(folder, found, true))
}

/// By when they were handed over. A month at most, the newest first.
pub(super) fn list(store: &Store, call: &Call<'_>, folder: &str) -> Result<Change, Refusal> {
    let request_id = call.parameter("requestId");
    let (from, until) = (call.time("startCreateDate"), call.time("endCreateDate"));
    if request_id.is_none() {
        match (from, until) {
            (Some(from), Some(until)) if until - from <= TimeDelta::days(31) => {}
            _ => return Err(Refusal(-4000)),
        }
    }
    let number = |name: &str, default: usize| {
        call.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (page, size) = (number("pageNum", 1).max(1), number("pageSize", 15).clamp(1, 1_000));
    let lag = TimeDelta::seconds(call.switches.list_lag_seconds.into());
    let is_wanted = |parcel: &&Arc<Parcel>| {
        parcel.provider == Provider::Nhn
            && lies_in(parcel, folder, call)
            && parcel.accepted_at + lag <= call.now
            && request_id.as_ref().is_none_or(|id| parcel.group == *id)
            && from.is_none_or(|from| parcel.accepted_at >= from)
            // Written down to the second.
            && until.is_none_or(|until| parcel.accepted_at < until + TimeDelta::seconds(1))
    };
    let all = store.post.parcels().iter().rev().filter(is_wanted);
    let found = all.skip((page - 1) * size).take(size).map(|parcel| listed(parcel, call)).collect();
    Ok(Change::answer(answered(folder, found, false)))
}

/// Who called the 080 line. The reference names the path; the members are those of the webhook.
pub(super) fn refusals(store: &Store, call: &Call<'_>) -> Change {
    let number = |name: &str, default: usize| {
        call.parameter(name).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (page, size) = (number("pageNum", 1).max(1), number("pageSize", 15).clamp(1, 1_000));
    let all = store.nhn.refusals();
    let lines: Vec<Value> = all
        .iter()
        .skip((page - 1) * size)
        .take(size)
        .map(|refusal| {
            json!({
                "recipientNo": refusal.recipient_no, "unsubscribeNo": refusal.unsubscribe_no,
                "createdDateTime": korean(refusal.at),
            })
        })
        .collect();
    let body = json!({"pageNum": page, "pageSize": size, "totalCount": all.len(), "data": lines});
    Change::answer(json!({"header": header(0), "body": body}))
}

/// Whether what was sent as advertising is shown among the other texts is unknown: the switch decides.
fn lies_in(parcel: &Parcel, folder: &str, call: &Call<'_>) -> bool {
    let lies_in = parcel.extra["folder"].as_str().unwrap_or_default();
    if call.switches.advertising_among_texts {
        return lies_in.strip_prefix("ad-").unwrap_or(lies_in) == folder;
    }
    lies_in == folder
}

/// SMS wraps what it tells in `body.data`, KakaoTalk in an object of its own.
fn answered(folder: &str, mut found: Vec<Value>, is_one: bool) -> Value {
    match folder {
        "sms" | "ad-sms" | "mms" | "ad-mms" if is_one => {
            let data = if found.len() == 1 { found.remove(0) } else { json!(found) };
            json!({"header": header(0), "body": {"data": data}})
        }
        "sms" | "ad-sms" | "mms" | "ad-mms" => {
            json!({"header": header(0), "body": {"pageNum": 1, "pageSize": found.len(), "totalCount": found.len(), "data": found}})
        }
        _ if is_one => {
            let message = if found.is_empty() { Value::Null } else { found.remove(0) };
            json!({"header": header(0), "message": message})
        }
        _ => json!({
            "header": header(0),
            "messageSearchResultResponse": {"totalCount": found.len(), "messages": found},
        }),
    }
}

fn listed(parcel: &Parcel, call: &Call<'_>) -> Value {
    let mut record = record(parcel, call);
    if call.switches.nameless_lists
        && let Some(fields) = record.as_object_mut()
    {
        fields.remove(key_name(call.switches));
    }
    record
}

/// A message as it stands.
fn record(parcel: &Parcel, call: &Call<'_>) -> Value {
    let reported = parcel.reported_at(call.now);
    let code = |code: &str| match code.parse::<i64>() {
        Ok(number) if call.switches.numeric_codes => json!(number),
        _ => json!(code),
    };
    let mut record = json!({
        "requestId": parcel.group, "recipientSeq": parcel.extra["recipientSeq"], "recipientNo": parcel.to,
        "requestDate": korean(parcel.accepted_at), "createDate": korean(parcel.accepted_at),
        "receiveDate": reported.map(korean), "content": parcel.text, key_name(call.switches): parcel.reference,
        "resultCode": reported.map(|_| code(&parcel.outcome.code)),
    });
    if matches!(parcel.kind, ParcelKind::Sms | ParcelKind::Lms) {
        record["msgStatus"] = json!(match parcel.state(call.now) {
            ParcelState::InFlight => "2",
            ParcelState::Delivered => "3",
            ParcelState::Failed => "0",
        });
    } else {
        let resending = TimeDelta::milliseconds(call.switches.resending_takes_ms.into());
        record["messageStatus"] = match parcel.state(call.now) {
            ParcelState::InFlight => Value::Null,
            ParcelState::Delivered => json!("COMPLETED"),
            ParcelState::Failed => json!("FAILED"),
        };
        record["templateCode"] = parcel.extra["templateCode"].clone();
        record["resendType"] = parcel.extra["resendType"].clone();
        record["resendStatus"] = match (reported, parcel.extra["resendStatus"].as_str()) {
            // Before Kakao said no, nothing was resent.
            (None, Some("RSC04" | "RSC05")) => json!("RSC02"),
            (Some(at), Some("RSC04" | "RSC05")) if call.now < at + resending => json!("RSC03"),
            (_, status) => json!(status),
        };
        record["resendResultCode"] = if reported.is_some_and(|at| call.now >= at + resending) {
            parcel.extra["resendResultCode"].clone()
        } else {
            Value::Null
        };
    }
    if call.switches.unknown_fields {
        record["sandboxNewField"] = json!({"of": ["no", "document"]});
    }
    record
}
